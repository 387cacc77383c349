// What this process takes of the machine, under the names that all Prometheus clients use.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace raceway::server::observability {

/// Appends process_* families; one that the system does not tell is left out. Thread-safe.
void append_process_figures(std::vector<prometheus::MetricFamily>& families);

}  // namespace raceway::server::observability

// What /metrics shows of connections and requests.
#pragma once

#include "http/server.hpp"
#include "observability/families.hpp"

namespace raceway::server::http {

void append_metrics(observability::Families& families, const Counters& counters);

}  // namespace raceway::server::http

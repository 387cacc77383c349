// All that /metrics shows, gathered when it is asked for: between two scrapes nothing is done for it but counting.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "observability/families.hpp"

namespace raceway::server::observability {

/// Appends the figures of one part of the server; thread-safe, and never waits for the database.
using MetricSource = std::function<void(Families&)>;

/// Thread-safe.
class Metrics {
 public:
  /// What the sources name outlives this; they are asked in their order. `backend` is as configured.
  Metrics(std::string backend, std::vector<MetricSource> sources)
      : backend_(std::move(backend)), sources_(std::move(sources)) {}

  /// In Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  const std::string backend_;
  const std::vector<MetricSource> sources_;
};

}  // namespace raceway::server::observability

// All that /metrics shows, gathered when it is asked for: between two scrapes nothing is done for it but counting.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "http/server.hpp"
#include "ingest/ingestor.hpp"
#include "observability/database_watch.hpp"
#include "observability/request_figures.hpp"
#include "storage/storage.hpp"

namespace raceway::server::observability {

/// Where the figures come from; all of it outlives the metrics.
struct MetricSources {
  const RequestFigures& requests;
  const ingest::Ingestor& ingestor;
  storage::Storage& storage;
  std::function<http::Counters()> http;
  const DatabaseWatch* database = nullptr;  ///< null: no database
  std::string backend;                      ///< as configured
};

/// Thread-safe. Never waits for the database.
class Metrics : public prometheus::Collectable {
 public:
  explicit Metrics(MetricSources sources) : sources_(std::move(sources)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;
  /// The same in Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  const MetricSources sources_;
};

}  // namespace raceway::server::observability

// What those ask who run the server: /metrics, /health/live, /health/ready.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

struct Operations {
  std::function<std::string()> metrics;                   ///< in Prometheus' text format
  std::function<std::optional<std::string>()> not_ready;  ///< why no requests should be sent here; nothing: they may
  config::MetricsAccess access = config::MetricsAccess::open;
};

/// Adds the routes. None counts against the rate limit: a load balancer or Prometheus that is told 429 would take the
/// server for dead. The two of health need no API key, and tell nothing that is worth one. Called from many threads.
void add_operations_routes(Server& server, Operations operations);

}  // namespace raceway::server::http

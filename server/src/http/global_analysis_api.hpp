// The routes that answer questions about all traces.
#pragma once

#include "http/api.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// /api/analyze/global, /api/races, /api/races/:key, /api/services/health, /api/services/:name/dependencies,
/// /api/performance/metrics, /api/distributed/edges, /global-races and /hotspots
void add_global_routes(Server& server, Api& api);

}  // namespace raceway::server::http

// The routes that the web page needs beside those of the contract: capped, the same on both backends, writing nothing.
#pragma once

#include "http/api.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// /api/traces/:id/graph, /api/traces/:id/events, /api/changes, /api/storage
void add_page_routes(Server& server, Api& api);

}  // namespace raceway::server::http

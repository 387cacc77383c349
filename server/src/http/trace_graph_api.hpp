// A trace as its diagram needs it, and its events by their ids.
#pragma once

#include "http/api.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// GET /api/traces/:id/graph: sent as it is made. The api outlives the answer.
Response get_trace_graph(Api& api, const Request& request);

}  // namespace raceway::server::http

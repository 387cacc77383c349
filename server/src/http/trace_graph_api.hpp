// A trace as its diagram needs it, and its events by their ids.
#pragma once

#include "http/api.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// GET /api/traces/:id/graph: sent as it is made. The api outlives the answer.
Response get_trace_graph(Api& api, const Request& request);

/// GET /api/traces/:id/events?ids=a,b: those of them that the trace has, in the order of the ids.
Response get_trace_events(Api& api, const Request& request);

}  // namespace raceway::server::http

#include "http/page_api.hpp"

#include "http/trace_graph_api.hpp"

namespace raceway::server::http {

void add_page_routes(Server& server, Api& api) {
  server.route("GET", "/api/traces/:id/graph", [&api](Request& request) { return get_trace_graph(api, request); });
}

}  // namespace raceway::server::http

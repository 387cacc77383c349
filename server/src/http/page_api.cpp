#include "http/page_api.hpp"

#include "http/changes_api.hpp"
#include "http/trace_graph_api.hpp"

namespace raceway::server::http {

void add_page_routes(Server& server, Api& api) {
  server.route("GET", "/api/traces/:id/graph", [&api](Request& request) { return get_trace_graph(api, request); });
  server.route("GET", "/api/traces/:id/events", [&api](Request& request) { return get_trace_events(api, request); });
  server.route("GET", "/api/changes", [&api](Request& request) { return get_changes(api, request); });
  server.route("GET", "/api/storage", [&api](Request&) { return get_storage(api); });
}

}  // namespace raceway::server::http

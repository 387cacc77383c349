#include "http/trace_graph_api.hpp"

#include <memory>

#include "analysis/trace_graph.hpp"
#include "http/trace_analysis_api.hpp"

namespace raceway::server::http {
namespace {

/// A trace that is sent as its diagram, which refers to what was found. Outlives the stream.
struct GraphedTrace {
  GraphedTrace(Api& api, const Request& request)
      : found(find_trace(api.storage, request, "Graph failed: ")),
        graph(*found.events, request.path_parameter("id"), api.budget) {}

  bool write(const Write& write) {
    return write(R"({"success":true,"data":)") && graph.write(write) && write(R"(,"error":null})");
  }

  FoundTrace found;
  analysis::TraceGraph graph;
};

/// More than these are sent as they are made.
constexpr std::uint32_t events_of_a_graph_body = 1'000;

}  // namespace

Response get_trace_graph(Api& api, const Request& request) {
  const auto graphed = std::make_shared<GraphedTrace>(api, request);
  Response response;
  if (graphed->graph.events() > events_of_a_graph_body) {
    response.stream = [graphed](const Write& write) { return graphed->write(write); };
    return response;
  }
  graphed->write([&](std::string_view piece) {
    response.body += piece;
    return true;
  });
  return response;
}

}  // namespace raceway::server::http

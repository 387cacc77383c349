#include "http/trace_graph_api.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/trace_graph.hpp"
#include "http/envelope.hpp"
#include "http/trace_analysis_api.hpp"
#include "wire/uuid.hpp"
#include "wire/writer.hpp"

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

constexpr std::size_t most_asked_events = 200;

/// From each `ids`, between commas; and each as a whole, for an id may hold a comma. What is no id of the trace is left
/// out of the answer.
std::vector<std::string> asked_ids(const Request& request) {
  std::vector<std::string> ids;
  std::vector<std::string> with_commas;
  for (const auto& [name, text] : request.query) {
    if (name != "ids") continue;
    if (text.find(',') != std::string::npos) with_commas.push_back(text);
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) ids.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (ids.empty()) throw Refusal(400, "ids: the ids of events of the trace, with commas between");
  if (ids.size() > most_asked_events)
    throw Refusal(400, "ids: no more than " + std::to_string(most_asked_events) + " at a time");
  ids.insert(ids.begin(), with_commas.begin(), with_commas.end());
  return ids;
}

/// As find_trace(), without its events.
std::string find_id(storage::Storage& storage, const Request& request) {
  std::string typed(request.path_parameter("id"));
  const auto uuid = wire::canonical_uuid(typed);
  if (!storage.summaries({typed}).empty()) return typed;
  if (!uuid) throw Refusal(400, "Invalid trace ID format");
  if (*uuid == typed || storage.summaries({*uuid}).empty())
    throw Refusal(404, "Events failed: Trace not found: " + *uuid);
  return *uuid;
}

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

Response get_trace_events(Api& api, const Request& request) {
  const auto ids = asked_ids(request);
  const auto trace_id = find_id(api.storage, request);
  auto hold = api.budget.hold();
  std::map<std::string, storage::StoredEvent> by_id;
  for (auto& event : api.storage.events_of(trace_id, ids)) {
    hold.grow(2 * (sizeof(event) + event.metadata.size() + event.vector_clock.size()));  // and what is made of it
    auto id = event.event_id;
    by_id.emplace(std::move(id), std::move(event));
  }
  std::string json = R"({"trace_id":)" + json_string(request.path_parameter("id")) + R"(,"events":[)";
  for (const std::string& id : ids) {
    const auto found = by_id.extract(id);  // an id that is asked for twice is answered once
    if (found.empty()) continue;
    if (json.back() == '}') json += ',';
    wire::append_sdk_event(json, found.mapped().row());
  }
  return success(json + "]}");
}

}  // namespace raceway::server::http

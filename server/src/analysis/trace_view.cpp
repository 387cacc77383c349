#include "analysis/trace_view.hpp"

#include <utility>

#include "causality/causal_order.hpp"
#include "wire/links.hpp"
#include "wire/writer.hpp"

namespace raceway::server::analysis {

void sort_causally(std::vector<storage::StoredEvent>& events) {
  std::vector<wire::Links> links;
  std::vector<causality::TraceEvent> nodes;
  links.reserve(events.size());
  nodes.reserve(events.size());
  for (const auto& event : events) {
    const auto& link = links.emplace_back(wire::read_links(event.row()));
    nodes.push_back({event.event_id, link.parent_id, event.timestamp, link.timestamp_nanos, link.clock});
  }
  std::vector<storage::StoredEvent> sorted;
  sorted.reserve(events.size());
  for (const auto index : causality::causal_order(nodes)) sorted.push_back(std::move(events[index]));
  events = std::move(sorted);
}

void append_events(std::string& out, const std::vector<storage::StoredEvent>& events) {
  char separator = '[';
  for (const auto& event : events) {
    out += separator;
    wire::append_sdk_event(out, event.row());
    separator = ',';
  }
  out += events.empty() ? "[]" : "]";
}

std::string trace_json(std::vector<storage::StoredEvent> events) {
  sort_causally(events);
  std::string json = R"({"trace_id":)";
  wire::append_json_string(json, events.front().trace_id);
  json += R"(,"events":)";
  append_events(json, events);
  json +=
      R"(,"audit_trails":{},"analysis":{"concurrent_events":0,"potential_races":0,"anomalies":[],"race_details":[]},)"
      R"("critical_path":null,"anomalies":[],"dependencies":null})";
  return json;
}

}  // namespace raceway::server::analysis

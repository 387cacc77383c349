#include "analysis/trace_view.hpp"

#include "analysis/trace_links.hpp"
#include "wire/writer.hpp"

namespace raceway::server::analysis {

std::vector<std::uint32_t> causal_order(storage::TraceEvents& events, storage::ByteBudget& budget) {
  TraceLinks links(events, budget);
  return causality::causal_order(links.events());
}

void append_event(std::string& out, const wire::Row& event) {
  wire::append_sdk_event(out, event);
}

std::string trace_begin(std::string_view trace_id) {
  std::string json = R"({"trace_id":)";
  wire::append_json_string(json, trace_id);
  return json + R"(,"events":[)";
}

std::string_view trace_end() {
  return R"(],"audit_trails":{},"analysis":{"concurrent_events":0,"potential_races":0,"anomalies":[],"race_details":[]},)"
         R"("critical_path":null,"anomalies":[],"dependencies":null})";
}

}  // namespace raceway::server::analysis

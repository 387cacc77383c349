#include "analysis/event_details.hpp"

#include <algorithm>
#include <numeric>

#include "analysis/operations.hpp"
#include "wire/arena.hpp"
#include "wire/fields.hpp"
#include "wire/row_json.hpp"

namespace raceway::server::analysis {
namespace {

using wire::Json;

std::string json_of(const Json& metadata, std::string_view name) {
  std::string json;
  if (const Json* value = metadata.find(name)) wire::append_json(json, *value);
  return json;
}

std::string kind_of(const wire::Row& row, const Json& metadata) {
  const auto about = [&](std::string_view name) {
    return std::string(row.kind) + '(' + std::string(text_in(metadata, name)) + ')';
  };
  if (row.kind == "FunctionCall") return about("function_name");
  if (row.kind == "StateChange") return about("variable");
  if (row.kind == "HttpRequest")
    return "HttpRequest(" + std::string(text_in(metadata, "method")) + ' ' + std::string(text_in(metadata, "url")) +
           ')';
  if (row.kind == "AsyncSpawn" || row.kind == "DatabaseQuery") return std::string(row.kind);
  return "Other";
}

EventDetails details_of(const wire::Row& row) {
  wire::Arena arena;
  const Json metadata = wire::read_row_object(row.metadata, arena);
  EventDetails details;
  details.id = row.event_id;
  details.service = text_in(metadata, wire::fields::service_name);
  details.thread = text_in(metadata, wire::fields::thread_id);
  details.location = row.location ? std::string(*row.location) : std::string(text_in(metadata, "url"));
  if (details.location.empty()) details.location = "unknown";
  details.kind = kind_of(row, metadata);
  if (row.kind == "StateChange") {
    details.access = text_in(metadata, "access_type");
    if (details.access.empty()) details.access = "Write";
    details.old_value = json_of(metadata, "old_value");
    details.new_value = json_of(metadata, "new_value");
  }
  details.time = {row.timestamp, wire::nanos_in(metadata)};
  return details;
}

}  // namespace

bool each_details(TraceAnalysis& trace, std::span<const std::uint32_t> events,
                  const std::function<bool(const EventDetails&)>& visit) {
  std::vector<std::uint32_t> places;
  places.reserve(events.size());
  for (const std::uint32_t event : events) places.push_back(trace.events()[event].place);
  return trace.rows().each_of(places, [&](const wire::Row& row) { return visit(details_of(row)); });
}

std::vector<EventDetails> read_details(TraceAnalysis& trace, std::span<const std::uint32_t> events) {
  // As they lie, for neighbours are read together.
  std::vector<std::uint32_t> by_place(events.size());
  std::iota(by_place.begin(), by_place.end(), 0U);
  std::ranges::sort(by_place, {}, [&](std::uint32_t at) { return trace.events()[events[at]].place; });
  std::vector<std::uint32_t> sorted;
  sorted.reserve(events.size());
  for (const std::uint32_t at : by_place) sorted.push_back(events[at]);
  std::vector<EventDetails> details(events.size());
  std::size_t next = 0;
  each_details(trace, sorted, [&](const EventDetails& each) {
    details[by_place[next++]] = each;
    return true;
  });
  return details;
}

}  // namespace raceway::server::analysis

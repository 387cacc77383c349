#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "causality/clock.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

bool is_documented_field(std::string_view name) {
  constexpr std::array known = {fields::event_id,    fields::trace_id, fields::kind,         fields::timestamp,
                                fields::duration_ms, fields::location, fields::vector_clock, fields::metadata};
  return fields::contains(known, name);
}

/// Whether the column's 32 bits give back the number that was sent.
bool keeps(float column, std::string_view sent) {
  double exact = 0;
  std::from_chars(sent.data(), sent.data() + sent.size(), exact);
  std::array<char, 64> shortest{};
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), column).ptr;
  double kept = 0;
  std::from_chars(shortest.data(), end, kept);
  return kept == exact;
}

void read_location(const Json& value, Event& event, MetadataBuilder& metadata, std::vector<JsonMember>& leftovers) {
  if (!value.is(Json::Type::string)) throw EventError("location is not a string");
  event.location = first_characters(value.text, max_location_length);
  if (event.location->size() == value.text.size()) return;
  if (metadata.has(fields::location)) {
    leftovers.push_back({fields::location, value});
  } else {
    metadata.add(fields::location, value);
  }
}

/// Takes fields that this form does not know (parent_id, service_name, thread_id ...) for metadata, where `sent`, the
/// event's own metadata, leaves their names free.
void add_unknown_fields(const Json& event, const Json* sent, MetadataBuilder& metadata,
                        std::vector<JsonMember>& leftovers) {
  const bool clock_is_there = metadata.has(fields::causality_vector);
  const auto members = sent != nullptr ? sent->as_object() : std::span<const JsonMember>();
  auto place = members.begin();
  for (const auto& member : event.as_object()) {
    if (is_documented_field(member.key)) continue;
    // Both objects are sorted alike: one walk over them together, however many fields they have.
    while (place != members.end() && causality::compare_names(place->key, member.key) < 0) ++place;
    const bool is_taken = (place != members.end() && place->key == member.key) ||
                          (clock_is_there && member.key == fields::causality_vector);
    if (is_taken) {
      leftovers.push_back(member);
    } else {
      metadata.add(member.key, member.value);
    }
  }
}

}  // namespace

Event read_documented_event(const Json& event, Arena& arena) {
  Event row;
  row.event_id = required_text(event, fields::event_id, max_id_length);
  row.trace_id = required_text(event, fields::trace_id, max_id_length);
  row.kind = required_text(event, fields::kind, max_kind_length);
  const Timestamp time = required_timestamp(event);
  row.timestamp = time.micros;

  MetadataBuilder metadata(arena);
  std::vector<JsonMember> leftovers;
  const Json* sent = find_value(event, fields::metadata);
  if (sent != nullptr) {
    if (!sent->is(Json::Type::object)) throw EventError("metadata is not an object");
    for (const auto& member : sent->as_object()) metadata.add(member.key, member.value);
  }
  if (const Json* clock = find_value(event, fields::vector_clock)) {
    const auto read = read_clock(*clock, fields::vector_clock, arena);
    row.has_clock = true;
    row.clock = read.components;
    if (!read.reproducible && !metadata.has(fields::causality_vector)) metadata.add(fields::causality_vector, *clock);
  }
  if (const Json* duration = find_value(event, fields::duration_ms)) {
    row.duration_ms = read_duration(*duration, fields::duration_ms);
    if (!keeps(*row.duration_ms, duration->text) && !metadata.has(fields::duration_ms)) {
      metadata.add(fields::duration_ms, *duration);
    }
  }
  if (const Json* location = find_value(event, fields::location)) read_location(*location, row, metadata, leftovers);
  add_unknown_fields(event, sent, metadata, leftovers);
  if (!metadata.has(fields::event_fields)) metadata.add_fields(fields::event_fields, leftovers);
  if (!metadata.has(fields::timestamp_nanos)) add_nanos(metadata, time, arena);
  row.metadata = metadata.build();
  complete(row);
  return row;
}

}  // namespace raceway::wire

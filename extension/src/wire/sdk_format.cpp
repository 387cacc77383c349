#include <string>

#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/number.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

bool is_sdk_field(std::string_view name) {
  constexpr std::array known = {fields::id,   fields::trace_id, fields::parent_id,        fields::timestamp,
                                fields::kind, fields::metadata, fields::causality_vector, fields::lock_set};
  return fields::contains(known, name);
}

/// `file:line`, where the variant names both.
std::optional<std::string> file_and_line(const Json& variant) {
  const Json* file = variant.find(fields::file);
  const Json* line = variant.find(fields::line);
  if (file == nullptr || line == nullptr || !file->is(Json::Type::string) || !line->is(Json::Type::number)) {
    return std::nullopt;
  }
  return std::string(file->text) + ":" + std::string(line->text);
}

/// Sets the column, and answers whether the column alone gives the variant's location back.
bool read_location(const Json& variant, Event& row, Arena& arena) {
  const auto derived = file_and_line(variant);
  const Json* location = variant.find(fields::location);
  if (location == nullptr || !location->is(Json::Type::string)) {
    if (derived) row.location = arena.copy(first_characters(*derived, max_location_length));
    return false;
  }
  row.location = first_characters(location->text, max_location_length);
  return row.location->size() == location->text.size() && derived != std::string(location->text);
}

void read_kind(const Json& event, Event& row, MetadataBuilder& metadata, Arena& arena) {
  const Json* kind = find_value(event, fields::kind);
  if (kind == nullptr) throw EventError("kind is missing");
  if (kind->is(Json::Type::string)) {
    row.kind = required_text(event, fields::kind, max_kind_length);
    return;
  }
  if (!kind->is(Json::Type::object) || kind->count != 1)
    throw EventError("kind is not an object of exactly one variant");
  const auto& [name, variant] = kind->members[0];
  if (name.empty() || !fits(name, max_kind_length)) {
    throw EventError("kind has a name of " + std::to_string(character_count(name)) + " characters; 1 to " +
                     std::to_string(max_kind_length) + " are kept");
  }
  row.kind = name;
  if (variant.is(Json::Type::null)) return;
  if (!variant.is(Json::Type::object)) throw EventError("kind." + std::string(name) + " is not an object");

  const bool location_in_column = read_location(variant, row, arena);
  std::vector<JsonMember> collisions;
  for (const auto& member : variant.as_object()) {
    if (member.key == fields::location && location_in_column) continue;
    if (fields::is_taken(member.key)) {
      collisions.push_back(member);
    } else {
      metadata.add(member.key, member.value);
    }
  }
  metadata.add_fields(fields::kind_fields, collisions);
  if (const Json* duration = variant.find(fields::duration_ms);
      duration != nullptr && duration->is(Json::Type::number)) {
    row.duration_ms = static_cast<float>(read_duration(*duration, fields::duration_ms));
  }
}

void read_metadata(const Json& event, Event& row, MetadataBuilder& metadata) {
  const Json* sent = find_value(event, fields::metadata);
  if (sent == nullptr) return;
  if (!sent->is(Json::Type::object)) throw EventError("metadata is not an object");
  std::vector<JsonMember> unknown;
  for (const auto& member : sent->as_object()) {
    if (fields::is_sdk_metadata(member.key)) {
      metadata.add(member.key, member.value);
    } else {
      unknown.push_back(member);
    }
  }
  metadata.add_fields(fields::metadata_fields, unknown);
  if (const Json* nanos = sent->find(fields::duration_ns); nanos != nullptr && nanos->is(Json::Type::number)) {
    row.duration_ms = static_cast<float>(read_duration(*nanos, fields::duration_ns) / 1e6);
  }
}

void read_clock_and_locks(const Json& event, Event& row, MetadataBuilder& metadata, Arena& arena) {
  if (const Json* clock = find_value(event, fields::causality_vector)) {
    const auto read = read_clock(*clock, fields::causality_vector, arena);
    row.has_clock = true;
    row.clock = read.components;
    if (!read.reproducible) metadata.add(fields::causality_vector, *clock);
  }
  if (const Json* locks = find_value(event, fields::lock_set)) {
    if (!locks->is(Json::Type::array)) throw EventError("lock_set is not an array");
    if (locks->count > 0) metadata.add(fields::lock_set, *locks);
  }
}

void read_parent(const Json& event, MetadataBuilder& metadata, Arena& arena) {
  const Json* parent = find_value(event, fields::parent_id);
  if (parent == nullptr) return;
  if (!parent->is(Json::Type::string)) throw EventError("parent_id is neither a string nor null");
  metadata.add(fields::parent_id, Json::of_string(normalized_uuid(parent->text, arena)));
}

}  // namespace

Event read_sdk_event(const Json& event, Arena& arena) {
  Event row;
  row.event_id = normalized_uuid(required_text(event, fields::id, max_id_length), arena);
  row.trace_id = normalized_uuid(required_text(event, fields::trace_id, max_id_length), arena);
  const Timestamp time = required_timestamp(event);
  row.timestamp = time.micros;

  MetadataBuilder metadata(arena);
  read_kind(event, row, metadata, arena);
  read_metadata(event, row, metadata);
  read_parent(event, metadata, arena);
  read_clock_and_locks(event, row, metadata, arena);
  add_nanos(metadata, time, arena);

  std::vector<JsonMember> unknown;
  for (const auto& member : event.as_object()) {
    if (!is_sdk_field(member.key)) unknown.push_back(member);
  }
  metadata.add_fields(fields::event_fields, unknown);
  row.metadata = metadata.build();
  complete(row);
  return row;
}

}  // namespace raceway::wire

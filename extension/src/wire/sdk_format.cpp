#include <functional>
#include <string>

#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/number.hpp"
#include "wire/sdk_parts.hpp"
#include "wire/text.hpp"

namespace raceway::wire {

bool set_location(Event& row, const VariantPlace& place, Arena& arena) {
  // `file:line`, where the variant names both.
  std::string_view derived;
  if (place.file != nullptr && place.line != nullptr && place.file->is(Json::Type::string) &&
      place.line->is(Json::Type::number)) {
    derived = arena.join(place.file->text(), ":", place.line->text());
  }
  if (place.location == nullptr || !place.location->is(Json::Type::string)) {
    if (derived.data() != nullptr) row.location = first_characters(derived, max_location_length);
    return false;
  }
  const auto location = place.location->text();
  row.location = first_characters(location, max_location_length);
  const bool is_whole = row.location->size() == location.size();
  return is_whole && (derived.data() == nullptr || first_characters(derived, max_location_length) != location);
}

void set_duration(Event& row, const Json* duration_ms, const Json* duration_ns) {
  if (duration_ms != nullptr && duration_ms->is(Json::Type::number)) {
    row.duration_ms = read_duration(*duration_ms, fields::duration_ms);
  }
  if (duration_ns != nullptr && duration_ns->is(Json::Type::number)) {
    row.duration_ms = read_duration(*duration_ns, fields::duration_ns, 1e6);
  }
}

namespace {

void read_kind(const Json& event, Event& row, MetadataBuilder& metadata, Arena& arena) {
  const Json* kind = find_value(event, fields::kind);
  if (kind == nullptr) throw EventError("kind is missing");
  if (kind->is(Json::Type::string)) {
    row.kind = required_text(event, fields::kind, max_kind_length);
    return;
  }
  if (!kind->is(Json::Type::object) || kind->count() != 1)
    throw EventError("kind is not an object of exactly one variant");
  const auto name = kind->as_object()[0].key();
  const Json& variant = kind->as_object()[0].value;
  if (name.empty() || !fits(name, max_kind_length)) {
    throw EventError("kind has a name of " + std::to_string(character_count(name)) + " characters; 1 to " +
                     std::to_string(max_kind_length) + " are kept");
  }
  row.kind = name;
  if (variant.is(Json::Type::null)) return;
  if (!variant.is(Json::Type::object)) throw EventError("kind." + std::string(name) + " is not an object");

  const VariantPlace place = {variant.find(fields::location), variant.find(fields::file), variant.find(fields::line)};
  const bool location_in_column = set_location(row, place, arena);
  for (const auto& member : variant.as_object()) {
    if (member.key() == fields::location && location_in_column) continue;
    if (!fields::is_taken(member.key())) metadata.add(member.key(), member.value);
  }
  metadata.add_fields(fields::kind_fields, pick_members(variant, arena, fields::is_taken));
  set_duration(row, variant.find(fields::duration_ms), nullptr);
}

void read_metadata(const Json& event, Event& row, MetadataBuilder& metadata, Arena& arena) {
  const Json* sent = find_value(event, fields::metadata);
  if (sent == nullptr) return;
  if (!sent->is(Json::Type::object)) throw EventError("metadata is not an object");
  for (const auto& member : sent->as_object()) {
    if (fields::is_sdk_metadata(member.key())) metadata.add(member.key(), member.value);
  }
  metadata.add_fields(fields::metadata_fields, pick_members(*sent, arena, std::not_fn(fields::is_sdk_metadata)));
  set_duration(row, nullptr, sent->find(fields::duration_ns));
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
    if (locks->count() > 0) metadata.add(fields::lock_set, *locks);
  }
}

/// What may be added to a row's metadata beside the fields of the variant.
constexpr std::size_t most_added = fields::sdk_metadata.size() + fields::row_only.size();

std::size_t count_variant_fields(const Json& event) {
  const Json* kind = event.find(fields::kind);
  if (kind == nullptr || !kind->is(Json::Type::object) || kind->count() != 1) return 0;
  const Json& variant = kind->as_object()[0].value;
  return variant.is(Json::Type::object) ? variant.count() : 0;
}

void read_parent(const Json& event, MetadataBuilder& metadata, Arena& arena) {
  const Json* parent = find_value(event, fields::parent_id);
  if (parent == nullptr) return;
  if (!parent->is(Json::Type::string)) throw EventError("parent_id is neither a string nor null");
  metadata.add(fields::parent_id, Json::of_string(normalized_uuid(parent->text(), arena)));
}

}  // namespace

Event read_sdk_event(const Json& event, Arena& arena) {
  Event row;
  row.event_id = normalized_uuid(required_text(event, fields::id, max_id_length), arena);
  row.trace_id = normalized_uuid(required_text(event, fields::trace_id, max_id_length), arena);
  const Timestamp time = required_timestamp(event);
  row.timestamp = time.micros;

  MetadataBuilder metadata(arena, Json::of_object({}), count_variant_fields(event) + most_added);
  read_kind(event, row, metadata, arena);
  read_metadata(event, row, metadata, arena);
  read_parent(event, metadata, arena);
  read_clock_and_locks(event, row, metadata, arena);
  add_nanos(metadata, time, arena);

  metadata.add_fields(fields::event_fields, pick_members(event, arena, std::not_fn(fields::is_sdk_field)));
  row.metadata = metadata.build();
  complete(row);
  return row;
}

}  // namespace raceway::wire

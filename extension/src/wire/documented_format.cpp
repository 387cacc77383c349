#include <array>
#include <charconv>
#include <functional>
#include <span>
#include <string>

#include "causality/clock.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

/// In jsonb's order.
constexpr std::array documented_fields = {fields::kind,        fields::event_id,    fields::location,
                                          fields::metadata,    fields::trace_id,    fields::timestamp,
                                          fields::duration_ms, fields::vector_clock};

/// What may be added to an event's metadata beside its unknown fields, and what may be left over beside them.
constexpr std::size_t most_added = 5;
constexpr std::size_t most_leftovers = 2;

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

/// Steps over what stands before `name`; answers whether that stands there.
template <class At, class End, class NameOf>
bool find_next(At& at, End end, std::string_view name, NameOf name_of) {
  while (at != end && causality::compare_names(name_of(*at), name) < 0) ++at;
  return at != end && name_of(*at) == name;
}

/// Visits the fields that this form does not know (parent_id, service_name, thread_id ...), each with whether `sent`,
/// the event's own metadata, has its name. All are sorted alike: one walk over them together, however many they are.
template <class Visit>
void each_unknown_field(const Json& event, const Json& sent, Visit visit) {
  auto known = documented_fields.begin();
  auto own = sent.as_object().begin();
  for (const auto& member : event.as_object()) {
    if (find_next(known, documented_fields.end(), member.key(), [](std::string_view name) { return name; })) continue;
    visit(member, find_next(own, sent.as_object().end(), member.key(), std::mem_fn(&JsonMember::key)));
  }
}

/// What finds no place of its own in the metadata.
class Leftovers {
 public:
  Leftovers(Arena& arena, std::size_t most) : arena_(arena), most_(most) {}

  void add(const JsonMember& member) {
    if (members_ == nullptr) members_ = arena_.allocate<JsonMember>(most_);
    members_[count_++] = member;
  }
  std::span<const JsonMember> sorted() {
    const std::span<JsonMember> all(members_, count_);
    return all.first(sort_members(all, arena_.allowance()));
  }

 private:
  Arena& arena_;
  std::size_t most_;
  JsonMember* members_ = nullptr;
  std::size_t count_ = 0;
};

void read_location(const Json& value, Event& event, MetadataBuilder& metadata, Leftovers& leftovers) {
  if (!value.is(Json::Type::string)) throw EventError("location is not a string");
  event.location = first_characters(value.text(), max_location_length);
  if (event.location->size() == value.text().size()) return;
  if (metadata.has(fields::location)) {
    leftovers.add({fields::location, value});
  } else {
    metadata.add(fields::location, value);
  }
}

/// What is not in the columns as it was sent, and unknown fields whose names `sent` leaves free, as metadata.
Json make_metadata(const Json& event, const Json& sent, const Timestamp& time, const ReadClock& clock, Event& row,
                   Arena& arena) {
  std::size_t free = 0;
  std::size_t taken = 0;
  each_unknown_field(event, sent, [&](const JsonMember&, bool is_taken) { ++(is_taken ? taken : free); });
  MetadataBuilder metadata(arena, sent, free + most_added);
  Leftovers leftovers(arena, taken + most_leftovers);
  if (!clock.reproducible && !metadata.has(fields::causality_vector)) {
    metadata.add(fields::causality_vector, *event.find(fields::vector_clock));
  }
  if (row.duration_ms && !metadata.has(fields::duration_ms)) {
    const Json& duration = *event.find(fields::duration_ms);
    if (!keeps(*row.duration_ms, duration.text())) metadata.add(fields::duration_ms, duration);
  }
  if (const Json* location = find_value(event, fields::location)) read_location(*location, row, metadata, leftovers);
  if (free + taken > 0) {
    const bool clock_is_there = metadata.has(fields::causality_vector);
    each_unknown_field(event, sent, [&](const JsonMember& member, bool is_taken) {
      if (is_taken || (clock_is_there && member.key() == fields::causality_vector)) {
        leftovers.add(member);
      } else {
        metadata.add(member.key(), member.value);
      }
    });
  }
  const auto left = leftovers.sorted();
  if (!left.empty() && !metadata.has(fields::event_fields)) metadata.add(fields::event_fields, Json::of_object(left));
  if (!metadata.has(fields::timestamp_nanos)) add_nanos(metadata, time, arena);
  return metadata.build();
}

}  // namespace

Event read_documented_event(const Json& event, Arena& arena) {
  Event row;
  row.event_id = required_text(event, fields::event_id, max_id_length);
  row.trace_id = required_text(event, fields::trace_id, max_id_length);
  row.kind = required_text(event, fields::kind, max_kind_length);
  const Timestamp time = required_timestamp(event);
  row.timestamp = time.micros;

  const Json* sent_metadata = find_value(event, fields::metadata);
  const Json sent = sent_metadata != nullptr ? *sent_metadata : Json::of_object({});
  if (!sent.is(Json::Type::object)) throw EventError("metadata is not an object");
  ReadClock clock;
  if (const Json* value = find_value(event, fields::vector_clock)) {
    clock = read_clock(*value, fields::vector_clock, arena);
    row.has_clock = true;
    row.clock = clock.components;
  }
  if (const Json* duration = find_value(event, fields::duration_ms)) {
    row.duration_ms = read_duration(*duration, fields::duration_ms);
  }
  row.metadata = make_metadata(event, sent, time, clock, row, arena);
  complete(row);
  return row;
}

}  // namespace raceway::wire

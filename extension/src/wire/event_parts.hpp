// The parts of an event that both wire formats share: ids, kinds, clocks, and the building of a row's metadata.
// Everything here throws EventError with a reason that names the field.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "wire/arena.hpp"
#include "wire/errors.hpp"
#include "wire/event.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {

/// The member's value where it is there and not null.
const Json* find_value(const Json& object, std::string_view name);

/// A required string of 1 to `limit` characters.
std::string_view required_text(const Json& event, std::string_view name, std::size_t limit);

/// The event's time, which is required.
Timestamp required_timestamp(const Json& event);

/// A duration in milliseconds, from a number of a unit of which a millisecond has `in_a_millisecond`: any that is
/// within the range of the column's 32-bit float.
float read_duration(const Json& number, std::string_view name, double in_a_millisecond = 1);

/// A UUID in any of its usual forms (hyphenated, plain, braced, urn) in lower-case with hyphens; anything else as it
/// is.
std::string_view normalized_uuid(std::string_view id, Arena& arena);

/// A clock as a row keeps it, and whether its object gives back what was sent.
struct ReadClock {
  std::span<const causality::Component> components;
  bool reproducible = true;  ///< false where pairs stood in another order, or named a component twice
};

/// Reads a clock from an object or from pairs; `name` is the field it stands in.
ReadClock read_clock(const Json& value, std::string_view name, Arena& arena);

/// Whether they stand in the order in which a row keeps them, each name once.
bool is_sorted_clock(std::span<const causality::Component> components);

/// Sorts, and of a component named twice keeps the larger counter; answers how many are left.
std::size_t sort_components(std::span<causality::Component> components, Allowance& allowance);

/// Collects the flat members of a row's metadata.
class MetadataBuilder {
 public:
  /// Begins with the members of an object, to which at most so many are added.
  MetadataBuilder(Arena& arena, const Json& begin, std::size_t most_added)
      : arena_(arena), members_(begin.as_object()), most_added_(most_added) {}
  void add(std::string_view key, const Json& value);
  /// Adds an object of what found no place of its own, where there is any.
  void add_fields(std::string_view key, std::span<const JsonMember> fields);
  bool has(std::string_view key) const;
  Json build();

 private:
  Arena& arena_;
  std::span<const JsonMember> members_;
  std::size_t most_added_;
  JsonMember* own_ = nullptr;  // the members, once one was added
};

/// The members of an object whose names pass, as an object has them.
template <class Passes>
std::span<const JsonMember> pick_members(const Json& object, Arena& arena, Passes passes) {
  const auto all = object.as_object();
  const auto passing = [&](const JsonMember& member) { return passes(member.key()); };
  const auto count = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), passing));
  if (count == 0 || count == all.size()) return all.first(count);
  auto* const picked = arena.allocate<JsonMember>(count);
  std::copy_if(all.begin(), all.end(), picked, passing);
  return {picked, count};
}

/// Sets what follows from the metadata alone: the service's name.
void complete(Event& event);

/// Puts what is finer than a microsecond into the metadata.
void add_nanos(MetadataBuilder& metadata, const Timestamp& time, Arena& arena);

/// Reads an event of the documented form: `event_id`, `kind` as a word, `vector_clock` as an object.
Event read_documented_event(const Json& event, Arena& arena);

/// Reads an event of the SDK's form: `id`, `kind` as an object of one variant, `causality_vector` as pairs.
Event read_sdk_event(const Json& event, Arena& arena);

}  // namespace raceway::wire

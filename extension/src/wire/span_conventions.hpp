// What spans and their moments are about: from the attributes that OpenTelemetry's semantic conventions name, today's
// names and those before, and from Raceway's own (raceway.variable, raceway.lock), to the kinds of events.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "wire/arena.hpp"
#include "wire/span.hpp"

namespace raceway::wire {

/// The first of some attributes that is there and not null, or nullptr.
const Json* find_attribute(const Json& attributes, std::initializer_list<std::string_view> names);

/// What an event did. Refers to the span it was read from, and to the arena.
struct Act {
  std::string_view kind;
  std::array<JsonMember, 4> fields{};  ///< of the kind, `count` of them
  std::size_t count = 0;
  Json attributes;  ///< without those that the fields give back

  void add(std::string_view name, const Json& value) { fields[count++] = {name, value}; }
};

Act act_of_start(const Span& span, const SpanSource& source, Arena& arena);
Act act_of_end(const Span& span, Arena& arena);
Act act_of_moment(const SpanMoment& moment, Arena& arena);

/// `file:line`, or what of it the code.* attributes say; empty where they say nothing.
std::string_view place_in_code(const Json& attributes, Arena& arena);

}  // namespace raceway::wire

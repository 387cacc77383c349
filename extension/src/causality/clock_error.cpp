#include "causality/clock_error.hpp"

#include <cstddef>

#include "causality/cut_text.hpp"

namespace raceway::causality {
namespace {

constexpr std::size_t longest_shown = 100;

/// `text`, cut before the character (UTF-8) that would make it too long to be read.
std::string shown(std::string_view text) {
  if (text.size() <= longest_shown) return std::string(text);
  return std::string(first_bytes(text, longest_shown)) + "...";
}

std::string message_of(InvalidClock::Kind kind, std::string_view component, std::string_view value) {
  using Kind = InvalidClock::Kind;
  if (kind == Kind::not_a_clock) return "not a vector clock: " + shown(value);
  const std::string name = "component \"" + shown(component) + "\" of the vector clock";
  if (kind == Kind::bad_step || kind == Kind::counter_overflow) return name + " cannot grow by " + shown(value);
  return name + " has an invalid counter: " + shown(value);
}

}  // namespace

InvalidClock::InvalidClock(Kind kind, std::string_view component, std::string_view value)
    : kind_(kind), message_(message_of(kind, component, value)) {}

const char* InvalidClock::rule() const noexcept {
  switch (kind_) {
    case Kind::not_a_clock:
      return R"(A vector clock is an object that maps components to counters, like {"api": 2, "db": 1}.)";
    case Kind::not_a_number:
      return "A counter is a number, not a value of another type.";
    case Kind::out_of_range:
      return "A counter is a whole number from 0 to 18446744073709551615.";
    case Kind::bad_step:
      return "A counter grows by a whole number from 0 to 18446744073709551615.";
    case Kind::counter_overflow:
      return "A counter ends at 18446744073709551615.";
  }
  return "";
}

const char* InvalidClock::remedy() const noexcept {
  switch (kind_) {
    case Kind::not_a_clock:
      return "raceway.vclock_normalize() makes a clock of an object or of an array of [component, counter] pairs.";
    case Kind::not_a_number:
      return "Send the counter as a JSON number, without quotes; leave the component out where there is none.";
    case Kind::out_of_range:
      return "Count the component's own events from 1, and leave a component out that has not been heard of.";
    case Kind::bad_step:
      return "Give the number of new events of the component; a counter never goes back.";
    case Kind::counter_overflow:
      return "Begin a new trace, or give the component another name.";
  }
  return "";
}

InvalidClock counter_overflow(std::string_view component, std::uint64_t by) {
  return {InvalidClock::Kind::counter_overflow, component, std::to_string(by)};
}

}  // namespace raceway::causality

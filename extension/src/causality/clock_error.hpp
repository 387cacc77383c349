// What is wrong with something that was to be a clock.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace raceway::causality {

/// Thrown where a clock cannot be read, or would leave the range of its counters.
class InvalidClock : public std::exception {
 public:
  enum class Kind {
    not_a_clock,       ///< not an object (nor, where that is allowed, an array of pairs); no component is named
    not_a_number,      ///< the component's value is a string, boolean, null, object or array
    out_of_range,      ///< the component's value is a number, but not a whole one from 0 to 2^64-1
    bad_step,          ///< what the component's counter should grow by is not a whole number from 0 to 2^64-1
    counter_overflow,  ///< the component's counter would pass 2^64-1
  };

  /// `component` is empty for not_a_clock. `value` is the culprit as the user would write it; a long one is cut.
  InvalidClock(Kind kind, std::string_view component, std::string_view value);

  Kind kind() const noexcept { return kind_; }
  /// Names the component and the value.
  const char* what() const noexcept override { return message_.c_str(); }
  /// The rule that was broken; a whole sentence.
  const char* rule() const noexcept;
  /// What to do about it; a whole sentence.
  const char* remedy() const noexcept;

 private:
  Kind kind_;
  std::string message_;
};

/// The error of a component whose counter cannot grow by `by`.
InvalidClock counter_overflow(std::string_view component, std::uint64_t by);

}  // namespace raceway::causality

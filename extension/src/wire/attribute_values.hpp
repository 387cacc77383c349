// The values of OpenTelemetry's attributes as JSON, so that they can be told apart again: a double has a point; bytes,
// and doubles that are no number of JSON, are objects `{"bytesValue":..}` and `{"doubleValue":..}`.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/arena.hpp"
#include "wire/json.hpp"
#include "wire/span.hpp"

namespace raceway::wire {

/// How deep the value of an attribute may nest to be kept.
inline constexpr int most_attribute_depth = 64;
std::string attributes_too_deep();

/// Of a whole number.
template <class Whole>
Json whole_value(Whole value, Arena& arena) {
  std::array<char, 20> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return Json::of_number(arena.copy(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))));
}

Json double_value(double value, Arena& arena);
Json bytes_value(std::string_view bytes, Arena& arena);
/// Bytes that are in base64 already.
Json bytes_value_of_base64(std::string_view base64, Arena& arena);
/// A double that is told by a text: NaN, Infinity, -Infinity.
Json special_double_value(std::string_view name, Arena& arena);

/// By their numbers in OTLP; `unspecified` and `unset` for others.
SpanKind span_kind(std::uint64_t number);
SpanStatus span_status(std::uint64_t number);

}  // namespace raceway::wire

#include "wire/attribute_values.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "wire/number.hpp"

namespace raceway::wire {
namespace {

Json named_value(std::string_view type, const Json& value, Arena& arena) {
  const std::array<JsonMember, 1> member = {JsonMember(type, value)};
  return Json::of_object(arena.copy(std::span<const JsonMember>(member)));
}

std::string_view base64_of(std::string_view bytes, Arena& arena) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t size = (bytes.size() + 2) / 3 * 4;
  char* const text = arena.allocate<char>(size);
  char* to = text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t more) {
      return at + more < bytes.size() ? static_cast<unsigned char>(bytes[at + more]) : 0U;
    };
    const std::uint32_t group = byte(0) << 16U | byte(1) << 8U | byte(2);
    *to++ = digits[group >> 18U];
    *to++ = digits[(group >> 12U) & 63U];
    *to++ = at + 1 < bytes.size() ? digits[(group >> 6U) & 63U] : '=';
    *to++ = at + 2 < bytes.size() ? digits[group & 63U] : '=';
  }
  return {text, size};
}

}  // namespace

std::string attributes_too_deep() {
  return "nests deeper than " + std::to_string(most_attribute_depth) + " levels";
}

Json double_value(double value, Arena& arena) {
  if (std::isnan(value)) return special_double_value("NaN", arena);
  if (std::isinf(value)) return special_double_value(value < 0 ? "-Infinity" : "Infinity", arena);
  std::array<char, 32> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view shortest(digits.data(), static_cast<std::size_t>(end - digits.data()));
  // Every finite double has few enough digits.
  std::string plain = plain_number(shortest).value_or("0");
  if (plain.find('.') == std::string::npos) plain += ".0";
  return Json::of_number(arena.copy(plain));
}

Json special_double_value(std::string_view name, Arena& arena) {
  return named_value("doubleValue", Json::of_string(name), arena);
}

Json bytes_value(std::string_view bytes, Arena& arena) {
  return bytes_value_of_base64(base64_of(bytes, arena), arena);
}

Json bytes_value_of_base64(std::string_view base64, Arena& arena) {
  return named_value("bytesValue", Json::of_string(base64), arena);
}

SpanKind span_kind(std::uint64_t number) {
  return number <= static_cast<std::uint64_t>(SpanKind::consumer) ? static_cast<SpanKind>(number)
                                                                  : SpanKind::unspecified;
}

SpanStatus span_status(std::uint64_t number) {
  return number <= static_cast<std::uint64_t>(SpanStatus::error) ? static_cast<SpanStatus>(number) : SpanStatus::unset;
}

}  // namespace raceway::wire

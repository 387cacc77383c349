#include "wire/span_json.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "wire/errors.hpp"
#include "wire/event_parts.hpp"
#include "wire/number.hpp"

namespace raceway::wire {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

bool read_short_hex(std::string_view digits, std::span<unsigned char> id) {
  if (digits.empty() || digits.size() > 2 * id.size()) return false;
  std::fill(id.begin(), id.end(), static_cast<unsigned char>(0));
  std::size_t place = 2 * id.size() - digits.size();
  for (const char digit : digits) {
    const int value = hex_value(digit);
    if (value < 0) return false;
    id[place / 2] = static_cast<unsigned char>(id[place / 2] << 4 | value);
    ++place;
  }
  return true;
}

bool read_base64(std::string_view text, std::span<unsigned char> id) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return false;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    if (at == id.size()) return false;
    id[at++] = static_cast<unsigned char>(bits >> count);
  }
  return at == id.size();
}

void read_any_id(const Json& object, std::string_view name, std::span<unsigned char> id) {
  const auto text = text_in(object, name);
  if (text.empty()) return;
  const std::size_t base64_size = (id.size() + 2) / 3 * 4;
  const bool is_read =
      text.size() == 2 * id.size() ? read_short_hex(text, id) : text.size() == base64_size && read_base64(text, id);
  if (!is_read) {
    throw EventError(std::string(name) + " has " + std::to_string(text.size()) + " characters; it is to have " +
                     std::to_string(2 * id.size()) + " hex digits");
  }
}

std::optional<std::uint64_t> whole_of(const Json& value) {
  if (value.is(Json::Type::number)) return whole_number(value.text());
  const auto text = text_of(value);
  return classify_number(text) == NumberNotation::plain ? whole_number(text) : std::nullopt;
}

}  // namespace

std::string_view text_in(const Json& object, std::string_view name) {
  const Json* const value = object.find(name);
  return value != nullptr ? text_of(*value) : std::string_view();
}

std::uint64_t whole_in(const Json& object, std::string_view name) {
  const Json* const value = find_value(object, name);
  if (value == nullptr) return 0;
  const auto number = whole_of(*value);
  if (!number) throw EventError(std::string(name) + " is not a whole number from 0 to 18446744073709551615");
  return *number;
}

std::uint32_t count_in(const Json& object, std::string_view name) {
  const std::uint64_t number = whole_in(object, name);
  if (number > std::numeric_limits<std::uint32_t>::max()) {
    throw EventError(std::string(name) + " is larger than 4294967295");
  }
  return static_cast<std::uint32_t>(number);
}

Json number_in_text(const Json& text, std::string_view name) {
  if (classify_number(text.text()) != NumberNotation::plain) throw EventError(std::string(name) + " is not a number");
  return Json::of_number(text.text());
}

void read_short_id(const Json& object, std::string_view name, std::span<unsigned char> id) {
  const auto text = text_in(object, name);
  if (text.empty() || read_short_hex(text, id)) return;
  throw EventError(std::string(name) + " is not at most " + std::to_string(2 * id.size()) + " hex digits");
}

UnixNanos nanos_in(const Json& object, std::string_view name) {
  constexpr std::uint64_t nanos_in_a_micro = 1000;
  const std::uint64_t micros = whole_in(object, name);
  if (micros > std::numeric_limits<UnixNanos>::max() / nanos_in_a_micro) {
    throw EventError(std::string(name) + " is more microseconds than can be told");
  }
  return micros * nanos_in_a_micro;
}

UnixNanos end_after(UnixNanos start, UnixNanos duration) {
  if (duration > std::numeric_limits<UnixNanos>::max() - start)
    throw EventError("the span ends later than can be told");
  return start + duration;
}

bool has_member(JsonReader& reader, std::string_view name) {
  bool found = false;
  each_member(reader, "it", [&](std::string_view key) {
    found |= key == name;
    reader.skip_value();
  });
  return found;
}

void read_id(const Json& object, std::string_view name, TraceId& id) {
  read_any_id(object, name, id);
}

void read_id(const Json& object, std::string_view name, SpanId& id) {
  read_any_id(object, name, id);
}

}  // namespace raceway::wire

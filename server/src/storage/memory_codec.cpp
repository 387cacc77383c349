#include "storage/memory_codec.hpp"

#include <array>
#include <charconv>

#include "storage/memory_id.hpp"

namespace raceway::server::storage::memory {
namespace {

// The two lowest bits of a text's first number say how it is kept; the rest is a length or a number.
constexpr std::uint64_t text_itself = 0;
constexpr std::uint64_t text_shared = 1;
constexpr std::uint64_t text_hex = 2;  // so many bytes, two digits each; 0 is a UUID

// And of a number's.
constexpr std::uint64_t whole = 0;
constexpr std::uint64_t negative_whole = 1;
constexpr std::uint64_t decimal = 2;  // one bit of sign and the digits behind the point; all digits follow
constexpr std::uint64_t number_text = 3;

constexpr std::size_t shortest_hex = 8;
constexpr std::size_t longest_hex = 64;
constexpr std::size_t most_digits = 18;  // with them a number is below 2^60

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool put_hex(std::string& out, std::string_view text) {
  if (const auto uuid = read_uuid(text)) {
    put_varint(out, text_hex);
    out += view(*uuid);
    return true;
  }
  if (text.size() < shortest_hex || text.size() > longest_hex || text.size() % 2 != 0) return false;
  const std::size_t before = out.size();
  put_varint(out, text.size() / 2 << 2U | text_hex);
  if (append_bytes_of_hex(out, text)) return true;
  out.resize(before);
  return false;
}

/// A plain decimal of few digits, taken apart; `valid` is false for any other text.
struct Decimal {
  bool valid = false;
  bool negative = false;
  std::size_t scale = 0;
  std::uint64_t digits = 0;
};

Decimal read_decimal(std::string_view text) {
  Decimal result;
  if (text.starts_with('-')) {
    result.negative = true;
    text.remove_prefix(1);
  }
  const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
  if (text.empty() || leading_zero || !is_digit(text.front()) || !is_digit(text.back())) return result;
  if (text.size() > most_digits + 1) return result;
  std::size_t digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      result.digits = result.digits * 10 + static_cast<unsigned>(text[at] - '0');
      ++digits;
    } else if (text[at] == '.' && result.scale == 0) {
      result.scale = text.size() - at - 1;
    } else {
      return result;
    }
  }
  const bool negative_zero = result.negative && result.digits == 0;
  result.valid = digits <= most_digits && !negative_zero;
  return result;
}

void append_decimal(std::string& out, bool negative, std::size_t scale, std::uint64_t digits) {
  std::array<char, 20> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), digits).ptr;
  const auto length = static_cast<std::size_t>(end - text.data());
  if (negative) out += '-';
  if (scale == 0) {
    out.append(text.data(), length);
    return;
  }
  const std::size_t zeros = scale < length ? 0 : scale + 1 - length;
  const std::size_t point = out.size() + zeros + length - scale;
  out.append(zeros, '0');
  out.append(text.data(), length);
  out.insert(point, 1, '.');
}

}  // namespace

void put_shared(std::string& out, std::string_view text, Dictionary& dictionary) {
  // What is no longer than its number would be is not worth one.
  if (text.size() > 1) {
    if (const auto number = dictionary.number_of(text)) {
      put_varint(out, std::uint64_t{*number} << 2U | text_shared);
      return;
    }
  }
  put_varint(out, text.size() << 2U | text_itself);
  out += text;
}

void put_text(std::string& out, std::string_view text, Dictionary& dictionary) {
  if (!put_hex(out, text)) put_shared(out, text, dictionary);
}

std::string_view read_text(ByteReader& from, const Dictionary& dictionary, std::string& buffer) {
  const std::uint64_t first = from.varint();
  const std::uint64_t rest = first >> 2U;
  switch (first & 3U) {
    case text_itself:
      return from.bytes(rest);
    case text_shared:
      return dictionary.text(static_cast<std::uint32_t>(rest));
    default:
      buffer.clear();
      if (rest == 0) {
        append_uuid(buffer, from.bytes(sizeof(IdBytes)).data());
      } else {
        append_hex(buffer, from.bytes(rest));
      }
      return buffer;
  }
}

void put_number(std::string& out, std::string_view text) {
  const Decimal number = read_decimal(text);
  if (!number.valid) {
    put_varint(out, text.size() << 2U | number_text);
    out += text;
  } else if (number.scale == 0) {
    put_varint(out, number.digits << 2U | (number.negative ? negative_whole : whole));
  } else {
    put_varint(out, (number.scale << 1U | (number.negative ? 1U : 0U)) << 2U | decimal);
    put_varint(out, number.digits);
  }
}

void append_number(std::string& out, ByteReader& from) {
  const std::uint64_t first = from.varint();
  const std::uint64_t rest = first >> 2U;
  switch (first & 3U) {
    case whole:
      return append_decimal(out, false, 0, rest);
    case negative_whole:
      return append_decimal(out, true, 0, rest);
    case decimal:
      return append_decimal(out, (rest & 1U) != 0, rest >> 1U, from.varint());
    default:
      out += from.bytes(rest);
  }
}

void ShapeWriter::key(std::string_view name) {
  put_varint(shape_, name.size());
  shape_ += name;
}

void ShapeWriter::value(const wire::Json& value) {
  switch (value.type) {
    case wire::Json::Type::null:
      return mark(Mark::null);
    case wire::Json::Type::boolean:
      return mark(value.boolean ? Mark::yes : Mark::no);
    case wire::Json::Type::number:
      mark(Mark::number);
      return put_number(values_, value.text);
    case wire::Json::Type::string:
      mark(Mark::text);
      return put_text(values_, value.text, dictionary_);
    case wire::Json::Type::array:
      mark(Mark::array);
      put_varint(shape_, value.count);
      for (const auto& element : value.as_array()) this->value(element);
      return;
    case wire::Json::Type::object:
      mark(Mark::object);
      put_varint(shape_, value.count);
      for (const auto& inner : value.as_object()) member(inner);
      return;
  }
}

void ShapeReader::append_value(std::string& out, const KnownValues& known) {
  const auto mark = static_cast<Mark>(shape_.byte());
  switch (mark) {
    case Mark::null:
      out += "null";
      return;
    case Mark::no:
      out += "false";
      return;
    case Mark::yes:
      out += "true";
      return;
    case Mark::number:
      return append_number(out, values_);
    case Mark::text:
      return wire::append_json_string(out, read_text(values_, dictionary_, buffer_));
    case Mark::previous_id:
      out += known.previous_id;
      return;
    case Mark::clock_as_sent:
      out += known.clock_as_sent;
      return;
    case Mark::array:
    case Mark::object: {
      const bool is_object = mark == Mark::object;
      out += is_object ? '{' : '[';
      for (std::uint64_t left = shape_.varint(); left > 0; --left) {
        if (is_object) {
          wire::append_json_string(out, next_key());
          out += ':';
        }
        append_value(out, known);
        if (left > 1) out += ',';
      }
      out += is_object ? '}' : ']';
    }
  }
}

}  // namespace raceway::server::storage::memory

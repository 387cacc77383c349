#include "memory/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "memory/id.hpp"
#include "wire/json_scanner.hpp"
#include "wire/uuid.hpp"

namespace raceway::server::memory {
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

/// By byte, whether it is a lower case hexadecimal digit.
constexpr auto lower_hex = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdef")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool put_hex(ByteBuffer& out, std::string_view text) {
  if (text.size() < shortest_hex || text.size() > longest_hex) return false;
  // Most texts are none, and most of those show it here; asked all at once, for each answer alone is anyone's guess.
  const auto is_digit_at = [text](std::size_t at) { return lower_hex[static_cast<unsigned char>(text[at])]; };
  const bool looks_like_it = (text.size() % 2 == 0) & is_digit_at(0) & is_digit_at(3) & is_digit_at(text.size() - 1);
  if (!looks_like_it) return false;
  if (const auto uuid = wire::read_canonical_uuid(text)) {
    out.put_varint(text_hex);
    out.put(view(*uuid));
    return true;
  }
  const std::size_t before = out.size();
  out.put_varint(text.size() / 2 << 2U | text_hex);
  if (read_hex(text, out.extend(text.size() / 2))) return true;
  out.shrink(before);
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

void put_shared(ByteBuffer& out, std::string_view text, Vocabulary& vocabulary) {
  // What is no longer than its number would be is not worth one.
  if (text.size() > 1) {
    if (const auto number = vocabulary.number_of(text)) return put_number_of_shared(out, *number);
  }
  put_itself(out, text);
}

void put_itself(ByteBuffer& out, std::string_view text) {
  out.put_varint(text.size() << 2U | text_itself);
  out.put(text);
}

void put_number_of_shared(ByteBuffer& out, std::uint32_t number) {
  out.put_varint(std::uint64_t{number} << 2U | text_shared);
}

void put_text(ByteBuffer& out, std::string_view text, Vocabulary& vocabulary) {
  if (!put_hex(out, text)) put_shared(out, text, vocabulary);
}

std::string_view read_text(ByteReader& from, const Dictionary& dictionary, std::string& buffer) {
  const std::uint64_t first = from.varint();
  const std::uint64_t rest = first >> 2U;
  switch (first & 3U) {
    case text_itself:
      return from.bytes(rest);
    case text_shared:
      return dictionary.text(rest);
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

void put_number(ByteBuffer& out, std::string_view text) {
  const Decimal number = read_decimal(text);
  if (!number.valid) {
    out.put_varint(text.size() << 2U | number_text);
    out.put(text);
  } else if (number.scale == 0) {
    out.put_varint(number.digits << 2U | (number.negative ? negative_whole : whole));
  } else {
    out.put_varint((number.scale << 1U | (number.negative ? 1U : 0U)) << 2U | decimal);
    out.put_varint(number.digits);
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
      if (rest >> 1U > most_digits) throw DamagedBytes("a number has too many digits");
      return append_decimal(out, (rest & 1U) != 0, rest >> 1U, from.varint());
    default: {
      const auto text = from.bytes(rest);
      if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos)
        throw DamagedBytes("a number is none");
      out += text;
    }
  }
}

void ShapeWriter::value(const wire::Json& value) {
  switch (value.type()) {
    case wire::Json::Type::null:
      return mark(Mark::null);
    case wire::Json::Type::boolean:
      return mark(value.boolean() ? Mark::yes : Mark::no);
    case wire::Json::Type::number:
      mark(Mark::number);
      return put_number(values_, value.text());
    case wire::Json::Type::string:
      mark(Mark::text);
      return put_text(values_, value.text(), vocabulary_);
    case wire::Json::Type::array:
      mark(Mark::array);
      shape_.put_varint(value.count());
      for (const auto& element : value.as_array()) this->value(element);
      return;
    case wire::Json::Type::object:
      mark(Mark::object);
      shape_.put_varint(value.count());
      for (const auto& inner : value.as_object()) member(inner);
      return;
  }
}

void ShapeReader::append_value(std::string& out, const KnownValues& known, std::size_t depth) {
  if (depth > static_cast<std::size_t>(wire::max_json_depth)) throw DamagedBytes("a value is nested too deep");
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
        append_value(out, known, depth + 1);
        if (left > 1) out += ',';
      }
      out += is_object ? '}' : ']';
      return;
    }
  }
  throw DamagedBytes("a value is of no kind");
}

bool ShapeReader::next_value_is(const wire::Json& value) {
  using Type = wire::Json::Type;
  switch (static_cast<Mark>(shape_.byte())) {
    case Mark::null:
      return value.is(Type::null);
    case Mark::no:
      return value.is(Type::boolean) && !value.boolean();
    case Mark::yes:
      return value.is(Type::boolean) && value.boolean();
    case Mark::number:
      if (!value.is(Type::number)) return false;
      buffer_.clear();
      append_number(buffer_, values_);
      return buffer_ == value.text();
    case Mark::text:
      return value.is(Type::string) && read_text(values_, dictionary_, buffer_) == value.text();
    case Mark::array: {
      if (!value.is(Type::array) || shape_.varint() != value.count()) return false;
      const auto elements = value.as_array();
      return std::all_of(elements.begin(), elements.end(),
                         [this](const auto& element) { return next_value_is(element); });
    }
    case Mark::object: {
      if (!value.is(Type::object) || shape_.varint() != value.count()) return false;
      const auto members = value.as_object();
      return std::all_of(members.begin(), members.end(), [this](const auto& member) {
        return next_key() == member.key() && next_value_is(member.value);
      });
    }
    case Mark::previous_id:
    case Mark::clock_as_sent:
      return false;
  }
  return false;
}

}  // namespace raceway::server::memory

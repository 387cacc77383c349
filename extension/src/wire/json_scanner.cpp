#include "wire/json_scanner.hpp"

#include <simdjson.h>

#include <bit>
#include <cstdint>
#include <span>

#include "wire/bytes.hpp"
#include "wire/json_reader.hpp"
#include "wire/number.hpp"
#include "wire/string_escapes.hpp"

namespace raceway::wire {
namespace {

bool is_special(char c) {
  return c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20;  // what is not ASCII is negative
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_of_number(char c) {
  return is_digit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

/// Eight bytes at once: the highest bit of the first special one is set, and of none before it.
std::uint64_t specials_in(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  const auto less_than = [](std::uint64_t word, std::uint64_t limit) { return (word - ones * limit) & ~word; };
  const std::uint64_t quotes = less_than(bytes ^ (ones * '"'), 1);
  const std::uint64_t backslashes = less_than(bytes ^ (ones * '\\'), 1);
  return (quotes | backslashes | less_than(bytes, 0x20) | bytes) & high_bits;
}

}  // namespace

const char* find_special_far(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 32; at += 32) {
    const std::uint32_t found = specials_in_16(at) | specials_in_16(at + 16) << 16U;
    if (found != 0) return at + std::countr_zero(found);
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - at >= 8; at += 8) {
      const std::uint64_t found = specials_in(load_bytes<std::uint64_t>(at));
      if (found != 0) return at + std::countr_zero(found) / 8;
    }
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

void JsonScanner::move_to(std::size_t place) {
  at_ = begin_ + place;
  elements_.clear();
  members_.clear();
}

/// A string with escapes, with characters that are not ASCII, or without an end; what is before `at` is plain.
bool JsonScanner::read_unusual_string(const char* begin, const char* at, std::string_view& text) {
  bool escapes = false;
  bool ascii = true;
  for (; at != end_ && *at != '"'; at = find_special(at, end_)) {
    if (*at == '\\') {
      escapes = true;
      if (end_ - at < 2) return false;
      at += 2;
    } else {
      if (static_cast<unsigned char>(*at) < 0x20) return false;
      ascii = false;
      while (at != end_ && static_cast<unsigned char>(*at) >= 0x80) ++at;
    }
  }
  if (at == end_) return false;
  text = {begin, static_cast<std::size_t>(at - begin)};
  at_ = at + 1;
  if (!ascii && !simdjson::validate_utf8(text.data(), text.size())) return false;
  if (!escapes) return true;
  unescaped_.clear();
  if (append_unescaped(unescaped_, text) != Unescaped::ok) return false;
  text = arena_.copy(unescaped_);
  return true;
}

bool JsonScanner::read_other(Json& value, int depth) {
  switch (peek()) {
    case '{':
      return read_object(value, depth);
    case '[':
      return read_array(value, depth);
    case 't':
    case 'f':
    case 'n':
      return read_word(value);
    default:
      return read_number(value);
  }
}

bool JsonScanner::read_array(Json& array, int depth) {
  if (depth >= max_json_depth) return false;
  ++at_;
  array.type = Json::Type::array;
  if (accept(']')) return true;
  const std::size_t from = elements_.size();
  do {
    skip_space();
    Json element;
    if (!read_value(element, depth + 1)) return false;
    elements_.push_back(element);
  } while (accept(','));
  if (!accept(']')) return false;
  array.count = static_cast<std::uint32_t>(elements_.size() - from);
  array.elements = arena_.copy(std::span<const Json>(elements_.data() + from, array.count)).data();
  elements_.resize(from);
  return true;
}

bool JsonScanner::read_object(Json& object, int depth) {
  if (depth >= max_json_depth) return false;
  ++at_;
  object.type = Json::Type::object;
  if (accept('}')) return true;
  const std::size_t from = members_.size();
  do {
    skip_space();
    JsonMember member;
    if (peek() != '"' || !read_string(member.key) || !accept(':')) return false;
    skip_space();
    if (!read_value(member.value, depth + 1)) return false;
    members_.push_back(member);
  } while (accept(','));
  if (!accept('}')) return false;
  object.count = static_cast<std::uint32_t>(sort_members(members_, from));
  object.members = arena_.copy(std::span<const JsonMember>(members_.data() + from, object.count)).data();
  members_.resize(from);
  return true;
}

bool JsonScanner::read_number(Json& number) {
  const char* const begin = at_;
  while (at_ != end_ && is_of_number(*at_)) ++at_;
  const std::string_view digits(begin, static_cast<std::size_t>(at_ - begin));
  number.type = Json::Type::number;
  number.text = digits;
  switch (classify_number(digits)) {
    case NumberNotation::plain:
      return true;
    case NumberNotation::invalid:
      return false;
    case NumberNotation::needs_rewriting:
      break;
  }
  const auto plain = plain_number(digits);
  if (!plain) return false;
  number.text = arena_.copy(*plain);
  return true;
}

bool JsonScanner::read_whole(std::uint64_t& number, std::string_view& plain) {
  // Mostly a few digits and a bracket.
  constexpr std::ptrdiff_t most_digits = 19;
  const char* const begin = at_;
  const char* at = at_;
  number = 0;
  for (; at != end_ && is_digit(*at); ++at) number = number * 10 + static_cast<unsigned char>(*at - '0');
  const bool leading_zero = at - begin > 1 && *begin == '0';
  if (at != begin && at - begin <= most_digits && !leading_zero && at != end_ && !is_of_number(*at)) {
    plain = {begin, static_cast<std::size_t>(at - begin)};
    at_ = at;
    return true;
  }
  Json value;
  if (!read_value(value, 0) || !value.is(Json::Type::number)) return false;
  plain = value.text;
  const auto whole = whole_number(value.text);
  number = whole.value_or(0);
  return whole.has_value();
}

bool JsonScanner::read_word(Json& word) {
  const auto accept_word = [this](std::string_view letters) {
    if (left() < letters.size() || !equal_bytes(at_, letters.data(), letters.size())) return false;
    at_ += letters.size();
    return true;
  };
  if (accept_word("null")) return true;
  word.type = Json::Type::boolean;
  word.boolean = *at_ == 't';
  return accept_word("true") || accept_word("false");
}

}  // namespace raceway::wire

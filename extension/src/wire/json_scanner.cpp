#include "wire/json_scanner.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/number.hpp"
#include "wire/string_escapes.hpp"

namespace raceway::wire {
namespace {

/// Values of the containers that are open at once.
constexpr std::size_t usual_depth_of_stack = 32;

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

const char* skip_spaces_far(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto are = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    const __m128i spaces = _mm_or_si128(_mm_or_si128(are(' '), are('\n')), _mm_or_si128(are('\t'), are('\r')));
    const auto others = ~static_cast<std::uint32_t>(_mm_movemask_epi8(spaces)) & 0xFFFFU;
    if (others != 0) return at + std::countr_zero(others);
  }
#endif
  while (at != end && is_space(*at)) ++at;
  return at;
}

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

void JsonScanner::give_back_memory() {
  elements_.clear();
  elements_.shrink_to_fit();
  members_.clear();
  members_.shrink_to_fit();
}

/// A string with escapes, with characters that are not ASCII, or without an end; what is before `at` is plain.
bool JsonScanner::read_unusual_string(const char* begin, const char* at, std::string_view& text) {
  bool escapes = false;
  bool ascii = true;
  for (; at != end_ && *at != '"'; at = find_special(at, end_)) {
    arena_.allowance().step();
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
  return !escapes || read_escaped_string(text);
}

bool JsonScanner::read_escaped_string(std::string_view& text) {
  char* const begin = arena_.allocate<char>(text.size());
  char* end = begin;
  if (unescape(text, end, arena_.allowance()) != Unescaped::ok) return false;
  arena_.give_back(end, begin + text.size());
  text = {begin, static_cast<std::size_t>(end - begin)};
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
  if (accept(']')) {
    array = Json::of_array({});
    return true;
  }
  if (counts_ != nullptr) return read_counted_array(array, depth);
  if (elements_.capacity() == 0) elements_.reserve(usual_depth_of_stack);
  const std::size_t from = elements_.size();
  do {
    arena_.allowance().step();
    skip_space();
    Json element;
    if (!read_value(element, depth + 1)) return false;
    elements_.push_back(element);
  } while (accept(','));
  if (!accept(']')) return false;
  array = Json::of_array(arena_.copy(std::span<const Json>(elements_).subspan(from)));
  elements_.resize(from);
  return true;
}

bool JsonScanner::read_member(JsonMember& member, int depth) {
  arena_.allowance().step();
  skip_space();
  std::string_view key;
  if (peek() != '"' || !read_string(key) || !accept(':')) return false;
  skip_space();
  Json value;
  if (!read_value(value, depth + 1)) return false;
  member = {key, value};
  return true;
}

bool JsonScanner::read_object(Json& object, int depth) {
  if (depth >= max_json_depth) return false;
  ++at_;
  if (accept('}')) {
    object = Json::of_object({});
    return true;
  }
  if (counts_ != nullptr) return read_counted_object(object, depth);
  if (members_.capacity() == 0) members_.reserve(usual_depth_of_stack);
  const std::size_t from = members_.size();
  do {
    JsonMember member;
    if (!read_member(member, depth)) return false;
    members_.push_back(member);
  } while (accept(','));
  if (!accept('}')) return false;
  const auto members = std::span<JsonMember>(members_).subspan(from);
  const std::size_t count = sort_members(members, arena_.allowance());
  object = Json::of_object(arena_.copy(std::span<const JsonMember>(members.first(count))));
  members_.resize(from);
  return true;
}

bool JsonScanner::read_counted_value(Json& value, const ValueCounts& counts) {
  struct Counting {
    ~Counting() { scan.counts_ = nullptr; }
    JsonScanner& scan;
  } const counting{*this};
  auto next = counts.begin();
  counts_ = &next;
  return read_value(value, 0);
}

bool JsonScanner::read_counted_array(Json& array, int depth) {
  const std::size_t count = *(*counts_)++;
  const std::span<Json> elements(arena_.allocate<Json>(count), count);
  bool is_first = true;
  for (Json& element : elements) {
    arena_.allowance().step();
    if (!std::exchange(is_first, false) && !accept(',')) return false;
    skip_space();
    if (!read_value(element, depth + 1)) return false;
  }
  array = Json::of_array(elements);
  return accept(']');
}

bool JsonScanner::read_counted_object(Json& object, int depth) {
  const std::size_t count = *(*counts_)++;
  const std::span<JsonMember> members(arena_.allocate<JsonMember>(count), count);
  bool is_first = true;
  for (JsonMember& member : members) {
    if (!std::exchange(is_first, false) && !accept(',')) return false;
    if (!read_member(member, depth)) return false;
  }
  object = Json::of_object(members.first(sort_members(members, arena_.allowance())));
  return accept('}');
}

bool JsonScanner::read_number(Json& number) {
  const char* const begin = at_;
  while (at_ != end_ && is_of_number(*at_)) ++at_;
  const std::string_view digits(begin, static_cast<std::size_t>(at_ - begin));
  switch (classify_number(digits)) {
    case NumberNotation::plain:
      number = Json::of_number(digits);
      return true;
    case NumberNotation::invalid:
      return false;
    case NumberNotation::needs_rewriting:
      break;
  }
  const auto plain = plain_number(digits);
  if (!plain) return false;
  number = Json::of_number(arena_.copy(*plain));
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
  plain = value.text();
  const auto whole = whole_number(plain);
  number = whole.value_or(0);
  return whole.has_value();
}

bool JsonScanner::read_word(Json& word) {
  const auto accept_word = [this](std::string_view letters) {
    if (left() < letters.size() || !equal_bytes(at_, letters.data(), letters.size())) return false;
    at_ += letters.size();
    return true;
  };
  if (accept_word("null")) {
    word = Json::of_null();
    return true;
  }
  word = Json::of_bool(*at_ == 't');
  return accept_word("true") || accept_word("false");
}

}  // namespace raceway::wire

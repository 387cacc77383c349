// Reads JSON values from text and builds trees of them.
//
// It takes what is JSON and can be kept, as JsonReader says it. What is wrong it only declines: JsonReader finds it
// too, and says what and where.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "wire/arena.hpp"
#include "wire/block_list.hpp"
#include "wire/json.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace raceway::wire {

/// As find_special().
const char* find_special_far(const char* at, const char* end);

#ifdef __SSE2__
/// A bit for each of 16 bytes that is special.
inline std::uint32_t specials_in_16(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i others = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));  // what is not ASCII is negative
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), others)));
}
#endif

/// The first byte that ends the plain part of a string: a quote, a backslash, a control character, or one that is not
/// ASCII; `end` where there is none.
inline const char* find_special(const char* at, const char* end) {
#ifdef __SSE2__
  if (end - at >= 16) {  // most are short
    const std::uint32_t found = specials_in_16(at);
    if (found != 0) return at + std::countr_zero(found);
    at += 16;
  }
#endif
  return find_special_far(at, end);
}

/// White space of JSON.
constexpr bool is_space(char c) {
  // What is below zero is not ASCII.
  return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r');
}

/// As skip_spaces().
const char* skip_spaces_far(const char* at, const char* end);

/// Behind the white space at `at`.
inline const char* skip_spaces(const char* at, const char* end) {
  if (at == end || !is_space(*at)) return at;
  ++at;  // mostly all
  return at == end || !is_space(*at) ? at : skip_spaces_far(at, end);
}

/// How deep a value may nest to be kept.
inline constexpr int max_json_depth = 128;

/// How many values each container has that is not empty, in the order in which they begin.
using ValueCounts = BlockList<std::uint32_t>;

/// Where one of the read functions answers false, the place is anywhere until move_to(). What they build is in the
/// arena, what they need meanwhile is of its allowance; where that is used up they throw OverAllowance.
class JsonScanner {
 public:
  static constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

  /// `json` needs no padding and must outlive the scanner and what it builds.
  JsonScanner(std::string_view json, Arena& arena)
      : text_(json),
        at_(json.data()),
        end_(json.data() + json.size()),
        arena_(arena),
        elements_(&arena.allowance()),
        members_(&arena.allowance()) {}
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  std::size_t place() const { return static_cast<std::size_t>(at_ - text_.data()); }
  /// From here on the text seems to end after `window` bytes, where it does not before.
  void move_to(std::size_t place, std::size_t window = everything) {
    at_ = text_.data() + place;
    end_ = at_ + std::min(window, text_.size() - place);
    elements_.clear();
    members_.clear();
  }
  /// Gives back what it keeps for the next value.
  void give_back_memory();

  /// What follows, byte by byte; `left()` of them may be read.
  const char* here() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  void skip(std::size_t bytes) { at_ += bytes; }
  /// Back by one.
  void skip_back() { --at_; }

  /// Steps over white space.
  void skip_space() { at_ = skip_spaces(at_, end_); }
  /// Steps over white space and then `structural`, where that stands next; answers whether it did.
  bool accept(char structural) {
    if (peek() != structural) {
      skip_space();
      if (peek() != structural) return false;
    }
    ++at_;
    return true;
  }
  /// The next character, or 0 at the end.
  char peek() const { return at_ != end_ ? *at_ : '\0'; }

  /// Reads the string whose quote stands next.
  bool read_string(std::string_view& text) {
    const char* const begin = at_ + 1;
    const char* const stop = find_special(begin, end_);
    if (stop == end_ || *stop != '"') return read_unusual_string(begin, stop, text);
    text = {begin, static_cast<std::size_t>(stop - begin)};
    at_ = stop + 1;
    return true;
  }
  /// Reads the whole number from 0 to 2^64-1 that begins next, as whole_number() understands a number; `plain` is its
  /// text in plain notation.
  bool read_whole(std::uint64_t& number, std::string_view& plain);
  /// Reads the value that begins next, without white space before it; `depth` containers are open around it.
  bool read_value(Json& value, int depth) {
    if (peek() != '"') return read_other(value, depth);
    std::string_view text;
    if (!read_string(text)) return false;
    value = Json::of_string(text);
    return true;
  }
  /// Reads the value that begins next, of which the counts are known: so nothing is needed but what the value takes.
  bool read_counted_value(Json& value, const ValueCounts& counts);

 private:
  bool read_unusual_string(const char* begin, const char* at, std::string_view& text);
  bool read_escaped_string(std::string_view& text);
  bool read_other(Json& value, int depth);
  bool read_array(Json& array, int depth);
  bool read_object(Json& object, int depth);
  bool read_counted_array(Json& array, int depth);
  bool read_counted_object(Json& object, int depth);
  bool read_member(JsonMember& member, int depth);
  bool read_number(Json& number);
  bool read_word(Json& word);

  std::string_view text_;
  const char* at_;
  const char* end_;
  Arena& arena_;
  std::pmr::vector<Json> elements_;          // of the arrays being read, innermost last
  std::pmr::vector<JsonMember> members_;     // of the objects being read, innermost last
  ValueCounts::Iterator* counts_ = nullptr;  // of the containers to come, while a counted value is read
};

}  // namespace raceway::wire

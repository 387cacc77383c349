// Reads JSON values straight from text, without an index of it: for what is known to be of a usual form, where an index
// costs more than the reading.
//
// It takes nothing that JsonReader would not take, and makes the same of it. What is wrong it only declines: JsonReader
// finds it too, and says what and where.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/arena.hpp"
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

/// Where one of the read functions answers false, the place is anywhere until move_to().
class JsonScanner {
 public:
  /// `text` needs no padding and must outlive the scanner and what it builds.
  JsonScanner(std::string_view text, Arena& arena)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), arena_(arena) {}
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  std::size_t place() const { return static_cast<std::size_t>(at_ - begin_); }
  void move_to(std::size_t place);

  /// What follows, byte by byte; `left()` of them may be read.
  const char* here() const { return at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  void skip(std::size_t bytes) { at_ += bytes; }
  /// Back by one.
  void skip_back() { --at_; }

  /// Steps over white space.
  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
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
    value = {};
    if (peek() != '"') return read_other(value, depth);
    value.type = Json::Type::string;
    return read_string(value.text);
  }

  static bool is_space(char c) {
    // What is below zero is not ASCII.
    return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r');
  }

 private:
  bool read_unusual_string(const char* begin, const char* at, std::string_view& text);
  bool read_other(Json& value, int depth);
  bool read_array(Json& array, int depth);
  bool read_object(Json& object, int depth);
  bool read_number(Json& number);
  bool read_word(Json& word);

  const char* begin_;
  const char* at_;
  const char* end_;
  Arena& arena_;
  std::string unescaped_;            // reused for every string with escapes
  std::vector<Json> elements_;       // of the arrays being read, innermost last
  std::vector<JsonMember> members_;  // of the objects being read, innermost last
};

}  // namespace raceway::wire

// Steps over JSON text, checks all of it, and says what is wrong and where; builds nothing.
//
// Two kinds of trouble are told apart: text that is not JSON (BodyError, with the byte where it broke), and JSON that
// cannot be kept (a NUL or half a surrogate pair in a string, nesting or digits without measure).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "wire/allowance.hpp"
#include "wire/arena.hpp"
#include "wire/errors.hpp"
#include "wire/json.hpp"
#include "wire/json_scanner.hpp"

namespace raceway::wire {

/// What a value is, as it was stepped over.
class Measure {
 public:
  /// Nothing is counted any more once the value would take more than `most` bytes.
  explicit Measure(std::pmr::memory_resource& memory, std::size_t most = std::numeric_limits<std::size_t>::max())
      : most_(most), counts_(memory) {}

  /// Why it cannot be kept: the first reason in the text; empty where it can.
  const std::string& problem() const { return problem_; }
  const ValueCounts& counts() const { return counts_; }
  /// What it would take as a tree, with its counts.
  std::size_t bytes() const { return bytes_; }

 private:
  friend class JsonReader;
  void note_problem(std::string_view problem);
  /// `depth` containers are open around it.
  void begin_container(std::size_t depth);
  void begin_value(std::size_t depth, bool is_member);
  void add_text(std::size_t bytes) { bytes_ += bytes + sizeof(void*); }
  bool is_over() const { return !problem_.empty() || bytes_ > most_; }

  std::size_t most_;
  std::string problem_;
  ValueCounts counts_;
  std::size_t bytes_ = 0;
  std::array<std::uint32_t*, max_json_depth> open_{};  // the counts of the containers that are open
};

/// Throws BodyError at whatever is not JSON.
class JsonReader {
 public:
  /// `text` needs no padding and must outlive the reader.
  JsonReader(std::string_view text, Allowance& allowance);
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  ~JsonReader() = default;

  std::string_view text() const { return text_; }
  /// Where what was read last ends.
  std::size_t end_of_token_before() const { return at_; }
  /// Where the next token begins, or the text's end.
  std::size_t place() {
    skip_space();
    return at_;
  }
  void move_to(std::size_t place) { at_ = place; }

  /// The first character of the next token, or 0 at the end.
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  /// Steps over the next token where it is `structural`; answers whether it did.
  bool accept(char structural) {
    if (peek() != structural) return false;
    ++at_;
    return true;
  }
  void expect(char structural, const char* what) {
    if (!accept(structural)) not_json(what);
  }
  /// Steps over the next value, of any depth.
  void skip_value() { walk(nullptr); }
  void measure_value(Measure& measure) { walk(&measure); }
  /// Steps over an object's key and the ':' behind it. Answers the key, until the next call; an empty one where no text
  /// can hold it, or where it is written with escapes and is longer than the name of any field.
  std::string_view read_key();
  /// Steps over the next value, which is a string; answers whether a text can hold it, and then its first
  /// `most_characters`.
  bool read_short_string(std::string& text, std::size_t most_characters);
  void expect_end();

  [[noreturn]] void not_json(const char* what) const;

 private:
  void skip_space() {
    const char* const begin = text_.data();
    at_ = static_cast<std::size_t>(skip_spaces(begin + at_, begin + text_.size()) - begin);
  }

  struct RawString {
    std::string_view text;  // between the quotes
    bool has_escapes = false;
    bool is_ascii = true;
    const char* problem = nullptr;
  };
  RawString read_raw_string();
  std::size_t end_of_string(std::size_t begin, RawString& string) const;
  std::string_view scalar() const;
  void walk(Measure* measure);
  void step_over_string(Measure* measure);
  void step_over_key(Measure* measure);
  void step_over_scalar(Measure* measure);
  void check_utf8(std::size_t begin, std::size_t end) const;

  std::string_view text_;
  Allowance& allowance_;
  std::size_t at_ = 0;
  std::pmr::vector<bool> in_object_;  // the containers that are open, innermost last
  std::array<char, 64> key_{};
};

/// Reads one whole JSON text; `depth` containers are as if open around it. Throws BodyError or EventError.
Json read_json(std::string_view text, Arena& arena, int depth = 0);

}  // namespace raceway::wire

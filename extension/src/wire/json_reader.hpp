// Reads JSON text: simdjson finds the structure, this walks it, checks every token and builds trees on request.
//
// Two kinds of trouble are told apart: text that is not JSON (BodyError, with the byte where it broke), and JSON that
// cannot be kept (EventError: a NUL or half a surrogate pair in a string, nesting or digits without measure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/arena.hpp"
#include "wire/errors.hpp"
#include "wire/json.hpp"

namespace raceway::wire {

/// How deep a value may nest to be kept.
inline constexpr int max_json_depth = 128;

class JsonReader {
 public:
  /// `text` needs no padding and must outlive the reader and what it builds. Throws BodyError where the text as a whole
  /// is not JSON: empty, not UTF-8, an open string, a bare control character.
  JsonReader(std::string_view text, Arena& arena);
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  ~JsonReader();

  /// The first character of the next token, or 0 at the end.
  char peek() const { return at_ < size_ ? text_[starts_[at_]] : '\0'; }
  /// A place to come back to with seek(), also when reading was broken off by an exception.
  std::uint32_t tell() const { return at_; }
  void seek(std::uint32_t place);

  std::string_view text() const { return text_; }
  /// Where the next token begins in the text, or the text's end.
  std::size_t place() const { return starts_[at_]; }
  /// Where the token before it ends; there must be one.
  std::size_t end_of_token_before() const;
  /// Steps over all tokens before `place`, which is no less than place().
  void move_to(std::size_t place);

  /// Steps over the next token where it is `structural`; answers whether it did.
  bool accept(char structural) {
    if (peek() != structural) return false;
    ++at_;
    return true;
  }
  void expect(char structural, const char* what) {
    if (!accept(structural)) not_json(what);
  }
  /// Reads the next value and everything in it; `depth` containers are open around it.
  void read_value(Json& value, int depth) {
    if (peek() == '"') {
      value = Json::of_string(read_string());
    } else {
      read_other(value, depth);
    }
  }
  Json read_value(int depth = 0) {
    Json value;
    read_value(value, depth);
    return value;
  }
  /// Reads the next value where it is a string; peek() tells.
  std::string_view read_string();
  /// Checks the next value and steps over it, to any depth.
  void skip_value();
  /// Reads an object's key (the token before ':'), and the ':'.
  std::string_view read_key();
  /// Throws BodyError where anything follows.
  void expect_end();

  [[noreturn]] void not_json(const char* what) const;

 private:
  std::string_view token() const;
  void read_other(Json& value, int depth);
  void read_array(Json& array, int depth);
  void read_object(Json& object, int depth);
  std::string_view read_escaped_string(std::string_view raw);
  void read_number(Json& number);
  void read_word(Json& word);
  bool has_backslash(std::size_t begin, std::size_t end);
  bool find_backslash(std::size_t begin, std::size_t end);
  void check_scalar();

  std::string_view text_;
  Arena& arena_;
  struct Scratch;
  Scratch& scratch_;                       // of this thread, in use by one reader at a time
  const std::uint32_t* starts_ = nullptr;  // where each token begins, and the text's end behind them
  std::uint32_t size_ = 0;
  std::uint32_t at_ = 0;
  // Between these two places the text holds no backslash; the second is the next one, or the end.
  std::size_t plain_from_ = 0;
  std::size_t plain_to_ = 0;
};

/// Sorts members as jsonb does and drops all but the last of equal keys; answers how many are left.
std::size_t sort_members(std::vector<JsonMember>& members, std::size_t from);

/// Reads one whole JSON text. Throws BodyError or EventError.
Json read_json(std::string_view text, Arena& arena);

}  // namespace raceway::wire

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
  char peek() const;
  /// A place to come back to with seek().
  std::uint32_t tell() const { return at_; }
  void seek(std::uint32_t place) { at_ = place; }

  /// Steps over the next token where it is `structural`; answers whether it did.
  bool accept(char structural);
  void expect(char structural, const char* what);

  /// Reads the next value and everything in it.
  Json read_value();
  /// Checks the next value and steps over it, to any depth.
  void skip_value();
  /// Reads an object's key (the token before ':'), and the ':'.
  std::string_view read_key();
  /// Throws BodyError where anything follows.
  void expect_end();

  [[noreturn]] void not_json(const char* what) const;

 private:
  std::string_view token() const;
  std::size_t token_end() const;
  Json read_nested(int depth);
  Json read_array(int depth);
  Json read_object(int depth);
  std::string_view read_string();
  Json read_number();
  Json read_word();
  void check_scalar();

  std::string_view text_;
  Arena& arena_;
  struct Index;
  Index& index_;  // of this thread, in use by one reader at a time
  std::uint32_t at_ = 0;
  std::vector<Json> elements_;       // of the arrays being read, innermost last
  std::vector<JsonMember> members_;  // of the objects being read, innermost last
};

/// Sorts members as jsonb does and drops all but the last of equal keys; answers how many are left.
std::size_t sort_members(std::vector<JsonMember>& members, std::size_t from);

/// Reads one whole JSON text. Throws BodyError or EventError.
Json read_json(std::string_view text, Arena& arena);

}  // namespace raceway::wire

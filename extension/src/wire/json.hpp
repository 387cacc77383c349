// A JSON value as both backends keep it: the members of an object sorted as PostgreSQL's jsonb sorts them (shorter key
// first, then bytes; of equal keys the last one stands), numbers in plain decimal notation with their scale kept.
// Writing such a value gives the same text whichever backend it went through.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace raceway::wire {

struct JsonMember;

/// A value. Refers to memory of the Batch (or body) it was read from; cheap to copy.
struct Json {
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  Type type = Type::null;
  bool boolean = false;
  std::uint32_t count = 0;  ///< elements of an array, members of an object
  std::string_view text;    ///< a number in plain notation; a string, unescaped UTF-8 without NUL
  union {
    const Json* elements = nullptr;  ///< of an array
    const JsonMember* members;       ///< of an object, in jsonb's order, keys unique
  };

  static Json of_null() { return {}; }
  static Json of_bool(bool value) {
    Json json;
    json.type = Type::boolean;
    json.boolean = value;
    return json;
  }
  static Json of_string(std::string_view value) {
    Json json;
    json.type = Type::string;
    json.text = value;
    return json;
  }
  static Json of_number(std::string_view plain) {
    Json json;
    json.type = Type::number;
    json.text = plain;
    return json;
  }

  static Json of_array(std::span<const Json> elements) {
    Json json;
    json.type = Type::array;
    json.count = static_cast<std::uint32_t>(elements.size());
    json.elements = elements.data();
    return json;
  }

  bool is(Type wanted) const { return type == wanted; }
  std::span<const Json> as_array() const { return {elements, count}; }
  std::span<const JsonMember> as_object() const;
  /// The member of that name, or nullptr where there is none or this is no object.
  const Json* find(std::string_view key) const;
};

struct JsonMember {
  std::string_view key;
  Json value;
};

inline std::span<const JsonMember> Json::as_object() const {
  return {members, count};
}

/// Appends `value` as compact JSON text (no white space; only what must be escaped is).
void append_json(std::string& out, const Json& value);

/// Appends `text` as a JSON string, quoted and escaped as jsonb's output does it.
void append_json_string(std::string& out, std::string_view text);

}  // namespace raceway::wire

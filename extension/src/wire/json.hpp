// A JSON value as both backends keep it: the members of an object sorted as PostgreSQL's jsonb sorts them (shorter key
// first, then bytes; of equal keys the last one stands), numbers in plain decimal notation with their scale kept.
// Writing such a value gives the same text whichever backend it went through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "causality/clock.hpp"

namespace raceway::wire {

class JsonMember;

/// A value. Refers to memory of the Batch (or body) it was read from; cheap to copy, and small, for there may be one
/// for every two bytes of a body. A text has less than 4 GB.
class Json {
 public:
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  Json() = default;
  static Json of_null() { return {}; }
  static Json of_bool(bool value) { return {Type::boolean, nullptr, value ? std::size_t{1} : 0}; }
  static Json of_string(std::string_view value) { return {Type::string, value.data(), value.size()}; }
  static Json of_number(std::string_view plain) { return {Type::number, plain.data(), plain.size()}; }
  static Json of_array(std::span<const Json> elements) { return {Type::array, elements.data(), elements.size()}; }
  /// `members` are in jsonb's order, their keys unique.
  static Json of_object(std::span<const JsonMember> members);

  Type type() const { return type_; }
  bool is(Type wanted) const { return type_ == wanted; }
  bool boolean() const { return size_ != 0; }
  /// Of a number, in plain notation; of a string, unescaped UTF-8 without NUL.
  std::string_view text() const { return {static_cast<const char*>(at_), size_}; }
  /// Elements of an array, members of an object.
  std::uint32_t count() const { return size_; }
  std::span<const Json> as_array() const { return {static_cast<const Json*>(at_), size_}; }
  std::span<const JsonMember> as_object() const;
  /// The member of that name, or nullptr where there is none or this is no object.
  const Json* find(std::string_view key) const;

 private:
  Json(Type type, const void* at, std::size_t size) : at_(at), size_(static_cast<std::uint32_t>(size)), type_(type) {}

  const void* at_ = nullptr;  // the text, or what it holds
  std::uint32_t size_ = 0;
  Type type_ = Type::null;
};

class JsonMember {
 public:
  JsonMember() = default;
  JsonMember(std::string_view key, const Json& value_of_key)
      : value(value_of_key), key_(key.data()), key_size_(static_cast<std::uint32_t>(key.size())) {}

  std::string_view key() const { return {key_, key_size_}; }
  void set_key(std::string_view key) {
    key_ = key.data();
    key_size_ = static_cast<std::uint32_t>(key.size());
  }

  Json value;

 private:
  friend class MemberOrder;
  const char* key_ = nullptr;
  std::uint32_t key_size_ = 0;
  std::uint32_t place_ = 0;  // among the members, while they are sorted
};

static_assert(sizeof(Json) == 16 && sizeof(JsonMember) == 32);

inline Json Json::of_object(std::span<const JsonMember> members) {
  return {Type::object, members.data(), members.size()};
}

inline std::span<const JsonMember> Json::as_object() const {
  return {static_cast<const JsonMember*>(at_), size_};
}

class Allowance;

/// Sorts members as jsonb does and drops all but the last of equal keys; answers how many are left. Takes no memory.
std::size_t sort_members(std::span<JsonMember> members, Allowance& allowance);

/// Appends `value` as compact JSON text (no white space; only what must be escaped is).
void append_json(std::string& out, const Json& value);

/// The same, but ends early, with some of the text, once `out` has more than `most` bytes.
void append_some_json(std::string& out, const Json& value, std::size_t most);

/// Appends a clock as compact JSON text, an object.
void append_json_clock(std::string& out, std::span<const causality::Component> clock);

/// Appends `text` as a JSON string, quoted and escaped as jsonb's output does it.
void append_json_string(std::string& out, std::string_view text);

}  // namespace raceway::wire

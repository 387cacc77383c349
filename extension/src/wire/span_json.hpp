// What the readers of spans in JSON share: ids, numbers and lists, and the way through a body's arrays and objects.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/arena.hpp"
#include "wire/json.hpp"
#include "wire/json_reader.hpp"
#include "wire/span.hpp"

namespace raceway::wire {

/// Of a string; empty of anything else.
inline std::string_view text_of(const Json& value) {
  return value.is(Json::Type::string) ? value.text() : std::string_view();
}

/// The member's text where it is a string, else empty.
std::string_view text_in(const Json& object, std::string_view name);

/// The member as a whole number from 0 to 2^64-1, written as a number or a string; 0 where there is none. Throws
/// EventError where it is anything else.
std::uint64_t whole_in(const Json& object, std::string_view name);

/// Likewise one of 32 bits.
std::uint32_t count_in(const Json& object, std::string_view name);

/// The number that a string holds. Throws EventError where it is none.
Json number_in_text(const Json& text, std::string_view name);

/// Reads an id from the member: hex in any case, or base64, told by their lengths. Where there is none, or an empty
/// one, `id` stays. Throws EventError where it is anything else.
void read_id(const Json& object, std::string_view name, TraceId& id);
void read_id(const Json& object, std::string_view name, SpanId& id);

/// The same for hex digits alone, any number of them up to those that the id has, as the last ones of it: tracers leave
/// leading zeros out.
void read_short_id(const Json& object, std::string_view name, std::span<unsigned char> id);

/// A member in microseconds as nanoseconds; 0 where there is none. Throws EventError where it is no such number.
UnixNanos nanos_in(const Json& object, std::string_view name);

/// When something ends that takes so long. Throws EventError where that cannot be told.
UnixNanos end_after(UnixNanos start, UnixNanos duration);

/// What `make` makes of each element of the member, where that is an array.
template <class T, class Make>
std::span<const T> each_in(const Json& object, std::string_view name, Arena& arena, Make make) {
  const Json* const list = object.find(name);
  if (list == nullptr || !list->is(Json::Type::array) || list->count() == 0) return {};
  T* const made = arena.allocate<T>(list->count());
  std::size_t count = 0;
  for (const Json& element : list->as_array()) {
    arena.allowance().step();
    made[count++] = make(element);
  }
  return {made, count};
}

/// Goes over the array or the object that begins next, called `name`; `read` steps over an element, or over the value
/// of a key. Throws BodyError where it is none.
template <class Read>
void each_element(JsonReader& reader, const char* name, Read read) {
  if (!reader.accept('[')) reader.not_json((std::string(name) + " is to be an array").c_str());
  if (reader.accept(']')) return;
  do {
    read();
  } while (reader.accept(','));
  reader.expect(']', "',' or ']' is expected");
}

/// Whether the object that begins next has a member of that name. Leaves the reader anywhere.
bool has_member(JsonReader& reader, std::string_view name);

template <class Read>
void each_member(JsonReader& reader, const char* name, Read read) {
  if (!reader.accept('{')) reader.not_json((std::string(name) + " is to be an object").c_str());
  if (reader.accept('}')) return;
  do {
    read(reader.read_key());
  } while (reader.accept(','));
  reader.expect('}', "',' or '}' is expected");
}

}  // namespace raceway::wire

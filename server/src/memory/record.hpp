// How an event is packed. Events of a trace stand one behind the other in chunks, in the order in which they came; each
// is written as what is new beside the ones before it in its chunk, so a chunk can be read without any other.
//
//   flags      1 byte, Flag
//   length     of what follows
//   id         16 bytes; of an id that is no UUID also its text, counted
//   time       difference to the event before in the chunk, to 0 in the first
//   context    the members of the metadata that are the same throughout a request (thread_id, service_name ...):
//              unless it has none or has that of the event before: 1 and up, the place of an earlier event of the chunk
//              that brought it, plus 1; or 0 and the members, counted
//   clock      likewise the names of its components, then, for each, its counter
//   shape      the kind and the shape of the other members
//   location, duration (4 bytes), values of the other members
//
// Numbers are varints, times zigzag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "memory/bytes.hpp"
#include "memory/id.hpp"
#include "wire/event.hpp"

namespace raceway::server::memory {

enum Flag : std::uint8_t {
  text_id = 1,
  has_context = 2,
  same_context = 4,  ///< as the last one used
  has_clock = 8,
  same_clock = 16,
  has_location = 32,
  has_duration = 64,
};

/// Names kept in the order sent, because the metadata has the clock in that order too (causality_vector).
inline constexpr std::uint64_t names_as_sent = 1;  ///< the lowest bit of their count

/// A context or a clock's names in its chunk.
struct Definition {
  std::size_t record = 0;  ///< the place of the record that brought it
  std::string_view bytes;
};

/// What can be read of a record without a dictionary.
struct RecordHead {
  std::uint8_t flags = 0;
  std::string_view id;  ///< 16 bytes
  std::string_view id_text;
  std::uint64_t time_step = 0;
  bool defines_context = false;
  bool defines_clock = false;
  Definition context;  ///< where it has one, and not that of the event before
  Definition clock;
  ByteReader rest{{}};   ///< from the counters on
  std::size_t next = 0;  ///< the place of the next record
};

/// The record at a place in a chunk's bytes.
RecordHead read_head(std::string_view chunk, std::size_t at);

/// Whether the record is that event's.
bool is_record_of(const RecordHead& head, const Id& id);

/// How many records there are.
std::uint32_t count_records(std::string_view chunk);

/// Whether one of the records is that event's.
bool holds(std::string_view chunk, const Id& id);

}  // namespace raceway::server::memory

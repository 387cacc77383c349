// The layout of an event in the SDK's form: which keys it has in which order, what is done with each, and how the
// members of the row's metadata are to be sorted. SDKs send the same few layouts over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wire/json_reader.hpp"
#include "wire/quoted_key.hpp"

namespace raceway::wire {

/// What the text at one place of a layout stands for.
enum class Part : std::uint8_t {
  id,
  trace_id,
  parent_id,
  timestamp,
  clock,
  locks,
  member,     ///< of the row's metadata
  container,  ///< an object, whose members are the next steps
  variant,    ///< the object under `kind`, whose key names the kind
  close,      ///< the end of an object inside the event
  end,        ///< the end of the event
};

/// One step over the text of an event: a key with what stands before it, or the end of an object.
struct LayoutStep {
  Part part = Part::end;
  char before = '\0';      ///< '{' or ','
  std::uint8_t slot = 0;   ///< of a member: where its value goes
  std::uint8_t depth = 0;  ///< of a member: how many containers are open around its value
  QuotedKey key;
};

/// The members of a row's metadata, before they are sorted, by slot: first those that not every event of a layout has.
inline constexpr std::uint8_t parent_id_slot = 0;
inline constexpr std::uint8_t lock_set_slot = 1;
inline constexpr std::uint8_t causality_vector_slot = 2;
inline constexpr std::uint8_t timestamp_nanos_slot = 3;
inline constexpr std::uint8_t first_sent_slot = 4;
inline constexpr std::uint8_t slot_count = 64;
inline constexpr std::uint8_t no_slot = 0xFF;

/// What is to be done with the members of an event once they are all read.
struct EventLayout {
  std::uint64_t number = 0;          ///< its own in this process, never used again
  std::vector<std::uint8_t> sorted;  ///< every slot, in jsonb's order of their keys
  // Slots of members that columns are set from.
  std::uint8_t location = no_slot;
  std::uint8_t file = no_slot;
  std::uint8_t line = no_slot;
  std::uint8_t duration_ms = no_slot;
  std::uint8_t duration_ns = no_slot;
  std::uint8_t service_name = no_slot;
};

struct LearnedLayout {
  std::vector<LayoutStep> steps;
  EventLayout layout;
};

/// The layout of the event that stands next, which was read without complaint. Nothing where it is not a usual one: a
/// kind without fields, fields that no format knows or that collide, keys that stand twice. Moves the reader anywhere.
std::optional<LearnedLayout> learn_layout(JsonReader& reader);

}  // namespace raceway::wire

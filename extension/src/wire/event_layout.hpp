// The layout of an event in the SDK's form: the text that stands between its values, what is done with each value, and
// how the members of the row's metadata are to be sorted. SDKs send the same few layouts over and over.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/bytes.hpp"
#include "wire/fields.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_scanner.hpp"

namespace raceway::wire {

/// What the value behind a step's text is.
enum class Part : std::uint8_t {
  id,
  trace_id,
  parent_id,
  timestamp,
  clock,
  locks,
  member,    ///< of the row's metadata
  metadata,  ///< the object of the SDK's metadata, which has steps of its own
  end,       ///< there is none: the event (or that object) ends here
};

/// Text that stands in an event before a value: keys, what is between them, white space. Owns it.
class FixedText {
 public:
  static constexpr std::size_t max_size = 96;

  FixedText() = default;
  /// `text` has max_size bytes at most.
  explicit FixedText(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    std::memcpy(bytes_.data(), text.data(), text.size());
    std::memset(mask_.data(), 0xFF, std::min(text.size(), mask_.size()));
  }

  std::size_t size() const { return size_; }
  std::string_view text() const { return {bytes_.data(), size_}; }
  /// Whether it stands at `place`, behind which `room` bytes may be read.
  bool is_at(const char* place, std::size_t room) const {
    if (room < mask_.size()) return room >= size_ && equal_bytes(place, bytes_.data(), size_);
    // Without a branch whose way depends on the text's size: those are mispredicted.
    const auto difference_at = [this, place](std::size_t at) {
      return (load_bytes<Words2>(place + at) ^ load_bytes<Words2>(bytes_.data() + at)) &
             load_bytes<Words2>(mask_.data() + at);
    };
    const Words2 difference = difference_at(0) | difference_at(16) | difference_at(32);
    return (difference[0] | difference[1]) == 0 && (size_ <= mask_.size() || is_rest_at(place, room));
  }

 private:
  bool is_rest_at(const char* place, std::size_t room) const {
    return room >= size_ && equal_bytes(place, bytes_.data(), size_);
  }

  std::uint8_t size_ = 0;
  std::array<char, 48> mask_{};  // selects those of the first bytes that belong to the text
  std::array<char, max_size> bytes_{};
};

/// A part of a FixedText.
struct PartOfText {
  std::uint8_t begin = 0;
  std::uint8_t size = 0;
};

/// One step over the text of an event: from the value before to the next.
struct LayoutStep {
  Part part = Part::end;
  std::uint8_t slot = 0;   ///< of a member: where its value goes
  std::uint8_t depth = 0;  ///< of a value: how many containers are open around it
  PartOfText key;          ///< of a member
  PartOfText kind;         ///< the kind's name, where it stands in this text
  FixedText text;

  /// Whether its text stands at `place`, behind which `room` bytes may be read, and then a value. With more white space
  /// before the value it would be another step.
  bool stands_at(const char* place, std::size_t room) const {
    const std::size_t size = text.size();
    return text.is_at(place, room) && (part == Part::end || (room > size && !is_space(place[size])));
  }
};

/// The members of a row's metadata, before they are sorted, by slot: first those that not every event of a layout has,
/// then those of the SDK's metadata, then those of the variant.
inline constexpr std::uint8_t parent_id_slot = 0;
inline constexpr std::uint8_t lock_set_slot = 1;
inline constexpr std::uint8_t causality_vector_slot = 2;
inline constexpr std::uint8_t timestamp_nanos_slot = 3;
inline constexpr std::uint8_t first_metadata_slot = 4;
inline constexpr std::uint8_t first_variant_slot = first_metadata_slot + fields::sdk_metadata.size();
inline constexpr std::uint8_t slot_count = 64;
inline constexpr std::uint8_t no_slot = 0xFF;

/// The slot of a field of the SDK's metadata.
constexpr std::uint8_t metadata_slot(std::string_view key) {
  const auto* const place = std::find(fields::sdk_metadata.begin(), fields::sdk_metadata.end(), key);
  return static_cast<std::uint8_t>(first_metadata_slot + (place - fields::sdk_metadata.begin()));
}
inline constexpr std::uint8_t duration_ns_slot = metadata_slot(fields::duration_ns);
inline constexpr std::uint8_t service_name_slot = metadata_slot(fields::service_name);

/// Slots, a bit for each.
using Slots = std::uint64_t;
constexpr Slots bit_of(std::uint8_t slot) {
  return Slots{1} << slot;
}

/// The slots of what is the same throughout a request.
inline constexpr Slots context_slots = [] {
  Slots slots = 0;
  for (const auto key : fields::context) slots |= bit_of(metadata_slot(key));
  return slots;
}();

/// What is to be done with the members of an event once they are all read.
struct EventLayout {
  std::uint64_t number = 0;          ///< its own in this process, never used again
  std::vector<std::uint8_t> sorted;  ///< every slot that may be filled, in jsonb's order of their keys
  // Slots of the variant's members that columns are set from.
  std::uint8_t location = no_slot;
  std::uint8_t file = no_slot;
  std::uint8_t line = no_slot;
  std::uint8_t duration_ms = no_slot;
  // Of `sorted` those that were put into the last event's metadata.
  Slots put = 0;
  std::vector<std::uint8_t> order;
};

struct LearnedLayout {
  std::vector<LayoutStep> steps;           ///< of the event
  std::vector<LayoutStep> metadata_steps;  ///< of the SDK's metadata, where the event has it
  EventLayout layout;
};

/// The layout of the event that stands next, which was read without complaint. Nothing where it is not a usual one: a
/// kind without fields, fields that no format knows or that collide, keys that stand twice, are written with escapes or
/// are long. Moves the reader anywhere.
std::optional<LearnedLayout> learn_layout(JsonReader& reader);

}  // namespace raceway::wire

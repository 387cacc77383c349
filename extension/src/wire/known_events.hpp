// The fast way to read the events of a body: by the layouts that were learned from events before them. What repeats
// from one event to the next (the trace, the SDK's metadata of a request) is compared instead of read again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "wire/arena.hpp"
#include "wire/batch.hpp"
#include "wire/event.hpp"
#include "wire/event_layouts.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_scanner.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {

/// For one body, in one thread.
class KnownEvents {
 public:
  /// `scan` reads the body, which must outlive the events; what else they refer to is in `arena`.
  KnownEvents(JsonScanner& scan, MetadataForm form, Arena& arena)
      : scan_(scan), arena_(arena), apart_(form == MetadataForm::apart ? context_slots : 0) {}

  /// Reads the event that begins at `place` and is no longer than `window`, where its layout is known and nothing in it
  /// is wrong or unusual; `row` then is what the general way would make of it, and the place behind it is answered.
  /// Otherwise nothing: the general way has to read the event, and to give the reason where it cannot be kept.
  std::optional<std::size_t> read(std::size_t place, std::size_t window, Event& row);

  /// What it knows of events that were read may refer to memory that is about to be let go.
  void forget_events_before();

  /// Learns the layout of the event that stands next, which read() has just declined and the general way read without
  /// complaint. Leaves the reader where it was.
  void learn(JsonReader& reader);

 private:
  /// A text of the body, and what was made of it.
  struct Seen {
    std::string_view text;  // as far as equal text means an equal value; empty where there is none
    std::string_view value;
  };

  bool follow(Event& row);
  bool read_part(const LayoutStep& step, Event& row);
  bool read_id(Seen& seen);
  bool read_parent_id();
  bool read_time(Event& row);
  bool read_metadata(Event& row);
  bool follow_metadata();
  void take_context();
  bool read_metadata_member(const LayoutStep& step, const char* text);
  bool read_member(const LayoutStep& step, const char* text);
  bool read_clock(Event& row);
  bool read_components();
  Json clock_as_sent();
  bool read_component_name(std::size_t at);
  bool read_locks();
  void finish(EventLayout& layout, Event& row);
  void put_members(EventLayout& layout, Slots put, Event& row);

  /// Steps over `text` where it is not empty and stands next; answers whether it did.
  bool accept(std::string_view text);
  /// What was read since `begin`.
  std::string_view since(const char* begin) const;
  void fill(std::uint8_t slot, std::string_view key, const Json& value);

  EventLayouts& layouts_ = EventLayouts::of_this_thread();
  JsonScanner& scan_;
  Arena& arena_;
  const Slots apart_;        // those that are not put into the metadata
  bool is_unknown_ = false;  // the layout of the event that was read last

  /// Larger clocks are not usual.
  static constexpr std::size_t most_components = 1024;
  static constexpr std::size_t usual_components = 8;

  // Of the event being read.
  std::array<JsonMember, slot_count> members_;
  Slots filled_ = 0;
  std::vector<causality::Component> components_;  // of its clock
  std::vector<std::string_view> counters_;        // as text
  Timestamp time_;

  // Of events before it.
  Seen event_id_;  // of this one
  Seen last_id_;
  Seen trace_id_;
  std::string_view metadata_;  // as text, of what its slots hold
  Slots in_metadata_ = 0;
  std::array<std::string_view, first_variant_slot> member_texts_;  // of its slots, each with the character behind it
  Slots changed_ = context_slots;                                  // since the context was taken
  Slots in_context_ = 0;
  std::uint32_t context_number_ = 0;
  std::span<const JsonMember> context_;
  TimestampReader times_;
  std::array<Seen, 4> component_names_;  // of the clock, in the order sent
};

}  // namespace raceway::wire

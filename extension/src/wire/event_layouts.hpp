// The fast way to read events: by layouts that were learned from events before them.
//
// The layouts stand in a tree of steps. Reading an event means following the keys it is expected to have, each
// compared where it is expected to stand, and putting each value where it belongs in the row: no search for fields,
// nothing sorted, nothing built that is not part of the row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "causality/clock.hpp"
#include "wire/arena.hpp"
#include "wire/event.hpp"
#include "wire/event_layout.hpp"
#include "wire/json_reader.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {

/// Not thread-safe: one for each thread. Bounded: where it would hold too much it forgets everything and learns anew,
/// then from a sample only.
class EventLayouts {
 public:
  static EventLayouts& of_this_thread();

  /// Reads the event that stands next, where its layout is known and nothing in it is wrong or unusual; `row` then is
  /// what the general way would make of it. Otherwise answers false, and the reader stands where it stood: the general
  /// way has to read the event, and to give the reason where it cannot be kept.
  bool read(JsonReader& reader, Arena& arena, Event& row);

  /// Learns the layout of the event at `place`, which read() has declined and the general way read without complaint.
  void learn(JsonReader& reader, std::uint32_t place);

  /// How many steps are kept, and how many ways may lead on from one.
  static constexpr std::size_t max_steps = 4096;
  static constexpr std::size_t max_branches = 64;

 private:
  struct Node {
    LayoutStep step;
    Node* first = nullptr;  // of the steps that may come next
    Node* other = nullptr;  // the next of the steps that may stand here
    std::size_t branches = 0;
    EventLayout layout;  // at the end of an event
  };

  bool follow(JsonReader& reader, Arena& arena, Event& row);
  bool read_part(const LayoutStep& step, JsonReader& reader, Arena& arena, Event& row);
  bool read_clock(JsonReader& reader, Arena& arena, Event& row);
  bool read_components(JsonReader& reader);
  void finish(const EventLayout& layout, Arena& arena, Event& row);
  void insert(LearnedLayout&& learned);
  void forget();

  Node root_;
  std::deque<Node> nodes_;
  bool has_forgotten_ = false;
  // Learning costs more than reading: after an event that is not to be learned, or where there are more layouts than
  // are kept, so many events of unknown layout go by.
  std::uint32_t pause_ = 0;
  static constexpr std::uint32_t long_pause = 64;

  // What is being read.
  std::array<JsonMember, slot_count> members_;
  std::vector<causality::Component> components_;
  Timestamp time_;
  bool is_unknown_ = false;  // the layout of the event that was read last
};

}  // namespace raceway::wire

// The layouts that a thread has learned.
//
// They stand in a tree of steps: to read an event is to follow the texts it is expected to have between its values. The
// SDK's metadata has a tree of its own, for it is the same whatever kind of event it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "wire/event_layout.hpp"
#include "wire/json_reader.hpp"

namespace raceway::wire {

/// A step in a tree.
struct LayoutNode {
  LayoutStep step;
  EventLayout layout;           ///< at the end of an event
  LayoutNode* first = nullptr;  ///< of the steps that may come next
  LayoutNode* other = nullptr;  ///< the next of the steps that may stand here
  std::size_t branches = 0;     ///< steps that may come next

  /// The step that comes next where `room` bytes stand at `place`, or nullptr where none is known.
  LayoutNode* next(const char* place, std::size_t room) const {
    LayoutNode* node = first;
    while (node != nullptr && !node->step.stands_at(place, room)) node = node->other;
    return node;
  }
};

/// Not thread-safe: one for each thread. Bounded: where it would hold too much it forgets everything and learns anew,
/// then from a sample only.
class EventLayouts {
 public:
  static EventLayouts& of_this_thread();

  /// Where events begin, and where the SDK's metadata does: before the first step.
  const LayoutNode& events() const { return events_; }
  const LayoutNode& metadata() const { return metadata_; }

  /// Learns the layout of the event that stands next, which is not known and was read without complaint. Leaves the
  /// reader where it was.
  void learn(JsonReader& reader);

  /// How many steps are kept, and how many ways may lead on from one.
  static constexpr std::size_t max_steps = 4096;
  static constexpr std::size_t max_branches = 64;

 private:
  void insert(LearnedLayout&& learned);
  /// Answers the last of the steps, or nullptr where there was no room for one.
  LayoutNode* insert(LayoutNode& root, const std::vector<LayoutStep>& steps);
  void forget();

  LayoutNode events_;
  LayoutNode metadata_;
  std::deque<LayoutNode> nodes_;
  bool has_forgotten_ = false;
  // Learning costs more than reading: after an event that is not to be learned, or where there are more layouts than
  // are kept, so many events of unknown layout go by.
  std::uint32_t pause_ = 0;
  static constexpr std::uint32_t long_pause = 64;
};

}  // namespace raceway::wire

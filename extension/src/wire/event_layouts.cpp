#include "wire/event_layouts.hpp"

#include <utility>

namespace raceway::wire {

EventLayouts& EventLayouts::of_this_thread() {
  thread_local EventLayouts layouts;
  return layouts;
}

void EventLayouts::learn(JsonReader& reader) {
  if (pause_ > 0) {
    --pause_;
    return;
  }
  const auto begin = reader.place();
  if (auto learned = learn_layout(reader)) {
    insert(std::move(*learned));
    pause_ = has_forgotten_ ? long_pause : 0;
  } else {
    pause_ = long_pause;
  }
  reader.move_to(begin);
}

void EventLayouts::insert(LearnedLayout&& learned) {
  if (nodes_.size() + learned.steps.size() + learned.metadata_steps.size() > max_steps) forget();
  LayoutNode* const end = insert(events_, learned.steps);
  if (end == nullptr || insert(metadata_, learned.metadata_steps) == nullptr) return forget();
  if (end->layout.number == 0) end->layout = std::move(learned.layout);
}

LayoutNode* EventLayouts::insert(LayoutNode& root, const std::vector<LayoutStep>& steps) {
  const auto same = [](const LayoutStep& a, const LayoutStep& b) {
    return a.part == b.part && a.slot == b.slot && a.text.text() == b.text.text();
  };
  LayoutNode* node = &root;
  for (const LayoutStep& step : steps) {
    LayoutNode* next = node->first;
    while (next != nullptr && !same(next->step, step)) next = next->other;
    if (next == nullptr) {
      if (node->branches == max_branches) return nullptr;
      next = &nodes_.emplace_back();
      next->step = step;
      next->other = std::exchange(node->first, next);
      ++node->branches;
    }
    node = next;
  }
  return node;
}

void EventLayouts::forget() {
  events_ = {};
  metadata_ = {};
  nodes_.clear();
  has_forgotten_ = true;
}

}  // namespace raceway::wire

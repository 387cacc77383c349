#include "analysis/trace_links.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "wire/links.hpp"

namespace raceway::server::analysis {
namespace {

// What causality::causal_order takes for an event and for a component of its clock, at most.
constexpr std::size_t ordering_an_event = 240;
constexpr std::size_t ordering_a_component = sizeof(causality::Component);

}  // namespace

TraceLinks::TraceLinks(storage::TraceEvents& events, storage::ByteBudget& budget) : hold_(budget.hold()) {
  hold_.grow(events.count() * (sizeof(causality::TraceEvent) + ordering_an_event));
  events_.reserve(events.count());
  events.each([this](const wire::Row& row) {
    add(row);
    return true;
  });
}

void TraceLinks::add(const wire::Row& row) {
  const auto links = wire::read_links(row);
  const auto parent = keep_parent(links.parent_id);
  events_.push_back({keep(row.event_id), parent, row.timestamp, links.timestamp_nanos, keep_clock(links.clock)});
}

char* TraceLinks::room_for(std::size_t bytes) {
  if (bytes > left_) {
    const std::size_t size = std::max(bytes, blocks_.empty() ? block_size / 16 : block_size);
    hold_.grow(size);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    free_ = blocks_.back().get();
    left_ = size;
  }
  left_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

std::string_view TraceLinks::keep(std::string_view text) {
  char* const to = room_for(text.size());
  text.copy(to, text.size());
  return {to, text.size()};
}

/// Mostly that of an event that came shortly before, or of a sibling.
std::string_view TraceLinks::keep_parent(std::string_view id) {
  if (id.empty()) return {};
  for (std::size_t back = 1; back <= std::min(recent_ids, events_.size()); ++back) {
    const auto& earlier = events_[events_.size() - back];
    if (earlier.id == id) return earlier.id;
    if (earlier.parent_id == id) return earlier.parent_id;
  }
  return keep(id);
}

/// There are few, and they come in the same order again and again.
std::string_view TraceLinks::keep_name(std::string_view name, std::string_view guess) {
  if (name == guess) return guess;
  const auto found = names_.find(name);
  return found != names_.end() ? *found : *names_.insert(keep(name)).first;
}

std::span<const causality::Component> TraceLinks::keep_clock(std::span<const causality::Component> clock) {
  if (clock.empty()) return {};
  const std::size_t bytes = clock.size_bytes();
  void* place = room_for(bytes + alignof(causality::Component));
  std::size_t space = bytes + alignof(causality::Component);
  auto* const kept = static_cast<causality::Component*>(std::align(alignof(causality::Component), bytes, place, space));
  hold_.grow(clock.size() * ordering_a_component);
  const auto before = events_.empty() ? std::span<const causality::Component>() : events_.back().clock;
  for (std::size_t at = 0; at < clock.size(); ++at) {
    const auto guess = at < before.size() ? before[at].name : std::string_view();
    std::construct_at(kept + at, causality::Component{keep_name(clock[at].name, guess), clock[at].counter});
  }
  return {kept, clock.size()};
}

}  // namespace raceway::server::analysis

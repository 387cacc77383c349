#include "causality/effective_clocks.hpp"

#include <algorithm>
#include <utility>

namespace raceway::causality {
namespace {

// Told in steps, lest telling costs more than what it counts.
constexpr std::size_t step_of_memory = std::size_t{1} << 20U;
constexpr std::uint32_t nodes_between_checks = 4096;

std::uint32_t find(std::span<const Heard> clock, std::uint32_t line) {
  const auto at = std::ranges::lower_bound(clock, line, {}, &Heard::line);
  return at != clock.end() && at->line == line ? at->position : 0;
}

/// Answers whether the clock did not say so before.
bool take_in(std::vector<Heard>& clock, Spot spot) {
  const auto at = std::ranges::lower_bound(clock, spot.line, {}, &Heard::line);
  if (at == clock.end() || at->line != spot.line) {
    clock.insert(at, {spot.line, spot.position});
    return true;
  }
  return std::exchange(at->position, std::max(at->position, spot.position)) < spot.position;
}

bool is_within(std::span<const Heard> clock, std::span<const Heard> other, std::uint32_t own_line) {
  auto at = other.begin();
  for (const Heard& heard : clock) {
    if (heard.line == own_line) continue;
    while (at != other.end() && at->line < heard.line) ++at;
    if (at == other.end() || at->line != heard.line || at->position < heard.position) return false;
  }
  return true;
}

}  // namespace

EffectiveClocks::EffectiveClocks(const ConstraintOrder& constraints, const Digraph& incoming,
                                 std::span<const Spot> spots, std::uint32_t lines, const Allowed& allowed)
    : constraints_(constraints),
      incoming_(incoming),
      spots_(spots),
      allowed_(allowed),
      needed_by_(constraints.count()),
      slot_of_(constraints.count(), nothing),
      latest_(lines, nothing),
      left_(lines),
      slots_(1),
      holders_(1, 1),
      versions_(1, 0) {
  for (std::uint32_t node = 0; node < constraints.count(); ++node) {
    for (const std::uint32_t before : incoming.successors(node)) ++needed_by_[before];
  }
  for (const Spot& spot : spots) ++left_[spot.line];
  fixed_bytes_ = (needed_by_.size() + slot_of_.size() + latest_.size() + left_.size()) * sizeof(Slot);
}

EffectiveClocks::Passed EffectiveClocks::pass(std::uint32_t node) {
  if (node % nodes_between_checks == 0) allowed_.go_on();
  const std::uint32_t own_line = constraints_.is_event(node) ? spots_[node].line : none;
  change(base_, own_line == none ? nothing : latest_[own_line]);
  changed_ = false;
  for (const std::uint32_t before : incoming_.successors(node)) {
    hear_node(before, own_line);
    if (--needed_by_[before] == 0) change(slot_of_[before], nothing);
  }
  if (changed_) change(base_, keep(current_));
  if (needed_by_[node] > 0) change(slot_of_[node], base_);
  if (own_line != none) change(latest_[own_line], --left_[own_line] == 0 ? nothing : base_);
  // Where nobody needs it, `base_` alone keeps it until the next pass.
  return {slots_[base_], versions_[base_]};
}

void EffectiveClocks::hear_node(std::uint32_t from, std::uint32_t own_line) {
  const bool is_event = constraints_.is_event(from);
  // Whoever has heard of an event has heard of all that it had heard of.
  if (is_event && (spots_[from].line == own_line || heard_of(spots_[from].line) >= spots_[from].position)) return;
  const Slot slot = slot_of_[from];
  if (!changed_ && slot != base_ && knows_no_more_than(slots_[slot], own_line)) {
    return change(base_, is_event ? with_itself(from) : slot);
  }
  if (slot != base_) hear_clock(slots_[slot], own_line);
  if (is_event) hear_spot(spots_[from], own_line);
}

/// So that hearing of the clock makes it what is known.
bool EffectiveClocks::knows_no_more_than(std::span<const Heard> clock, std::uint32_t own_line) const {
  const auto& known = slots_[base_];
  return known.size() <= clock.size() + 1 && is_within(known, clock, own_line);
}

/// What is known to whoever has heard of the event alone: made once, for all that do.
EffectiveClocks::Slot EffectiveClocks::with_itself(std::uint32_t event) {
  std::vector<Heard> clock = slots_[slot_of_[event]];
  if (!take_in(clock, spots_[event])) return slot_of_[event];
  change(slot_of_[event], keep(clock));
  return slot_of_[event];
}

std::uint32_t EffectiveClocks::heard_of(std::uint32_t line) const {
  return find(changed_ ? current_ : slots_[base_], line);
}

void EffectiveClocks::hear_clock(std::span<const Heard> other, std::uint32_t own_line) {
  const std::vector<Heard>& known = changed_ ? current_ : slots_[base_];
  if (is_within(other, known, own_line)) return;
  merged_.clear();
  auto at = known.begin();
  for (const Heard& heard : other) {
    if (heard.line == own_line) continue;
    while (at != known.end() && at->line < heard.line) merged_.push_back(*at++);
    if (at != known.end() && at->line == heard.line) {
      merged_.push_back({heard.line, std::max(heard.position, at->position)});
      ++at;
    } else {
      merged_.push_back(heard);
    }
  }
  merged_.insert(merged_.end(), at, known.end());
  current_.swap(merged_);
  changed_ = true;
}

void EffectiveClocks::hear_spot(Spot spot, std::uint32_t own_line) {
  if (spot.line == own_line) return;
  if (!changed_) current_ = slots_[base_];
  changed_ = true;
  take_in(current_, spot);
}

EffectiveClocks::Slot EffectiveClocks::keep(std::span<const Heard> clock) {
  if (free_.empty()) {
    free_.push_back(static_cast<Slot>(slots_.size()));
    slots_.emplace_back();
    holders_.push_back(0);
    versions_.push_back(0);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  slots_[slot].assign(clock.begin(), clock.end());
  versions_[slot] = ++next_version_;
  bytes_ += slots_[slot].capacity() * sizeof(Heard) + sizeof(std::vector<Heard>);
  if (bytes_ > told_bytes_ + step_of_memory) {
    told_bytes_ = bytes_;
    allowed_.memory(fixed_bytes_ + bytes_);
  }
  return slot;
}

void EffectiveClocks::change(Slot& holder, Slot to) {
  if (holder == to) return;
  if (to != nothing) ++holders_[to];
  const Slot from = std::exchange(holder, to);
  if (from != nothing && --holders_[from] == 0) drop(from);
}

void EffectiveClocks::drop(Slot slot) {
  bytes_ -= slots_[slot].capacity() * sizeof(Heard) + sizeof(std::vector<Heard>);
  slots_[slot] = {};
  free_.push_back(slot);
}

}  // namespace raceway::causality

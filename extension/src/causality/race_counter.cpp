#include "causality/race_counter.hpp"

#include <algorithm>
#include <utility>

namespace raceway::causality {
namespace {

// A line with so few accesses is counted anew each time.
constexpr std::size_t few_accesses = 8;
constexpr std::size_t accesses_a_snapshot = 256;

}  // namespace

std::uint32_t& RaceCounter::at(std::vector<std::uint32_t>& counts, std::uint32_t group) {
  if (counts.size() <= group) {
    bytes_ += (group + 1 - counts.size()) * sizeof(std::uint32_t);
    counts.resize(group + std::size_t{1});
  }
  return counts[group];
}

std::size_t RaceCounter::known(const Line& line, std::uint32_t position) {
  if (position == 0) return 0;
  const auto behind = std::ranges::upper_bound(line.accesses, position, {}, &Access::position);
  return static_cast<std::size_t>(behind - line.accesses.begin());
}

std::uint32_t RaceCounter::group_number(const AccessGroup& group) {
  const auto [found, is_new] = group_numbers_.try_emplace(group, static_cast<std::uint32_t>(groups_.size()));
  if (is_new) {
    groups_.push_back(group);
    totals_.push_back(0);
  }
  return found->second;
}

std::uint32_t RaceCounter::line_slot(std::uint32_t line) {
  const auto found = std::ranges::lower_bound(by_line_, line, {}, &std::pair<std::uint32_t, std::uint32_t>::first);
  if (found != by_line_.end() && found->first == line) return found->second;
  const auto slot = static_cast<std::uint32_t>(lines_.size());
  by_line_.insert(found, {line, slot});
  lines_.push_back({line});
  bytes_ += sizeof(Line) + sizeof(by_line_[0]) + 4 * sizeof(Access);
  return slot;
}

std::span<const std::uint32_t> RaceCounter::add(const Step& step, const AccessGroup& group) {
  last_group_ = group_number(group);
  const std::uint32_t slot = line_slot(step.spot.line);
  if (!lines_[slot].knowledge && (!step.heard.empty() || lines_[slot].accesses.size() >= few_accesses)) {
    lines_[slot].knowledge = std::make_unique<Knowledge>();
    for (const Access& access : lines_[slot].accesses) ++at(lines_[slot].knowledge->own, access.group);
    bytes_ += sizeof(Knowledge);
  }
  Line& line = lines_[slot];
  racing_ = totals_;
  if (Knowledge* const knowledge = line.knowledge.get()) {
    if (knowledge->version != step.version) learn(*knowledge, step);
    for (std::size_t i = 0; i < knowledge->own.size(); ++i) racing_[i] -= knowledge->own[i];
    for (std::size_t i = 0; i < knowledge->heard.size(); ++i) racing_[i] -= knowledge->heard[i];
    ++at(knowledge->own, last_group_);
    if ((line.accesses.size() + 1) % accesses_a_snapshot == 0) {
      knowledge->snapshots.push_back(knowledge->own);
      bytes_ += knowledge->own.size() * sizeof(std::uint32_t);
    }
  } else {
    for (const Access& access : line.accesses) --racing_[access.group];
  }
  line.accesses.push_back({step.spot.position, last_group_});
  bytes_ += sizeof(Access);
  ++totals_[last_group_];
  return racing_;
}

/// Both the clock and by_line_ rise by line; the shorter one leads.
void RaceCounter::learn(Knowledge& knowledge, const Step& step) {
  upto_.clear();
  auto before = knowledge.upto.begin();
  const auto hear = [&](std::uint32_t slot, const Heard& heard) {
    const Line& line = lines_[slot];
    if (heard.line == step.spot.line) return;
    while (before != knowledge.upto.end() && lines_[before->first].number < heard.line) ++before;
    const bool again = before != knowledge.upto.end() && before->first == slot;
    const std::size_t from = again ? before->second : 0;
    const std::size_t end = known(line, heard.position);
    if (end > from) add_range(knowledge.heard, line, from, end);
    if (end > 0) upto_.emplace_back(slot, static_cast<std::uint32_t>(end));
  };
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  constexpr std::size_t much_longer = 8;
  if (by_line_.size() > much_longer * step.heard.size()) {
    for (const Heard& heard : step.heard) {
      const auto found = std::ranges::lower_bound(by_line_, heard.line, {}, &Pair::first);
      if (found != by_line_.end() && found->first == heard.line) hear(found->second, heard);
    }
  } else {
    auto at_line = step.heard.begin();
    for (const auto& [line, slot] : by_line_) {
      while (at_line != step.heard.end() && at_line->line < line) ++at_line;
      if (at_line == step.heard.end()) break;
      if (at_line->line == line) hear(slot, *at_line);
    }
  }
  bytes_ += (upto_.size() - std::min(upto_.size(), knowledge.upto.size())) * sizeof(Pair);
  knowledge.upto.assign(upto_.begin(), upto_.end());
  knowledge.version = step.version;
}

void RaceCounter::add_range(std::vector<std::uint32_t>& to, const Line& line, std::size_t from, std::size_t end) {
  const auto one_by_one = [&](std::size_t begin, std::size_t behind) {
    for (std::size_t i = begin; i < behind; ++i) ++at(to, line.accesses[i].group);
  };
  const std::size_t first = (from + accesses_a_snapshot - 1) / accesses_a_snapshot;
  const std::size_t last = line.knowledge ? std::min(end / accesses_a_snapshot, line.knowledge->snapshots.size()) : 0;
  if (last <= first || last == 0) return one_by_one(from, end);
  one_by_one(from, first * accesses_a_snapshot);
  const auto& upper = line.knowledge->snapshots[last - 1];
  for (std::uint32_t group = 0; group < upper.size(); ++group) {
    const std::uint32_t lower = [&] {
      if (first == 0) return 0U;
      const auto& counts = line.knowledge->snapshots[first - 1];
      return group < counts.size() ? counts[group] : 0U;
    }();
    if (upper[group] > lower) at(to, group) += upper[group] - lower;
  }
  one_by_one(last * accesses_a_snapshot, end);
}

}  // namespace raceway::causality

// Rows of a picture for the events of a trace: each of them a chain in happened-before, so that no two events stand in
// one row as if they were ordered where nothing orders them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

/// Numbers of names.
struct Lane {
  ProcessName process;
  std::uint32_t thread = 0;
  std::uint32_t row = 0;  ///< of several that one thread needs, from 0

  auto operator<=>(const Lane&) const = default;
};

/// Puts events into lanes, along the linear order. A strand stands in one lane as a whole, so a thread has one; what
/// has no thread (spans, events of their own) goes into the first row of its process that has ended before it. Of each
/// process some rows are tried and then a new one is made, so the number of lanes is small and not the smallest.
class Lanes {
 public:
  explicit Lanes(const HappenedBefore& happened);

  /// To be called for each event in the order; answers its lane.
  std::uint32_t add(const Step& step);

  std::uint32_t size() const { return static_cast<std::uint32_t>(rows_.size()); }
  /// Whether another event may still follow in the lane of the event that was added last.
  bool goes_on() const { return goes_on_; }

  /// By service, then process, thread and row, each in the order in which it first appeared; and for each lane that
  /// add() answered its place among them.
  std::vector<Lane> sorted(std::vector<std::uint32_t>& place_of_lane) const;

 private:
  static constexpr std::size_t rows_to_try = 32;

  struct Row {
    std::uint32_t group;
    std::uint32_t row;
    std::uint32_t last;           // event
    bool taken;                   // by a strand that goes on
    std::uint32_t component = 0;  // that the last event counted
  };
  struct Group {
    Lane name;
    std::vector<std::uint32_t> first_lanes = {};  // as many as are tried
    std::uint32_t rows = 0;
  };

  std::uint32_t group_of(std::uint32_t event);
  std::uint32_t counted_component(std::uint32_t event);
  std::uint32_t choose(const Step& step, std::uint32_t group, std::uint32_t component);
  bool can_follow(const Step& step, std::uint32_t lane) const;

  const HappenedBefore& happened_;
  std::vector<std::uint32_t> group_of_origin_;
  std::map<Lane, std::uint32_t> group_numbers_;
  std::vector<Group> groups_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> lane_of_line_;
  std::vector<Counter> highest_;  // by component, of the events without a strand
  bool goes_on_ = false;
};

}  // namespace raceway::causality

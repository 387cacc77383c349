// Effective clocks: what each event has heard of each line, as a walk along the linear order hands it on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

/// The clocks of the nodes that others still need. Events between two receptions of a line share one clock, and so do
/// all that have heard of nothing but the same. What a clock says of the line of the node that holds it is not to be
/// read. Used by HappenedBefore::walk() alone.
class EffectiveClocks {
 public:
  struct Passed {
    std::span<const Heard> clock;  ///< there until the next pass()
    std::uint32_t version;
  };

  /// All are referred to.
  EffectiveClocks(const ConstraintOrder& constraints, const Digraph& incoming, std::span<const Spot> spots,
                  std::uint32_t lines, const Allowed& allowed);

  /// To be called for each node in the order.
  Passed pass(std::uint32_t node);

 private:
  using Slot = std::uint32_t;
  static constexpr Slot nothing = 0;  // the clock that has heard of nothing

  void hear_node(std::uint32_t from, std::uint32_t own_line);
  bool knows_no_more_than(std::span<const Heard> clock, std::uint32_t own_line) const;
  Slot with_itself(std::uint32_t event);
  void hear_clock(std::span<const Heard> other, std::uint32_t own_line);
  void hear_spot(Spot spot, std::uint32_t own_line);
  std::uint32_t heard_of(std::uint32_t line) const;
  Slot keep(std::span<const Heard> clock);
  void change(Slot& holder, Slot to);
  void drop(Slot slot);

  const ConstraintOrder& constraints_;
  const Digraph& incoming_;
  std::span<const Spot> spots_;
  const Allowed& allowed_;
  std::vector<std::uint32_t> needed_by_;  // by node: so many that follow have not passed
  std::vector<Slot> slot_of_;             // by node, while it is needed
  std::vector<Slot> latest_;              // by line, until its last event
  std::vector<std::uint32_t> left_;       // by line: events that have not passed
  std::vector<std::vector<Heard>> slots_;
  std::vector<std::uint32_t> holders_;   // by slot
  std::vector<std::uint32_t> versions_;  // by slot
  std::vector<Slot> free_;
  std::uint32_t next_version_ = 0;
  std::size_t bytes_ = 0;
  std::size_t told_bytes_ = 0;
  std::size_t fixed_bytes_ = 0;
  // The clock of the node that passes: that of `base_` until something else is heard.
  Slot base_ = nothing;
  bool changed_ = false;
  std::vector<Heard> current_;
  std::vector<Heard> merged_;
};

}  // namespace raceway::causality

// A trace as a space-time diagram: lanes, columns, and as few arrows as show the whole order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "causality/happened_before.hpp"
#include "causality/lanes.hpp"

namespace raceway::causality {

struct Cause {
  std::uint32_t place = 0;  ///< of the event, in the linear order
  Reason reason = Reason::clock;
};

/// Of the first events of the linear order, which are a closed past. All are by their places in that order.
struct Diagram {
  std::vector<Lane> lanes;
  std::vector<std::uint32_t> lane;
  /// The number of events of the longest chain that ends before the event.
  std::vector<std::uint32_t> column;
  /// The transitive reduction of happened-before, but for what the lanes show: an event follows the one before it in
  /// its lane and its causes, and nothing that it does not follow by way of those. Each with the most trusted reason of
  /// an edge between the two, which are of different lanes.
  std::vector<std::uint32_t> cause_begin;  ///< one more than there are events
  std::vector<Cause> causes;
  /// False where they are millions, or would take too many steps to find, as with very many equal clocks: then later
  /// events have none.
  bool all_causes = true;

  std::span<const Cause> causes_of(std::uint32_t place) const {
    return std::span(causes).subspan(cause_begin[place], cause_begin[place + 1] - cause_begin[place]);
  }
};

/// Of the `most` first events. Two walks, and what the lanes of the clocks hold that are received; never recursive.
Diagram draw(const HappenedBefore& happened, std::uint32_t most = none);

}  // namespace raceway::causality

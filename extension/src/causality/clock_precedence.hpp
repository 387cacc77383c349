// Happened-before among the clocks of many events, as a graph with few edges instead of all pairs.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "causality/clock.hpp"
#include "causality/digraph.hpp"

namespace raceway::causality {

struct ClockPrecedence {
  static constexpr std::uint32_t no_class = std::numeric_limits<std::uint32_t>::max();

  /// For each clock the number of its class: equal clocks share one. Classes are numbered by rising sums of counters,
  /// then by contents. `no_class` for a clock without a counter above zero.
  std::vector<std::uint32_t> class_of;
  std::uint32_t classes = 0;
  /// Edges lead from smaller to larger class numbers.
  std::vector<Edge> edges;
  /// True: class a can reach class b exactly if a's clock happened before b's. False: the search was given up, and
  /// some classes reach others that are concurrent with them; whatever happened before is still reachable.
  bool exact = true;
};

/// Steps of the search beyond which it is given up: one for each counter compared, 64 for each edge. The default lets
/// some 15,000 clocks through even if no two of them are ordered, and then takes about half a second.
struct SearchLimit {
  std::uint64_t fixed = std::uint64_t{1} << 28;
  std::uint64_t for_each_counter = 64;
};

/// Clocks as TraceEvent::clock has them. Depends on the set of clocks only, not on their order, but for `class_of`.
///
/// The classes are taken by rising sums, a linear extension of happened-before, and are decomposed into chains. In a
/// chain, those before a given clock are a prefix, so one edge a chain is enough, and the search for it starts where
/// it ended for the clock's predecessor in its own chain. The chains that can hold a predecessor are found by a
/// component that all their clocks have: the rarest one of the first clock. That is O(N log n + n c) for N counters,
/// n clocks and c chains that share components with a clock. Past `limit` the classes left over are strung in the order
/// of their sums, which is O(n).
ClockPrecedence clock_precedence(std::span<const std::span<const Component>> clocks, SearchLimit limit = {});

}  // namespace raceway::causality

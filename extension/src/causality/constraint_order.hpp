// One linear order out of links between events and of clocks, also where they contradict each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "causality/clock_precedence.hpp"
#include "causality/digraph.hpp"

namespace raceway::causality {

/// Events and classes of equal clocks as the nodes of one graph. First the events, then two nodes for each class: it
/// opens when all classes before it are complete and lets its events pass; it is complete when it opened and they all
/// did. So "every event of class a before every event of class b" takes one edge.
struct ConstraintOrder {
  std::uint32_t events = 0;
  ClockPrecedence clocks;            ///< of the events
  std::vector<std::uint32_t> nodes;  ///< all of them, each once, in order

  bool is_event(std::uint32_t node) const { return node < events; }
  std::uint32_t opens(std::uint32_t clock_class) const { return events + 2 * clock_class; }
  std::uint32_t complete(std::uint32_t clock_class) const { return opens(clock_class) + 1; }
  std::uint32_t count() const { return events + 2 * clocks.classes; }

  /// Calls `visit(from, to)` for each edge that a node of a class has: what the clocks ask for.
  template <class Visit>
  void each_clock_edge(Visit visit) const {
    for (const Edge& edge : clocks.edges) visit(complete(edge.from), opens(edge.to));
    // Not implied once events are released against their clocks: what follows those must not follow too early.
    for (std::uint32_t i = 0; i < clocks.classes; ++i) visit(opens(i), complete(i));
    for (std::uint32_t event = 0; event < events; ++event) {
      const std::uint32_t clock_class = clocks.class_of[event];
      if (clock_class == ClockPrecedence::no_class) continue;
      visit(opens(clock_class), event);
      visit(event, complete(clock_class));
    }
  }
};

/// Orders the events 0, 1, .. so that
///
/// 1. the first event of each link stands before the second;
/// 2. an event whose clock happened before another's stands before that one;
/// 3. of the events that these two rules allow next, the smallest comes first.
///
/// `links` have no cycle. Links win over clocks: a clock is disobeyed only between two events that lie on one circle of
/// rules 1 and 2, so a contradiction spoils nothing outside itself, and inside it only as much as it takes to let
/// those events go first that are linked to an event for which nothing else is missing.
///
/// `clocks` has one for each event. With n events, m links, N counters and c chains of clocks (about the number of
/// threads): O((n + m) log n + N log n + n c) time for usual traces; see clock_precedence.hpp for the others. Not
/// recursive.
ConstraintOrder order_by_constraints(std::uint32_t events, std::span<const Edge> links, NumberedClocks clocks);

}  // namespace raceway::causality

// Causes before effects by parents and clocks alone, even where timestamps run backwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"

namespace raceway::causality {

/// What the order of a trace depends on. Owns nothing: names and clock must outlive the call.
struct TraceEvent {
  std::string_view id;
  /// Empty: none. A parent that is not among the events is as good as none.
  std::string_view parent_id;
  /// Microseconds since any one epoch, and the nanoseconds beyond them (0 to 999).
  std::int64_t timestamp = 0;
  std::int32_t nanos = 0;
  /// In the order of names, each name once. Zero counters mean nothing; an event without any other counter has no
  /// clock and is never taken for ordered by it.
  std::span<const Component> clock;
};

/// The indices of `events`, each once, in causal order:
///
/// 1. a parent stands before its children;
/// 2. an event whose clock happened before another's stands before that one;
/// 3. of the events that these two rules allow next, the one with the smallest (timestamp, nanos, id) comes first.
///
/// Contradictory data is ordered, too. Parent links win over clocks: a link is broken only on a cycle of parent links,
/// and there only the link of the cycle's earliest event. A clock is disobeyed only between two events that lie on one
/// circle of rules 1 and 2, so a contradiction spoils nothing outside itself, and inside it only as much as it takes to
/// let the parent of an event go first for which nothing but that parent is missing.
///
/// The answer does not depend on the order of the input as long as ids are unique; events of the same id and time keep
/// their order, and the earliest of them is the parent that their id names.
///
/// With n events, N counters in all their clocks and c chains of clocks (about the number of threads):
/// O(n log n + N log n + n c) time for usual traces, O(n + N) memory. Clocks that fall into very many chains would
/// make that quadratic; the search is given up after a number of steps proportional to N, see clock_precedence.hpp.
/// From there on rule 2 still holds, but clocks that are concurrent may come in the order of the sums of their counters
/// instead of by time, and a parent link against that order counts as a contradiction.
///
/// Takes fewer than 2^30 events. Throws nothing but std::bad_alloc. Not recursive. Safe to call from several threads.
std::vector<std::uint32_t> causal_order(std::span<const TraceEvent> events);

}  // namespace raceway::causality

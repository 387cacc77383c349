// Where the time of a trace went: the chain with the longest durations, and who had each instant of its elapsed time.
#pragma once

#include <cstdint>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

/// The chain of events along parent and span edges whose durations have the largest sum; of equal ones that with fewer
/// events, then the one that ends earlier in the linear order. Program order is no part of it: what a thread did one
/// after the other would all add up.
struct DurationPath {
  std::vector<std::uint32_t> events;  ///< in order; empty where the trace has no events
  std::int64_t nanos = 0;
  std::int64_t nanos_of_trace = 0;  ///< the sum of all durations
};
DurationPath longest_durations(const HappenedBefore& happened);

/// A stretch of time, in nanoseconds since the trace's earliest start, that one line had.
struct PathPiece {
  std::uint32_t line = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// Backwards from the end of the longest activity without a caller: of the activities that it called, the one that
/// ended last before an instant has the time from its end to its start, and so on within it; what is between them is
/// the caller's own. An activity is a line, from its earliest start to its last event; events are told when they end.
/// Pieces cover the activity exactly. As Jaeger and CRISP do it, but for activities that nobody waits for.
struct ElapsedPath {
  std::int64_t nanos = 0;
  std::vector<PathPiece> pieces;        ///< in the order of time, none of them empty
  std::vector<std::uint32_t> detached;  ///< lines that were started, and waited for by nobody, or that lie outside
};
ElapsedPath elapsed_path(const HappenedBefore& happened);

/// When an event was told, in nanoseconds since `start` (microseconds); bounded to some 146 years.
std::int64_t nanos_since(std::int64_t start, const EventTable::Event& event);

}  // namespace raceway::causality

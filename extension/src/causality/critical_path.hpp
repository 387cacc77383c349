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

/// Times in nanoseconds since the earliest start of all events of a trace; an event is told when it ends.
class TraceTimes {
 public:
  explicit TraceTimes(const EventTable& events);

  std::int64_t end(std::uint32_t event) const { return told(event) - earliest_; }
  std::int64_t start(std::uint32_t event) const { return end(event) - duration(event); }
  /// 0 where none is told.
  std::int64_t duration(std::uint32_t event) const;

 private:
  std::int64_t told(std::uint32_t event) const;

  const EventTable& events_;
  std::int64_t earliest_ = 0;
};

/// The edge by which each line was called, the most trusted one to its first event; its `from` is none where there is
/// none.
std::vector<CausalEdge> calls_of_lines(const HappenedBefore& happened);

}  // namespace raceway::causality

// The list of traces, newest first, going on behind a trace and not by a number of pages: what it takes does not depend
// on how many traces there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/trace_facts.hpp"
#include "storage/storage.hpp"

namespace raceway::server::analysis {

struct TraceQuery {
  storage::TraceFilter filter;
  std::optional<std::string> text;  ///< in the trace's id, a service, or the name of its earliest event; in any case
  bool races = false;               ///< those with a race, and those of which it is not known
  bool errors = false;              ///< likewise
  std::optional<std::string> variable;  ///< those with an access to it; likewise
  std::int64_t min_micros = 0;          ///< from the first timestamp to the last
  std::optional<storage::TracePlace> after;
  std::size_t limit = 50;

  bool needs_facts() const { return filter.service || text || races || errors || variable; }
};

struct FoundTraces {
  std::vector<FactsOfTraces::Facts> traces;
  std::optional<storage::TracePlace> next;  ///< where the list goes on; nothing at its end
  std::uint64_t scanned = 0;
  bool capped = false;  ///< looked at as much as one search may, and there is more
};

/// Traces that one search looks at, and events that it reads.
inline constexpr std::uint64_t most_scanned_traces = 5'000;
inline constexpr std::uint64_t most_read_events = 50'000;

/// A text that is the id of a trace finds that one alone, wherever it stands.
FoundTraces search_traces(storage::Storage& storage, FactsOfTraces& facts, const TraceQuery& query);

}  // namespace raceway::server::analysis

// The SQL functions critical_path() and trace_calls().
#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "causality/calls.hpp"
#include "causality/critical_path.hpp"
#include "postgres/analysis.hpp"

namespace raceway::postgres {
namespace {

using causality::Reason;

/// The event that a line was on its way to at a time: the first that was told then or later.
std::uint32_t event_at(const causality::HappenedBefore& happened, const causality::TraceTimes& times,
                       std::uint32_t line, std::int64_t time) {
  const auto events = happened.line(line);
  const auto* const at =
      std::find_if(events.data(), events.data() + events.size(), [&](auto event) { return times.end(event) >= time; });
  return at == events.data() + events.size() ? events.back() : *at;
}

void add_elapsed_path(const TraceReading& trace, ResultRows& rows) {
  const auto& happened = trace.happened();
  const auto path = causality::elapsed_path(happened);
  const auto calls = causality::calls_of_lines(happened);
  const causality::TraceTimes times(trace.events());
  std::uint32_t step = 0;
  for (const auto& piece : path.pieces) {
    const auto& origin = trace.events().origin(happened.line(piece.line).front());
    const auto& call = calls[piece.line];
    rows.add({Value::integer(++step), Value::name(trace.name(origin.service)), Value::name(trace.name(origin.thread)),
              Value::text(trace.id(event_at(happened, times, piece.line, piece.to))), Value::millis(piece.from),
              Value::millis(piece.to), Value::millis(piece.to - piece.from),
              call.from == causality::none ? Value::null() : Value::text(causality::name_of(call.reason))});
  }
}

/// The edges that chains of durations go along, from each event of the chain to the next.
std::map<std::uint32_t, Reason> reasons_of_chain(const causality::HappenedBefore& happened,
                                                 const std::vector<std::uint32_t>& chain) {
  std::map<std::uint32_t, std::uint32_t> before;
  for (std::size_t at = 1; at < chain.size(); ++at) before[chain[at]] = chain[at - 1];
  std::map<std::uint32_t, Reason> reasons;
  for (const causality::CausalEdge& edge : happened.edges()) {
    if (edge.reason != Reason::parent && edge.reason != Reason::span) continue;
    const auto at = before.find(edge.to);
    if (at != before.end() && at->second == edge.from) reasons.try_emplace(edge.to, edge.reason);
  }
  return reasons;
}

void add_longest_durations(const TraceReading& trace, ResultRows& rows) {
  const auto path = causality::longest_durations(trace.happened());
  const auto reasons = reasons_of_chain(trace.happened(), path.events);
  const causality::TraceTimes times(trace.events());
  std::uint32_t step = 0;
  for (const std::uint32_t event : path.events) {
    const auto& origin = trace.events().origin(event);
    const auto reason = reasons.find(event);
    rows.add({Value::integer(++step), Value::name(trace.name(origin.service)), Value::name(trace.name(origin.thread)),
              Value::text(trace.id(event)), Value::millis(times.start(event)), Value::millis(times.end(event)),
              Value::millis(times.duration(event)),
              reason == reasons.end() ? Value::null() : Value::text(causality::name_of(reason->second))});
  }
}

void add_calls(const TraceReading& trace, ResultRows& rows) {
  for (const auto& calls : causality::find_calls(trace.happened())) {
    rows.add({Value::name(trace.name(calls.from)), Value::name(trace.name(calls.to)),
              Value::text(causality::name_of(calls.kind)), Value::count(calls.count)});
  }
}

}  // namespace

RACEWAY_FUNCTION(raceway_critical_path) {
  const std::string_view by = text_argument(fcinfo, 1);
  if (by == "durations") return answer_rows(fcinfo, add_longest_durations);
  if (by == "elapsed") return answer_rows(fcinfo, add_elapsed_path);
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "by is \"" + std::string(by) + "\", not elapsed or durations");
}

RACEWAY_FUNCTION(raceway_trace_calls) {
  return answer_rows(fcinfo, add_calls);
}

}  // namespace raceway::postgres

// Answers that hold the events of traces: made as they are sent, an event at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/global_report.hpp"
#include "http/api.hpp"
#include "http/message.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::http {

/// Appends ,"NAME":VALUE
void append_number(std::string& out, const char* name, std::uint64_t value);

/// Appends a summary as an object without its closing brace; times end with `zone`.
void append_summary(std::string& out, const storage::TraceSummary& trace, std::string_view zone);

/// Which events of a trace are asked for, in causal order.
struct EventPage {
  std::optional<std::string> after;  ///< the id of an event: those behind it
  std::optional<std::uint64_t> limit;

  bool asked() const { return after || limit; }
};

/// From the parameters `after` and `limit`. Throws Refusal.
EventPage query_event_page(const Request& request);

/// Durations of the trace that stand out among all traces, as far as those are known: the view of a trace waits for no
/// others.
analysis::Anomalies anomalies_of(Api& api, analysis::TraceAnalysis& trace, std::string_view trace_id);

/// A trace with its events in causal order; where a page of them is asked for, with how many there are and the id that
/// the next page is after. Throws Refusal where there is no such event. The api outlives the answer.
Response show_trace(Api& api, std::string_view trace_id, std::unique_ptr<storage::TraceEvents> events,
                    const EventPage& page);

/// Every trace with all its events as one document. All outlives the answer.
Response export_traces(storage::Storage& storage, const storage::TraceFilter& filter, storage::ByteBudget& budget);

}  // namespace raceway::server::http

// The rows that events become, in PostgreSQL's binary formats: what a client that encodes everything itself would send.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace raceway::bench {

/// The columns of `events` and `traces` that the rows give, in their order.
inline constexpr const char* event_columns =
    "(event_id, trace_id, kind, \"timestamp\", duration_ms, location, vector_clock, metadata)";
inline constexpr const char* trace_columns = "(trace_id, service_name, start_time, end_time, event_count)";

/// What COPY ... (FORMAT binary) takes.
struct CopyRows {
  std::string traces;               ///< every trace of all bodies, with its final counts and times
  std::vector<std::string> events;  ///< one COPY a body
};
CopyRows copy_rows(const std::vector<std::string>& bodies);

/// The columns of one body as binary arrays: first those of its events, then those of its traces, sorted.
std::vector<std::string> array_columns(std::string_view body);

}  // namespace raceway::bench

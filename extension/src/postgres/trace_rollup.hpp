// The roll-ups of traces, written directly: their rows are inserted, or locked and updated, in this transaction.
#pragma once

#include "postgres/boundary.hpp"
#include "postgres/direct_table.hpp"
#include "postgres/ingest_layout.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace raceway::postgres {

/// What a batch adds to a trace.
struct TraceGrowth {
  Datum trace_id;
  Datum service_name;  ///< of the earliest of the new events
  bool has_service;
  Timestamp start_time;
  Timestamp end_time;
  int32 event_count;
  /// Set when it is added: the trace had events that may be as early as ours, so that whose service names it depends on
  /// the ids of the events.
  bool is_tie;
};

/// Adds them to the traces' rows, or makes the rows; they come in the order of their ids. False where it is contested,
/// see KeyOutcome. First the rows that stand are locked, in their order, then the new ones are written without waiting
/// for anybody: so batches wait for each other in one direction only. Raises; no destructors.
bool grow_traces(DirectTable* traces, TraceGrowth* growths, int count, Timestamp created_at);

}  // namespace raceway::postgres

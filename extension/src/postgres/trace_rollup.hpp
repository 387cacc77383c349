// The roll-up of a trace, written directly: its row is inserted, or locked and updated, in this transaction.
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
};

enum class TraceOutcome {
  grown,
  tie,       ///< it had events that may be as early as ours: whose service names it depends on the ids of the events
  contested  ///< as KeyOutcome::contested
};

/// Adds it to the trace's row, or makes the row. Calls for several traces must come in the order of their ids, so that
/// batches wait for each other in one direction only. Raises; no destructors.
TraceOutcome grow_trace(DirectTable* traces, TupleTableSlot* slot, const TraceGrowth& growth,
                        const Default& created_at);

}  // namespace raceway::postgres

// Which tables may be written below the executor (direct_table.hpp): those that migrate() makes, in either layout, as
// it makes them, and plain indexes of the users beside. This is a list of what is known, not of what is in the way: all
// else goes by SQL, which does whatever an INSERT does.
//
// A table is judged once in a session, and again after anything about any table has changed. What depends on who asks,
// and on the transaction, is looked at each time. Nothing is looked at before it is locked.
//
// Everything here may raise and has no destructors on the way: it stands inside pg_call().
#pragma once

#include "postgres/boundary.hpp"

extern "C" {
#include "utils/rel.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {

/// The columns of the tables, in their order.
enum EventColumn {
  event_id,
  trace_id,
  kind,
  timestamp,
  duration_ms,
  location,
  vector_clock,
  metadata,
  event_created_at
};
enum TraceColumn { id_of_trace, service_name, start_time, end_time, event_count, trace_created_at };
inline constexpr int event_columns = 9;
inline constexpr int trace_columns = 6;

/// raceway.direct_writes: whether tables may be written below the executor at all.
extern bool direct_writes;

/// The tables, where they may be written directly; both are locked as INSERT locks them then.
struct DirectLayout {
  Oid events;
  Oid traces;
  bool is_partitioned;  ///< events is, by ranges of timestamp: an event is identified by its id and its time then
  /// Null: they may be; else why not. A literal.
  const char* obstacle;
};
DirectLayout find_direct_layout();

/// The partitions that take events of these times, each locked as INSERT locks it. What is attached or detached
/// meanwhile is noticed. Answers an obstacle as DirectLayout has it, null where all may be written directly.
const char* find_partitions(const DirectLayout& layout, const Timestamp* times, int count, Oid* partitions);

/// What stands in the way of removing traces without events below the executor: null where removing the rows is all
/// that a DELETE by this user in this transaction would do, but for looking for events of theirs. The tables and all
/// partitions are locked as INSERT locks them.
const char* find_removal_obstacle(Relation traces, Relation events, const List* partitions);

}  // namespace raceway::postgres

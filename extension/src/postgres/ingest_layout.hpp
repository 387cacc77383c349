// Whether the tables may be written below the executor (direct_table.hpp): only where that is the same as an INSERT.
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

/// The tables, where they may be written directly.
struct DirectLayout {
  Oid events;
  Oid traces;
  bool is_partitioned;  ///< events is, by ranges of timestamp: an event is identified by its id and its time then
  /// Null: they may not; else why. A literal.
  const char* obstacle;
};

/// Looks at everything an INSERT would do beside writing rows and index entries: triggers, rules, row security,
/// constraints, defaults, generated columns, partitions, privileges, kinds of indexes, and what the transaction asks
/// for. Locks both tables as INSERT does. Raises; no destructors.
DirectLayout find_direct_layout();

/// The partitions that take events of these times, each locked as INSERT locks it; 0 where none does. Answers an
/// obstacle as DirectLayout has it, null where all may be written directly. Raises; no destructors.
const char* find_partitions(const DirectLayout& layout, const Timestamp* times, int count, Oid* partitions);

/// What of the users' own a DELETE of traces without events would set off: rules, triggers, foreign keys of other
/// tables than `events`. A literal; null: nothing, nothing has to be looked up. `traces` is open and locked. Raises; no
/// destructors.
const char* find_removal_checks(Relation traces, Oid events);

/// The same, and whatever else may make a DELETE by this user in this transaction more than removing the rows from the
/// heap: null where they may be removed below the executor. Raises; no destructors.
const char* find_removal_obstacle(Relation traces, Oid events);

/// The value of created_at for rows of this transaction. `relation` passed find_direct_layout().
struct Default {
  Datum value;
  bool is_null;
};
Default evaluate_created_at(Oid relation, int column);

}  // namespace raceway::postgres

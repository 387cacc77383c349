// The SQL functions sweep_traces and delete_ended_traces: the traces whose events go with their partitions.
#include "postgres/boundary.hpp"
#include "postgres/ingest_layout.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

constexpr const char* delete_traces = R"sql(
WITH gone AS (
    DELETE FROM raceway.traces t WHERE t.end_time OPERATOR(pg_catalog.<) $1 RETURNING t.event_count
)
SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum(event_count), 0)::pg_catalog.int8 FROM gone
)sql";

constexpr const char* find_going_on = R"sql(
SELECT ARRAY(SELECT t.trace_id FROM raceway.traces t
             WHERE t.start_time OPERATOR(pg_catalog.<) $1 AND t.end_time OPERATOR(pg_catalog.>=) $1)
)sql";

bool is_owner(Oid table) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, table, GetUserId());
#else
  return pg_class_ownercheck(table, GetUserId());
#endif
}

Relation open_table(const char* name) {
  return table_openrv(makeRangeVar(pstrdup("raceway"), pstrdup(name), -1), RowExclusiveLock);
}

/// Opens both. Raises unless the caller is the one who may remove traces, and holds them in this mode or a stronger
/// one.
void open_as_owner(LOCKMODE held, Relation* opened_events, Relation* opened_traces) {
  Relation events = *opened_events = open_table("events");
  Relation traces = *opened_traces = open_table("traces");
  if (!is_owner(RelationGetRelid(events)) || !is_owner(RelationGetRelid(traces))) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of the tables events and traces")));
  }
  if (!CheckRelationLockedByMe(events, held, true) || !CheckRelationLockedByMe(traces, held, true)) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("events and traces are not locked by this transaction"),
                    errhint("Use raceway.cleanup(), which drops partitions with their traces.")));
  }
}

/// What one pass over the traces found and did.
struct Sweep {
  int64 traces;
  int64 events;
  ArrayBuildState* going_on;
};

/// Raises where somebody else holds the row, or has changed it: it may have become a trace that goes on.
void delete_trace(Relation traces, ItemPointer row) {
  TM_FailureData failure;
  const TM_Result result = heap_delete(traces, row, GetCurrentCommandId(true), InvalidSnapshot, false, &failure, false);
  if (result != TM_Ok) {
    ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("a trace that ended is in use")));
  }
}

/// Removes the traces that ended before a time, and collects those that began before it and did not.
void sweep(Relation traces, Timestamp before, Sweep* result) {
  // As a statement does: what this transaction did before is seen, and what it deletes now is of its own.
  CommandCounterIncrement();
  PushActiveSnapshot(GetTransactionSnapshot());
  TableScanDesc scan = table_beginscan_strat(traces, GetActiveSnapshot(), 0, nullptr, true, false);
  TupleTableSlot* slot = table_slot_create(traces, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    slot_getsomeattrs(slot, TraceColumn::event_count + 1);
    if (slot->tts_isnull[TraceColumn::end_time]) continue;
    if (DatumGetTimestamp(slot->tts_values[TraceColumn::end_time]) < before) {
      delete_trace(traces, &slot->tts_tid);
      ++result->traces;
      if (!slot->tts_isnull[TraceColumn::event_count]) {
        result->events += DatumGetInt32(slot->tts_values[TraceColumn::event_count]);
      }
    } else if (!slot->tts_isnull[TraceColumn::start_time] &&
               DatumGetTimestamp(slot->tts_values[TraceColumn::start_time]) < before) {
      accumArrayResult(result->going_on, slot->tts_values[TraceColumn::id_of_trace], false, VARCHAROID,
                       CurrentMemoryContext);
    }
  }
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
  PopActiveSnapshot();
}

/// Those that began before a time and did not end before it, by SQL.
Datum going_on_by_sql(Datum before) {
  Oid types[] = {TIMESTAMPOID};
  const MemoryContext outer = CurrentMemoryContext;
  SPI_connect();
  if (SPI_execute_with_args(find_going_on, 1, types, &before, nullptr, false, 0) != SPI_OK_SELECT) {
    elog(ERROR, "traces could not be found");
  }
  bool is_null = false;
  const Datum found = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
  const MemoryContext inner = MemoryContextSwitchTo(outer);
  const Datum copy = datumCopy(found, false, -1);
  MemoryContextSwitchTo(inner);
  SPI_finish();
  return copy;
}

TupleDesc described_result(FunctionCallInfo fcinfo) {
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "not called for a row");
  return BlessTupleDesc(description);
}

}  // namespace

// Before the events go: what they are to the foreign key, the caller removes in this transaction, and lets nobody add
// any before that time. Where a DELETE sets off anything else, it is left to delete_ended_traces(), when there are no
// events to cascade to.
RACEWAY_FUNCTION(raceway_sweep_traces) {
  Datum before = PG_GETARG_DATUM(0);
  TupleDesc description = described_result(fcinfo);
  Relation events = nullptr;
  Relation traces = nullptr;
  open_as_owner(ShareUpdateExclusiveLock, &events, &traces);

  Datum values[3] = {};
  bool nulls[] = {true, true, false};
  const char* obstacle = find_removal_obstacle(traces, RelationGetRelid(events));
  if (obstacle == nullptr) {
    Sweep result = {0, 0, initArrayResult(VARCHAROID, CurrentMemoryContext, false)};
    sweep(traces, DatumGetTimestamp(before), &result);
    values[0] = Int64GetDatum(result.traces);
    values[1] = Int64GetDatum(result.events);
    values[2] = makeArrayResult(result.going_on, CurrentMemoryContext);
    nulls[0] = nulls[1] = false;
  } else {
    ereport(DEBUG1, (errmsg("traces are removed by SQL: %s", obstacle)));
    values[2] = going_on_by_sql(before);
  }
  table_close(traces, NoLock);
  table_close(events, NoLock);
  return HeapTupleGetDatum(heap_form_tuple(description, values, nulls));
}

// The foreign key would look for events of each trace in each partition, which takes longer than all the rest, and
// finds none: they are gone, and nobody can have added any. As a replica applies changes that were checked before, so
// here, unless a DELETE sets off something of the users' own.
RACEWAY_FUNCTION(raceway_delete_ended_traces) {
  Datum before = PG_GETARG_DATUM(0);
  TupleDesc description = described_result(fcinfo);
  Relation events = nullptr;
  Relation traces = nullptr;
  open_as_owner(AccessExclusiveLock, &events, &traces);
  const bool skip_checks = find_removal_checks(traces, RelationGetRelid(events)) == nullptr;

  const int level = NewGUCNestLevel();
  if (skip_checks) {
    set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  }
  Oid types[] = {TIMESTAMPOID};
  SPI_connect();
  if (SPI_execute_with_args(delete_traces, 1, types, &before, nullptr, false, 0) != SPI_OK_SELECT) {
    elog(ERROR, "traces could not be removed");
  }
  Datum values[2];
  bool nulls[2];
  for (int at = 0; at < 2; ++at) {
    values[at] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, at + 1, &nulls[at]);
  }
  SPI_finish();  // both are numbers that need no memory of their own
  AtEOXact_GUC(true, level);
  table_close(traces, NoLock);
  table_close(events, NoLock);
  return HeapTupleGetDatum(heap_form_tuple(description, values, nulls));
}

}  // namespace raceway::postgres

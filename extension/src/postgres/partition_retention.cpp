// The SQL function drop_with_traces: partitions of events that are old go, and with them the traces that end there.
//
// A DELETE of a trace has PostgreSQL look for its events in each partition, which takes longer than all the rest. Where
// nothing but that would follow from it, the rows are deleted here, and one query asks for all of them at once whether
// an event refers to one: so the foreign key holds, whatever the roll-ups of the traces say.
#include "postgres/boundary.hpp"
#include "postgres/ingest_layout.hpp"
#include "postgres/versions.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

// Whoever adds an event to one of them from now on waits, or is waited for by nobody: then this fails.
constexpr const char* lock_ended = R"sql(
SELECT t.trace_id FROM raceway.traces t WHERE t.end_time OPERATOR(pg_catalog.<) $1 FOR UPDATE NOWAIT
)sql";

// Between the two: a query for the traces of the events that stay.
constexpr const char* find_unreferenced_begin = R"sql(
WITH referenced AS MATERIALIZED (
    SELECT DISTINCT t.trace_id
    FROM raceway.traces t JOIN ()sql";
constexpr const char* find_unreferenced_end = R"sql() AS e ON e.trace_id OPERATOR(pg_catalog.=) t.trace_id
    WHERE t.end_time OPERATOR(pg_catalog.<) $1
)
SELECT pg_catalog.array_agg(t.ctid), pg_catalog.count(*), COALESCE(pg_catalog.sum(t.event_count), 0)::pg_catalog.int8
FROM raceway.traces t
WHERE t.end_time OPERATOR(pg_catalog.<) $1 AND NOT EXISTS (
    SELECT FROM referenced r WHERE r.trace_id OPERATOR(pg_catalog.=) t.trace_id)
)sql";

constexpr const char* drop_expired = R"sql(
SELECT raceway.take_expired_events(p.partition, g.going_on)
FROM raceway.traces_going_on($1) AS g (going_on), pg_catalog.unnest($2) AS p (partition)
)sql";

/// What is to go; the tables are open as long as the function runs.
struct Removal {
  Relation events;
  Relation traces;
  Datum expired;  // regclass[]
  Datum ends;
  List* going;      // the same partitions
  List* remaining;  // those that stay
  Oid others;       // the default partition
  const char* obstacle;
};

/// What was removed.
struct Removed {
  int64 traces;
  int64 events;
};

/// Runs a statement; a value that it answers stands in SPI's memory.
void run(const char* sql, std::initializer_list<Oid> types, std::initializer_list<Datum> values) {
  auto* const arguments = const_cast<Datum*>(values.begin());
  const int result = SPI_execute_with_args(sql, static_cast<int>(types.size()), const_cast<Oid*>(types.begin()),
                                           arguments, nullptr, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute_with_args: %s", SPI_result_code_string(result));
}

/// A column of the first row; 0 where it is NULL, or a false.
Datum answer(int column) {
  bool is_null = false;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
  return is_null ? Datum{0} : value;
}

Relation open_as_owner(const char* name) {
  Relation table = table_openrv(makeRangeVar(pstrdup("raceway"), pstrdup(name), -1), RowExclusiveLock);
  if (!is_owner_of(RelationGetRelid(table))) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of the tables events and traces")));
  }
  return table;
}

/// Its partitions that hold rows; they stay locked.
List* leaf_partitions(Relation events) {
  List* leaves = NIL;
  ListCell* cell = nullptr;
  foreach (cell, find_all_inheritors(RelationGetRelid(events), AccessShareLock, nullptr)) {
    if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_PARTITIONED_TABLE) leaves = lappend_oid(leaves, lfirst_oid(cell));
  }
  return leaves;
}

/// The tables that an array names. Raises unless each is a partition of `events`.
List* partitions_in(ArrayType* expired, Relation events) {
  Datum* tables = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(expired, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &tables, &nulls, &count);
  List* partitions = NIL;
  for (int at = 0; at < count; ++at) {
    const Oid table = nulls[at] ? InvalidOid : DatumGetObjectId(tables[at]);
    if (!get_rel_relispartition(table) || get_partition_parent(table, false) != RelationGetRelid(events)) {
      ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("table %u is no partition of events", table)));
    }
    partitions = lappend_oid(partitions, table);
  }
  return partitions;
}

Removal begin_removal(FunctionCallInfo fcinfo) {
  Removal removal = {};
  removal.expired = PG_GETARG_DATUM(0);
  removal.ends = PG_GETARG_DATUM(1);
  removal.events = open_as_owner("events");
  removal.traces = open_as_owner("traces");
  removal.going = partitions_in(DatumGetArrayTypeP(removal.expired), removal.events);
  removal.others = get_relname_relid("events_default", RelationGetNamespace(removal.events));
  List* partitions = leaf_partitions(removal.events);
  removal.remaining = list_difference_oid(partitions, removal.going);
  removal.obstacle = find_removal_obstacle(removal.traces, removal.events, partitions);
  return removal;
}

/// Only who writes events as old as these waits: nobody may add one that would be lost.
void lock_old_events(const Removal& removal) {
  ListCell* cell = nullptr;
  foreach (cell, removal.going) LockRelationOid(lfirst_oid(cell), ShareLock);
  if (OidIsValid(removal.others)) LockRelationOid(removal.others, ShareLock);
}

/// Deletes rows that this transaction has locked.
void delete_rows(Relation traces, ArrayType* rows) {
  Datum* places = nullptr;
  int count = 0;
  deconstruct_array(rows, TIDOID, sizeof(ItemPointerData), false, TYPALIGN_SHORT, &places, nullptr, &count);
  for (int at = 0; at < count; ++at) {
    CHECK_FOR_INTERRUPTS();
    simple_table_tuple_delete(traces, reinterpret_cast<ItemPointer>(DatumGetPointer(places[at])), GetActiveSnapshot());
  }
  CommandCounterIncrement();
}

/// The statement that finds the traces that ended and that no event refers to which stays. In the default partition
/// those go, too, that are as old.
const char* find_unreferenced(const Removal& removal) {
  StringInfoData sql;
  initStringInfo(&sql);
  appendStringInfoString(&sql, find_unreferenced_begin);
  ListCell* cell = nullptr;
  foreach (cell, removal.remaining) {
    const Oid partition = lfirst_oid(cell);
    const char* schema = get_namespace_name(get_rel_namespace(partition));
    appendStringInfo(&sql, "%sSELECT trace_id FROM ONLY %s%s", foreach_current_index(cell) == 0 ? "" : " UNION ALL ",
                     quote_qualified_identifier(schema, get_rel_name(partition)),
                     partition == removal.others ? " WHERE \"timestamp\" OPERATOR(pg_catalog.>=) $1" : "");
  }
  if (removal.remaining == NIL) appendStringInfoString(&sql, "SELECT NULL::pg_catalog.varchar AS trace_id");
  appendStringInfoString(&sql, find_unreferenced_end);
  return sql.data;
}

/// Removes the traces that ended and that nothing refers to, with the old events of theirs that no partition of their
/// own took.
Removed remove_ended(const Removal& removal) {
  run(lock_ended, {TIMESTAMPOID}, {removal.ends});
  run(find_unreferenced(removal), {TIMESTAMPOID}, {removal.ends});
  const Removed removed = {DatumGetInt64(answer(2)), DatumGetInt64(answer(3))};
  if (removed.traces == 0) return removed;
  PushActiveSnapshot(GetTransactionSnapshot());
  delete_rows(removal.traces, DatumGetArrayTypeP(answer(1)));
  PopActiveSnapshot();
  run("SELECT raceway.delete_ended_from_default($1)", {TIMESTAMPOID}, {removal.ends});
  return removed;
}

void drop(const Removal& removal) {
  run("SELECT raceway.lock_tables('swap', give_way => true)", {}, {});
  if (!DatumGetBool(answer(1))) {
    ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("events is in use")));
  }
  // ALTER TABLE wants them for itself.
  table_close(removal.events, NoLock);
  table_close(removal.traces, NoLock);
  run(drop_expired, {TIMESTAMPOID, REGCLASSARRAYOID}, {removal.ends, removal.expired});
}

Removed remove_by_sql(const Removal& removal) {
  table_close(removal.events, NoLock);
  table_close(removal.traces, NoLock);
  run("SELECT traces, events FROM raceway.drop_with_traces_by_sql($1, $2)", {REGCLASSARRAYOID, TIMESTAMPOID},
      {removal.expired, removal.ends});
  return {DatumGetInt64(answer(1)), DatumGetInt64(answer(2))};
}

}  // namespace

RACEWAY_FUNCTION(raceway_drop_with_traces) {
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "not called for a row");
  const Removal removal = begin_removal(fcinfo);
  SPI_connect();
  Removed removed = {};
  if (removal.obstacle == nullptr) {
    lock_old_events(removal);
    removed = remove_ended(removal);
    drop(removal);
  } else {
    ereport(DEBUG1, (errmsg("traces are removed by SQL: %s", removal.obstacle)));
    removed = remove_by_sql(removal);
  }
  SPI_finish();
  Datum values[] = {Int64GetDatum(removed.traces), Int64GetDatum(removed.events)};
  bool nulls[] = {false, false};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

}  // namespace raceway::postgres

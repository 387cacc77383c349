// The SQL function delete_ended_traces: the traces whose events went with their partition.
#include "postgres/boundary.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rel.h"
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

bool is_owner(Oid table) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, table, GetUserId());
#else
  return pg_class_ownercheck(table, GetUserId());
#endif
}

bool has_user_triggers(Relation table) {
  const TriggerDesc* triggers = table->trigdesc;
  for (int at = 0; triggers != nullptr && at < triggers->numtriggers; ++at) {
    if (!triggers->triggers[at].tgisinternal) return true;
  }
  return false;
}

/// Raises unless the caller is the one who may and can have removed the events.
void require_empty_handed_owner(Relation events, Relation traces) {
  if (!is_owner(RelationGetRelid(events)) || !is_owner(RelationGetRelid(traces))) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of the tables events and traces")));
  }
  if (!CheckRelationLockedByMe(events, AccessExclusiveLock, true) ||
      !CheckRelationLockedByMe(traces, AccessExclusiveLock, true)) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("events and traces are not locked by this transaction"),
                    errhint("Use raceway.cleanup(), which drops partitions with their traces.")));
  }
}

Relation open_table(const char* name) {
  return table_openrv(makeRangeVar(pstrdup("raceway"), pstrdup(name), -1), RowExclusiveLock);
}

}  // namespace

// The foreign key would look for events of each trace in each partition, which takes longer than all the rest, and
// finds none: they are gone, and nobody can have added any. As a replica applies changes that were checked before, so
// here.
RACEWAY_FUNCTION(raceway_delete_ended_traces) {
  Datum before = PG_GETARG_DATUM(0);
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "not called for a row");
  Relation events = open_table("events");
  Relation traces = open_table("traces");
  require_empty_handed_owner(events, traces);
  const bool skip_checks = !has_user_triggers(traces);

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
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

}  // namespace raceway::postgres

#include "postgres/ingest_layout.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

namespace raceway::postgres {
namespace {

struct KnownColumn {
  const char* name;
  Oid type;
};

constexpr KnownColumn known_events[event_columns] = {
    {"event_id", VARCHAROID},    {"trace_id", VARCHAROID},   {"kind", VARCHAROID},
    {"timestamp", TIMESTAMPOID}, {"duration_ms", FLOAT4OID}, {"location", VARCHAROID},
    {"vector_clock", JSONBOID},  {"metadata", JSONBOID},     {"created_at", TIMESTAMPOID}};

constexpr KnownColumn known_traces[trace_columns] = {{"trace_id", VARCHAROID},     {"service_name", VARCHAROID},
                                                     {"start_time", TIMESTAMPOID}, {"end_time", TIMESTAMPOID},
                                                     {"event_count", INT4OID},     {"created_at", TIMESTAMPOID}};

/// The widths that the wire layer keeps to, and migrate() creates.
int known_width(const char* column) {
  if (strcmp(column, "kind") == 0) return 50;
  return strcmp(column, "location") == 0 ? 500 : 255;
}

bool is_id(const char* column) {
  return strcmp(column, "event_id") == 0 || strcmp(column, "trace_id") == 0;
}

const char* columns_obstacle(Relation table, const KnownColumn* known, int count) {
  const TupleDesc description = RelationGetDescr(table);
  if (description->natts != count) return "the table has other columns";
  for (int at = 0; at < count; ++at) {
    const Form_pg_attribute column = TupleDescAttr(description, at);
    // The order of the ids is that of their bytes: here, in the batches, and among events of one moment.
    if (is_id(known[at].name) && column->attcollation != C_COLLATION_OID && column->attcollation != POSIX_COLLATION_OID)
      return "an id has another collation";
    if (column->attisdropped || column->atttypid != known[at].type ||
        strcmp(NameStr(column->attname), known[at].name) != 0) {
      return "the table has other columns";
    }
    if (column->attgenerated != '\0' || column->attidentity != '\0') return "a column is generated";
    if (column->atttypid == VARCHAROID && column->atttypmod != -1 &&
        column->atttypmod - VARHDRSZ < known_width(known[at].name)) {
      return "a column is narrower";
    }
    if (column->atttypid == TIMESTAMPOID && column->atttypmod != -1) return "a column is less precise";
    // Only the keys may be NOT NULL, which they never violate.
    const bool is_key = at == 0 || (known == known_events && at == EventColumn::timestamp);
    if (column->attnotnull && !is_key) return "a column is NOT NULL";
  }
  return nullptr;
}

bool is_harmless(const Trigger& trigger, bool is_events) {
  const bool fires_on_insert = TRIGGER_FOR_INSERT(trigger.tgtype);
  const bool fires_on_update = TRIGGER_FOR_UPDATE(trigger.tgtype);
  if (!fires_on_insert && !fires_on_update) return true;
  if (!trigger.tgisinternal) return false;
  // events: the key of the trace is written in the same transaction. traces: the key itself is never changed.
  if (trigger.tgfoid == F_RI_FKEY_CHECK_INS || trigger.tgfoid == F_RI_FKEY_CHECK_UPD) return is_events;
  return trigger.tgfoid == F_RI_FKEY_NOACTION_UPD || trigger.tgfoid == F_RI_FKEY_RESTRICT_UPD ||
         trigger.tgfoid == F_RI_FKEY_CASCADE_UPD || trigger.tgfoid == F_RI_FKEY_SETNULL_UPD ||
         trigger.tgfoid == F_RI_FKEY_SETDEFAULT_UPD;
}

const char* triggers_obstacle(Relation table, Oid traces) {
  const bool is_events = RelationGetRelid(table) != traces;
  const TriggerDesc* triggers = table->trigdesc;
  for (int at = 0; triggers != nullptr && at < triggers->numtriggers; ++at) {
    if (!is_harmless(triggers->triggers[at], is_events)) return "the table has triggers";
  }
  List* keys = RelationGetFKeyList(table);
  if (list_length(keys) > (is_events ? 1 : 0)) return "the table has other foreign keys";
  if (is_events && keys != NIL) {
    const auto* key = static_cast<ForeignKeyCacheInfo*>(linitial(keys));
    const bool known = key->confrelid == traces && key->nkeys == 1 && key->conkey[0] == EventColumn::trace_id + 1 &&
                       key->confkey[0] == TraceColumn::id_of_trace + 1;
    if (!known) return "the table has other foreign keys";
  }
  return nullptr;
}

/// The first column; where rows are partitioned by their time, then that.
bool is_known_key(Relation key, bool is_partition) {
  const Form_pg_index form = key->rd_index;
  if (form->indnatts != (is_partition ? 2 : 1) || !form->indimmediate || key->rd_rel->relam != BTREE_AM_OID)
    return false;
  return form->indkey.values[0] == 1 && (!is_partition || form->indkey.values[1] == EventColumn::timestamp + 1);
}

const char* indexes_obstacle(Relation table) {
  List* indexes = RelationGetIndexList(table);
  // Of this moment: opening an index may have the cache forget it until it is asked again.
  const Oid key = table->rd_pkindex;
  const char* obstacle = OidIsValid(key) ? nullptr : "the table has no primary key";
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    const Oid oid = lfirst_oid(cell);
    Relation index = index_open(oid, RowExclusiveLock);
    const Form_pg_index form = index->rd_index;
    const bool is_key = oid == key;
    if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr)) obstacle = "an index has expressions";
    if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr)) obstacle = "an index is partial";
    if (form->indisexclusion || (form->indisunique && !is_key)) obstacle = "there are other unique constraints";
    if (is_key && !is_known_key(index, table->rd_rel->relispartition)) obstacle = "the primary key is another one";
    if (!form->indisready || !form->indisvalid) obstacle = "an index is not ready";
    index_close(index, NoLock);
  }
  list_free(indexes);
  return obstacle;
}

/// Whether a default is the same for every row of a statement.
const char* defaults_obstacle(Relation table, int created_at) {
  const TupleDesc description = RelationGetDescr(table);
  if (description->constr == nullptr) return nullptr;
  for (int at = 0; at < description->constr->num_defval; ++at) {
    if (description->constr->defval[at].adnum != created_at + 1) continue;
    auto* expression = build_column_default(table, created_at + 1);
    if (expression != nullptr && contain_volatile_functions(expression)) return "a default is volatile";
  }
  return nullptr;
}

/// Whether publications of the table allow an UPDATE of rows, or a DELETE.
bool may_be_updated(Relation table) {
  if (table->rd_rel->relreplident == REPLICA_IDENTITY_NOTHING) return false;
#if PG_VERSION_NUM >= 150000
  PublicationDesc publications;
  RelationBuildPublicationDesc(table, &publications);
  return publications.rf_valid_for_update && publications.cols_valid_for_update && publications.rf_valid_for_delete &&
         publications.cols_valid_for_delete;
#else
  return true;
#endif
}

/// What any statement that names this table asks of it and its owner.
const char* access_obstacle(Relation table, AclMode wanted) {
  if (table->rd_rules != nullptr) return "the table has rules";
  if (check_enable_rls(RelationGetRelid(table), InvalidOid, true) != RLS_NONE) return "row security is on";
  if (pg_class_aclmask(RelationGetRelid(table), GetUserId(), wanted, ACLMASK_ALL) != wanted) {
    return "a privilege on the whole table is missing";
  }
  return nullptr;
}

/// What an INSERT that names it asks, beside what the rows must pass.
const char* target_obstacle(Relation table, Oid traces, AclMode wanted) {
  const char* obstacle = access_obstacle(table, wanted);
  if (obstacle != nullptr) return obstacle;
  const bool is_events = RelationGetRelid(table) != traces;
  return defaults_obstacle(table, is_events ? int{EventColumn::event_created_at} : int{TraceColumn::trace_created_at});
}

/// What stands in the way of a row that is written into this table, a plain one or a partition.
const char* rows_obstacle(Relation table, Oid traces) {
  const Form_pg_class form = table->rd_rel;
  if (form->relam != HEAP_TABLE_AM_OID) return "a table has another access method";
  if (form->relpersistence == RELPERSISTENCE_TEMP) return "a table is temporary";
  if (table->rd_att->constr != nullptr && table->rd_att->constr->num_check > 0)
    return "the table has check constraints";
  if (!may_be_updated(table)) return "a publication does not allow updates";
  const char* obstacle = RelationGetRelid(table) != traces ? columns_obstacle(table, known_events, event_columns)
                                                           : columns_obstacle(table, known_traces, trace_columns);
  if (obstacle == nullptr) obstacle = triggers_obstacle(table, traces);
  return obstacle == nullptr ? indexes_obstacle(table) : obstacle;
}

bool is_partitioned_by_time(Relation table) {
  const PartitionKey key = RelationGetPartitionKey(table);
  return key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
         key->partattrs[0] == EventColumn::timestamp + 1 && key->partopcintype[0] == TIMESTAMPOID;
}

const char* table_obstacle(Relation table, Oid traces, AclMode wanted) {
  const Form_pg_class form = table->rd_rel;
  const bool is_partitioned = form->relkind == RELKIND_PARTITIONED_TABLE && RelationGetRelid(table) != traces;
  const bool is_plain = form->relkind == RELKIND_RELATION && !form->relhassubclass;
  if ((!is_plain && !is_partitioned) || form->relispartition) return "a table is not a plain one";
  const char* obstacle = target_obstacle(table, traces, wanted);
  if (obstacle != nullptr) return obstacle;
  if (!is_partitioned) return rows_obstacle(table, traces);
  return is_partitioned_by_time(table) ? nullptr : "a table is partitioned in another way";
}

const char* partition_obstacle(Oid partition, Oid traces) {
  Relation table = table_open(partition, RowExclusiveLock);
  const bool is_plain = table->rd_rel->relkind == RELKIND_RELATION;
  const char* obstacle = is_plain ? rows_obstacle(table, traces) : "a partition is not a plain table";
  table_close(table, NoLock);
  return obstacle;
}

bool may_use_schema(Oid schema) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#else
  return pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

/// What does not depend on the tables.
const char* session_obstacle() {
  if (IsolationUsesXactSnapshot()) return "the transaction keeps one snapshot";
  if (XactReadOnly) return "the transaction is read-only";
  if (ExecutorCheckPerms_hook != nullptr) return "an extension watches who writes what";
  const Oid schema = get_namespace_oid("raceway", true);
  if (OidIsValid(schema) && !may_use_schema(schema)) return "a privilege on the schema is missing";
  return nullptr;
}

/// Without a lock, and whoever asks.
bool is_partitioned() {
  const Oid schema = get_namespace_oid("raceway", true);
  const Oid events = OidIsValid(schema) ? get_relname_relid("events", schema) : InvalidOid;
  return OidIsValid(events) && get_rel_relkind(events) == RELKIND_PARTITIONED_TABLE;
}

/// The table that has this name once it is locked as INSERT locks it.
Oid lock_table(const char* name) {
  return RangeVarGetRelid(makeRangeVar(pstrdup("raceway"), pstrdup(name), -1), RowExclusiveLock, true);
}

}  // namespace

const char* find_removal_checks(Relation traces, Oid events) {
  if (traces->rd_rules != nullptr) return "the table has rules";
  const TriggerDesc* triggers = traces->trigdesc;
  for (int at = 0; triggers != nullptr && at < triggers->numtriggers; ++at) {
    const Trigger& trigger = triggers->triggers[at];
    if (!TRIGGER_FOR_DELETE(trigger.tgtype)) continue;
    if (!trigger.tgisinternal) return "the table has triggers";
    if (trigger.tgconstrrelid != events) return "another table refers to it";
  }
  return nullptr;
}

const char* find_removal_obstacle(Relation traces, Oid events) {
  const char* obstacle = find_removal_checks(traces, events);
  if (obstacle == nullptr) obstacle = session_obstacle();
  if (obstacle == nullptr) obstacle = access_obstacle(traces, ACL_DELETE | ACL_SELECT);
  if (obstacle != nullptr) return obstacle;
  const Form_pg_class form = traces->rd_rel;
  if (form->relkind != RELKIND_RELATION || form->relhassubclass || form->relispartition)
    return "it is not a plain table";
  if (form->relam != HEAP_TABLE_AM_OID) return "the table has another access method";
  if (!may_be_updated(traces)) return "a publication does not allow updates";
  return columns_obstacle(traces, known_traces, trace_columns);
}

DirectLayout find_direct_layout() {
  DirectLayout layout = {};
  layout.is_partitioned = is_partitioned();
  layout.obstacle = session_obstacle();
  if (layout.obstacle != nullptr) return layout;
  layout.events = lock_table("events");
  layout.traces = lock_table("traces");
  if (!OidIsValid(layout.events) || !OidIsValid(layout.traces)) {
    layout.obstacle = "there are no tables";
    return layout;
  }
  const AclMode write = ACL_INSERT | ACL_SELECT;
  for (const bool is_events : {true, false}) {
    Relation table = relation_open(is_events ? layout.events : layout.traces, NoLock);
    layout.obstacle = table_obstacle(table, layout.traces, is_events ? write : write | ACL_UPDATE);
    if (is_events && layout.is_partitioned != (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)) {
      layout.obstacle = "the layout changes at this moment";
    }
    relation_close(table, NoLock);
    if (layout.obstacle != nullptr) return layout;
  }
  return layout;
}

const char* find_partitions(const DirectLayout& layout, const Timestamp* times, int count, Oid* partitions) {
  Relation table = table_open(layout.events, NoLock);
  const PartitionKey key = RelationGetPartitionKey(table);
  const PartitionDesc description = RelationGetPartitionDesc(table, true);
  const PartitionBoundInfo bounds = description->boundinfo;
  const char* obstacle = description->nparts == 0 ? "there are no partitions" : nullptr;
  for (int at = 0; at < count && obstacle == nullptr; ++at) {
    Datum time = TimestampGetDatum(times[at]);
    bool is_bound = false;
    const int bound = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1, &time, &is_bound);
    int index = bounds->indexes[bound + 1];
    if (index < 0) index = bounds->default_index;
    partitions[at] = index < 0 ? InvalidOid : description->oids[index];
    if (index < 0) obstacle = "no partition takes an event";
    const bool is_new = at == 0 || partitions[at] != partitions[at - 1];
    if (obstacle == nullptr && is_new) obstacle = partition_obstacle(partitions[at], layout.traces);
  }
  table_close(table, NoLock);
  return obstacle;
}

Default evaluate_created_at(Oid relation, int column) {
  Relation table = table_open(relation, NoLock);
  auto* expression = reinterpret_cast<Expr*>(build_column_default(table, column + 1));
  Default result = {Datum{0}, true};
  if (expression != nullptr) {
    EState* state = CreateExecutorState();
    ExprState* prepared = ExecPrepareExpr(expression, state);
    // A timestamp is passed by value: it outlives the state.
    result.value = ExecEvalExprSwitchContext(prepared, GetPerTupleExprContext(state), &result.is_null);
    FreeExecutorState(state);
  }
  table_close(table, NoLock);
  return result;
}

}  // namespace raceway::postgres

#include "postgres/ingest_layout.hpp"

#include <cstdint>
#include <unordered_map>

#include "postgres/versions.hpp"

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
#include "catalog/pg_inherits.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rls.h"
}

namespace raceway::postgres {

bool direct_writes = true;

namespace {

struct KnownColumn {
  const char* name;
  Oid type;
  int width;  // in characters; 0: none
};

constexpr KnownColumn columns_of_events[event_columns] = {
    {"event_id", VARCHAROID, 255},  {"trace_id", VARCHAROID, 255}, {"kind", VARCHAROID, 50},
    {"timestamp", TIMESTAMPOID, 0}, {"duration_ms", FLOAT4OID, 0}, {"location", VARCHAROID, 500},
    {"vector_clock", JSONBOID, 0},  {"metadata", JSONBOID, 0},     {"created_at", TIMESTAMPOID, 0}};

constexpr KnownColumn columns_of_traces[trace_columns] = {
    {"trace_id", VARCHAROID, 255}, {"service_name", VARCHAROID, 255}, {"start_time", TIMESTAMPOID, 0},
    {"end_time", TIMESTAMPOID, 0}, {"event_count", INT4OID, 0},       {"created_at", TIMESTAMPOID, 0}};

/// What migrate() makes, and a part of it each.
enum class Role { traces, plain_events, partitioned_events, partition };

bool is_of_events(Role role) {
  return role != Role::traces;
}

bool keys_hold_time(Role role) {
  return role == Role::partitioned_events || role == Role::partition;
}

bool is_known_column(const FormData_pg_attribute& column, const KnownColumn& known, bool is_key) {
  const bool is_id = strcmp(known.name, "event_id") == 0 || strcmp(known.name, "trace_id") == 0;
  // The order of the ids is that of their bytes: here, in the batches, and among events of one moment.
  const Oid collation = known.type != VARCHAROID ? InvalidOid : (is_id ? C_COLLATION_OID : DEFAULT_COLLATION_OID);
  return !column.attisdropped && strcmp(NameStr(column.attname), known.name) == 0 && column.atttypid == known.type &&
         column.atttypmod == (known.width > 0 ? known.width + VARHDRSZ : -1) && column.attcollation == collation &&
         column.attnotnull == is_key && column.attgenerated == '\0' && column.attidentity == '\0';
}

/// Whether it says: now() AT TIME ZONE 'UTC'.
bool is_now_in_utc(Node* expression) {
  if (expression == nullptr || !IsA(expression, FuncExpr)) return false;
  const auto* in_zone = reinterpret_cast<FuncExpr*>(expression);
  if (in_zone->funcid != F_TIMEZONE_TEXT_TIMESTAMPTZ) return false;
  auto* const zone = static_cast<Const*>(linitial(in_zone->args));
  auto* const now = static_cast<FuncExpr*>(lsecond(in_zone->args));
  return IsA(zone, Const) && !zone->constisnull && strcmp(TextDatumGetCString(zone->constvalue), "UTC") == 0 &&
         IsA(now, FuncExpr) && now->funcid == F_NOW;
}

const char* columns_obstacle(Relation table, Role role) {
  const KnownColumn* known = is_of_events(role) ? columns_of_events : columns_of_traces;
  const int count = is_of_events(role) ? event_columns : trace_columns;
  const TupleDesc description = RelationGetDescr(table);
  if (description->natts != count) return "the table has other columns";
  for (int at = 0; at < count; ++at) {
    const bool is_key = at == 0 || (keys_hold_time(role) && at == EventColumn::timestamp);
    if (!is_known_column(*TupleDescAttr(description, at), known[at], is_key)) return "a column is another one";
  }
  const TupleConstr* rules = description->constr;
  if (rules == nullptr || rules->num_check > 0) return "the table has check constraints";
  if (rules->num_defval != 1 || rules->defval[0].adnum != count) return "a default is another one";
  return is_now_in_utc(build_column_default(table, count)) ? nullptr : "a default is another one";
}

/// Of the server itself, for foreign keys from and to the table: the key of a trace is written with its events, and no
/// key is ever changed.
bool is_of_foreign_key(const Trigger& trigger) {
  switch (trigger.tgfoid) {
    case F_RI_FKEY_CHECK_INS:
    case F_RI_FKEY_CHECK_UPD:
    case F_RI_FKEY_NOACTION_DEL:
    case F_RI_FKEY_NOACTION_UPD:
    case F_RI_FKEY_RESTRICT_DEL:
    case F_RI_FKEY_RESTRICT_UPD:
    case F_RI_FKEY_CASCADE_DEL:
    case F_RI_FKEY_CASCADE_UPD:
    case F_RI_FKEY_SETNULL_DEL:
    case F_RI_FKEY_SETNULL_UPD:
    case F_RI_FKEY_SETDEFAULT_DEL:
    case F_RI_FKEY_SETDEFAULT_UPD:
      return trigger.tgisinternal;
    default:
      return false;
  }
}

const char* triggers_obstacle(Relation table) {
  const TriggerDesc* triggers = table->trigdesc;
  for (int at = 0; triggers != nullptr && at < triggers->numtriggers; ++at) {
    if (!is_of_foreign_key(triggers->triggers[at])) return "the table has triggers";
  }
  return nullptr;
}

/// At most the one of events to traces.
const char* foreign_keys_obstacle(Relation table, Role role, Oid traces) {
  List* keys = RelationGetFKeyList(table);
  ListCell* cell = nullptr;
  foreach (cell, keys) {
    const auto* key = static_cast<ForeignKeyCacheInfo*>(lfirst(cell));
    const bool is_known = is_of_events(role) && key->confrelid == traces && key->nkeys == 1 &&
                          key->conkey[0] == EventColumn::trace_id + 1 &&
                          key->confkey[0] == TraceColumn::id_of_trace + 1;
    if (!is_known) return "the table has other foreign keys";
  }
  return nullptr;
}

bool is_known_key(const Relation index, Role role) {
  const Form_pg_index form = index->rd_index;
  if (form->indnatts != (keys_hold_time(role) ? 2 : 1) || index->rd_rel->relam != BTREE_AM_OID) return false;
  return form->indimmediate && !form->indisexclusion && form->indkey.values[0] == 1 &&
         (!keys_hold_time(role) || form->indkey.values[1] == EventColumn::timestamp + 1);
}

/// A plain index of columns: neither unique nor partial, without expressions.
bool is_plain_index(const Relation index) {
  const Form_pg_index form = index->rd_index;
  return !form->indisunique && !form->indisexclusion &&
         heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
         heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
}

const char* indexes_obstacle(Relation table, Role role) {
  List* indexes = RelationGetIndexList(table);
  // Of this moment: opening an index may have the cache forget it until it is asked again.
  const Oid key = table->rd_pkindex;
  const char* obstacle = OidIsValid(key) ? nullptr : "the table has no primary key";
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);
    const bool is_key = RelationGetRelid(index) == key;
    if (is_key ? !is_known_key(index, role) : !is_plain_index(index)) obstacle = "an index is no plain one";
    if (!index->rd_index->indisready || !index->rd_index->indisvalid) obstacle = "an index is not ready";
    index_close(index, NoLock);
  }
  return obstacle;
}

/// Whether publications of the table allow an UPDATE of rows, and a DELETE.
bool may_be_updated(Relation table) {
  PublicationDesc publications;
  RelationBuildPublicationDesc(table, &publications);
  return table->rd_rel->relreplident == REPLICA_IDENTITY_DEFAULT && publications.rf_valid_for_update &&
         publications.cols_valid_for_update && publications.rf_valid_for_delete && publications.cols_valid_for_delete;
}

const char* kind_obstacle(Relation table, Role role) {
  const Form_pg_class form = table->rd_rel;
  const bool is_partitioned = role == Role::partitioned_events;
  if (form->relkind != (is_partitioned ? RELKIND_PARTITIONED_TABLE : RELKIND_RELATION))
    return "a table is no plain one";
  if (form->relispartition != (role == Role::partition)) return "a table is a partition";
  if (!is_partitioned && form->relhassubclass) return "a table has children";
  if (role != Role::partition && has_superclass(RelationGetRelid(table))) return "a table inherits";
  if (!is_partitioned && form->relam != HEAP_TABLE_AM_OID) return "a table has another access method";
  if (form->relpersistence == RELPERSISTENCE_TEMP) return "a table is temporary";
  if (form->relrowsecurity || form->relforcerowsecurity) return "row security is on";
  if (table->rd_rules != nullptr) return "a table has rules";
  return may_be_updated(table) ? nullptr : "a table is replicated in another way";
}

bool is_partitioned_by_time(Relation table) {
  const PartitionKey key = RelationGetPartitionKey(table);
  return key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
         key->partattrs[0] == EventColumn::timestamp + 1 && key->partopcintype[0] == TIMESTAMPOID;
}

const char* judge(Relation table, Role role, Oid traces) {
  const char* obstacle = kind_obstacle(table, role);
  if (obstacle == nullptr) obstacle = columns_obstacle(table, role);
  if (obstacle == nullptr) obstacle = triggers_obstacle(table);
  if (obstacle == nullptr) obstacle = foreign_keys_obstacle(table, role, traces);
  if (obstacle != nullptr) return obstacle;
  if (role != Role::partitioned_events) return indexes_obstacle(table, role);
  return is_partitioned_by_time(table) ? nullptr : "a table is partitioned in another way";
}

/// What the tables were judged to be since anything about any table has changed.
struct Verdict {
  Role role;
  Oid traces;
  const char* obstacle;
};
std::unordered_map<Oid, Verdict> verdicts;
std::uint64_t changes = 0;

void forget_verdicts(Datum, Oid) {
  ++changes;
  verdicts.clear();
}

/// The obstacle of a table that is locked.
const char* obstacle_of(Oid oid, Role role, Oid traces) {
  static bool is_watching = false;
  if (!is_watching) CacheRegisterRelcacheCallback(forget_verdicts, Datum{0});
  is_watching = true;
  const auto known = verdicts.find(oid);
  if (known != verdicts.end() && known->second.role == role && known->second.traces == traces)
    return known->second.obstacle;
  while (true) {
    const std::uint64_t changes_before = changes;
    Relation table = relation_open(oid, NoLock);
    const char* obstacle = judge(table, role, traces);
    relation_close(table, NoLock);
    if (changes != changes_before) continue;  // an index that was opened brought news
    verdicts.insert_or_assign(oid, Verdict{role, traces, obstacle});
    return obstacle;
  }
}

bool may(Oid user, Oid table, AclMode wanted) {
  return pg_class_aclmask(table, user, wanted, ACLMASK_ALL) == wanted;
}

/// What any statement that names this table asks of its user.
const char* access_obstacle(Oid table, AclMode wanted) {
  return may(GetUserId(), table, wanted) ? nullptr : "a privilege on the whole table is missing";
}

/// What the foreign key's check asks of the owner of traces: an INSERT has it done in his name.
const char* owner_obstacle(Oid traces) {
  Relation table = table_open(traces, NoLock);
  const Oid owner = table->rd_rel->relowner;
  const Oid schema = RelationGetNamespace(table);
  table_close(table, NoLock);
  if (may_use_schema(owner, schema) && may(owner, traces, ACL_SELECT | ACL_UPDATE)) return nullptr;
  return "the owner of traces may not check the foreign key";
}

/// What does not depend on the tables.
const char* session_obstacle() {
  if (!direct_writes) return "raceway.direct_writes is off";
  if (IsolationUsesXactSnapshot()) return "the transaction keeps one snapshot";
  if (XactReadOnly) return "the transaction is read-only";
  if (ExecutorCheckPerms_hook != nullptr) return "an extension watches who writes what";
  const Oid schema = get_namespace_oid("raceway", true);
  if (OidIsValid(schema) && !may_use_schema(GetUserId(), schema)) return "a privilege on the schema is missing";
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
  RangeVar named = {};
  named.type = T_RangeVar;
  named.schemaname = const_cast<char*>("raceway");
  named.relname = const_cast<char*>(name);
  named.relpersistence = RELPERSISTENCE_PERMANENT;
  return RangeVarGetRelid(&named, RowExclusiveLock, true);
}

/// The partition that a time belongs to; 0 where there is none.
Oid partition_for(PartitionKey key, PartitionDesc partitions, Timestamp time) {
  if (partitions->nparts == 0) return InvalidOid;
  const PartitionBoundInfo bounds = partitions->boundinfo;
  Datum value = TimestampGetDatum(time);
  bool is_bound = false;
  const int bound = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1, &value, &is_bound);
  int index = bounds->indexes[bound + 1];
  if (index < 0) index = bounds->default_index;
  return index < 0 ? InvalidOid : partitions->oids[index];
}

/// Finds the partitions of the times and locks those that were not found before. Answers whether nothing had to be
/// locked, so that what was found still is so.
bool find_and_lock(Relation table, const Timestamp* times, int count, Oid* partitions) {
  const PartitionKey key = RelationGetPartitionKey(table);
  const PartitionDesc description = RelationGetPartitionDesc(table, true);
  bool is_as_before = true;
  for (int at = 0; at < count; ++at) {
    const Oid found = partition_for(key, description, times[at]);
    if (found != partitions[at]) is_as_before = false;
    partitions[at] = found;
  }
  if (is_as_before) return true;
  for (int at = 0; at < count; ++at) {
    const bool is_new = at == 0 || partitions[at] != partitions[at - 1];
    if (is_new && OidIsValid(partitions[at])) LockRelationOid(partitions[at], RowExclusiveLock);
  }
  return false;
}

}  // namespace

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
  layout.is_partitioned = get_rel_relkind(layout.events) == RELKIND_PARTITIONED_TABLE;
  const Role role = layout.is_partitioned ? Role::partitioned_events : Role::plain_events;
  layout.obstacle = obstacle_of(layout.events, role, layout.traces);
  if (layout.obstacle == nullptr) layout.obstacle = obstacle_of(layout.traces, Role::traces, layout.traces);
  if (layout.obstacle == nullptr) layout.obstacle = access_obstacle(layout.events, ACL_INSERT | ACL_SELECT);
  if (layout.obstacle == nullptr)
    layout.obstacle = access_obstacle(layout.traces, ACL_INSERT | ACL_SELECT | ACL_UPDATE);
  if (layout.obstacle == nullptr) layout.obstacle = owner_obstacle(layout.traces);
  return layout;
}

const char* find_removal_obstacle(Relation traces, Relation events, const List* partitions) {
  const Oid of_traces = RelationGetRelid(traces);
  const char* obstacle = session_obstacle();
  if (obstacle == nullptr) obstacle = obstacle_of(RelationGetRelid(events), Role::partitioned_events, of_traces);
  if (obstacle == nullptr) obstacle = obstacle_of(of_traces, Role::traces, of_traces);
  if (obstacle == nullptr) obstacle = access_obstacle(of_traces, ACL_SELECT | ACL_DELETE);
  ListCell* cell = nullptr;
  foreach (cell, partitions) {
    if (obstacle == nullptr) obstacle = obstacle_of(lfirst_oid(cell), Role::partition, of_traces);
  }
  const TriggerDesc* triggers = obstacle == nullptr ? traces->trigdesc : nullptr;
  for (int at = 0; triggers != nullptr && at < triggers->numtriggers; ++at) {
    if (triggers->triggers[at].tgconstrrelid != RelationGetRelid(events)) return "another table refers to it";
  }
  return obstacle;
}

const char* find_partitions(const DirectLayout& layout, const Timestamp* times, int count, Oid* partitions) {
  Relation table = table_open(layout.events, NoLock);
  for (int at = 0; at < count; ++at) partitions[at] = InvalidOid;
  // A partition may be attached between a look and the lock, and take what the default partition took; with the lock on
  // that one it may not.
  while (!find_and_lock(table, times, count, partitions)) CHECK_FOR_INTERRUPTS();
  table_close(table, NoLock);
  for (int at = 0; at < count; ++at) {
    if (at > 0 && partitions[at] == partitions[at - 1]) continue;
    if (!OidIsValid(partitions[at])) return "no partition takes an event";
    const char* obstacle = obstacle_of(partitions[at], Role::partition, layout.traces);
    if (obstacle != nullptr) return obstacle;
  }
  return nullptr;
}

}  // namespace raceway::postgres

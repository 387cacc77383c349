// What PostgreSQL's versions call differently; all else that the extension uses is the same in all of them.
#pragma once

#include "postgres/boundary.hpp"

extern "C" {
#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#endif
}

namespace raceway::postgres {

/// An index scan for `keys` keys that are to be given by index_rescan(). Raises.
inline IndexScanDesc begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
  return index_beginscan(heap, index, snapshot, nullptr, keys, 0);
#else
  return index_beginscan(heap, index, snapshot, keys, 0);
#endif
}

/// Lets go of what index_insert() keeps between its calls. Raises.
inline void end_insertions([[maybe_unused]] Relation index, [[maybe_unused]] IndexInfo* info) {
#if PG_VERSION_NUM >= 170000
  index_insert_cleanup(index, info);
#endif
}

/// Which indexes need entries for a row's new version.
enum class NewEntries { none, of_summaries, all };

/// Writes the version in `slot`, whose tid is set, in place of the row at `old`, after waiting for those who hold that
/// one. Raises.
inline TM_Result update_row(Relation table, ItemPointer old, TupleTableSlot* slot, NewEntries* wanted) {
  TM_FailureData failure;
  LockTupleMode mode = LockTupleNoKeyExclusive;
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes update = TU_None;
#else
  bool update = false;
#endif
  const TM_Result result = table_tuple_update(table, old, slot, GetCurrentCommandId(true), GetActiveSnapshot(),
                                              InvalidSnapshot, true, &failure, &mode, &update);
#if PG_VERSION_NUM >= 160000
  *wanted =
      update == TU_All ? NewEntries::all : (update == TU_Summarizing ? NewEntries::of_summaries : NewEntries::none);
#else
  *wanted = update ? NewEntries::all : NewEntries::none;
#endif
  return result;
}

/// Whether the index only says where in the table a value may be. Before PostgreSQL 16 each new version needs an entry.
inline bool is_summary([[maybe_unused]] Relation index) {
#if PG_VERSION_NUM >= 160000
  return index->rd_indam->amsummarizing;
#else
  return false;
#endif
}

inline bool is_owner_of(Oid table) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, table, GetUserId());
#else
  return pg_class_ownercheck(table, GetUserId());
#endif
}

inline bool may_use_schema(Oid user, Oid schema) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(NamespaceRelationId, schema, user, ACL_USAGE) == ACLCHECK_OK;
#else
  return pg_namespace_aclcheck(schema, user, ACL_USAGE) == ACLCHECK_OK;
#endif
}

}  // namespace raceway::postgres

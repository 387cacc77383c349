// A table written below the executor: rows, then their index entries, as COPY does it, but with duplicates found
// instead of raised. Which tables may be written so, ingest_layout.hpp says.
//
// Everything here may raise and has no destructors: it stands inside pg_call(), or is called from what does. What a
// raise leaves behind, the abort of the (sub)transaction takes back.
#pragma once

#include "postgres/boundary.hpp"

extern "C" {
#include "access/genam.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/relcache.h"
}

namespace raceway::postgres {

inline constexpr int direct_columns_max = 16;

/// A row to be written. Its datums must live until it is.
struct DirectRow {
  Datum values[direct_columns_max];
  bool nulls[direct_columns_max];
  ItemPointerData tid;  ///< set when it is in the heap
};

struct DirectIndex {
  Relation relation;
  IndexInfo* info;
};

/// An open table: locked as INSERT locks it, its indexes too.
struct DirectTable {
  Relation heap;
  TupleDesc description;  ///< a copy that needs no counting of references
  DirectIndex key;        ///< the primary key, of one column
  DirectIndex* others;
  int other_count;
};

DirectTable* open_direct_table(Oid relation);
/// Keeps the locks.
void close_direct_table(DirectTable* table);

/// What stands in the table under a key, with uncommitted work of others waited for.
struct Standing {
  bool found;
  ItemPointerData tid;
};

/// Looks for a row under `key` other than `own` (which may be null). Where another transaction that is still open wrote
/// or deletes such a row, waits for its end and looks again. The row found is left in `slot`.
Standing find_standing_row(DirectTable* table, Datum key, ItemPointer own, TupleTableSlot* slot);

/// A slot for rows of the table; ExecDropSingleTupleTableSlot() it.
TupleTableSlot* make_row_slot(DirectTable* table);

/// Writes rows into the heap, without any index entry.
void insert_into_heap(DirectTable* table, DirectRow* const* rows, int count);

/// Adds the entry of the primary key. Answers whether no other row can stand under this key; where one might, look with
/// find_standing_row(), and take the row back with delete_own_row() where one does.
bool insert_key(DirectTable* table, DirectRow* row);

/// Deletes a row that this command wrote.
void delete_own_row(DirectTable* table, DirectRow* row);

/// Adds the entries of all other indexes, each in its own order.
void insert_other_keys(DirectTable* table, DirectRow** rows, int count);

}  // namespace raceway::postgres

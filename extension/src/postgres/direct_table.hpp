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

/// Looks for a row under `key`, and leaves it in `slot`. Where another transaction that is still open wrote or deletes
/// such a row, waits for its end and looks again. A row that others update meanwhile may be missed: add_key() is the
/// judge. Not for who has a row of its own under the key: see KeyOutcome::contested.
bool find_standing_row(DirectTable* table, Datum key, TupleTableSlot* slot);

/// A slot for rows of the table; ExecDropSingleTupleTableSlot() it.
TupleTableSlot* make_row_slot(DirectTable* table);

/// Writes rows into the heap, without any index entry.
void insert_into_heap(DirectTable* table, DirectRow* const* rows, int count);

/// What came of adding a row's primary key.
enum class KeyOutcome {
  added,
  stands_already,  ///< under another row, left in the slot; ours is taken back
  /// Another transaction that is still open may keep the key, or the duplicate must not be seen by who decodes the log.
  /// Roll back the subtransaction and go another way. To wait instead would be wrong: our row is in the table, so that
  /// whoever else waits for the same key would wait for us, and we for them.
  contested
};

/// Adds the entry of the primary key of a row that is in the heap.
KeyOutcome add_key(DirectTable* table, DirectRow* row, TupleTableSlot* slot);

/// Adds the entries of all other indexes, each in its own order.
void insert_other_keys(DirectTable* table, DirectRow** rows, int count);

}  // namespace raceway::postgres

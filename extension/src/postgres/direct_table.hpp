// A table written below the executor: rows, then their index entries, as COPY does it, but with duplicates found
// instead of raised. Only public interfaces of PostgreSQL's table and index access methods are used. Which tables may
// be written so, ingest_layout.hpp says.
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

inline constexpr int direct_columns_max = 9;

/// A row to be written. Its datums must live until it is.
struct DirectRow {
  Datum values[direct_columns_max];
  bool nulls[direct_columns_max];
  ItemPointerData tid;  ///< set when it is in the heap
};

inline constexpr int direct_key_columns_max = 2;

/// The values of the primary key, in its order.
struct DirectKey {
  Datum values[direct_key_columns_max];
};

struct DirectIndex {
  Relation relation;
  IndexInfo* info;
};

/// An open table: locked as INSERT locks it, its indexes too.
struct DirectTable {
  Relation heap;
  TupleDesc description;  ///< a copy that needs no counting of references
  DirectIndex key;        ///< the primary key: a text, and maybe a timestamp after it
  DirectIndex* others;
  int other_count;
  TupleTableSlot* slot;  ///< for a row that was found
};

DirectTable* open_direct_table(Oid relation);
/// Keeps the locks.
void close_direct_table(DirectTable* table);

/// Looks for one key after the other.
struct KeySearch {
  DirectTable* table;
  SnapshotData snapshot;
  ScanKeyData keys[direct_key_columns_max];
  IndexScanDesc scan;
};
void begin_search(KeySearch* search, DirectTable* table);
void end_search(KeySearch* search);

/// Looks for a row under `key`, and leaves it in the table's slot. Where another transaction that is still open wrote
/// or deletes such a row, waits for its end and looks again. A row that others update meanwhile may be missed:
/// add_keys() is the judge. Not for who has a row of its own under the key: see KeyOutcome::contested.
bool find_standing_row(KeySearch* search, const DirectKey& key);

/// Writes rows into the heap, without any index entry.
void insert_into_heap(DirectTable* table, DirectRow* const* rows, int count);

/// What came of adding a row's primary key.
enum class KeyOutcome {
  added,
  stands_already,  ///< under another row, left in the table's slot; ours is taken back
  /// Another transaction that is still open may keep the key, or the duplicate must not be seen by who decodes the log.
  /// Roll back the subtransaction and go another way. To wait instead would be wrong: our row is in the table, so that
  /// whoever else waits for the same key would wait for us, and we for them.
  contested
};

/// The primary keys of rows that are in the heap, on their way into the index.
struct PendingKeys {
  DirectRow** rows;  ///< put in the index's order
  int count;
  int done;
};
PendingKeys begin_keys(DirectTable* table, DirectRow** rows, int count);

/// A row whose key was not added, and why; `row` is null when every other one was.
struct RefusedKey {
  DirectRow* row;
  KeyOutcome outcome;
};

/// Goes on until a key is refused. Call it again until all are done, unless one is contested.
RefusedKey add_keys(DirectTable* table, PendingKeys* keys);

/// Writes a new version of the row in the table's slot, with the same primary key, and its entries where they are
/// needed. Waits for others who hold the row. False, and nothing is written, where it is not the last version any more.
bool update_found_row(DirectTable* table, DirectRow* version);

/// Adds the entries of all other indexes, each in its own order.
void insert_other_keys(DirectTable* table, DirectRow** rows, int count);

}  // namespace raceway::postgres

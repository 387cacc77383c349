// Entries of many rows written into a btree: those that go to one leaf go there under one lock, and where their log
// records would be longer than the page, as one image of the page. What a leaf cannot simply take (it is full, an equal
// key of a primary key stands there, a posting list would have to be split) is left to PostgreSQL's own insertion.
//
// Everything here may raise and has no destructors, see direct_table.hpp.
#pragma once

#include "postgres/btree_path.hpp"

namespace raceway::postgres {

struct DirectRow;

/// An entry on its way into an index.
struct PendingEntry {
  std::uint64_t prefix;  ///< prefix_of() its key
  IndexTuple tuple;
  DirectRow* row;
};

/// Makes the entries of rows that are in the heap, in the index's order; `entries` has room for all. `columns` are the
/// table's columns that the index has, counted from 1. False where a value is so long that it is compressed.
bool make_entries(Relation index, const BtreeOrder& order, const int16* columns, DirectRow* const* rows, int count,
                  PendingEntry* entries);

/// Writes as many entries as one leaf takes, from the first on. 0 where that must be left to PostgreSQL's insertion.
/// By key (BtreePath::by_key), an entry whose key is there already is not written.
int write_into_leaf(BtreePath* path, const PendingEntry* entries, int count);

}  // namespace raceway::postgres

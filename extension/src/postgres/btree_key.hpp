// The order of a btree's entries, where their bytes alone tell it: texts under the collation "C", and 8-byte numbers
// (int8, timestamp). Such entries are compared without calling a function of PostgreSQL.
//
// Nothing here raises, and nothing has a destructor.
#pragma once

#include "postgres/boundary.hpp"

extern "C" {
#include "access/itup.h"
#include "utils/rel.h"
}

namespace raceway::postgres {

inline constexpr int btree_key_columns_max = 4;

/// How an index orders its key columns; where two entries are equal in them, the place of their rows decides.
struct BtreeOrder {
  struct Column {
    bool is_text;  ///< else an 8-byte number
    bool descending;
    bool nulls_first;
  };
  int count;
  Column columns[btree_key_columns_max];
};

/// Whether this index is a btree whose order is of this kind; fills `order` if so. May raise: it reads the index.
bool find_btree_order(Relation index, BtreeOrder* order);

/// The key columns of an entry that is compared to many others. Refers to the entry.
struct BtreeKey {
  struct Value {
    const char* text;
    std::uint32_t length;
    bool is_null;
    int64 number;
  };
  Value values[btree_key_columns_max];
};

/// False where a text is compressed, so that its bytes say nothing.
bool read_btree_key(const BtreeOrder& order, IndexTuple entry, BtreeKey* key);

/// The same from values, none of them NULL or compressed; refers to them.
void read_btree_values(const BtreeOrder& order, const Datum* values, BtreeKey* key);

/// Orders entries by their first column as far as eight bytes go: of two keys, the one with the smaller prefix is the
/// smaller; equal prefixes say nothing.
std::uint64_t prefix_of(const BtreeOrder& order, const BtreeKey& key);

/// The same of an entry, where that is told at a glance.
bool glance_prefix(const BtreeOrder& order, IndexTuple entry, std::uint64_t* prefix);

enum class KeyComparison { less, equal, greater, unknown };

/// How `key` stands to the first `columns` of the key columns of `other`. Unknown where a text there is compressed.
KeyComparison compare_key(const BtreeOrder& order, const BtreeKey& key, IndexTuple other, int columns);

}  // namespace raceway::postgres

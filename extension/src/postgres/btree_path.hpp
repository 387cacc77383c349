// The way from the root of a btree to a leaf, kept for the next key: keys that come in the index's order find most of
// it again. Lehman and Yao's protocol as in PostgreSQL's nbtree/README: a page that was split meanwhile is noticed by
// its high key. Whatever is unusual is left to PostgreSQL's own descent.
//
// Everything here may raise and has no destructors, see direct_table.hpp.
#pragma once

#include "postgres/btree_key.hpp"

extern "C" {
#include "access/nbtree.h"
#include "storage/bufmgr.h"
}

namespace raceway::postgres {

/// An entry that is looked for, or is to be inserted. Refers to what its key was read from.
struct BtreeEntry {
  std::uint64_t prefix;  ///< prefix_of() the key
  BtreeKey key;
  ItemPointerData row;  ///< not used where entries are looked for by key
};

/// How an entry stands to an item of a page.
enum class Place { before, at, behind, unknown };

/// Compares as nbtree does: in the key columns, then by row; where a pivot lacks columns, every entry with these values
/// is behind it. Without `with_row` equal keys are `at`; with it, rows of a posting list are.
Place place_of(Relation index, const BtreeOrder& order, const BtreeEntry& entry, Page page, OffsetNumber item,
               bool with_row);

inline BTPageOpaque btree_opaque(Page page) {
  return reinterpret_cast<BTPageOpaque>(PageGetSpecialPointer(page));
}

/// The pages above the leaf that was visited last, pinned. Make it empty, end it with release_path().
struct BtreePath {
  Relation index;
  Relation heap;  ///< the index's table
  const BtreeOrder* order;
  /// Whether equal keys are one place, whatever their rows: to find out whether a key is there.
  bool by_key;
  int depth;
  struct {
    Buffer buffer;
    uint32 level;  ///< above the leaves, which are 0
  } pages[16];
};

/// The leaf where the entry belongs, pinned and locked in `mode` (BUFFER_LOCK_SHARE or _EXCLUSIVE); of those by key,
/// the only one where an equal key can be. Entries must come in their order. Invalid where PostgreSQL must look itself.
Buffer find_leaf(BtreePath* path, const BtreeEntry& entry, int mode);

/// Whether an entry that is not before the last one that was found belongs on this locked leaf, too.
bool belongs_on(const BtreePath& path, Page leaf, const BtreeEntry& entry);

/// The first item of the locked leaf, from `from` on, that the entry is not behind; `place` says how it stands to it:
/// before (also where there is none), at, or unknown.
OffsetNumber find_item(const BtreePath& path, Page leaf, OffsetNumber from, const BtreeEntry& entry, Place* place);

void release_path(BtreePath* path);

}  // namespace raceway::postgres

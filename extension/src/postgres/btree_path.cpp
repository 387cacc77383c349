#include "postgres/btree_path.hpp"

namespace raceway::postgres {
namespace {

Place place_by_row(const BtreeEntry& entry, IndexTuple item) {
  ItemPointer first = BTreeTupleGetHeapTID(item);
  if (first == nullptr) return Place::behind;
  auto* const row = const_cast<ItemPointer>(&entry.row);
  const int32 to_first = ItemPointerCompare(row, first);
  if (to_first <= 0) return to_first < 0 ? Place::before : Place::at;
  if (BTreeTupleIsPivot(item)) return Place::behind;
  return ItemPointerCompare(row, BTreeTupleGetMaxHeapTID(item)) > 0 ? Place::behind : Place::at;
}

/// Whether the page holds the entry's place, as far as its high key tells. Equal by key is no: then an equal key may
/// stand to its right.
bool reaches(const BtreePath& path, Page page, const BtreeEntry& entry) {
  const BTPageOpaque opaque = btree_opaque(page);
  if (P_IGNORE(opaque)) return false;
  if (P_RIGHTMOST(opaque)) return true;
  const Place place = place_of(path.index, *path.order, entry, page, P_HIKEY, !path.by_key);
  return place == Place::before || (place == Place::at && !path.by_key);
}

/// The page below that the entry's place is under; invalid where that cannot be told.
BlockNumber choose_child(const BtreePath& path, Page page, const BtreeEntry& entry) {
  // The first item counts as before everything.
  OffsetNumber low = OffsetNumberNext(P_FIRSTDATAKEY(btree_opaque(page)));
  OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));
  while (low < high) {
    const auto middle = static_cast<OffsetNumber>(low + (high - low) / 2);
    const Place place = place_of(path.index, *path.order, entry, page, middle, !path.by_key);
    if (place == Place::unknown) return InvalidBlockNumber;
    if (place == Place::behind) {
      low = OffsetNumberNext(middle);
    } else {
      high = middle;
    }
  }
  ItemId item = PageGetItemId(page, OffsetNumberPrev(low));
  return BTreeTupleGetDownLink(reinterpret_cast<IndexTuple>(PageGetItem(page, item)));
}

void give_up(Buffer buffer) {
  UnlockReleaseBuffer(buffer);
}

/// The last page of the path that still reaches so far gives the child; those below it are let go.
BlockNumber child_from_path(BtreePath* path, const BtreeEntry& entry) {
  while (path->depth > 0) {
    const Buffer buffer = path->pages[path->depth - 1].buffer;
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    Page page = BufferGetPage(buffer);
    const BlockNumber child = reaches(*path, page, entry) ? choose_child(*path, page, entry) : InvalidBlockNumber;
    if (BlockNumberIsValid(child)) {
      LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
      return child;
    }
    give_up(buffer);
    --path->depth;
  }
  return InvalidBlockNumber;
}

/// Takes a page, locked to be read, into the path; answers the child to go on with.
BlockNumber extend_path(BtreePath* path, Buffer buffer, const BtreeEntry& entry) {
  Page page = BufferGetPage(buffer);
  const bool is_known = path->depth < static_cast<int>(lengthof(path->pages)) && reaches(*path, page, entry);
  const BlockNumber child = is_known ? choose_child(*path, page, entry) : InvalidBlockNumber;
  if (!BlockNumberIsValid(child)) {
    give_up(buffer);
    return InvalidBlockNumber;
  }
  path->pages[path->depth++] = {buffer, btree_opaque(page)->btpo_level};
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  return child;
}

Buffer lock_root(const BtreePath& path) {
#if PG_VERSION_NUM >= 160000
  return _bt_getroot(path.index, path.heap, BT_READ);
#else
  return _bt_getroot(path.index, BT_READ);
#endif
}

Buffer accept_leaf(const BtreePath& path, Buffer buffer, const BtreeEntry& entry) {
  Page page = BufferGetPage(buffer);
  const BTPageOpaque opaque = btree_opaque(page);
  if (P_ISLEAF(opaque) && !P_INCOMPLETE_SPLIT(opaque) && reaches(path, page, entry)) return buffer;
  give_up(buffer);
  return InvalidBuffer;
}

}  // namespace

Place place_of(Relation index, const BtreeOrder& order, const BtreeEntry& entry, Page page, OffsetNumber item,
               bool with_row) {
  auto* const tuple = reinterpret_cast<IndexTuple>(PageGetItem(page, PageGetItemId(page, item)));
  std::uint64_t prefix = 0;
  if (glance_prefix(order, tuple, &prefix) && prefix != entry.prefix) {
    return entry.prefix < prefix ? Place::before : Place::behind;
  }
  const int columns = Min(order.count, BTreeTupleGetNAtts(tuple, index));
  switch (compare_key(order, entry.key, tuple, columns)) {
    case KeyComparison::less:
      return Place::before;
    case KeyComparison::greater:
      return Place::behind;
    case KeyComparison::unknown:
      return Place::unknown;
    case KeyComparison::equal:
      break;
  }
  if (columns < order.count) return Place::behind;
  if (with_row) return place_by_row(entry, tuple);
  return BTreeTupleIsPivot(tuple) && BTreeTupleGetHeapTID(tuple) == nullptr ? Place::behind : Place::at;
}

Buffer find_leaf(BtreePath* path, const BtreeEntry& entry, int mode) {
  BlockNumber child = child_from_path(path, entry);
  if (!BlockNumberIsValid(child)) {
    const Buffer root = lock_root(*path);
    if (!BufferIsValid(root)) return InvalidBuffer;
    if (P_ISLEAF(btree_opaque(BufferGetPage(root)))) {
      LockBuffer(root, BUFFER_LOCK_UNLOCK);
      LockBuffer(root, mode);
      return accept_leaf(*path, root, entry);
    }
    child = extend_path(path, root, entry);
  }
  while (BlockNumberIsValid(child)) {
    const Buffer buffer = ReadBuffer(path->index, child);
    const bool is_leaf = path->pages[path->depth - 1].level == 1;
    LockBuffer(buffer, is_leaf ? mode : BUFFER_LOCK_SHARE);
    _bt_checkpage(path->index, buffer);
    if (is_leaf) return accept_leaf(*path, buffer, entry);
    child = extend_path(path, buffer, entry);
  }
  return InvalidBuffer;
}

bool belongs_on(const BtreePath& path, Page leaf, const BtreeEntry& entry) {
  return reaches(path, leaf, entry);
}

OffsetNumber find_item(const BtreePath& path, Page leaf, OffsetNumber from, const BtreeEntry& entry, Place* place) {
  OffsetNumber low = from;
  OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(leaf));
  *place = Place::before;
  while (low < high) {
    const auto middle = static_cast<OffsetNumber>(low + (high - low) / 2);
    const Place there = place_of(path.index, *path.order, entry, leaf, middle, !path.by_key);
    if (there == Place::behind) {
      low = OffsetNumberNext(middle);
      continue;
    }
    *place = there;
    if (there != Place::before) return middle;
    high = middle;
  }
  return low;
}

void release_path(BtreePath* path) {
  while (path->depth > 0) ReleaseBuffer(path->pages[--path->depth].buffer);
}

}  // namespace raceway::postgres

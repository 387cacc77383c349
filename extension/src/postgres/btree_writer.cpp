#include "postgres/btree_writer.hpp"

#include <algorithm>

#include "postgres/direct_table.hpp"

extern "C" {
#include "access/nbtxlog.h"
#include "access/xloginsert.h"
}

namespace raceway::postgres {
namespace {

Size size_of(const PendingEntry& entry) {
  return MAXALIGN(IndexTupleSize(entry.tuple));
}

BtreeEntry searchable(const BtreePath& path, const PendingEntry& pending) {
  BtreeEntry entry;
  entry.prefix = pending.prefix;
  read_btree_key(*path.order, pending.tuple, &entry.key);
  entry.row = pending.tuple->t_tid;
  return entry;
}

/// How many of the entries belong on the leaf and fit there; the first one does belong.
int count_for(const BtreePath& path, Page leaf, const PendingEntry* entries, int count) {
  Size room = PageGetExactFreeSpace(leaf);
  int fitting = 0;
  while (fitting < count) {
    const Size wanted = size_of(entries[fitting]) + sizeof(ItemIdData);
    if (wanted > room || (fitting > 0 && !belongs_on(path, leaf, searchable(path, entries[fitting])))) break;
    room -= wanted;
    ++fitting;
  }
  return fitting;
}

/// Whether a record for each of the entries takes more of the log than the page as it will be.
bool image_is_shorter(Page leaf, const PendingEntry* entries, int count) {
  constexpr Size bytes_beside_entry = SizeOfXLogRecord + 24 + SizeOfBtreeInsert;
  Size records = 0;
  Size added = 0;
  for (int at = 0; at < count; ++at) {
    records += size_of(entries[at]) + bytes_beside_entry;
    added += size_of(entries[at]) + sizeof(ItemIdData);
  }
  return records > BLCKSZ - PageGetExactFreeSpace(leaf) + added;
}

void log_entry(Buffer leaf, OffsetNumber item, IndexTuple tuple) {
  xl_btree_insert record;
  record.offnum = item;
  XLogBeginInsert();
  XLogRegisterData(reinterpret_cast<char*>(&record), SizeOfBtreeInsert);
  XLogRegisterBuffer(0, leaf, REGBUF_STANDARD);
  XLogRegisterBufData(0, reinterpret_cast<char*>(tuple), IndexTupleSize(tuple));
  const XLogRecPtr end_of_record = XLogInsert(RM_BTREE_ID, XLOG_BTREE_INSERT_LEAF);
  PageSetLSN(BufferGetPage(leaf), end_of_record);
}

void add_to_page(Page leaf, OffsetNumber item, const PendingEntry& entry) {
  if (PageAddItem(leaf, reinterpret_cast<Item>(entry.tuple), size_of(entry), item, false, false) ==
      InvalidOffsetNumber) {
    elog(PANIC, "raceway: a btree page has less room than it says");
  }
}

/// Writes each entry with a record of its own, as nbtree does. Each is logged before the next one is written: an image
/// that the log takes of the page must not hold what a later record adds.
int write_with_records(const BtreePath& path, Buffer leaf, const PendingEntry* entries, int count) {
  Page page = BufferGetPage(leaf);
  const bool is_logged = RelationNeedsWAL(path.index);
  OffsetNumber item = P_FIRSTDATAKEY(btree_opaque(page));
  int written = 0;
  for (; written < count; ++written) {
    Place place;
    item = find_item(path, page, item, searchable(path, entries[written]), &place);
    if (place != Place::before) break;
    START_CRIT_SECTION();
    add_to_page(page, item, entries[written]);
    MarkBufferDirty(leaf);
    if (is_logged) log_entry(leaf, item, entries[written].tuple);
    END_CRIT_SECTION();
    item = OffsetNumberNext(item);
  }
  return written;
}

int write_with_image(const BtreePath& path, Buffer leaf, const PendingEntry* entries, int count) {
  Page page = BufferGetPage(leaf);
  OffsetNumber item = P_FIRSTDATAKEY(btree_opaque(page));
  int written = 0;
  START_CRIT_SECTION();
  for (; written < count; ++written) {
    Place place;
    item = find_item(path, page, item, searchable(path, entries[written]), &place);
    if (place != Place::before) break;
    add_to_page(page, item, entries[written]);
    item = OffsetNumberNext(item);
  }
  if (written > 0) {
    MarkBufferDirty(leaf);
    log_newpage_buffer(leaf, true);
  }
  END_CRIT_SECTION();
  return written;
}

bool is_before(const BtreeOrder& order, IndexTuple a, IndexTuple b) {
  BtreeKey key;
  read_btree_key(order, a, &key);
  const KeyComparison by_key = compare_key(order, key, b, order.count);
  return by_key == KeyComparison::equal ? ItemPointerCompare(&a->t_tid, &b->t_tid) < 0 : by_key == KeyComparison::less;
}

}  // namespace

bool make_entries(Relation index, const BtreeOrder& order, const int16* columns, DirectRow* const* rows, int count,
                  PendingEntry* entries) {
  const TupleDesc description = RelationGetDescr(index);
  for (int at = 0; at < count; ++at) {
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    for (int column = 0; column < description->natts; ++column) {
      values[column] = rows[at]->values[columns[column] - 1];
      nulls[column] = rows[at]->nulls[columns[column] - 1];
    }
    PendingEntry& made = entries[at];
    made.row = rows[at];
    made.tuple = index_form_tuple(description, values, nulls);
    made.tuple->t_tid = rows[at]->tid;
    BtreeKey key;
    if (!read_btree_key(order, made.tuple, &key)) return false;
    made.prefix = prefix_of(order, key);
  }
  std::sort(entries, entries + count, [&order](const PendingEntry& a, const PendingEntry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : is_before(order, a.tuple, b.tuple);
  });
  return true;
}

int write_into_leaf(BtreePath* path, const PendingEntry* entries, int count) {
  const Buffer leaf = find_leaf(path, searchable(*path, entries[0]), BUFFER_LOCK_EXCLUSIVE);
  if (!BufferIsValid(leaf)) return 0;
  Page page = BufferGetPage(leaf);
  const int fitting = count_for(*path, page, entries, count);
  const bool by_image = RelationNeedsWAL(path->index) && image_is_shorter(page, entries, fitting);
  const int written =
      by_image ? write_with_image(*path, leaf, entries, fitting) : write_with_records(*path, leaf, entries, fitting);
  UnlockReleaseBuffer(leaf);
  return written;
}

}  // namespace raceway::postgres

#include "postgres/direct_table.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/sortsupport.h"
}

namespace raceway::postgres {
namespace {

/// Rows that go into the heap in one call: enough for some pages, and so few that what they are made of stays in the
/// processor's caches.
constexpr int rows_at_once = 64;
constexpr int rows_between_nudges = 4 * rows_at_once;

/// Memory that is used again by every batch: asked from the system anew, each of its pages would cost a fault. Made
/// empty when it is taken, so what an error leaves in it does not stay.
MemoryContext take_scratch(MemoryContext* scratch) {
  constexpr Size kept = Size{256} << 10U;
  if (*scratch == nullptr) {
    *scratch = AllocSetContextCreate(TopMemoryContext, "raceway scratch", kept, kept, ALLOCSET_DEFAULT_MAXSIZE);
  }
  MemoryContextReset(*scratch);
  return *scratch;
}

MemoryContext scratch_of_rows = nullptr;
MemoryContext scratch_of_entries = nullptr;

/// The values of an index entry.
struct Entry {
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
};

void fill_entry(const DirectIndex& index, const DirectRow* row, Entry* entry) {
  for (int at = 0; at < index.info->ii_NumIndexAttrs; ++at) {
    const int column = index.info->ii_IndexAttrNumbers[at] - 1;
    entry->values[at] = row->values[column];
    entry->nulls[at] = row->nulls[column];
  }
}

bool insert_entry(DirectTable* table, const DirectIndex& index, DirectRow* row, IndexUniqueCheck check) {
  Entry entry;
  fill_entry(index, row, &entry);
  return index_insert(index.relation, entry.values, entry.nulls, &row->tid, table->heap, check, false, index.info);
}

/// How the rows of one index are put in its order.
struct Order {
  const DirectIndex* index;
  SortSupport keys;
};

int compare_rows(const void* a, const void* b, void* state) {
  const auto* order = static_cast<const Order*>(state);
  const auto* row_a = *static_cast<DirectRow* const*>(a);
  const auto* row_b = *static_cast<DirectRow* const*>(b);
  for (int at = 0; at < order->index->info->ii_NumIndexKeyAttrs; ++at) {
    const int column = order->index->info->ii_IndexAttrNumbers[at] - 1;
    const int result = ApplySortComparator(row_a->values[column], row_a->nulls[column], row_b->values[column],
                                           row_b->nulls[column], &order->keys[at]);
    if (result != 0) return result;
  }
  return ItemPointerCompare(const_cast<ItemPointer>(&row_a->tid), const_cast<ItemPointer>(&row_b->tid));
}

/// Sorts rows as a btree keeps them, so that entries that go to one page go there one after the other.
void sort_for(const DirectIndex& index, DirectRow** rows, int count) {
  if (index.relation->rd_rel->relam != BTREE_AM_OID) return;
  const int keys = index.info->ii_NumIndexKeyAttrs;
  auto* support = static_cast<SortSupport>(palloc0(sizeof(SortSupportData) * keys));
  for (int at = 0; at < keys; ++at) {
    const int16 option = index.relation->rd_indoption[at];
    const bool descending = (option & INDOPTION_DESC) != 0;
    support[at].ssup_cxt = CurrentMemoryContext;
    support[at].ssup_collation = index.relation->rd_indcollation[at];
    support[at].ssup_nulls_first = (option & INDOPTION_NULLS_FIRST) != 0;
    support[at].ssup_attno = static_cast<AttrNumber>(at + 1);
    support[at].abbreviate = false;
    PrepareSortSupportFromIndexRel(index.relation, descending ? BTGreaterStrategyNumber : BTLessStrategyNumber,
                                   &support[at]);
  }
  Order order = {&index, support};
  qsort_arg(rows, static_cast<std::size_t>(count), sizeof(DirectRow*), compare_rows, &order);
}

enum class RowState { none, settled, open };

struct FoundRow {
  RowState state;
  // Where it is open: the transaction that wrote or deletes it, and the token of an INSERT .. ON CONFLICT in its
  // middle.
  TransactionId writer;
  uint32 speculation;
  ItemPointerData tid;
};

/// Looks once for a row under `key` other than `own` (which may be null). A settled one is left in `slot`.
FoundRow look_for_row(DirectTable* table, const DirectKey& key, ItemPointer own, TupleTableSlot* slot) {
  SnapshotData dirty;
  InitDirtySnapshot(dirty);
  ScanKeyData scan_keys[direct_key_columns_max];
  const int columns = table->key.info->ii_NumIndexKeyAttrs;
  for (int at = 0; at < columns; ++at) {
    const auto attribute = static_cast<AttrNumber>(at + 1);
    ScanKeyInit(&scan_keys[at], attribute, BTEqualStrategyNumber, at == 0 ? F_TEXTEQ : F_TIMESTAMP_EQ, key.values[at]);
    scan_keys[at].sk_collation = table->key.relation->rd_indcollation[at];
  }
  FoundRow found = {};
  IndexScanDesc scan = index_beginscan(table->heap, table->key.relation, &dirty, columns, 0);
  index_rescan(scan, scan_keys, columns, nullptr, 0);
  while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
    if (own != nullptr && ItemPointerEquals(own, &slot->tts_tid)) continue;
    const TransactionId writer = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
    found = {TransactionIdIsValid(writer) ? RowState::open : RowState::settled, writer, dirty.speculativeToken,
             slot->tts_tid};
    if (found.state == RowState::settled) break;  // whatever others try under this key is in vain
  }
  if (found.state == RowState::settled) {
    ExecMaterializeSlot(slot);
  } else {
    ExecClearTuple(slot);
  }
  index_endscan(scan);
  return found;
}

/// Deletes a row that this command wrote.
void delete_own_row(DirectTable* table, DirectRow* row) {
  // A command cannot delete what it wrote itself; the next one can.
  CommandCounterIncrement();
  simple_heap_delete(table->heap, &row->tid);
}

DirectKey key_of(const DirectTable* table, const DirectRow* row) {
  DirectKey key = {};
  const IndexInfo* info = table->key.info;
  for (int at = 0; at < info->ii_NumIndexKeyAttrs; ++at)
    key.values[at] = row->values[info->ii_IndexAttrNumbers[at] - 1];
  return key;
}

/// Adds the entry of the primary key of a row that is in the heap.
KeyOutcome add_key(DirectTable* table, DirectRow* row, TupleTableSlot* slot) {
  if (insert_entry(table, table->key, row, UNIQUE_CHECK_PARTIAL)) return KeyOutcome::added;
  // "None" is contested, too: the other row may be gone, or only have moved while we looked.
  if (look_for_row(table, key_of(table, row), &row->tid, slot).state != RowState::settled) return KeyOutcome::contested;
  // A row that comes and goes in one transaction is decoded as both, and its coming fails at a subscriber.
  if (RelationIsLogicallyLogged(table->heap)) return KeyOutcome::contested;
  delete_own_row(table, row);
  return KeyOutcome::stands_already;
}

/// Wakes the process that writes the log for those who do not wait: what a large batch has logged so far goes to the
/// disk while the batch goes on, and its commit has the less to wait for.
void nudge_log_writer() {
  XLogSetAsyncXactLSN(GetXLogInsertRecPtr());
}

DirectIndex open_index(Oid oid) {
  DirectIndex index = {};
  index.relation = index_open(oid, RowExclusiveLock);
  index.info = BuildIndexInfo(index.relation);
  // One that is still to be built has no page yet to read its version from.
  index.has_order = index.info->ii_ReadyForInserts && find_btree_order(index.relation, &index.order);
  return index;
}

BtreePath path_into(DirectTable* table, const DirectIndex& index) {
  BtreePath path = {};
  path.index = index.relation;
  path.heap = table->heap;
  path.order = &index.order;
  path.by_key = &index == &table->key;
  return path;
}

/// The rows' entries in the index's order; null where they must go one by one.
PendingEntry* make_pending(const DirectIndex& index, DirectRow* const* rows, int count) {
  if (!index.has_order || count == 0) return nullptr;
  const MemoryContext outer = MemoryContextSwitchTo(take_scratch(&scratch_of_entries));
  auto* entries = static_cast<PendingEntry*>(palloc(sizeof(PendingEntry) * static_cast<Size>(count)));
  const bool made = make_entries(index.relation, index.order, index.info->ii_IndexAttrNumbers, rows, count, entries);
  MemoryContextSwitchTo(outer);
  return made ? entries : nullptr;
}

void insert_in_order(DirectTable* table, const DirectIndex& index, const PendingEntry* entries, int count) {
  BtreePath path = path_into(table, index);
  for (int done = 0; done < count;) {
    CHECK_FOR_INTERRUPTS();
    const int written = write_into_leaf(&path, entries + done, count - done);
    if (written == 0) insert_entry(table, index, entries[done].row, UNIQUE_CHECK_NO);
    done += Max(written, 1);
  }
  release_path(&path);
}

void insert_one_by_one(DirectTable* table, const DirectIndex& index, DirectRow** rows, int count) {
  sort_for(index, rows, count);
  for (int at = 0; at < count; ++at) {
    CHECK_FOR_INTERRUPTS();
    insert_entry(table, index, rows[at], UNIQUE_CHECK_NO);
  }
}

}  // namespace

DirectTable* open_direct_table(Oid relation) {
  auto* table = static_cast<DirectTable*>(palloc0(sizeof(DirectTable)));
  table->heap = table_open(relation, RowExclusiveLock);
  // With the constraints: old rows take the values of columns that were added later from them.
  table->description = CreateTupleDescCopyConstr(RelationGetDescr(table->heap));
  List* indexes = RelationGetIndexList(table->heap);
  // Of this moment: opening an index may have the cache forget it until it is asked again.
  const Oid key = table->heap->rd_pkindex;
  table->others = static_cast<DirectIndex*>(palloc0(sizeof(DirectIndex) * (list_length(indexes) + 1)));
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    const Oid oid = lfirst_oid(cell);
    const DirectIndex index = open_index(oid);
    if (oid == key) {
      table->key = index;
    } else if (index.info->ii_ReadyForInserts) {
      table->others[table->other_count++] = index;
    } else {
      // CREATE INDEX CONCURRENTLY began after the layout was judged; it waits for us before it reads the table.
      index_close(index.relation, NoLock);
    }
  }
  list_free(indexes);
  return table;
}

void close_direct_table(DirectTable* table) {
  for (int at = 0; at < table->other_count; ++at) index_close(table->others[at].relation, NoLock);
  index_close(table->key.relation, NoLock);
  table_close(table->heap, NoLock);
}

TupleTableSlot* make_row_slot(DirectTable* table) {
  return MakeSingleTupleTableSlot(table->description, &TTSOpsBufferHeapTuple);
}

bool find_standing_row(DirectTable* table, const DirectKey& key, TupleTableSlot* slot) {
  while (true) {
    FoundRow found = look_for_row(table, key, nullptr, slot);
    if (found.state != RowState::open) return found.state == RowState::settled;
    if (found.speculation != 0) {
      SpeculativeInsertionWait(found.writer, found.speculation);
    } else {
      XactLockTableWait(found.writer, table->heap, &found.tid, XLTW_InsertIndex);
    }
    CHECK_FOR_INTERRUPTS();
  }
}

KeyProbe begin_probe(DirectTable* table) {
  return {table, path_into(table, table->key)};
}

bool may_stand(KeyProbe* probe, const DirectKey& key) {
  const DirectIndex& index = probe->table->key;
  if (!index.has_order) return true;
  BtreeEntry entry = {};
  read_btree_values(index.order, key.values, &entry.key);
  entry.prefix = prefix_of(index.order, entry.key);
  const Buffer leaf = find_leaf(&probe->path, entry, BUFFER_LOCK_SHARE);
  if (!BufferIsValid(leaf)) return true;
  Page page = BufferGetPage(leaf);
  Place place;
  find_item(probe->path, page, P_FIRSTDATAKEY(btree_opaque(page)), entry, &place);
  UnlockReleaseBuffer(leaf);
  return place != Place::before;
}

void insert_into_heap(DirectTable* table, DirectRow* const* rows, int count) {
  const MemoryContext scratch = take_scratch(&scratch_of_rows);
  const int slots_wanted = Min(count, rows_at_once);
  auto** slots = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * static_cast<Size>(slots_wanted)));
  for (int at = 0; at < slots_wanted; ++at) slots[at] = MakeSingleTupleTableSlot(table->description, &TTSOpsHeapTuple);
  for (int from = 0; from < count; from += slots_wanted) {
    CHECK_FOR_INTERRUPTS();
    const int size = Min(slots_wanted, count - from);
    const MemoryContext outer = MemoryContextSwitchTo(scratch);
    for (int at = 0; at < size; ++at) {
      DirectRow* row = rows[from + at];
      ExecForceStoreHeapTuple(heap_form_tuple(table->description, row->values, row->nulls), slots[at], false);
    }
    table_multi_insert(table->heap, slots, size, GetCurrentCommandId(true), 0, nullptr);
    MemoryContextSwitchTo(outer);
    for (int at = 0; at < size; ++at) {
      rows[from + at]->tid = slots[at]->tts_tid;
      ExecClearTuple(slots[at]);
    }
    MemoryContextReset(scratch);
    if (RelationNeedsWAL(table->heap) && (from + size) % rows_between_nudges == 0) nudge_log_writer();
  }
  for (int at = 0; at < slots_wanted; ++at) ExecDropSingleTupleTableSlot(slots[at]);
}

PendingKeys begin_keys(DirectTable* table, DirectRow* const* rows, int count) {
  return {make_pending(table->key, rows, count), rows, count, 0};
}

RefusedKey add_keys(DirectTable* table, PendingKeys* keys, TupleTableSlot* slot) {
  BtreePath path = path_into(table, table->key);
  RefusedKey refused = {nullptr, KeyOutcome::added};
  while (keys->done < keys->count && refused.row == nullptr) {
    CHECK_FOR_INTERRUPTS();
    int written = 0;
    if (keys->entries != nullptr) {
      written = write_into_leaf(&path, keys->entries + keys->done, keys->count - keys->done);
    }
    if (written == 0) {
      DirectRow* row = keys->entries != nullptr ? keys->entries[keys->done].row : keys->rows[keys->done];
      const KeyOutcome outcome = add_key(table, row, slot);
      if (outcome != KeyOutcome::added) refused = {row, outcome};
      written = 1;
    }
    keys->done += written;
  }
  release_path(&path);
  return refused;
}

void insert_other_keys(DirectTable* table, DirectRow** rows, int count) {
  for (int at = 0; at < table->other_count; ++at) {
    const DirectIndex& index = table->others[at];
    const PendingEntry* entries = make_pending(index, rows, count);
    if (entries != nullptr) {
      insert_in_order(table, index, entries, count);
    } else {
      insert_one_by_one(table, index, rows, count);
    }
  }
}

}  // namespace raceway::postgres

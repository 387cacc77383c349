#include "postgres/direct_table.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "postgres/versions.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace raceway::postgres {
namespace {

/// Rows that go into the heap in one call: enough for some pages, and so few that what they are made of stays in the
/// processor's caches.
constexpr int rows_at_once = 64;

/// Memory that is used again by every batch: asked from the system anew, each of its pages would cost a fault. Made
/// empty when it is taken, so what an error leaves in it does not stay.
MemoryContext take_scratch() {
  constexpr Size kept = Size{256} << 10U;
  static MemoryContext scratch = nullptr;
  if (scratch == nullptr) {
    scratch = AllocSetContextCreate(TopMemoryContext, "raceway rows", kept, kept, ALLOCSET_DEFAULT_MAXSIZE);
  }
  MemoryContextReset(scratch);
  return scratch;
}

bool insert_entry(DirectTable* table, const DirectIndex& index, DirectRow* row, IndexUniqueCheck check,
                  bool same_as_before = false) {
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  for (int at = 0; at < index.info->ii_NumIndexAttrs; ++at) {
    const int column = index.info->ii_IndexAttrNumbers[at] - 1;
    values[at] = row->values[column];
    nulls[at] = row->nulls[column];
  }
  return index_insert(index.relation, values, nulls, &row->tid, table->heap, check, same_as_before, index.info);
}

/// The first eight bytes as a number that is ordered as they are; fewer are filled up with zeros.
std::uint64_t first_bytes(const text* value) {
  std::uint64_t bytes = 0;
  memcpy(&bytes, VARDATA_ANY(value), Min(VARSIZE_ANY_EXHDR(value), sizeof bytes));
  return std::endian::native == std::endian::little ? __builtin_bswap64(bytes) : bytes;
}

int compare_bytes(Datum a, Datum b) {
  const auto* const one = reinterpret_cast<const text*>(DatumGetPointer(a));
  const auto* const other = reinterpret_cast<const text*>(DatumGetPointer(b));
  const std::size_t of_one = VARSIZE_ANY_EXHDR(one);
  const std::size_t of_other = VARSIZE_ANY_EXHDR(other);
  const int result = memcmp(VARDATA_ANY(one), VARDATA_ANY(other), Min(of_one, of_other));
  if (result != 0) return result;
  return of_one < of_other ? -1 : static_cast<int>(of_one > of_other);
}

/// A row and what mostly tells its place in an index.
struct RowInOrder {
  std::uint64_t prefix;
  DirectRow* row;
};

/// Puts rows in the order of the index's first column, then of the rows themselves, so that entries that go to one page
/// go there one after the other. Texts by their bytes, which is the order of the ids; other types than texts and times
/// keep the order of the rows. The order matters to nothing but speed.
void sort_for(const DirectTable* table, const DirectIndex& index, DirectRow** rows, int count) {
  const int column = index.info->ii_IndexAttrNumbers[0] - 1;
  const Oid type = TupleDescAttr(table->description, column)->atttypid;
  const bool is_text = type == VARCHAROID;
  if (!is_text && type != TIMESTAMPOID) return;
  const auto prefix_of = [&](const DirectRow* row) {
    if (row->nulls[column]) return PG_UINT64_MAX;
    const Datum value = row->values[column];
    if (is_text) return first_bytes(reinterpret_cast<const text*>(DatumGetPointer(value)));
    return static_cast<std::uint64_t>(DatumGetInt64(value)) ^ std::uint64_t{1} << 63U;
  };
  auto* const sorted =
      static_cast<RowInOrder*>(palloc_extended(sizeof(RowInOrder) * static_cast<Size>(count), MCXT_ALLOC_HUGE));
  for (int at = 0; at < count; ++at) sorted[at] = {prefix_of(rows[at]), rows[at]};
  std::sort(sorted, sorted + count, [=](const RowInOrder& a, const RowInOrder& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    if (is_text && !a.row->nulls[column] && !b.row->nulls[column]) {
      const int result = compare_bytes(a.row->values[column], b.row->values[column]);
      if (result != 0) return result < 0;
    }
    return ItemPointerCompare(&a.row->tid, &b.row->tid) < 0;
  });
  for (int at = 0; at < count; ++at) rows[at] = sorted[at].row;
  pfree(sorted);
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

/// Looks once for a row under `key` other than `own` (which may be null). A settled one is left in the table's slot.
FoundRow look_for_row(KeySearch* search, const DirectKey& key, ItemPointer own) {
  TupleTableSlot* const slot = search->table->slot;
  const int columns = search->table->key.info->ii_NumIndexKeyAttrs;
  for (int at = 0; at < columns; ++at) search->keys[at].sk_argument = key.values[at];
  index_rescan(search->scan, search->keys, columns, nullptr, 0);
  FoundRow found = {};
  while (index_getnext_slot(search->scan, ForwardScanDirection, slot)) {
    if (own != nullptr && ItemPointerEquals(own, &slot->tts_tid)) continue;
    const SnapshotData& seen = search->snapshot;
    const TransactionId writer = TransactionIdIsValid(seen.xmin) ? seen.xmin : seen.xmax;
    found = {TransactionIdIsValid(writer) ? RowState::open : RowState::settled, writer, seen.speculativeToken,
             slot->tts_tid};
    if (found.state == RowState::settled) break;  // whatever others try under this key is in vain
  }
  if (found.state == RowState::settled) {
    ExecMaterializeSlot(slot);
  } else {
    ExecClearTuple(slot);
  }
  return found;
}

/// Deletes a row that this command wrote.
void delete_own_row(DirectTable* table, DirectRow* row) {
  // A command cannot delete what it wrote itself; the next one can.
  CommandCounterIncrement();
  simple_table_tuple_delete(table->heap, &row->tid, GetActiveSnapshot());
}

DirectKey key_of(const DirectTable* table, const DirectRow* row) {
  DirectKey key = {};
  const IndexInfo* info = table->key.info;
  for (int at = 0; at < info->ii_NumIndexKeyAttrs; ++at)
    key.values[at] = row->values[info->ii_IndexAttrNumbers[at] - 1];
  return key;
}

bool stands_under_another_row(DirectTable* table, DirectRow* row) {
  KeySearch search;
  begin_search(&search, table);
  const bool is_settled = look_for_row(&search, key_of(table, row), &row->tid).state == RowState::settled;
  end_search(&search);
  return is_settled;
}

/// Adds the entry of the primary key of a row that is in the heap.
KeyOutcome add_key(DirectTable* table, DirectRow* row) {
  if (insert_entry(table, table->key, row, UNIQUE_CHECK_PARTIAL)) return KeyOutcome::added;
  // "None" is contested, too: the other row may be gone, or only have moved while we looked.
  if (!stands_under_another_row(table, row)) return KeyOutcome::contested;
  // A row that comes and goes in one transaction is decoded as both, and its coming fails at a subscriber.
  if (RelationIsLogicallyLogged(table->heap)) return KeyOutcome::contested;
  delete_own_row(table, row);
  return KeyOutcome::stands_already;
}

/// Whether the version has the index's values from the row that was found. Those that it was given are other datums.
bool is_unchanged(const DirectIndex& index, const TupleTableSlot* found, const DirectRow* version) {
  for (int at = 0; at < index.info->ii_NumIndexKeyAttrs; ++at) {
    const int column = index.info->ii_IndexAttrNumbers[at] - 1;
    if (found->tts_isnull[column] != version->nulls[column]) return false;
    if (found->tts_values[column] != version->values[column]) return false;
  }
  return true;
}

}  // namespace

DirectTable* open_direct_table(Oid relation) {
  auto* table = static_cast<DirectTable*>(palloc0(sizeof(DirectTable)));
  table->heap = table_open(relation, RowExclusiveLock);
  // With the constraints: old rows take the values of columns that were added later from them.
  table->description = CreateTupleDescCopyConstr(RelationGetDescr(table->heap));
  table->slot = MakeSingleTupleTableSlot(table->description, &TTSOpsBufferHeapTuple);
  List* indexes = RelationGetIndexList(table->heap);
  // Of this moment: opening an index may have the cache forget it until it is asked again.
  const Oid key = table->heap->rd_pkindex;
  table->others = static_cast<DirectIndex*>(palloc0(sizeof(DirectIndex) * (list_length(indexes) + 1)));
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    const Oid oid = lfirst_oid(cell);
    Relation index = index_open(oid, RowExclusiveLock);
    const DirectIndex opened = {index, BuildIndexInfo(index)};
    if (oid == key) {
      table->key = opened;
    } else if (opened.info->ii_ReadyForInserts) {
      table->others[table->other_count++] = opened;
    } else {
      // CREATE INDEX CONCURRENTLY began after the layout was judged; it waits for us before it reads the table.
      index_close(index, NoLock);
    }
  }
  list_free(indexes);
  return table;
}

void close_direct_table(DirectTable* table) {
  for (int at = -1; at < table->other_count; ++at) {
    const DirectIndex& index = at < 0 ? table->key : table->others[at];
    end_insertions(index.relation, index.info);
    index_close(index.relation, NoLock);
  }
  ExecDropSingleTupleTableSlot(table->slot);
  table_close(table->heap, NoLock);
}

void begin_search(KeySearch* search, DirectTable* table) {
  search->table = table;
  InitDirtySnapshot(search->snapshot);
  const int columns = table->key.info->ii_NumIndexKeyAttrs;
  for (int at = 0; at < columns; ++at) {
    const auto attribute = static_cast<AttrNumber>(at + 1);
    ScanKeyInit(&search->keys[at], attribute, BTEqualStrategyNumber, at == 0 ? F_TEXTEQ : F_TIMESTAMP_EQ, Datum{0});
    search->keys[at].sk_collation = table->key.relation->rd_indcollation[at];
  }
  search->scan = begin_index_scan(table->heap, table->key.relation, &search->snapshot, columns);
}

void end_search(KeySearch* search) {
  index_endscan(search->scan);
}

bool find_standing_row(KeySearch* search, const DirectKey& key) {
  while (true) {
    FoundRow found = look_for_row(search, key, nullptr);
    if (found.state != RowState::open) return found.state == RowState::settled;
    // Who waits holds no page.
    index_rescan(search->scan, search->keys, search->scan->numberOfKeys, nullptr, 0);
    if (found.speculation != 0) {
      SpeculativeInsertionWait(found.writer, found.speculation);
    } else {
      XactLockTableWait(found.writer, search->table->heap, &found.tid, XLTW_InsertIndex);
    }
    CHECK_FOR_INTERRUPTS();
  }
}

void insert_into_heap(DirectTable* table, DirectRow* const* rows, int count) {
  const MemoryContext scratch = take_scratch();
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
  }
  for (int at = 0; at < slots_wanted; ++at) ExecDropSingleTupleTableSlot(slots[at]);
}

PendingKeys begin_keys(DirectTable* table, DirectRow** rows, int count) {
  sort_for(table, table->key, rows, count);
  return {rows, count, 0};
}

RefusedKey add_keys(DirectTable* table, PendingKeys* keys) {
  while (keys->done < keys->count) {
    CHECK_FOR_INTERRUPTS();
    DirectRow* row = keys->rows[keys->done++];
    const KeyOutcome outcome = add_key(table, row);
    if (outcome != KeyOutcome::added) return {row, outcome};
  }
  return {nullptr, KeyOutcome::added};
}

void insert_other_keys(DirectTable* table, DirectRow** rows, int count) {
  for (int at = 0; at < table->other_count; ++at) {
    sort_for(table, table->others[at], rows, count);
    for (int row = 0; row < count; ++row) {
      CHECK_FOR_INTERRUPTS();
      insert_entry(table, table->others[at], rows[row], UNIQUE_CHECK_NO);
    }
  }
}

bool update_found_row(DirectTable* table, DirectRow* version) {
  TupleTableSlot* slot = MakeSingleTupleTableSlot(table->description, &TTSOpsHeapTuple);
  const auto columns = static_cast<Size>(table->description->natts);
  memcpy(slot->tts_values, version->values, sizeof(Datum) * columns);
  memcpy(slot->tts_isnull, version->nulls, sizeof(bool) * columns);
  ExecStoreVirtualTuple(slot);
  NewEntries wanted = NewEntries::none;
  const TM_Result result = update_row(table->heap, &table->slot->tts_tid, slot, &wanted);
  version->tid = slot->tts_tid;
  ExecDropSingleTupleTableSlot(slot);
  if (result == TM_Updated || result == TM_Deleted) return false;
  if (result != TM_Ok) elog(ERROR, "cannot update a row: table_tuple_update answers %d", result);
  for (int at = -1; at < table->other_count && wanted != NewEntries::none; ++at) {
    const DirectIndex& index = at < 0 ? table->key : table->others[at];
    if (wanted == NewEntries::of_summaries && !is_summary(index.relation)) continue;
    insert_entry(table, index, version, at < 0 ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO,
                 is_unchanged(index, table->slot, version));
  }
  return true;
}

}  // namespace raceway::postgres

#include "postgres/trace_rollup.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/int.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace raceway::postgres {
namespace {

/// Inserts the rows. False where one of them is contested, or was made by others since it was looked for.
bool insert_traces(DirectTable* traces, TupleTableSlot* slot, TraceGrowth* const* growths, int count,
                   const Default& created_at) {
  auto* rows = static_cast<DirectRow*>(palloc0(sizeof(DirectRow) * static_cast<Size>(count)));
  auto** pointers = static_cast<DirectRow**>(palloc(sizeof(DirectRow*) * static_cast<Size>(count)));
  for (int at = 0; at < count; ++at) {
    const TraceGrowth& growth = *growths[at];
    DirectRow& row = *(pointers[at] = &rows[at]);
    row.values[id_of_trace] = growth.trace_id;
    row.values[service_name] = growth.service_name;
    row.nulls[service_name] = !growth.has_service;
    row.values[start_time] = TimestampGetDatum(growth.start_time);
    row.values[end_time] = TimestampGetDatum(growth.end_time);
    row.values[event_count] = Int32GetDatum(growth.event_count);
    row.values[trace_created_at] = created_at.value;
    row.nulls[trace_created_at] = created_at.is_null;
  }
  insert_into_heap(traces, pointers, count);
  PendingKeys keys = begin_keys(traces, pointers, count);
  if (add_keys(traces, &keys, slot).row != nullptr) return false;
  insert_other_keys(traces, pointers, count);
  return true;
}

enum class NewEntries { none, of_summaries, all };

bool takes_entries(const DirectIndex& index, NewEntries wanted) {
#if PG_VERSION_NUM >= 160000
  return wanted == NewEntries::all || index.relation->rd_indam->amsummarizing;
#else
  static_cast<void>(index);
  return wanted == NewEntries::all;
#endif
}

/// Adds the entries of a row's new version to the indexes that need them.
void insert_entries_of_version(DirectTable* traces, HeapTuple version, NewEntries wanted) {
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  for (int at = -1; at < traces->other_count; ++at) {
    const DirectIndex& index = at < 0 ? traces->key : traces->others[at];
    if (!takes_entries(index, wanted)) continue;
    for (int column = 0; column < index.info->ii_NumIndexAttrs; ++column) {
      values[column] =
          heap_getattr(version, index.info->ii_IndexAttrNumbers[column], traces->description, &nulls[column]);
    }
    index_insert(index.relation, values, nulls, &version->t_self, traces->heap,
                 at < 0 ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, at < 0, index.info);
  }
}

/// Writes the version; its tid is set. Answers which indexes need entries for it.
NewEntries write_version(Relation heap, ItemPointer old, HeapTuple version) {
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes update;
  simple_heap_update(heap, old, version, &update);
  if (update == TU_Summarizing) return NewEntries::of_summaries;
  return update == TU_All ? NewEntries::all : NewEntries::none;
#else
  simple_heap_update(heap, old, version);
  return HeapTupleIsHeapOnly(version) ? NewEntries::none : NewEntries::all;
#endif
}

/// As SQL adds.
int32 added(int32 a, int32 b) {
  int32 sum = 0;
  if (pg_add_s32_overflow(a, b, &sum)) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("integer out of range")));
  }
  return sum;
}

/// Updates the row in `slot`, which is locked.
void update_trace(DirectTable* traces, TupleTableSlot* slot, TraceGrowth* growth) {
  Datum values[trace_columns] = {};
  bool nulls[trace_columns] = {};
  bool changed[trace_columns] = {};
  const auto old = [slot](int column, bool* is_null) { return slot_getattr(slot, column + 1, is_null); };
  const auto set = [&](int column, Datum value, bool is_null = false) {
    values[column] = value;
    nulls[column] = is_null;
    changed[column] = true;
  };

  bool is_null = false;
  int32 count = DatumGetInt32(old(event_count, &is_null));
  if (is_null) count = 0;
  set(event_count, Int32GetDatum(added(count, growth->event_count)));
  const Timestamp start = DatumGetTimestamp(old(start_time, &is_null));
  growth->is_tie = count > 0 && (is_null || start == growth->start_time);
  if (is_null || growth->start_time < start) {
    set(start_time, TimestampGetDatum(growth->start_time));
    set(service_name, growth->service_name, !growth->has_service);
  }
  const Timestamp end = DatumGetTimestamp(old(end_time, &is_null));
  if (is_null || growth->end_time > end) set(end_time, TimestampGetDatum(growth->end_time));

  bool should_free = false;
  HeapTuple tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);
  HeapTuple version = heap_modify_tuple(tuple, traces->description, values, nulls, changed);
  ItemPointerData tid = slot->tts_tid;
  const NewEntries wanted = write_version(traces->heap, &tid, version);
  if (wanted != NewEntries::none) insert_entries_of_version(traces, version, wanted);
  heap_freetuple(version);
  if (should_free) heap_freetuple(tuple);
}

/// Locks and updates the trace's row. False where there is none.
bool grow_standing_trace(DirectTable* traces, TupleTableSlot* slot, TraceGrowth* growth) {
  while (find_standing_row(traces, {{growth->trace_id}}, slot)) {
    CHECK_FOR_INTERRUPTS();
    ItemPointerData tid = slot->tts_tid;
    TM_FailureData failure;
    const TM_Result locked = table_tuple_lock(traces->heap, &tid, GetActiveSnapshot(), slot, GetCurrentCommandId(false),
                                              LockTupleNoKeyExclusive, LockWaitBlock, 0, &failure);
    if (locked == TM_Ok) {
      update_trace(traces, slot, growth);
      ExecClearTuple(slot);
      return true;
    }
    // Updated or deleted by one who was faster: look again.
    if (locked != TM_Updated && locked != TM_Deleted) {
      elog(ERROR, "cannot lock a trace: table_tuple_lock answers %d", locked);
    }
    ExecClearTuple(slot);
  }
  return false;
}

}  // namespace

bool grow_traces(DirectTable* traces, TupleTableSlot* slot, TraceGrowth* growths, int count,
                 const Default& created_at) {
  auto* may_be_there = static_cast<bool*>(palloc(static_cast<Size>(count)));
  KeyProbe probe = begin_probe(traces);
  for (int at = 0; at < count; ++at) may_be_there[at] = may_stand(&probe, {{growths[at].trace_id}});
  release_path(&probe.path);

  auto** fresh = static_cast<TraceGrowth**>(palloc(sizeof(TraceGrowth*) * static_cast<Size>(count)));
  int fresh_count = 0;
  for (int at = 0; at < count; ++at) {
    if (!may_be_there[at] || !grow_standing_trace(traces, slot, &growths[at])) fresh[fresh_count++] = &growths[at];
  }
  return fresh_count == 0 || insert_traces(traces, slot, fresh, fresh_count, created_at);
}

}  // namespace raceway::postgres

#include "postgres/trace_rollup.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xact.h"
#include "common/int.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace raceway::postgres {
namespace {

/// Inserts the rows. False where one of them is contested, or was made by others since it was looked for.
bool insert_traces(DirectTable* traces, TraceGrowth* const* growths, int count, Timestamp created_at) {
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
    row.values[trace_created_at] = TimestampGetDatum(created_at);
  }
  insert_into_heap(traces, pointers, count);
  PendingKeys keys = begin_keys(traces, pointers, count);
  if (add_keys(traces, &keys).row != nullptr) return false;
  insert_other_keys(traces, pointers, count);
  return true;
}

/// As SQL adds.
int32 added(int32 a, int32 b) {
  int32 sum = 0;
  if (pg_add_s32_overflow(a, b, &sum)) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("integer out of range")));
  }
  return sum;
}

/// The trace's row as it is to be; `old` is its locked row, which it refers to.
DirectRow grown_row(TupleTableSlot* old, TraceGrowth* growth) {
  DirectRow row = {};
  slot_getallattrs(old);
  memcpy(row.values, old->tts_values, sizeof(Datum) * trace_columns);
  memcpy(row.nulls, old->tts_isnull, sizeof(bool) * trace_columns);
  const auto set = [&](int column, Datum value, bool is_null = false) {
    row.values[column] = value;
    row.nulls[column] = is_null;
  };
  const int32 count = row.nulls[event_count] ? 0 : DatumGetInt32(row.values[event_count]);
  set(event_count, Int32GetDatum(added(count, growth->event_count)));
  const Timestamp start = DatumGetTimestamp(row.values[start_time]);
  growth->is_tie = count > 0 && (row.nulls[start_time] || start == growth->start_time);
  if (row.nulls[start_time] || growth->start_time < start) {
    set(start_time, TimestampGetDatum(growth->start_time));
    set(service_name, growth->service_name, !growth->has_service);
  }
  if (row.nulls[end_time] || growth->end_time > DatumGetTimestamp(row.values[end_time])) {
    set(end_time, TimestampGetDatum(growth->end_time));
  }
  return row;
}

/// Updates the trace's row. False where there is none.
bool grow_standing_trace(KeySearch* search, TraceGrowth* growth) {
  DirectTable* const traces = search->table;
  while (find_standing_row(search, {{growth->trace_id}})) {
    DirectRow row = grown_row(traces->slot, growth);
    if (update_found_row(traces, &row)) return true;
    CHECK_FOR_INTERRUPTS();  // updated or deleted by one who was faster: look again
  }
  return false;
}

}  // namespace

bool grow_traces(DirectTable* traces, TraceGrowth* growths, int count, Timestamp created_at) {
  auto** fresh = static_cast<TraceGrowth**>(palloc(sizeof(TraceGrowth*) * static_cast<Size>(count)));
  int fresh_count = 0;
  KeySearch search;
  begin_search(&search, traces);
  for (int at = 0; at < count; ++at) {
    if (!grow_standing_trace(&search, &growths[at])) fresh[fresh_count++] = &growths[at];
  }
  end_search(&search);
  return fresh_count == 0 || insert_traces(traces, fresh, fresh_count, created_at);
}

}  // namespace raceway::postgres

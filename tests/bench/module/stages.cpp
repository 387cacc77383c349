// Writing events up to a stage of the direct way, and no further: a module of PostgreSQL's for the benchmarks alone.
// What it writes breaks the promises of the tables (events without their traces), which are emptied afterwards.
#include "postgres/boundary.hpp"
#include "postgres/direct_table.hpp"
#include "postgres/ingest_layout.hpp"
#include "postgres/ingest_rows.hpp"
#include "postgres/native_formats.hpp"
#include "postgres/reading_memory.hpp"
#include "wire/batch.hpp"

#pragma GCC visibility push(default)
extern "C" {
#include "access/xact.h"
PG_MODULE_MAGIC;
}
#pragma GCC visibility pop

namespace raceway::postgres {
namespace {

enum class Stage { read, rows, heap, entries };

void write(std::vector<DirectRow>& rows, Stage last) {
  std::vector<DirectRow*> pointers;
  for (auto& row : rows) pointers.push_back(&row);
  const int count = static_cast<int>(pointers.size());
  const DirectLayout layout = pg_call([] { return find_direct_layout(); });
  if (layout.obstacle != nullptr) throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, layout.obstacle);
  pg_call([&] {
    DirectTable* const table = open_direct_table(layout.events);
    insert_into_heap(table, pointers.data(), count);
    if (last == Stage::entries) {
      PendingKeys keys = begin_keys(table, pointers.data(), count);
      if (add_keys(table, &keys).row != nullptr) elog(ERROR, "an event is there already");
      insert_other_keys(table, pointers.data(), count);
    }
    close_direct_table(table);
  });
}

/// How many events the body has.
Datum store(FunctionCallInfo fcinfo, Stage last) {
  [[maybe_unused]] static const bool is_ready = (check_native_formats(), true);
  const bytea* const body = PG_GETARG_BYTEA_PP(0);
  wire::Allowance allowance(reading_memory(), check_for_interrupts);
  const wire::Batch batch = wire::read_batch({VARDATA_ANY(body), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(body))},
                                             {.allowance = &allowance});
  std::vector<const wire::Event*> events;
  for (const auto& event : batch.events) events.push_back(&event);
  if (last != Stage::read) {
    EventRows rows(events, GetCurrentTransactionStartTimestamp());
    if (last != Stage::rows) write(rows.rows(), last);
  }
  return Int64GetDatum(static_cast<std::int64_t>(events.size()));
}

}  // namespace
}  // namespace raceway::postgres

RACEWAY_FUNCTION(bench_read) {
  return raceway::postgres::store(fcinfo, raceway::postgres::Stage::read);
}

RACEWAY_FUNCTION(bench_rows) {
  return raceway::postgres::store(fcinfo, raceway::postgres::Stage::rows);
}

RACEWAY_FUNCTION(bench_heap) {
  return raceway::postgres::store(fcinfo, raceway::postgres::Stage::heap);
}

RACEWAY_FUNCTION(bench_entries) {
  return raceway::postgres::store(fcinfo, raceway::postgres::Stage::entries);
}

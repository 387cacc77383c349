#include "postgres/row_contents.hpp"

#include <cstdint>

#include "postgres/ingest_layout.hpp"
#include "wire/reasons.hpp"

extern "C" {
#include "access/detoast.h"
#include "utils/fmgrprotos.h"
}

namespace raceway::postgres {
namespace {

struct ContentColumn {
  EventColumn column;
  const char* name;
};

constexpr ContentColumn content_columns[] = {
    {kind, "kind"},         {timestamp, "timestamp"},       {duration_ms, "duration_ms"},
    {location, "location"}, {vector_clock, "vector_clock"}, {metadata, "metadata"}};

/// Values of variable length, of which ours is in memory as it was made.
bool differ(Datum standing, Datum ours, bool is_jsonb) {
  const Size our_size = VARSIZE_ANY_EXHDR(DatumGetPointer(ours));
  // Equal jsonbs may have numbers of another scale, which takes some bytes at most. So what is much larger differs, and
  // is not unpacked: many small sendings of a large event cost no more than large ones.
  if (toast_raw_datum_size(standing) - VARHDRSZ > 2 * our_size + 64) return true;
  auto* const unpacked = PG_DETOAST_DATUM_PACKED(standing);
  const bool same_bytes = VARSIZE_ANY_EXHDR(unpacked) == our_size &&
                          memcmp(VARDATA_ANY(unpacked), VARDATA_ANY(DatumGetPointer(ours)), our_size) == 0;
  const bool equal =
      same_bytes || (is_jsonb && DatumGetBool(DirectFunctionCall2(jsonb_eq, PointerGetDatum(unpacked), ours)));
  if (reinterpret_cast<Pointer>(unpacked) != DatumGetPointer(standing)) pfree(unpacked);
  return !equal;
}

bool differ(TupleTableSlot* standing, const DirectRow& row, EventColumn column) {
  bool is_null = false;
  const Datum value = slot_getattr(standing, column + 1, &is_null);
  if (is_null || row.nulls[column]) return is_null != row.nulls[column];
  switch (column) {
    case timestamp:
      return DatumGetTimestamp(value) != DatumGetTimestamp(row.values[column]);
    case duration_ms:
      return DatumGetFloat4(value) != DatumGetFloat4(row.values[column]);
    default:
      return differ(value, row.values[column], column == vector_clock || column == metadata);
  }
}

}  // namespace

std::string other_contents(TupleTableSlot* standing, const DirectRow& row) {
  const std::uint32_t differing = pg_call([&] {
    std::uint32_t columns = 0;
    for (const auto& [column, name] : content_columns) {
      if (differ(standing, row, column)) columns |= 1U << column;
    }
    return columns;
  });
  wire::OtherContents other;
  for (const auto& [column, name] : content_columns) other.note(name, (differing & 1U << column) != 0);
  return other.reason();
}

}  // namespace raceway::postgres

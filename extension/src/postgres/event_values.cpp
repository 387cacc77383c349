#include "postgres/event_values.hpp"

#include <algorithm>
#include <tuple>

#include "postgres/text.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

constexpr const char* select_values = R"sql(
SELECT e.event_id::pg_catalog.text, e."timestamp"::timestamp, e.vector_clock::pg_catalog.jsonb,
       pg_catalog.jsonb_object_field(e.metadata::pg_catalog.jsonb, 'old_value'::pg_catalog.text),
       pg_catalog.jsonb_object_field(e.metadata::pg_catalog.jsonb, 'new_value'::pg_catalog.text)
FROM raceway.events e
WHERE e.trace_id OPERATOR(pg_catalog.=) $1 AND e.event_id OPERATOR(pg_catalog.=) ANY ($2)
)sql";

/// A row of the answer; its identity is that of the tables in either layout.
struct FoundRow {
  std::string_view event_id;
  Timestamp timestamp;
  std::uint64_t row;

  bool operator<(const FoundRow& other) const {
    return std::tie(event_id, timestamp, row) < std::tie(other.event_id, other.timestamp, other.row);
  }
};

/// Raises.
FoundRow found_row(const SPITupleTable* rows, std::uint64_t row) {
  bool is_null = false;
  const Datum id = SPI_getbinval(rows->vals[row], rows->tupdesc, 1, &is_null);
  const auto* const packed = is_null ? nullptr : DatumGetTextPP(id);
  const Datum timestamp = SPI_getbinval(rows->vals[row], rows->tupdesc, 2, &is_null);
  const Timestamp time = is_null ? Timestamp{0} : DatumGetTimestamp(timestamp);
  if (packed == nullptr) return {{}, time, row};
  return {{VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)}, time, row};
}

Value value_of(const SPITupleTable* rows, std::uint64_t row, int column) {
  bool is_null = false;
  const Datum datum = SPI_getbinval(rows->vals[row], rows->tupdesc, column, &is_null);
  return Value::datum(datum, is_null);
}

}  // namespace

std::vector<EventValues> EventValuesReader::read(std::span<const std::uint32_t> events) {
  std::vector<std::string_view> ids;
  for (const std::uint32_t event : events) ids.push_back(trace_.id(event));
  const std::uint64_t count = pg_call([&] {
    SPI_freetuptable(rows_);
    rows_ = nullptr;
    Oid types[] = {TEXTOID, TEXTARRAYOID};
    Datum arguments[] = {text_datum(trace_.trace()), Value::texts(ids).make()};
    const int result = SPI_execute_with_args(select_values, 2, types, arguments, nullptr, true, 0);
    if (result < 0) elog(ERROR, "SPI_execute_with_args: %s", SPI_result_code_string(result));
    rows_ = SPI_tuptable;
    return SPI_processed;
  });
  std::vector<FoundRow> found;
  found.reserve(count);
  pg_call([&] {
    for (std::uint64_t row = 0; row < count; ++row) found.push_back(found_row(rows_, row));
  });
  std::ranges::sort(found, [](const FoundRow& a, const FoundRow& b) { return a < b; });
  std::vector<EventValues> values;
  for (std::size_t at = 0; at < events.size(); ++at) {
    const FoundRow wanted = {ids[at], trace_.events()[events[at]].timestamp, 0};
    const auto row = std::lower_bound(found.begin(), found.end(), wanted);
    const bool is_there = row != found.end() && row->event_id == wanted.event_id && row->timestamp == wanted.timestamp;
    // One that is seen no more is no error: a policy may ask anything.
    values.push_back(is_there ? pg_call([&] {
      return EventValues{value_of(rows_, row->row, 3), value_of(rows_, row->row, 4), value_of(rows_, row->row, 5)};
    })
                              : EventValues{});
  }
  return values;
}

}  // namespace raceway::postgres

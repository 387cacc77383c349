#include "postgres/result_rows.hpp"

#include <charconv>
#include <type_traits>

#include "causality/clock.hpp"
#include "postgres/jsonb_clock.hpp"
#include "postgres/text.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

namespace raceway::postgres {
namespace {

static_assert(std::is_trivially_destructible_v<Value> && std::is_trivially_destructible_v<ResultRows>,
              "rows are made where PostgreSQL may raise");

}  // namespace

bool Value::is_finite() const {
  return !TIMESTAMP_NOT_FINITE(number_) && !TIMESTAMP_NOT_FINITE(to_);
}

Datum Value::make_texts() const {
  const auto* const texts = static_cast<const std::string_view*>(at_);
  if (size_ == 0) return PointerGetDatum(construct_empty_array(TEXTOID));
  auto* const elements = static_cast<Datum*>(palloc(sizeof(Datum) * size_));
  for (std::size_t at = 0; at < size_; ++at) elements[at] = text_datum(texts[at]);
  return PointerGetDatum(construct_array(elements, static_cast<int>(size_), TEXTOID, -1, false, TYPALIGN_INT));
}

Datum Value::make_clock() const {
  // Numbers that rise stand in jsonb's order, the shorter first.
  constexpr std::size_t digits = 10;
  const auto* const clock = static_cast<const causality::Heard*>(at_);
  auto* const components = static_cast<causality::Component*>(
      MemoryContextAllocHuge(CurrentMemoryContext, sizeof(causality::Component) * size_));
  auto* name = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, digits * size_));
  for (std::size_t at = 0; at < size_; ++at, name += digits) {
    const char* const end = std::to_chars(name, name + digits, clock[at].line + 1).ptr;
    new (&components[at]) causality::Component{{name, static_cast<std::size_t>(end - name)}, clock[at].position};
  }
  return JsonbPGetDatum(jsonb_of({components, size_}));
}

Datum Value::make() const {
  constexpr int digits_of_a_million = 6;
  switch (kind_) {
    case Kind::null:
      return Datum{0};
    case Kind::text:
      return text_datum({static_cast<const char*>(at_), size_});
    case Kind::integer:
      return Int32GetDatum(static_cast<std::int32_t>(number_));
    case Kind::count:
      return Int64GetDatum(number_);
    case Kind::flag:
      return BoolGetDatum(number_ != 0);
    case Kind::timestamp:
      return TimestampGetDatum(number_);
    case Kind::interval:
      return DirectFunctionCall2(timestamp_mi, TimestampGetDatum(to_), TimestampGetDatum(number_));
    case Kind::millis:
      return NumericGetDatum(int64_div_fast_to_numeric(number_, digits_of_a_million));
    case Kind::texts:
      return make_texts();
    case Kind::clock:
      return make_clock();
    case Kind::datum:
      return datum_;
  }
  return Datum{0};
}

ResultRows::ResultRows(FunctionCallInfo fcinfo) : info_(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)) {
  InitMaterializedSRF(fcinfo, 0);
  row_memory_ = AllocSetContextCreate(CurrentMemoryContext, "raceway row", ALLOCSET_DEFAULT_SIZES);
}

void ResultRows::add(std::initializer_list<Value> row) {
  pg_call([&] {
    constexpr int most_columns = 32;
    Datum values[most_columns];
    bool nulls[most_columns];
    if (static_cast<int>(row.size()) != info_->setDesc->natts) elog(ERROR, "a row has other columns than declared");
    CHECK_FOR_INTERRUPTS();
    const MemoryContext outer = MemoryContextSwitchTo(row_memory_);
    int column = 0;
    for (const Value& value : row) {
      nulls[column] = value.is_null();
      values[column++] = value.is_null() ? Datum{0} : value.make();
    }
    tuplestore_putvalues(info_->setResult, info_->setDesc, values, nulls);
    MemoryContextSwitchTo(outer);
    MemoryContextReset(row_memory_);
  });
}

}  // namespace raceway::postgres

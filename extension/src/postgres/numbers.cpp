#include "postgres/numbers.hpp"

#include <charconv>
#include <limits>

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace raceway::postgres {
namespace {

using causality::CounterSum;

constexpr int64 largest_whole = std::numeric_limits<int64>::max();

Numeric numeric_of_text(const char* text) {
  return DatumGetNumeric(
      DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

}  // namespace

Numeric numeric_of(CounterSum value) {
  if (value <= static_cast<CounterSum>(largest_whole)) return int64_to_numeric(static_cast<int64>(value));
  char text[std::numeric_limits<CounterSum>::digits10 + 2] = {};
  char* first = text + sizeof text - 1;
  for (; value > 0; value /= 10) *--first = static_cast<char>('0' + static_cast<int>(value % 10));
  return numeric_of_text(first);
}

Numeric numeric_of(std::string_view plain) {
  int64 whole = 0;
  const char* const end = plain.data() + plain.size();
  const auto [stop, error] = std::from_chars(plain.data(), end, whole);
  if (error == std::errc() && stop == end) return int64_to_numeric(whole);
  return numeric_of_text(pnstrdup(plain.data(), plain.size()));
}

}  // namespace raceway::postgres

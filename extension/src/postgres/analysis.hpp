// What the SQL functions on one trace have in common.
#pragma once

#include <string_view>

#include "causality/event_table.hpp"
#include "postgres/boundary.hpp"
#include "postgres/result_rows.hpp"
#include "postgres/text.hpp"
#include "postgres/trace_reading.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace raceway::postgres {

/// Answers the rows that `body(trace, rows)` adds, of the trace that the first argument names; none where that is NULL.
/// To be called where nothing has a destructor.
template <class Body>
Datum answer_rows(FunctionCallInfo fcinfo, Body body) {
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0)) return Datum{0};
  const std::string_view name = text_argument(fcinfo, 0);
  SPI_connect();
  {
    TraceReading trace(name);
    body(trace, rows);
  }
  SPI_finish();
  return Datum{0};
}

}  // namespace raceway::postgres

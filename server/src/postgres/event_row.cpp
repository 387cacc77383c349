#include "postgres/event_row.hpp"

namespace raceway::server::postgres {

wire::Row read_event(const PgResult& result, int row) {
  wire::Row event;
  event.event_id = result.text(row, 0);
  event.trace_id = result.text(row, 1);
  event.kind = result.text(row, 2);
  event.timestamp = result.micros(row, 3);
  if (!result.is_null(row, 4)) event.duration_ms = result.float4(row, 4);
  if (!result.is_null(row, 5)) event.location = result.text(row, 5);
  event.vector_clock = result.text(row, 6);
  event.metadata = result.text(row, 7);
  return event;
}

}  // namespace raceway::server::postgres

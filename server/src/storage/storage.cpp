#include "storage/storage.hpp"

namespace raceway::server::storage {

wire::Row StoredEvent::row() const {
  wire::Row row;
  row.event_id = event_id;
  row.trace_id = trace_id;
  row.kind = kind;
  row.timestamp = timestamp;
  row.duration_ms = duration_ms;
  if (location) row.location = *location;
  row.vector_clock = vector_clock;
  row.metadata = metadata;
  return row;
}

}  // namespace raceway::server::storage

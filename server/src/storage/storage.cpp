#include "storage/storage.hpp"

namespace raceway::server::storage {

StoredEvent StoredEvent::of(const wire::Row& row) {
  StoredEvent event;
  event.event_id = row.event_id;
  event.trace_id = row.trace_id;
  event.kind = row.kind;
  event.timestamp = row.timestamp;
  event.duration_ms = row.duration_ms;
  if (row.location) event.location = std::string(*row.location);
  event.vector_clock = row.vector_clock;
  event.metadata = row.metadata;
  return event;
}

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

TraceState TraceSummary::state() const {
  return {trace_id, event_count, first_timestamp, last_timestamp};
}

EvictionCounts Fullness::evicted_in_all() const {
  EvictionCounts all;
  for (const auto& [traces, events] : evicted) {
    all.traces += traces;
    all.events += events;
  }
  return all;
}

}  // namespace raceway::server::storage

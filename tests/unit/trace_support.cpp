#include "trace_support.hpp"

namespace raceway::wire::test {

namespace {

server::storage::StoredEvent owned(const Row& row) {
  server::storage::StoredEvent event;
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

}  // namespace

StoredEvents rows_of(server::storage::TraceEvents& events) {
  StoredEvents rows;
  events.each([&](const Row& row) {
    rows.push_back(owned(row));
    return true;
  });
  return rows;
}

std::optional<StoredEvents> read_trace(server::storage::Storage& storage, const std::string& trace_id) {
  const auto events = storage.trace(trace_id);
  if (events == nullptr) return std::nullopt;
  return rows_of(*events);
}

void read_each_trace(server::storage::Storage& storage, const server::storage::TraceFilter& filter,
                     const std::function<void(std::uint64_t)>& begin,
                     const std::function<bool(const server::storage::TraceSummary&, StoredEvents)>& visit) {
  storage.each_trace(filter, begin, [&](const server::storage::TraceSummary& trace, auto& events) {
    return visit(trace, rows_of(events));
  });
}

}  // namespace raceway::wire::test

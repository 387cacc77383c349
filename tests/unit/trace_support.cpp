#include "trace_support.hpp"

namespace raceway::wire::test {

StoredEvents rows_of(server::storage::TraceEvents& events) {
  StoredEvents rows;
  events.each([&](const Row& row) {
    rows.push_back(server::storage::StoredEvent::of(row));
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

// The embedded default: everything in this process, nothing kept when it ends.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/storage.hpp"
#include "wire/batch.hpp"

namespace raceway::server::storage {

/// Many readers at a time, or one body being stored. Bodies are parsed outside the lock.
class MemoryStorage : public Storage {
 public:
  std::vector<IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  Totals totals() override;
  TracePage list_traces(const TraceFilter& filter, std::uint64_t page, std::uint64_t page_size) override;
  std::optional<std::vector<StoredEvent>> trace(const std::string& trace_id) override;
  void each_trace(const TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                  const std::function<bool(const TraceSummary&, std::vector<StoredEvent>)>& visit) override;
  std::vector<ServiceSummary> services() override;

 private:
  struct Trace {
    std::string trace_id;
    std::deque<StoredEvent> events;  // only ever appended to: what stands in it never moves
    std::map<std::string, std::uint64_t, std::less<>> events_by_service;
    wire::Micros first_timestamp = 0;
    wire::Micros last_timestamp = 0;

    bool passes(const TraceFilter& filter) const;
    TraceSummary summary() const;
  };

  IngestResult store(wire::Batch& batch);
  void append(const wire::Event& event);
  /// Traces that pass, newest first. The caller holds the lock.
  std::vector<const Trace*> select(const TraceFilter& filter) const;

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string_view, std::unique_ptr<Trace>> traces_;  // by the id in the trace itself
  std::unordered_map<std::string_view, const Trace*> trace_of_event_;    // by the id in the event itself
};

}  // namespace raceway::server::storage

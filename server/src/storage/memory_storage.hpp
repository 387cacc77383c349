// The embedded default: everything in this process, nothing kept when it ends.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/storage.hpp"

namespace raceway::server::storage {

namespace memory {
struct Store;
struct ListedTrace;
}  // namespace memory

/// What the memory store takes of the heap, by what it takes it for. Bytes.
struct MemoryUsage {
  std::size_t records = 0;  ///< the events, with their ids
  std::size_t index = 0;    ///< from the ids of events to their records
  std::size_t traces = 0;   ///< what is known of each, and what finds and orders them
  std::size_t shared = 0;   ///< what events share: texts, shapes, services; and the store itself

  std::size_t total() const { return records + index + traces + shared; }
};

/// Bodies are read and stored by many threads at once, each event with all that counts it or not at all; a body is not
/// seen as a whole. Lists are as of one moment for each trace. A body that memory does not suffice for throws
/// std::bad_alloc, and what of it is in stays; sending it again is safe.
class MemoryStorage : public Storage {
 public:
  MemoryStorage();
  ~MemoryStorage() override;

  std::vector<IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  void check() override {}
  Totals totals() override;
  TracePage list_traces(const TraceFilter& filter, std::uint64_t page, std::uint64_t page_size) override;
  std::optional<std::vector<StoredEvent>> trace(const std::string& trace_id) override;
  void each_trace(const TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                  const std::function<bool(const TraceSummary&, std::vector<StoredEvent>)>& visit) override;
  std::vector<ServiceSummary> services() override;

  /// What all that is stored takes of the heap, with all that finds it, as it is now.
  MemoryUsage usage() const;

 private:
  struct Listing;
  Listing list(const TraceFilter& filter, std::size_t limit) const;

  std::unique_ptr<memory::Store> store_;
};

}  // namespace raceway::server::storage

// The embedded default: everything in this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/body_reading.hpp"
#include "storage/storage.hpp"

namespace raceway::server::memory {

struct Store;
struct ListedTrace;
class PackedEvents;

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
/// std::bad_alloc, and what of it is in stays; sending it again is safe. Beyond the limits whole traces go, the one
/// that has not grown for longest first; an event that went with its trace is new when it is sent again. A trace that
/// has reached three quarters of max_bytes gets no more events: they are rejected.
class MemoryStorage : public storage::Storage {
 public:
  explicit MemoryStorage(const storage::MemoryLimits& limits = {}, const storage::Intake& intake = {});
  ~MemoryStorage() override;

  std::vector<storage::IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  void check() override {}
  storage::Totals totals() override;
  storage::TracePage list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                 std::uint64_t page_size) override;
  std::vector<storage::TraceState> traces_behind(const std::optional<storage::TracePlace>& place,
                                                 std::uint64_t most) override;
  std::unique_ptr<storage::TraceEvents> trace(const std::string& trace_id) override;
  void each_trace(const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                  const VisitTrace& visit) override;
  std::vector<storage::TraceSummary> summaries(const std::vector<std::string>& trace_ids) override;
  storage::Changes changes(std::optional<std::int64_t> since, std::size_t most) override;
  std::vector<storage::StoredEvent> events_of(const std::string& trace_id,
                                              const std::vector<std::string>& event_ids) override;
  bool traces_of(const std::vector<std::string>& trace_ids, const VisitTrace& visit) override;
  std::vector<storage::ServiceSummary> services() override;
  std::optional<storage::Fullness> fullness() override;

  /// Lets go of what is beyond the limits, and of what has become too old: to be called now and then.
  void keep_limits();
  /// Where it is near max_bytes, gives the system back the pages that only holes of the heap are in. What goes and what
  /// grows leaves some that nothing may ever fill. To be called now and then, by one thread.
  void give_back_pages();

  /// Saves all into a file, while others go on storing (memory_snapshot.hpp). Answers what was saved, in words. One
  /// call at a time. Throws std::runtime_error or std::bad_alloc where it cannot be saved; then an older file stays.
  std::string save(const std::filesystem::path& file);
  /// Fills an empty storage, before anyone uses it, with what is in a file that save() wrote; nothing where there is no
  /// file. A file that is damaged is told of in `complaints`, and moved aside. Answers what was loaded, in words.
  /// Throws std::runtime_error where it cannot be read, or not be moved aside.
  std::string load(const std::filesystem::path& file, std::vector<std::string>& complaints);

  /// What all that is stored takes of the heap, with all that finds it, as it is now.
  MemoryUsage usage() const;

 private:
  struct Listing;
  Listing list(const storage::TraceFilter& filter, std::size_t limit,
               const std::optional<storage::TracePlace>& behind = {}) const;
  std::unique_ptr<PackedEvents> packed(const std::string& trace_id) const;

  const storage::Intake intake_;
  std::unique_ptr<Store> store_;
  std::int64_t given_back_at_ = 0;  // the time of growth then
};

}  // namespace raceway::server::memory

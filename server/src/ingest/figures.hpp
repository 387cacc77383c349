// What became of the events that were sent, counted since the start.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

#include "observability/histogram.hpp"
#include "storage/storage.hpp"

namespace raceway::server::ingest {

/// Why an event was rejected, in few words that do not depend on what was sent.
enum class RejectClass {
  missing_field,
  too_long,
  bad_timestamp,
  bad_clock,
  bad_text,
  other_trace,
  trace_too_large,
  other,
};
inline constexpr std::array<std::string_view, 8> reject_classes{
    "missing_field", "too_long", "bad_timestamp", "bad_clock", "bad_text", "other_trace", "trace_too_large", "other"};

/// The class of a reason as the wire, a store or the database words it; `other` for what is in no class.
RejectClass reject_class(std::string_view reason);

inline constexpr std::array<std::uint64_t, 10> batch_bounds{1, 10, 50, 100, 250, 500, 1'000, 2'500, 10'000, 100'000};
using BatchHistogram = observability::Histogram<batch_bounds.size()>;

/// What was rejected last, without anything of what was sent. Thread-safe.
class RejectedLately {
 public:
  struct Rejected {
    std::chrono::system_clock::time_point time;
    RejectClass reason = RejectClass::other;
    std::uint64_t count = 0;
  };
  static constexpr std::size_t most = 20;

  /// What is rejected for one reason within a second is one entry.
  void add(RejectClass reason, std::uint64_t count);
  /// Newest first.
  std::vector<Rejected> last() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Rejected> rejected_;  // newest first
};

/// Thread-safe; counting takes no lock, but for what is rejected.
struct Figures {
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> duplicates{0};
  std::array<std::atomic<std::uint64_t>, reject_classes.size()> rejected{};
  RejectedLately rejected_lately;
  std::atomic<std::uint64_t> lost{0};  ///< acknowledged, and given up on
  std::atomic<std::uint64_t> refused{
      0};  ///< bodies that could not be taken: the buffer was full, or the server stopped
  std::atomic<std::uint64_t> failures{0};  ///< tries to write a batch that the storage did not take
  BatchHistogram batches{batch_bounds};    ///< events of the batches that were written
  observability::DurationHistogram flushes{observability::duration_bounds};  ///< microseconds that writing them took

  /// Counts what became of a body. Rejections that are not told are counted as `other`.
  void add(const storage::IngestResult& result) noexcept;
};

/// How full the way into the storage is.
struct Depth {
  std::uint64_t buffered = 0;  ///< events that wait or are being written
  std::uint64_t queued = 0;    ///< those of them that wait
  std::uint64_t limit = 0;     ///< events; 0: nothing is buffered
  unsigned writers = 0;
  unsigned busy_writers = 0;
};

}  // namespace raceway::server::ingest

// What the memory store may hold, and how it makes room: the trace that has not grown for longest goes first.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "memory/id.hpp"
#include "storage/memory_limits.hpp"

namespace raceway::server::memory {

struct Store;

/// When a trace grew: microseconds since 1970, and later than any time given before, though the clock be set back.
using GrowthTime = std::int64_t;

/// Thread-safe.
class GrowthClock {
 public:
  GrowthTime next();
  /// What was given last.
  GrowthTime last() const { return last_.load(std::memory_order_relaxed); }
  /// What is given from now on is later than this.
  void pass(GrowthTime time);

 private:
  std::atomic<GrowthTime> last_ = 0;
};

/// Takes traces out of the store, the one that grew last longest ago first, until it is within its limits. A trace goes
/// from what finds and counts it at once, and its records a few at a time, so that no lock is held for long.
///
/// Thread-safe; one thread at a time takes traces out. To be called with no lock of the store held.
class Retention {
 public:
  explicit Retention(const storage::MemoryLimits& limits) : limits_(limits) {}

  const storage::MemoryLimits& limits() const { return limits_; }

  /// After something was stored in a trace. Does some of what is to be done, and all of it where the store is far over
  /// its limits. That trace does not go: who has just been told that its events are stored finds them.
  void make_room(Store& store, const Id& at_hand) {
    if (over(store)) [[unlikely]]
      make_room_now(store, at_hand);
  }
  /// Whether the store has as many bytes as it may, and nothing is older than what grew then, so that nothing would go
  /// for it.
  bool full_of(const Store& store, GrowthTime grew) const;

  /// Does all that is to be done; traces that are too old go, too.
  void catch_up(Store& store);

  /// Takes a trace out that is in another's way, while the store is being filled by one thread. Is not counted.
  void evict(Store& store, std::uint32_t shard, std::uint32_t number);

  /// Records of one trace, in bytes, that it gets no more events from; 0: there is no bound.
  std::uint64_t most_of_a_trace() const { return limits_.max_bytes / 4 * 3; }
  storage::EvictionCounts evicted(storage::MemoryLimit by) const;

 private:
  struct Counts {
    std::atomic<std::uint64_t> traces = 0;
    std::atomic<std::uint64_t> events = 0;
  };
  /// A trace that is out, and whose records are still there.
  struct Leaving {
    std::uint32_t shard;
    std::uint32_t number;
  };

  std::optional<storage::MemoryLimit> over(const Store& store) const;
  std::optional<storage::MemoryLimit> over_or_old(const Store& store) const;
  bool over_bytes(const Store& store) const;
  bool far_over(const Store& store) const;
  void make_room_now(Store& store, const Id& at_hand);
  bool step(Store& store, std::optional<storage::MemoryLimit> limit, const Id* at_hand);
  bool take_out_oldest(Store& store, storage::MemoryLimit limit, const Id* at_hand);
  void take_out(Store& store, std::uint32_t at, std::uint32_t number);
  void give_back(Store& store);

  const storage::MemoryLimits limits_;
  std::array<Counts, storage::memory_limits> evicted_;
  std::mutex mutex_;  // of whoever takes traces out
  std::optional<Leaving> leaving_;
  std::atomic<bool> giving_back_ = false;  // whether there is one
};

}  // namespace raceway::server::memory

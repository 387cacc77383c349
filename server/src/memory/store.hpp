// The parts of the memory store, and in which order their locks are taken.
//
// A shard's mutex comes first, and only one of them at a time; inside it, one at a time, that of a part of the index,
// of the services or of a dictionary.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "memory/dictionary.hpp"
#include "memory/hash_table.hpp"
#include "memory/id.hpp"
#include "memory/retention.hpp"
#include "memory/services.hpp"
#include "memory/shard.hpp"

namespace raceway::server::memory {

inline constexpr unsigned shard_bits = 6;
inline constexpr std::size_t shard_count = std::size_t{1} << shard_bits;

/// Where an event's record is: its shard and the number of its chunk there.
struct Locator {
  static constexpr unsigned chunk_bits = 32 - shard_bits;

  std::uint32_t shard;
  std::uint32_t chunk;

  std::uint32_t packed() const { return shard << chunk_bits | chunk; }
  static Locator of(std::uint32_t packed) { return {packed >> chunk_bits, packed & ((1U << chunk_bits) - 1)}; }
};

/// The part that a hash belongs to; its lower half is left for the tables.
inline std::uint32_t part_of(const Id& id) {
  return static_cast<std::uint32_t>(id.hash >> (64U - shard_bits));
}
inline std::uint32_t table_hash(const Id& id) {
  return static_cast<std::uint32_t>(id.hash);
}

/// From the ids of events to where they may be. An id is entered before its record is written, under the lock of the
/// record's shard: whoever finds the entry and then takes that lock finds the record too.
class EventIndex {
 public:
  struct Part {
    mutable std::mutex mutex;
    HashTable locators;
  };

  Part& part(const Id& id) { return parts_[part_of(id)]; }
  /// With the part's mutex held, both. insert() throws std::bad_alloc, and then nothing has changed.
  void insert(Part& part, const Id& id, Locator locator);
  void erase(Part& part, const Id& id, Locator locator) noexcept;
  /// Asks for the memory that a search for the id will need soon. Takes no lock.
  void prefetch(const Id& id) const { parts_[part_of(id)].locators.prefetch(table_hash(id)); }
  /// What it takes of the heap. Takes no lock.
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::array<Part, shard_count> parts_;
  std::atomic<std::size_t> bytes_ = 0;
};

/// The dictionary that new traces are written with, and those that older traces still are. Thread-safe.
class Dictionaries {
 public:
  std::shared_ptr<Dictionary> current();
  /// One with these texts, which new traces are written with from now on, where it is not full.
  std::shared_ptr<Dictionary> restore(std::span<const std::string> texts);
  /// Gives back what is left of those that no trace is written with any more.
  void sweep();
  /// What they take of the heap. Takes no lock.
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed) + own_bytes_; }

 private:
  std::shared_ptr<Dictionary> make(std::span<const std::string> texts);
  void sweep_locked();

  std::atomic<std::size_t> bytes_ = 0;      // of the dictionaries' contents
  std::atomic<std::size_t> own_bytes_ = 0;  // of their blocks and what is here
  std::mutex mutex_;
  std::shared_ptr<Dictionary> current_;
  struct Known {
    std::weak_ptr<Dictionary> dictionary;
    std::size_t bytes;  // of its block, which is there as long as this is; without what it takes itself
  };
  std::vector<Known> all_;
};

/// On the heap only.
struct Store {
  explicit Store(const storage::MemoryLimits& limits = {}) : retention(limits) {
    for (Shard& shard : shards) shard.use(segments);
  }

  IdMaker ids;
  // The shards give back to these, and so go before them.
  SegmentPool segments;
  Services services;
  Dictionaries dictionaries;
  std::array<Shard, shard_count> shards;
  EventIndex index;
  Retention retention;
  GrowthClock clock;

  // Of all shards, counted by whoever changes one.
  std::atomic<std::size_t> shard_bytes = 0;
  std::atomic<std::uint64_t> traces = 0;
  /// Goes up before numbers of chunks are given back: what was found at such a number may be something else now.
  std::atomic<std::uint64_t> chunks_given_back = 0;

  Shard& shard_of(const Id& trace_id) { return shards[part_of(trace_id)]; }
  /// What it takes of the heap, itself included. Takes no lock.
  std::size_t bytes() const {
    return own_bytes + shard_bytes.load(std::memory_order_relaxed) + index.bytes() + services.bytes() +
           dictionaries.bytes() + segments.bytes();
  }

 private:
  const std::size_t own_bytes = heap_bytes(this);
};

}  // namespace raceway::server::memory

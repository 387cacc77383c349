// The parts of the memory store, and in which order their locks are taken.
//
// A shard's mutex comes first, and only one of them at a time; inside it, one at a time, that of a part of the index,
// of the services or of a dictionary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/memory_dictionary.hpp"
#include "storage/memory_hash_table.hpp"
#include "storage/memory_id.hpp"
#include "storage/memory_services.hpp"
#include "storage/memory_shard.hpp"

namespace raceway::server::storage::memory {

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
  /// Asks for the memory that a search for the id will need soon. Takes no lock.
  void prefetch(const Id& id) const { parts_[part_of(id)].locators.prefetch(table_hash(id)); }
  /// What it takes of the heap.
  std::size_t bytes() const;

 private:
  std::array<Part, shard_count> parts_;
};

/// The dictionary that new traces are written with, and those that older traces still are. Thread-safe.
class Dictionaries {
 public:
  std::shared_ptr<Dictionary> current();
  /// What they take of the heap.
  std::size_t bytes() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Dictionary> current_;
  struct Known {
    std::weak_ptr<Dictionary> dictionary;
    std::size_t bytes;  // of its block, which is there as long as this is; without what it takes itself
  };
  std::vector<Known> all_;
};

struct Store {
  IdMaker ids;
  std::array<Shard, shard_count> shards;
  EventIndex index;
  Services services;
  Dictionaries dictionaries;

  Shard& shard_of(const Id& trace_id) { return shards[part_of(trace_id)]; }
};

}  // namespace raceway::server::storage::memory

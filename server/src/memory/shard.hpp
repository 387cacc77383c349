// One of the parts that the memory store keeps its traces in: those whose ids' hashes say so, with their chunks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "memory/segments.hpp"
#include "memory/traces.hpp"
#include "storage/byte_budget.hpp"

namespace raceway::server::memory {

/// A trace's events as they are packed, and what they are packed with; independent of the store.
struct PackedTrace {
  storage::TraceSummary summary;
  std::string bytes;                ///< of the chunks, oldest first
  std::vector<std::uint64_t> ends;  ///< of each, in `bytes`
  std::shared_ptr<const Dictionary> dictionary;
};

/// A trace in a list that is longer than what one lock is held for.
struct ListedTrace {
  wire::Micros last;
  OwnedId id;
  std::uint32_t shard;
  std::uint32_t number;
  std::uint32_t generation;
};

/// Which traces to list: TraceFilter with the service looked up.
struct Selection {
  const Service* service = nullptr;  ///< of any, where there is none
  storage::TraceFilter filter;
  std::optional<storage::TracePlace> behind = {};  ///< only those behind it in the order

  bool all() const { return service == nullptr && filter.min_events <= 1 && !filter.from && !filter.to; }
  bool has(const Trace& trace) const;
};

/// `mutex` is to be held for whatever is called: alone for what changes anything, shared for what is const.
///
/// A chunk holds records (memory_record.hpp) of one trace, in a block of its own; when it is large enough the next is
/// begun. Chunks of a trace are linked from the newest to the oldest, and known by number, for a block moves
/// when it grows. A number that is given back is another chunk's some time.
class Shard {
 public:
  /// A chunk that has reached it gets no more records.
  static constexpr std::size_t full_chunk = 4'096;
  /// Numbers of chunks are below.
  static constexpr std::uint32_t max_chunks = (1U << 26U) - 1;

  Shard() = default;
  /// To be called before anything else; the pool must outlive it.
  void use(SegmentPool& pool) { segments_.use(pool); }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  mutable std::shared_mutex mutex;
  Traces traces;
  Recency recency;
  GrowthOrder growth;

  /// A number for a trace's next chunk, which takes no block yet. Throws std::bad_alloc or std::length_error, and then
  /// nothing has changed.
  std::uint32_t add_chunk(std::uint32_t trace, std::uint32_t older);
  /// Gives a chunk back, with its number.
  void drop_chunk(std::uint32_t chunk) noexcept;
  /// Appends records. Throws std::bad_alloc, and then nothing has changed.
  void append(std::uint32_t chunk, std::string_view records);

  /// A chunk's records, until they are appended to. Of a number never given, none.
  std::string_view records(std::uint32_t chunk) const;
  const Trace& trace_of(std::uint32_t chunk) const { return traces[number_of(chunk)]; }
  std::uint32_t number_of(std::uint32_t chunk) const { return chunks_[chunk].trace; }

  /// The next older chunk of its trace, or none.
  std::uint32_t older(std::uint32_t chunk) const { return chunks_[chunk].older; }

  /// A copy for those who read it without a lock. `hold` grows by what it takes; throws Unavailable where it cannot.
  PackedTrace pack(const Trace& trace, storage::ByteBudget::Hold& hold) const;

  /// Counts the traces selected, but for those before a place, and appends the newest of them, `limit` at most, newest
  /// first. Recency is up to date.
  std::uint64_t list(const Selection& selection, std::size_t limit, std::uint32_t shard_number,
                     std::vector<ListedTrace>& out) const;

  // Counted by whoever appends.
  std::uint64_t event_count = 0;
  std::uint64_t trace_count = 0;
  std::size_t loose_bytes = 0;  ///< services of traces

  /// What they take of the heap.
  std::size_t bytes_of_records() const { return chunk_table_bytes_ + segments_.heap_bytes(); }
  std::size_t bytes_of_traces() const { return traces.bytes() + recency.bytes() + loose_bytes; }
  /// Adds to `total` by how much both have changed since the last time. To be called after each change.
  void publish_bytes(std::atomic<std::size_t>& total) noexcept;

  /// When the trace that has not grown for longest grew last. To be noted after each change of `growth`; read without
  /// the mutex.
  void note_oldest() noexcept;
  GrowthTime oldest() const { return oldest_.load(std::memory_order_relaxed); }

 private:
  void tidy() noexcept;

  struct Chunk {
    std::uint32_t trace;
    std::uint32_t older;
    Segments::Place block;
  };

  std::vector<Chunk> chunks_;
  std::uint32_t free_chunk_ = none;  // the first of those given back, which are linked as older ones are
  Segments segments_;
  std::size_t chunk_table_bytes_ = 0;
  std::size_t published_bytes_ = 0;
  std::atomic<GrowthTime> oldest_ = std::numeric_limits<GrowthTime>::max();
};

}  // namespace raceway::server::memory

// The traces of one shard: what is known of each, found by id or by number, in the order of their newest events, and in
// the order in which they grew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/dictionary.hpp"
#include "memory/hash_table.hpp"
#include "memory/id.hpp"
#include "memory/retention.hpp"
#include "memory/services.hpp"
#include "storage/storage.hpp"

namespace raceway::server::memory {

/// No chunk, no trace.
inline constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

/// An id that owns its text where it is no UUID.
struct OwnedId {
  IdBytes bytes{};
  std::unique_ptr<std::string> text_of_other;

  explicit OwnedId(const Id& id)
      : bytes(id.bytes), text_of_other(id.is_uuid ? nullptr : std::make_unique<std::string>(id.text)) {}
  OwnedId() = default;

  OwnedId copy() const;
  bool is(const Id& id) const;
  std::string text() const;
  std::size_t bytes_of_text() const;
};

/// By text, as the API sorts.
bool before(const OwnedId& a, const OwnedId& b);

struct Trace {
  OwnedId id;
  wire::Micros first = std::numeric_limits<wire::Micros>::max();
  wire::Micros last = std::numeric_limits<wire::Micros>::min();
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;     ///< of its records on the heap
  GrowthTime grew = 0;         ///< when it last got an event
  std::uint32_t older = none;  ///< of GrowthOrder, both
  std::uint32_t newer = none;
  std::uint32_t newest_chunk = none;
  std::uint32_t note = none;  ///< of Recency, both
  bool in_order = false;
  bool evicted = false;          ///< not there any more, but for what is still to be given back
  std::uint32_t generation = 0;  ///< tells it from others that have had its number
  ServiceCounts services;
  std::shared_ptr<Dictionary> dictionary;  ///< the one that its chunks were written with

  storage::TraceSummary summary() const;
};

/// A place for each trace. Not thread-safe.
class Traces {
 public:
  /// Answers `none` where there is none.
  std::uint32_t find(const Id& id) const;
  /// Asks for the memory that find() begins with. As the one exception, thread-safe.
  void prefetch(const Id& id) const { by_id_.prefetch(static_cast<std::uint32_t>(id.hash)); }

  /// Of a number that find() or add() answered and that was not dropped since.
  Trace& operator[](std::uint32_t number) { return (*pages_[number / page_size].traces)[number % page_size]; }
  const Trace& operator[](std::uint32_t number) const {
    return (*pages_[number / page_size].traces)[number % page_size];
  }
  /// The trace of that number and generation, where it is still there; else nullptr.
  const Trace* still(std::uint32_t number, std::uint32_t generation) const;

  /// A new trace without an event. find() does not know it before publish(). Both throw std::bad_alloc or
  /// std::length_error, and then nothing has changed.
  std::uint32_t add(const Id& id, std::shared_ptr<Dictionary> dictionary);
  void publish(std::uint32_t number, const Id& id);
  /// Undoes publish(), where it was.
  void hide(std::uint32_t number, std::uint64_t id_hash) noexcept;
  /// The trace goes; its number is another one's some time.
  void drop(std::uint32_t number) noexcept;

  /// What it takes of the heap, but for the traces' services.
  std::size_t bytes() const { return page_bytes_ + text_bytes_ + by_id_.bytes(); }

 private:
  static constexpr std::uint32_t page_size = 32;
  /// A trace stays where it is. A page without traces takes no memory.
  struct Page {
    std::unique_ptr<std::array<Trace, page_size>> traces;
    std::uint32_t used = 0;  // a bit for each that is there
    std::uint32_t next_open = none;
  };

  void open_page();

  std::vector<Page> pages_;
  std::uint32_t next_generation_ = 0;
  std::uint32_t open_page_ = none;  // the first of those with room
  std::size_t page_bytes_ = 0;
  std::size_t text_bytes_ = 0;  // of ids
  HashTable by_id_;
};

/// The traces in the order in which they last grew. Not thread-safe.
class GrowthOrder {
 public:
  /// The trace grew, after all others.
  void grew(Traces& traces, std::uint32_t number, GrowthTime now) noexcept;
  void remove(Traces& traces, std::uint32_t number) noexcept;
  /// `none` where there is no trace; the next newer one is Trace::newer.
  std::uint32_t oldest() const { return oldest_; }
  /// Likewise; the next older one is Trace::older.
  std::uint32_t newest() const { return newest_; }

 private:
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
};

/// The traces in the order of their last timestamps. A trace that grows is only noted; the order is mended when it is
/// asked for, by sorting what was noted and merging it in from the oldest place that changes. Not thread-safe.
class Recency {
 public:
  struct Place {
    wire::Micros last;
    std::uint32_t trace;
  };

  /// Makes room for one note, so that it cannot fail. Throws std::bad_alloc.
  void prepare();
  /// Notes that a trace is new or about to get another last timestamp.
  void note(Trace& trace, std::uint32_t number) noexcept;
  /// Forgets a trace that is evicted. As long as it is in_order its number must not be dropped: that happens here, some
  /// time after it has lost its last chunk.
  void forget(Traces& traces, std::uint32_t number) noexcept;
  /// Oldest first; of traces of one time, the larger id first.
  std::span<const Place> oldest_first(Traces& traces);

  bool up_to_date() const { return moved_.empty() && forgotten_ == 0; }
  /// As of the last oldest_first(), which nothing has been noted since.
  std::span<const Place> oldest_first() const { return order_; }
  /// What it takes of the heap.
  std::size_t bytes() const { return order_bytes_ + moved_bytes_; }

 private:
  void sweep(Traces& traces) noexcept;

  std::vector<Place> order_;
  std::vector<Place> moved_;   // with the timestamp they stand under in order_, if they do
  std::size_t forgotten_ = 0;  // that still stand in order_
  std::size_t order_bytes_ = 0;
  std::size_t moved_bytes_ = 0;
};

}  // namespace raceway::server::memory

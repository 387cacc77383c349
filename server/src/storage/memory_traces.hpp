// The traces of one shard: what is known of each, found by id or by number, and in the order of their newest events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/memory_dictionary.hpp"
#include "storage/memory_hash_table.hpp"
#include "storage/memory_id.hpp"
#include "storage/memory_services.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage::memory {

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
  std::uint32_t newest_chunk = none;
  bool in_order = false;  ///< of Recency, both
  bool moved = false;
  ServiceCounts services;
  std::shared_ptr<Dictionary> dictionary;  ///< the one that its chunks were written with

  TraceSummary summary() const;
};

/// A place for each trace. Not thread-safe.
class Traces {
 public:
  /// Answers `none` where there is none.
  std::uint32_t find(const Id& id) const;
  /// Asks for the memory that find() begins with. As the one exception, thread-safe.
  void prefetch(const Id& id) const { by_id_.prefetch(static_cast<std::uint32_t>(id.hash)); }

  Trace& operator[](std::uint32_t number) { return pages_[number / page_size][number % page_size]; }
  const Trace& operator[](std::uint32_t number) const { return pages_[number / page_size][number % page_size]; }

  /// A new trace without an event. find() does not know it before publish(). Both throw std::bad_alloc or
  /// std::length_error, and then nothing has changed.
  std::uint32_t add(const Id& id, std::shared_ptr<Dictionary> dictionary);
  void publish(std::uint32_t number, const Id& id);
  /// Undoes add() of the last one, and publish() where it was.
  void drop_last(const Id& id);

  std::uint32_t size() const { return size_; }
  /// What it takes of the heap, but for the texts of ids and for the traces' services.
  std::size_t bytes() const { return heap_bytes(pages_.data()) + page_bytes_ + by_id_.bytes(); }

 private:
  static constexpr std::uint32_t page_size = 32;

  std::vector<std::vector<Trace>> pages_;  // each reserved once, so that a trace stays where it is
  std::uint32_t size_ = 0;
  std::size_t page_bytes_ = 0;
  HashTable by_id_;
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
  /// Oldest first; of traces of one time, the larger id first.
  std::span<const Place> oldest_first(Traces& traces);

  bool up_to_date() const { return moved_.empty(); }
  /// As of the last oldest_first(), which nothing has been noted since.
  std::span<const Place> oldest_first() const { return order_; }
  /// What it takes of the heap.
  std::size_t bytes() const { return heap_bytes(order_.data()) + heap_bytes(moved_.data()); }

 private:
  std::vector<Place> order_;
  std::vector<Place> moved_;  // with the timestamp they stand under in order_, if they do
};

}  // namespace raceway::server::storage::memory

// A table from hashes to numbers, 8 bytes a slot, four fifths full before it grows by half, a quarter before it halves.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "memory/bytes.hpp"

namespace raceway::server::memory {

/// Several numbers may stand under one hash: a hash only says where to look, the caller compares what it leads to.
///
/// Linear probing with the slots in the order of their hashes (Amble and Knuth 1974), so that a search for what is not
/// there ends early, nothing but the slots is needed to grow, and erasing leaves no marks. Not thread-safe.
class HashTable {
 public:
  /// Calls `visit(number)` for each number under the hash until one answers true; answers whether one did.
  template <class Visit>
  bool any_of(std::uint32_t hash, Visit visit) const {
    if (count_ == 0) return false;
    std::size_t at = home(hash);
    while (hash_of(slots_[at]) < hash) ++at;
    for (; hash_of(slots_[at]) == hash && slots_[at] != empty; ++at) {
      if (visit(static_cast<std::uint32_t>(slots_[at]))) return true;
    }
    return false;
  }

  /// Asks for the memory that a search for the hash begins with. As the one exception, thread-safe: while another
  /// thread lets the table grow it may ask for some other memory.
  void prefetch(std::uint32_t hash) const {
    const std::uint64_t* const slots = hint_.slots.load(std::memory_order_relaxed);
    const std::uint64_t capacity = hint_.capacity.load(std::memory_order_relaxed);
    // As a number: while the table grows the place may lie outside of these slots, where no pointer may point.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(slots) +
                                                     (hash * capacity >> 32U) * sizeof(std::uint64_t)));
  }

  /// `number` is any but 2^32-1. Throws std::bad_alloc, and then nothing has changed.
  void insert(std::uint32_t hash, std::uint32_t number);

  /// Takes one such entry out, where there is one.
  void erase(std::uint32_t hash, std::uint32_t number) noexcept;

  std::size_t size() const { return count_; }
  /// What it takes of the heap, beside itself.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};

  static std::uint32_t hash_of(std::uint64_t slot) { return static_cast<std::uint32_t>(slot >> 32U); }
  static std::size_t home_in(std::size_t capacity, std::uint32_t hash) { return hash * std::uint64_t{capacity} >> 32U; }
  std::size_t home(std::uint32_t hash) const { return home_in(capacity_, hash); }
  bool place(std::uint64_t slot);
  void rebuild(std::size_t capacity, std::size_t room);
  void give_back() noexcept;

  /// The slots and their number for prefetch(), apart from what changes with each entry.
  struct alignas(64) Hint {
    std::atomic<const std::uint64_t*> slots = nullptr;
    std::atomic<std::uint64_t> capacity = 0;
  };

  Hint hint_;
  alignas(64) std::unique_ptr<std::uint64_t[]> slots_;  // the last one is always empty
  std::size_t capacity_ = 0;                            // homes; behind them is room for what the last of them push on
  std::size_t slot_count_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::server::memory

#include "wire/allowance.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace raceway::wire {
namespace {

/// The blocks that are kept: few, however many threads there are.
class SpareBlocks {
 public:
  SpareBlocks() = default;
  SpareBlocks(const SpareBlocks&) = delete;
  SpareBlocks& operator=(const SpareBlocks&) = delete;
  ~SpareBlocks() {
    while (void* const block = take()) ::operator delete(block);
  }

  /// Null where there is none.
  void* take() noexcept {
    for (auto& place : places_) {
      if (void* const block = place.exchange(nullptr, std::memory_order_acquire)) return block;
    }
    return nullptr;
  }
  /// Whether it is kept.
  bool give(void* block) noexcept {
    return std::ranges::any_of(places_, [block](auto& place) {
      void* none = nullptr;
      return place.compare_exchange_strong(none, block, std::memory_order_release, std::memory_order_relaxed);
    });
  }

 private:
  std::array<std::atomic<void*>, 4> places_{};
};

SpareBlocks spare_blocks;

/// Nothing that is allocated here is aligned to more than a pointer.
class HeapMemory final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes == memory_block) {
      if (void* const spare = spare_blocks.take()) return spare;
    }
    return ::operator new(bytes);
  }
  void do_deallocate(void* place, std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes == memory_block && spare_blocks.give(place)) return;
    ::operator delete(place);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

HeapMemory heap;

}  // namespace

std::pmr::memory_resource& heap_memory() {
  return heap;
}

void Allowance::pause() {
  steps_left_ = steps_between_checks;
  if (check_ != nullptr) check_();
}

void* Allowance::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > left()) throw OverAllowance();
  void* const place = source_.allocate(bytes, alignment);
  in_use_ += bytes;
  return place;
}

void Allowance::do_deallocate(void* place, std::size_t bytes, std::size_t alignment) {
  in_use_ -= bytes;
  source_.deallocate(place, bytes, alignment);
}

}  // namespace raceway::wire

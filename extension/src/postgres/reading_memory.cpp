#include "postgres/reading_memory.hpp"

#include <utility>

#include "wire/allowance.hpp"

namespace raceway::postgres {
namespace {

constexpr std::size_t most_kept = 2 * wire::memory_block;

class ContextMemory final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    if (context_ == nullptr) {
      context_ =
          pg_call([] { return AllocSetContextCreate(TopMemoryContext, "raceway reading", ALLOCSET_SMALL_SIZES); });
    }
    void* place = bytes == wire::memory_block ? std::exchange(spare_, nullptr) : nullptr;
    if (place == nullptr && AllocHugeSizeIsValid(bytes)) {
      // Raises nothing then.
      place = MemoryContextAllocExtended(context_, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
    }
    if (place == nullptr) throw std::bad_alloc();
    ++in_use_;
    return place;
  }

  void do_deallocate(void* place, std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes == wire::memory_block) place = std::exchange(spare_, place);
    if (place != nullptr) pfree(place);
    // What is small is kept by the context itself.
    if (--in_use_ == 0 && MemoryContextMemAllocated(context_, false) > most_kept) {
      spare_ = nullptr;
      MemoryContextReset(context_);
    }
  }

  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  MemoryContext context_ = nullptr;
  void* spare_ = nullptr;   // a block that was used before
  std::size_t in_use_ = 0;  // pieces
};

}  // namespace

std::pmr::memory_resource& reading_memory() {
  static ContextMemory memory;
  return memory;
}

}  // namespace raceway::postgres

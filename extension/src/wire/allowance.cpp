#include "wire/allowance.hpp"

#include <utility>

namespace raceway::wire {
namespace {

/// The block that a thread keeps.
struct Spare {
  Spare() = default;
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  ~Spare() { ::operator delete(block); }

  void* block = nullptr;
};

Spare& spare_of_this_thread() {
  thread_local Spare spare;
  return spare;
}

/// Nothing that is allocated here is aligned to more than a pointer.
class HeapMemory final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes == memory_block) {
      if (void* const spare = std::exchange(spare_of_this_thread().block, nullptr)) return spare;
    }
    return ::operator new(bytes);
  }
  void do_deallocate(void* place, std::size_t bytes, std::size_t /*alignment*/) override {
    if (bytes == memory_block) place = std::exchange(spare_of_this_thread().block, place);
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

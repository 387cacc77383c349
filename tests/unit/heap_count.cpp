#include "heap_count.hpp"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RACEWAY_COUNTS_HEAP 1
#else
#define RACEWAY_COUNTS_HEAP 0
#endif

namespace raceway::test {
namespace {

/// Of a thread that frees what another took it may pass below zero for a moment.
constinit std::atomic<std::ptrdiff_t> in_use = 0;
constinit std::atomic<std::ptrdiff_t> peak = 0;
constinit std::atomic<std::size_t> too_large = SIZE_MAX;

}  // namespace

bool heap_is_counted() {
  return RACEWAY_COUNTS_HEAP != 0;
}

std::size_t heap_in_use() {
  return static_cast<std::size_t>(in_use.load());
}

std::size_t heap_peak() {
  return static_cast<std::size_t>(peak.load());
}

void reset_heap_peak() {
  peak.store(in_use.load());
}

ScarceHeap::ScarceHeap(std::size_t bytes) {
  too_large.store(bytes);
}

ScarceHeap::~ScarceHeap() {
  too_large.store(SIZE_MAX);
}

#if RACEWAY_COUNTS_HEAP

namespace {

bool is_to_be_had(std::size_t size) {
  if (size < too_large.load(std::memory_order_relaxed)) return true;
  errno = ENOMEM;
  return false;
}

std::ptrdiff_t size_of(void* block) {
  return block == nullptr ? 0 : static_cast<std::ptrdiff_t>(malloc_usable_size(block) + sizeof(std::size_t));
}

void* counted(void* block) {
  const auto size = size_of(block);
  const auto now = in_use.fetch_add(size, std::memory_order_relaxed) + size;
  for (auto seen = peak.load(std::memory_order_relaxed); now > seen;) {
    if (peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) break;
  }
  return block;
}

}  // namespace
}  // namespace raceway::test

// glibc's own names for what stands here in their place.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* block, std::size_t size);             // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* block);                                   // NOLINT(bugprone-reserved-identifier)

void* malloc(std::size_t size) noexcept {
  return raceway::test::is_to_be_had(size) ? raceway::test::counted(__libc_malloc(size)) : nullptr;
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return raceway::test::counted(__libc_calloc(count, size));
}

void* realloc(void* block, std::size_t size) noexcept {
  if (!raceway::test::is_to_be_had(size)) return nullptr;
  const auto before = raceway::test::size_of(block);
  void* const moved = __libc_realloc(block, size);
  if (moved == nullptr && size != 0) return nullptr;
  raceway::test::in_use.fetch_sub(before, std::memory_order_relaxed);
  return raceway::test::counted(moved);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return raceway::test::counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  void* const taken = memalign(alignment, size);
  if (taken == nullptr) return ENOMEM;
  *block = taken;
  return 0;
}

void free(void* block) noexcept {
  raceway::test::in_use.fetch_sub(raceway::test::size_of(block), std::memory_order_relaxed);
  __libc_free(block);
}
}

#else

}  // namespace raceway::test

#endif

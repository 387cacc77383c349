// What the process has taken of the heap, to the byte: every call of malloc and its kin is counted.
#pragma once

#include <cstddef>

namespace raceway::test {

/// Whether calls are counted. Where a sanitizer has taken malloc's place they are not.
bool heap_is_counted();

/// The bytes in use now, of all threads, malloc's own word for each block included.
std::size_t heap_in_use();

/// The most that was in use at any moment since the last call of reset_heap_peak().
std::size_t heap_peak();
void reset_heap_peak();

/// While it lives, no thread gets a block of so many bytes or more, as where memory has run out. Does nothing where
/// calls are not counted.
class ScarceHeap {
 public:
  explicit ScarceHeap(std::size_t bytes);
  ~ScarceHeap();
  ScarceHeap(const ScarceHeap&) = delete;
  ScarceHeap& operator=(const ScarceHeap&) = delete;
};

}  // namespace raceway::test

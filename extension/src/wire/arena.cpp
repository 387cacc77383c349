#include "wire/arena.hpp"

#include <utility>

namespace raceway::wire {

/// Stands at the beginning of its memory.
struct Arena::Chunk {
  Chunk* older;
  std::size_t size;  // of all of it
};

namespace {

/// From here on a block is asked for, which was used before.
constexpr std::size_t smallest_expected = std::size_t{16} << 10U;

/// From here on a piece has a chunk of its own, so that the rest of the chunk in use is not lost.
constexpr std::size_t smallest_alone = std::size_t{64} << 10U;

}  // namespace

void Arena::expect(std::size_t bytes) {
  next_size_ = std::max(next_size_, bytes < smallest_expected ? bytes : memory_block);
}

Arena::Mark Arena::mark() const {
  Mark mark;
  mark.newest = newest_;
  mark.free = free_;
  mark.end = end_;
  return mark;
}

void Arena::release(const Mark& mark) noexcept {
  while (newest_ != mark.newest) {
    Chunk* const chunk = newest_;
    newest_ = chunk->older;
    allowance_.deallocate(chunk, chunk->size, alignment);
  }
  free_ = mark.free;
  end_ = mark.end;
}

/// A chunk of `wanted` bytes, or of `least` where that is all that is allowed.
Arena::Chunk* Arena::add_chunk(std::size_t wanted, std::size_t least) {
  const std::size_t size = wanted <= allowance_.left() ? wanted : least;
  auto* const chunk = static_cast<Chunk*>(allowance_.allocate(size, alignment));
  *chunk = {newest_, size};
  newest_ = chunk;
  return chunk;
}

void* Arena::allocate_in_new_chunk(std::size_t bytes) {
  const std::size_t least = sizeof(Chunk) + bytes;
  if (bytes >= smallest_alone && newest_ != nullptr) return add_chunk(least, least) + 1;
  Chunk* const chunk = add_chunk(std::max(least, next_size_), least);
  next_size_ = std::max(next_size_, std::min(2 * chunk->size, memory_block));
  use(chunk);
  return std::exchange(free_, free_ + bytes);
}

void Arena::use(Chunk* chunk) {
  free_ = static_cast<char*>(static_cast<void*>(chunk + 1));
  end_ = static_cast<char*>(static_cast<void*>(chunk)) + chunk->size;
}

void Arena::reserve(std::size_t bytes) {
  if (room() < bytes) use(add_chunk(sizeof(Chunk) + bytes, sizeof(Chunk) + bytes));
}

}  // namespace raceway::wire

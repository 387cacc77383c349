#include "wire/arena.hpp"

#include <algorithm>
#include <utility>

namespace raceway::wire {
namespace {

constexpr std::size_t largest_step = std::size_t{1} << 20U;

/// What a thread keeps for its next arena: fresh pages cost more than what is written into them.
constexpr std::size_t smallest_spare = std::size_t{16} << 10U;
constexpr std::size_t largest_spare = std::size_t{4} << 20U;

}  // namespace

struct Arena::Spare {
  static Chunk& of_this_thread() {
    thread_local Chunk chunk;
    return chunk;
  }
};

Arena::~Arena() {
  if (chunks_.empty()) return;
  Chunk& largest =
      *std::max_element(chunks_.begin(), chunks_.end(), [](const Chunk& a, const Chunk& b) { return a.size < b.size; });
  if (largest.size < smallest_spare || largest.size > largest_spare) return;
  Chunk& spare = Spare::of_this_thread();
  if (spare.size < largest.size) spare = std::move(largest);
}

void Arena::expect(std::size_t bytes) {
  next_size_ = std::max(next_size_, bytes);
}

void* Arena::allocate_in_new_chunk(std::size_t bytes) {
  const std::size_t wanted = std::max(bytes, next_size_);
  Chunk chunk;
  if (Chunk& spare = Spare::of_this_thread(); wanted >= smallest_spare && spare.size >= bytes) {
    chunk = {std::move(spare.bytes), std::exchange(spare.size, 0)};
  } else {
    chunk = {std::make_unique_for_overwrite<char[]>(wanted), wanted};
  }
  next_size_ = std::max(next_size_, std::min(2 * chunk.size, largest_step));
  free_ = chunk.bytes.get() + bytes;
  end_ = chunk.bytes.get() + chunk.size;
  chunks_.push_back(std::move(chunk));
  return chunks_.back().bytes.get();
}

}  // namespace raceway::wire

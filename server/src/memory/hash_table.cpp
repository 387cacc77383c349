#include "memory/hash_table.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace raceway::server::memory {
namespace {

constexpr std::size_t first_capacity = 16;
constexpr std::size_t first_room = 48;

}  // namespace

void HashTable::insert(std::uint32_t hash, std::uint32_t number) {
  const std::uint64_t slot = std::uint64_t{hash} << 32U | number;
  if ((count_ + 1) * 5 > capacity_ * 4) {
    rebuild(std::max(first_capacity, capacity_ + capacity_ / 2), first_room);
  }
  while (!place(slot)) rebuild(capacity_, (slot_count_ - capacity_) * 2);
}

bool HashTable::place(std::uint64_t slot) {
  std::size_t at = home(hash_of(slot));
  while (slots_[at] < slot) ++at;  // an empty slot is larger than any other
  std::size_t end = at;
  while (slots_[end] != empty) ++end;
  if (end + 1 == slot_count_) return false;
  std::copy_backward(&slots_[at], &slots_[end], &slots_[end + 1]);
  slots_[at] = slot;
  ++count_;
  return true;
}

/// Moves everything over in one pass: the order of the slots is the same in both.
void HashTable::rebuild(std::size_t capacity, std::size_t room) {
  std::unique_ptr<std::uint64_t[]> grown;
  std::size_t slot_count = 0;
  const auto move_all = [&] {
    std::size_t next = 0;
    for (std::size_t at = 0; at < slot_count_; ++at) {
      if (slots_[at] == empty) continue;
      next = std::max(next, home_in(capacity, hash_of(slots_[at])));
      if (next + 1 == slot_count) return false;
      grown[next++] = slots_[at];
    }
    return true;
  };
  do {
    slot_count = capacity + room;
    grown = std::make_unique_for_overwrite<std::uint64_t[]>(slot_count);
    std::fill_n(grown.get(), slot_count, empty);
    room *= 2;
  } while (!move_all());
  slots_ = std::move(grown);
  bytes_ = heap_bytes(slots_.get());
  capacity_ = capacity;
  slot_count_ = slot_count;
  hint_.slots.store(slots_.get(), std::memory_order_relaxed);
  hint_.capacity.store(capacity_, std::memory_order_relaxed);
}

void HashTable::erase(std::uint32_t hash, std::uint32_t number) noexcept {
  if (count_ == 0) return;
  const std::uint64_t slot = std::uint64_t{hash} << 32U | number;
  std::size_t at = home(hash);
  while (slots_[at] < slot) ++at;
  if (slots_[at] != slot) return;
  // What was pushed on behind it moves back by one, up to the first that stands at its home.
  for (; slots_[at + 1] != empty && home(hash_of(slots_[at + 1])) != at + 1; ++at) slots_[at] = slots_[at + 1];
  slots_[at] = empty;
  --count_;
  if (count_ * 4 < capacity_ && capacity_ > first_capacity) give_back();
}

void HashTable::give_back() noexcept {
  try {
    rebuild(std::max(first_capacity, capacity_ / 2), first_room);
  } catch (const std::bad_alloc&) {
    return;  // it stays as large as it is
  }
}

}  // namespace raceway::server::memory

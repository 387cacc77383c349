#include "storage/memory_hash_table.hpp"

#include <algorithm>
#include <utility>

namespace raceway::server::storage::memory {
namespace {

constexpr std::size_t first_capacity = 16;
constexpr std::size_t room_behind = 48;

}  // namespace

void HashTable::insert(std::uint32_t hash, std::uint32_t number) {
  const std::uint64_t slot = std::uint64_t{hash} << 32U | number;
  if ((count_ + 1) * 10 > capacity_ * 9) grow();
  while (!place(slot)) grow();
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

void HashTable::grow() {
  HashTable grown;
  grown.capacity_ = capacity_;
  do {
    grown.capacity_ = std::max(first_capacity, grown.capacity_ + grown.capacity_ / 4);
    grown.slot_count_ = grown.capacity_ + room_behind;
    grown.slots_ = std::make_unique_for_overwrite<std::uint64_t[]>(grown.slot_count_);
  } while (!spread(grown, *this));
  *this = std::move(grown);
}

/// In one pass: the order of the slots is the same in both.
bool HashTable::spread(HashTable& grown, const HashTable& from) {
  std::fill_n(grown.slots_.get(), grown.slot_count_, empty);
  std::size_t next = 0;
  for (std::size_t at = 0; at < from.slot_count_; ++at) {
    if (from.slots_[at] == empty) continue;
    next = std::max(next, grown.home(hash_of(from.slots_[at])));
    if (next + 1 == grown.slot_count_) return false;
    grown.slots_[next++] = from.slots_[at];
  }
  grown.count_ = from.count_;
  return true;
}

void HashTable::erase(std::uint32_t hash, std::uint32_t number) {
  if (count_ == 0) return;
  const std::uint64_t slot = std::uint64_t{hash} << 32U | number;
  std::size_t at = home(hash);
  while (slots_[at] < slot) ++at;
  if (slots_[at] != slot) return;
  // What was pushed on behind it moves back by one, up to the first that stands at its home.
  for (; slots_[at + 1] != empty && home(hash_of(slots_[at + 1])) != at + 1; ++at) slots_[at] = slots_[at + 1];
  slots_[at] = empty;
  --count_;
}

}  // namespace raceway::server::storage::memory

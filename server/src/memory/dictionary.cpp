#include "memory/dictionary.hpp"

#include <algorithm>
#include <cstring>

#include "memory/bytes.hpp"

namespace raceway::server::memory {
namespace {

constexpr std::size_t first_slots = 256;
constexpr std::size_t block_size = 16'384;

/// The upper half tells hashes apart, the lower one is the number and one more; 0 is an empty slot.
std::uint64_t slot_of(std::uint64_t hash, std::uint32_t number) {
  return (hash & 0xFFFFFFFF00000000U) | (number + 1U);
}

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> serial = 0;
  return ++serial;
}

}  // namespace

/// Open addressing, at most half full; the size a power of two.
struct Dictionary::Slots {
  explicit Slots(std::size_t size) : mask(size - 1), slots(std::make_unique<std::atomic<std::uint64_t>[]>(size)) {}

  void insert(std::uint64_t hash, std::uint64_t slot) const {
    std::size_t at = hash & mask;
    while (slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask;
    slots[at].store(slot, std::memory_order_release);
  }

  std::size_t mask;
  std::unique_ptr<std::atomic<std::uint64_t>[]> slots;
};

Dictionary::Dictionary(std::atomic<std::size_t>* total)
    : serial_(next_serial()), seen_(std::make_unique<std::array<Sights, sight_places>>()), total_(total) {
  all_slots_.push_back(std::make_unique<Slots>(first_slots));
  slots_.store(all_slots_.back().get(), std::memory_order_release);
  count_bytes();
}

Dictionary::Dictionary(std::span<const std::string> texts, std::atomic<std::size_t>* total) : Dictionary(total) {
  for (const auto& text : texts) add(storage::fast_hash(key_, text), text);
  count_bytes();
}

Dictionary::~Dictionary() {
  if (total_ != nullptr) *total_ -= bytes_;
}

std::optional<std::uint32_t> Dictionary::number_of(std::string_view text) {
  if (text.size() > longest_text) return std::nullopt;
  const std::uint64_t hash = storage::fast_hash(key_, text);
  if (const auto known = find(*slots(), hash, text)) return known;
  if (full() || !seen_before(hash)) return std::nullopt;
  return admit(hash, text);
}

std::optional<std::uint32_t> Dictionary::find(const Slots& slots, std::uint64_t hash, std::string_view text) const {
  for (std::size_t at = hash & slots.mask;; at = (at + 1) & slots.mask) {
    const std::uint64_t slot = slots.slots[at].load(std::memory_order_acquire);
    if (slot == 0) return std::nullopt;
    if ((slot ^ hash) >> 32U != 0) continue;
    const auto number = static_cast<std::uint32_t>(slot) - 1;
    if (this->text(number) == text) return number;
  }
}

/// Two threads here at once may lose a sight; the text gets in a little later then.
bool Dictionary::seen_before(std::uint64_t hash) {
  Sights& sights = (*seen_)[hash % sight_places];
  const auto mark = static_cast<std::uint32_t>(hash >> 32U);
  std::uint32_t moved = mark;
  for (auto& sight : sights) {
    const std::uint32_t before = sight.load(std::memory_order_relaxed);
    sight.store(moved, std::memory_order_relaxed);
    if (before == mark) return true;
    moved = before;
  }
  return false;
}

std::optional<std::uint32_t> Dictionary::admit(std::uint64_t hash, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = find(*slots(), hash, text)) return known;
  if (count_ == max_texts || text_bytes_ + text.size() > max_bytes) {
    full_.store(true, std::memory_order_relaxed);
    return std::nullopt;
  }
  return add(hash, text);
}

std::uint32_t Dictionary::add(std::uint64_t hash, std::string_view text) {
  const std::uint32_t number = count_;
  const std::size_t blocks_before = blocks_.size();
  const bool grows = (number + std::size_t{1}) * 2 > slots()->mask + 1;
  if (grows) grow_slots();
  const bool new_page = !pages_[number / page_size];
  auto& page = pages_[number / page_size];
  if (!page) page = std::make_unique<Page>();
  (*page)[number % page_size] = keep(text);
  count_.store(number + 1, std::memory_order_release);
  slots()->insert(hash, slot_of(hash, number));
  if (grows || new_page || blocks_.size() > blocks_before) count_bytes();
  return number;
}

std::string_view Dictionary::keep(std::string_view text) {
  if (text.size() > block_left_) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size));
    block_left_ = block_size;
  }
  char* const place = blocks_.back().get() + (block_size - block_left_);
  std::memcpy(place, text.data(), text.size());
  block_left_ -= text.size();
  text_bytes_ += text.size();
  return {place, text.size()};
}

void Dictionary::grow_slots() {
  auto grown = std::make_unique<Slots>((slots()->mask + 1) * 2);
  for (std::uint32_t number = 0; number < count_; ++number) {
    const std::uint64_t hash = storage::fast_hash(key_, text(number));
    grown->insert(hash, slot_of(hash, number));
  }
  all_slots_.push_back(std::move(grown));
  slots_.store(all_slots_.back().get(), std::memory_order_release);
}

void Dictionary::throw_no_such_text() {
  throw DamagedBytes("it names a text that is in no dictionary");
}

void Dictionary::count_bytes() {
  std::size_t now = heap_bytes(seen_.get());
  for (const auto& page : pages_) now += heap_bytes(page.get());
  now += heap_bytes(all_slots_.data()) + heap_bytes(blocks_.data());
  for (const auto& slots : all_slots_) now += heap_bytes(slots.get()) + heap_bytes(slots->slots.get());
  for (const auto& block : blocks_) now += heap_bytes(block.get());
  if (total_ != nullptr) *total_ += now - bytes_;
  bytes_ = now;
}

}  // namespace raceway::server::memory

#include "memory/store.hpp"

#include <algorithm>

namespace raceway::server::memory {

void EventIndex::insert(Part& part, const Id& id, Locator locator) {
  const std::size_t before = part.locators.bytes();
  part.locators.insert(table_hash(id), locator.packed());
  if (part.locators.bytes() != before) bytes_ += part.locators.bytes() - before;
}

void EventIndex::erase(Part& part, const Id& id, Locator locator) noexcept {
  const std::size_t before = part.locators.bytes();
  part.locators.erase(table_hash(id), locator.packed());
  if (part.locators.bytes() != before) bytes_ += part.locators.bytes() - before;
}

std::shared_ptr<Dictionary> Dictionaries::current() {
  const std::scoped_lock lock(mutex_);
  if (!current_ || current_->full()) current_ = make({});
  return current_;
}

std::shared_ptr<Dictionary> Dictionaries::restore(std::span<const std::string> texts) {
  const std::scoped_lock lock(mutex_);
  auto restored = make(texts);
  if (texts.size() < Dictionary::max_texts) current_ = restored;
  return restored;
}

std::shared_ptr<Dictionary> Dictionaries::make(std::span<const std::string> texts) {
  std::size_t bytes = 0;
  auto made = std::allocate_shared<Dictionary>(CountedAllocator<Dictionary>(bytes), texts, &bytes_);
  all_.push_back({made, bytes});
  sweep_locked();
  return made;
}

void Dictionaries::sweep() {
  const std::scoped_lock lock(mutex_);
  sweep_locked();
}

void Dictionaries::sweep_locked() {
  std::erase_if(all_, [](const Known& known) { return known.dictionary.expired(); });
  std::size_t bytes = heap_bytes(all_.data());
  for (const Known& known : all_) bytes += known.bytes;
  own_bytes_ = bytes;
}

}  // namespace raceway::server::memory

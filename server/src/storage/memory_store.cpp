#include "storage/memory_store.hpp"

#include <algorithm>

namespace raceway::server::storage::memory {

std::size_t EventIndex::bytes() const {
  std::size_t total = 0;
  for (const Part& part : parts_) {
    const std::scoped_lock lock(part.mutex);
    total += part.locators.bytes();
  }
  return total;
}

std::shared_ptr<Dictionary> Dictionaries::current() {
  const std::scoped_lock lock(mutex_);
  if (!current_ || current_->full()) {
    std::erase_if(all_, [](const auto& dictionary) { return dictionary.expired(); });
    current_ = std::make_unique<Dictionary>();
    all_.push_back(current_);
  }
  return current_;
}

std::size_t Dictionaries::bytes() const {
  std::vector<std::shared_ptr<Dictionary>> live;
  std::size_t total = 0;
  {
    const std::scoped_lock lock(mutex_);
    total = heap_bytes(all_.data());
    for (const auto& dictionary : all_) live.push_back(dictionary.lock());
  }
  for (const auto& dictionary : live) {
    if (dictionary) total += heap_bytes(dictionary.get()) + dictionary->bytes();
  }
  return total;
}

}  // namespace raceway::server::storage::memory

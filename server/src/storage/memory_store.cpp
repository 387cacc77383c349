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
    std::erase_if(all_, [](const Known& known) { return known.dictionary.expired(); });
    std::size_t bytes = 0;
    auto next = std::allocate_shared<Dictionary>(CountedAllocator<Dictionary>(bytes));
    all_.push_back({next, bytes});
    current_ = std::move(next);
  }
  return current_;
}

std::size_t Dictionaries::bytes() const {
  std::vector<std::shared_ptr<Dictionary>> live;
  std::size_t total = 0;
  {
    const std::scoped_lock lock(mutex_);
    total = heap_bytes(all_.data());
    for (const Known& known : all_) {
      total += known.bytes;
      live.push_back(known.dictionary.lock());
    }
  }
  for (const auto& dictionary : live) {
    if (dictionary) total += dictionary->bytes();
  }
  return total;
}

}  // namespace raceway::server::storage::memory

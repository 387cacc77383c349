#include "http/spare_buffers.hpp"

#include <new>
#include <utility>

namespace raceway::server::http {

std::string SpareBuffers::take() {
  const std::lock_guard lock(mutex_);
  if (buffers_.empty()) return {};
  // The one given last: its bytes are the likeliest to be in a cache still.
  std::string buffer = std::move(buffers_.back());
  buffers_.pop_back();
  bytes_ -= buffer.capacity();
  return buffer;
}

void SpareBuffers::give(std::string buffer) noexcept {
  const std::size_t capacity = buffer.capacity();
  if (capacity < smallest || capacity > largest) return;
  const std::lock_guard lock(mutex_);
  if (bytes_ + capacity > most_bytes) return;
  try {
    buffers_.push_back(std::move(buffer));
    bytes_ += capacity;
  } catch (const std::bad_alloc&) {  // then it is freed
  }
}

}  // namespace raceway::server::http

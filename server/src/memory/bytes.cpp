#include "memory/bytes.hpp"

#include <algorithm>

namespace raceway::server::memory {

void throw_bytes_end_early() {
  throw DamagedBytes("it ends too early");
}

void ByteBuffer::grow(std::size_t count) {
  const std::size_t capacity = std::max({first_capacity, capacity_ * 2, size_ + count});
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
  bytes_ = std::move(grown);
  capacity_ = capacity;
}

}  // namespace raceway::server::memory

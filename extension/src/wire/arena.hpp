// The memory behind a Batch and its JSON trees.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>
#include <type_traits>

namespace raceway::wire {

/// Hands out memory that lives until the arena dies; nothing in it is destroyed one by one. Not thread-safe.
class Arena {
 public:
  template <class T>
  std::span<T> copy(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    auto* place = static_cast<T*>(resource_.allocate(items.size_bytes(), alignof(T)));
    std::memcpy(static_cast<void*>(place), items.data(), items.size_bytes());
    return {place, items.size()};
  }

  std::string_view copy(std::string_view text) {
    const auto bytes = copy(std::span<const char>(text.data(), text.size()));
    return {bytes.data(), bytes.size()};
  }

 private:
  std::pmr::monotonic_buffer_resource resource_;
};

}  // namespace raceway::wire

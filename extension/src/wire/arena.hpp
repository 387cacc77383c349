// The memory behind a Batch and its JSON trees.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace raceway::wire {

/// Hands out memory that lives until the arena dies; nothing in it is destroyed one by one. Not thread-safe.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Says that about `bytes` will be asked for, so that they come in few pieces.
  void expect(std::size_t bytes);

  /// Room for `count` items, not initialized.
  template <class T>
  T* allocate(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= alignof(std::max_align_t));
    const std::size_t padding = -reinterpret_cast<std::size_t>(free_) % alignof(T);
    const std::size_t bytes = count * sizeof(T);
    if (static_cast<std::size_t>(end_ - free_) < padding + bytes) return static_cast<T*>(allocate_in_new_chunk(bytes));
    char* const place = free_ + padding;
    free_ = place + bytes;
    return static_cast<T*>(static_cast<void*>(place));
  }

  template <class T>
  std::span<T> copy(std::span<const T> items) {
    if (items.empty()) return {};
    T* const place = allocate<T>(items.size());
    std::memcpy(static_cast<void*>(place), items.data(), items.size_bytes());
    return {place, items.size()};
  }

  std::string_view copy(std::string_view text) {
    const auto bytes = copy(std::span<const char>(text.data(), text.size()));
    return {bytes.data(), bytes.size()};
  }

  std::string_view join(std::string_view a, std::string_view b, std::string_view c) {
    const std::size_t size = a.size() + b.size() + c.size();
    char* const place = allocate<char>(size);
    char* at = place;
    for (const auto part : {a, b, c}) at = std::copy(part.begin(), part.end(), at);
    return {place, size};
  }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  struct Spare;

  void* allocate_in_new_chunk(std::size_t bytes);

  std::vector<Chunk> chunks_;
  char* free_ = nullptr;
  char* end_ = nullptr;
  std::size_t next_size_ = 1024;
};

}  // namespace raceway::wire

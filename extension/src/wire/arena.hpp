// The memory behind a Batch and its JSON trees.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "wire/allowance.hpp"

namespace raceway::wire {

/// Hands out memory that lives until the arena dies or lets go of it; nothing in it is destroyed one by one.
/// Not thread-safe. Throws std::bad_alloc, OverAllowance where its allowance is used up.
class Arena {
  struct Chunk;

 public:
  /// Of the heap, without a limit.
  Arena() : allowance_(own_allowance_) {}
  explicit Arena(Allowance& allowance) : allowance_(allowance) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { release({}); }

  Allowance& allowance() const { return allowance_; }

  /// Says that about `bytes` will be asked for, so that they come in few pieces.
  void expect(std::size_t bytes);

  /// Takes so much at once that the next `bytes` need no more.
  void reserve(std::size_t bytes);

  /// So much may be reserved without taking more.
  std::size_t room() const { return static_cast<std::size_t>(end_ - free_); }

  /// Room for `count` items, not initialized.
  template <class T>
  T* allocate(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= alignment);
    const std::size_t padding = -reinterpret_cast<std::size_t>(free_) % alignof(T);
    const std::size_t bytes = count * sizeof(T);
    if (static_cast<std::size_t>(end_ - free_) < padding + bytes) return static_cast<T*>(allocate_in_new_chunk(bytes));
    char* const place = free_ + padding;
    free_ = place + bytes;
    return static_cast<T*>(static_cast<void*>(place));
  }

  /// Takes back what was allocated last as far as it is not needed: all from `rest` on.
  void give_back(const void* rest, const void* end) {
    if (end == free_) free_ -= static_cast<const char*>(end) - static_cast<const char*>(rest);
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

  /// A moment in the arena's life.
  class Mark {
    friend class Arena;
    Chunk* newest = nullptr;
    char* free = nullptr;
    char* end = nullptr;
  };
  Mark mark() const;
  /// Whether anything was allocated since.
  bool has_grown_since(const Mark& mark) const { return newest_ != mark.newest || free_ != mark.free; }
  /// Lets go of all that was allocated since.
  void release(const Mark& mark) noexcept;

 private:
  static constexpr std::size_t alignment = alignof(void*);

  void* allocate_in_new_chunk(std::size_t bytes);
  Chunk* add_chunk(std::size_t wanted, std::size_t least);
  void use(Chunk* chunk);

  Allowance own_allowance_;
  Allowance& allowance_;
  Chunk* newest_ = nullptr;
  char* free_ = nullptr;  // of the chunk in use, which need not be the newest
  char* end_ = nullptr;
  std::size_t next_size_ = 1024;
};

}  // namespace raceway::wire

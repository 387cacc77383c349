// The bytes that the memory store packs events into: whole numbers of variable length, read back in the order written.
#pragma once

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include "wire/bytes.hpp"

namespace raceway::server::memory {

/// Copies short pieces, which most are, without a call.
inline void copy_bytes(char* to, const char* from, std::size_t count) {
  const auto copy_ends = [&]<std::size_t width>(std::integral_constant<std::size_t, width>) {
    std::array<char, width> first;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled at once, both
    std::array<char, width> last;   // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::memcpy(first.data(), from, width);
    std::memcpy(last.data(), from + count - width, width);
    std::memcpy(to, first.data(), width);
    std::memcpy(to + count - width, last.data(), width);
  };
  if (count > 32) {
    std::memcpy(to, from, count);
  } else if (count >= 16) {
    copy_ends(std::integral_constant<std::size_t, 16>{});
  } else if (count >= 8) {
    copy_ends(std::integral_constant<std::size_t, 8>{});
  } else if (count >= 4) {
    copy_ends(std::integral_constant<std::size_t, 4>{});
  } else {
    for (std::size_t at = 0; at < count; ++at) to[at] = from[at];
  }
}

/// Compares short pieces, which most are, without a call.
inline bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || wire::equal_bytes(a.data(), b.data(), a.size()));
}

/// Where events are packed: grows, and is used again and again.
class ByteBuffer {
 public:
  std::string_view view() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  /// Whether it takes more memory than is worth keeping.
  bool is_large() const { return capacity_ > kept_capacity; }

  /// Back to an earlier size.
  void shrink(std::size_t size) { size_ = size; }
  void clear() { size_ = 0; }

  void put(char byte) { *extend(1) = byte; }
  void put(std::string_view bytes) { copy_bytes(extend(bytes.size()), bytes.data(), bytes.size()); }
  /// A number in 1 to 10 bytes, seven bits in each, the lowest first.
  void put_varint(std::uint64_t value) {
    make_room(most_of_varint);
    char* const begin = bytes_.get() + size_;
    size_ += static_cast<std::size_t>(write_varint(begin, value) - begin);
  }
  /// Bytes behind their count.
  void put_counted(std::string_view bytes) {
    put_varint(bytes.size());
    put(bytes);
  }
  /// Puts their count before the bytes from `begin` on, where a byte was left for it.
  void count_from(std::size_t begin) {
    const std::size_t count = size_ - begin;
    std::array<char, most_of_varint> varint;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
    const auto width = static_cast<std::size_t>(write_varint(varint.data(), count) - varint.data());
    if (width > 1) {
      extend(width - 1);
      std::memmove(bytes_.get() + begin + width - 1, bytes_.get() + begin, count);
    }
    std::memcpy(bytes_.get() + begin - 1, varint.data(), width);
  }
  /// Room for so many bytes at the end, theirs to be written.
  char* extend(std::size_t count) {
    make_room(count);
    char* const place = bytes_.get() + size_;
    size_ += count;
    return place;
  }
  /// A byte that was written before.
  char& operator[](std::size_t at) { return bytes_[at]; }

 private:
  static constexpr std::size_t first_capacity = 256;
  static constexpr std::size_t kept_capacity = std::size_t{64} << 10U;
  static constexpr std::size_t most_of_varint = 10;

  static char* write_varint(char* at, std::uint64_t value) {
    for (; value >= 0x80U; value >>= 7U) *at++ = static_cast<char>(value | 0x80U);
    *at++ = static_cast<char>(value);
    return at;
  }
  void make_room(std::size_t count) {
    if (count > capacity_ - size_) [[unlikely]]
      grow(count);
  }
  void grow(std::size_t count);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Small differences in either direction as small numbers.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

/// Packed bytes are not what they should be.
class DamagedBytes : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
[[noreturn]] void throw_bytes_end_early();

/// Reads packed bytes, and never beyond their end: throws DamagedBytes there.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t byte() {
    if (done()) [[unlikely]]
      throw_bytes_end_early();
    return static_cast<std::uint8_t>(*at_++);
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t next = byte();
      value |= (next & 0x7FU) << shift;
      if (next < 0x80U) return value;
    }
    throw DamagedBytes("a number has too many bytes");
  }

  std::string_view bytes(std::size_t count) {
    if (count > left()) [[unlikely]]
      throw_bytes_end_early();
    const std::string_view taken(at_, count);
    at_ += count;
    return taken;
  }

  /// Bytes behind their count.
  std::string_view counted() { return bytes(varint()); }

 private:
  const char* at_;
  const char* end_;
};

/// What a block of the heap takes, malloc's own word for it included; 0 where there is none.
inline std::size_t heap_bytes(const void* block) {
  return block == nullptr ? 0 : malloc_usable_size(const_cast<void*>(block)) + sizeof(std::size_t);
}

/// An allocator that adds to a count what it takes of the heap. What is given back is not taken off it, so that the
/// count need not outlive what was allocated: it is for what stays, or is counted as long as it is there.
template <class T>
class CountedAllocator {
 public:
  using value_type = T;

  /// `bytes` must be there for each allocation.
  explicit CountedAllocator(std::size_t& bytes) : bytes_(&bytes) {}
  template <class Other>
  explicit(false) CountedAllocator(const CountedAllocator<Other>& other) : bytes_(other.bytes_) {}

  T* allocate(std::size_t count) {
    T* const block = std::allocator<T>().allocate(count);
    *bytes_ += heap_bytes(block);
    return block;
  }
  void deallocate(T* block, std::size_t count) noexcept { std::allocator<T>().deallocate(block, count); }

  bool operator==(const CountedAllocator& other) const = default;

 private:
  template <class Other>
  friend class CountedAllocator;

  std::size_t* bytes_;
};

}  // namespace raceway::server::memory

// The bytes that the memory store packs events into: whole numbers of variable length, read back in the order written.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace raceway::server::storage::memory {

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
  const auto same_at = [&](std::size_t at, auto width) {
    std::array<decltype(width), 2> words{};
    std::memcpy(&words[0], a.data() + at, sizeof width);
    std::memcpy(&words[1], b.data() + at, sizeof width);
    return words[0] == words[1];
  };
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 32) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size > 16 && !(same_at(8, std::uint64_t{}) && same_at(size - 16, std::uint64_t{}))) return false;
  if (size >= 8) return same_at(0, std::uint64_t{}) && same_at(size - 8, std::uint64_t{});
  if (size >= 4) return same_at(0, std::uint32_t{}) && same_at(size - 4, std::uint32_t{});
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
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

  void put(char byte) {
    make_room(1);
    bytes_[size_++] = byte;
  }
  void put(std::string_view bytes) {
    make_room(bytes.size());
    copy_bytes(&bytes_[size_], bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  /// A number in 1 to 10 bytes, seven bits in each, the lowest first.
  void put_varint(std::uint64_t value) {
    make_room(10);
    char* at = &bytes_[size_];
    for (; value >= 0x80U; value >>= 7U) *at++ = static_cast<char>(value | 0x80U);
    *at++ = static_cast<char>(value);
    size_ = static_cast<std::size_t>(at - bytes_.get());
  }
  /// Bytes behind their count.
  void put_counted(std::string_view bytes) {
    put_varint(bytes.size());
    put(bytes);
  }
  /// Room for so many bytes at the end, theirs to be written.
  char* extend(std::size_t count) {
    make_room(count);
    char* const place = &bytes_[size_];
    size_ += count;
    return place;
  }

 private:
  static constexpr std::size_t first_capacity = 256;
  static constexpr std::size_t kept_capacity = std::size_t{64} << 10U;

  void make_room(std::size_t count) {
    if (size_ + count > capacity_ || capacity_ == 0) grow(count);
  }
  void grow(std::size_t count) {
    const std::size_t capacity = std::max({first_capacity, capacity_ * 2, size_ + count});
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }

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

/// Reads what this process has written; it is not checked again.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t byte() { return static_cast<std::uint8_t>(*at_++); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint64_t next = byte();
      value |= (next & 0x7FU) << shift;
      if (next < 0x80U) return value;
    }
  }

  std::string_view bytes(std::size_t count) {
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

}  // namespace raceway::server::storage::memory

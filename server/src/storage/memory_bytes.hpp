// The bytes that the memory store packs events into: whole numbers of variable length, read back in the order written.
#pragma once

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace raceway::server::storage::memory {

/// Appends a number in 1 to 10 bytes, seven bits in each, the lowest first.
inline void put_varint(std::string& out, std::uint64_t value) {
  std::array<char, 10> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  std::size_t size = 0;
  while (value >= 0x80U) {
    bytes[size++] = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  bytes[size++] = static_cast<char>(value);
  out.append(bytes.data(), size);
}

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

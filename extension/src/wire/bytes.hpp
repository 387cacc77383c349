// Looking at pieces of memory that are mostly short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace raceway::wire {

/// The bytes of a word, in the machine's order. `at` needs no alignment.
template <class Word>
Word load_bytes(const char* at) {
  Word word;  // NOLINT(cppcoreguidelines-init-variables): filled at once
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The compiler's vectors, of any machine.
using Bytes16 [[gnu::vector_size(16)]] = unsigned char;
using Words2 [[gnu::vector_size(16)]] = std::uint64_t;

/// Whether `size` bytes at both places are the same; for short ones without a call. Reads none beyond them.
inline bool equal_bytes(const char* a, const char* b, std::size_t size) {
  const auto same_at = [a, b]<class Word>(std::size_t at, Word) {
    return load_bytes<Word>(a + at) == load_bytes<Word>(b + at);
  };
  const auto same_pair_at = [&](std::size_t at) {
    return ((load_bytes<std::uint64_t>(a + at) ^ load_bytes<std::uint64_t>(b + at)) |
            (load_bytes<std::uint64_t>(a + at + 8) ^ load_bytes<std::uint64_t>(b + at + 8))) == 0;
  };
  if (size > 64) return std::memcmp(a, b, size) == 0;
  if (size >= 32) return same_pair_at(0) && same_pair_at(16) && same_pair_at(size - 32) && same_pair_at(size - 16);
  if (size >= 16) return same_pair_at(0) && same_pair_at(size - 16);
  if (size >= 8) return same_at(0, std::uint64_t{}) && same_at(size - 8, std::uint64_t{});
  if (size >= 4) return same_at(0, std::uint32_t{}) && same_at(size - 4, std::uint32_t{});
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

}  // namespace raceway::wire

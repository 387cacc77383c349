#include "wire/name_uuid.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <stdexcept>

namespace raceway::wire {
namespace {

constexpr std::size_t block_size = 64;
using Block = std::array<unsigned char, block_size>;
using Digest = std::array<std::uint32_t, 5>;

struct Round {
  std::uint32_t mixed;
  std::uint32_t constant;
};

Round round_of(std::size_t step, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  if (step < 20) return {(b & c) | (~b & d), 0x5A827999};
  if (step < 40) return {b ^ c ^ d, 0x6ED9EBA1};
  if (step < 60) return {(b & c) | (b & d) | (c & d), 0x8F1BBCDC};
  return {b ^ c ^ d, 0xCA62C1D6};
}

/// SHA-1 of a message that is one block with its padding (FIPS 180-4, 6.1). It names, and protects nothing; one block
/// is not worth a library in every process of a database.
Digest sha1_of_block(const Block& block) {
  std::array<std::uint32_t, 80> words{};
  for (std::size_t at = 0; at < 16; ++at) {
    for (std::size_t byte = 0; byte < 4; ++byte) words[at] = words[at] << 8U | block[4 * at + byte];
  }
  for (std::size_t at = 16; at < words.size(); ++at) {
    words[at] = std::rotl(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1);
  }
  constexpr Digest begin = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  auto [a, b, c, d, e] = begin;
  for (std::size_t step = 0; step < words.size(); ++step) {
    const auto [mixed, constant] = round_of(step, b, c, d);
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + constant + words[step];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  return {begin[0] + a, begin[1] + b, begin[2] + c, begin[3] + d, begin[4] + e};
}

}  // namespace

std::array<char, 36> uuid_of_name(const std::array<unsigned char, 16>& space, std::string_view name) {
  if (name.size() > longest_uuid_name) throw std::invalid_argument("the name of a UUID is too long");
  Block block{};
  auto* const end = std::copy(name.begin(), name.end(), std::copy(space.begin(), space.end(), block.begin()));
  *end = 0x80;
  const std::size_t bits = 8 * (space.size() + name.size());
  block[block_size - 2] = static_cast<unsigned char>(bits >> 8U);
  block[block_size - 1] = static_cast<unsigned char>(bits);
  const Digest digest = sha1_of_block(block);
  std::array<unsigned char, 16> bytes{};
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<unsigned char>(digest[at / 4] >> (24 - 8 * (at % 4)));
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x50U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  return uuid_text(bytes);
}

std::array<char, 36> uuid_text(const std::array<unsigned char, 16>& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 36> text{};
  auto* to = text.begin();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at == 4 || at == 6 || at == 8 || at == 10) *to++ = '-';
    *to++ = digits[bytes[at] >> 4U];
    *to++ = digits[bytes[at] & 0x0FU];
  }
  return text;
}

}  // namespace raceway::wire

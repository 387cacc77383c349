#include "storage/keyed_hash.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace raceway::server::storage {
namespace {

std::uint64_t load64(const char* at) {
  std::uint64_t value;  // NOLINT(cppcoreguidelines-init-variables): filled at once
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t load32(const char* at) {
  std::uint32_t value;  // NOLINT(cppcoreguidelines-init-variables): filled at once
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Fewer than eight bytes; those that lack are 0.
std::uint64_t load_tail(const char* at, std::size_t count) {
  if (count >= 4) return load32(at) | load32(at + count - 4) << 8U * (count - 4);
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < count; ++byte)
    value |= std::uint64_t{static_cast<unsigned char>(at[byte])} << 8U * byte;
  return value;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void add(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

__extension__ using Wide = unsigned __int128;

/// Both halves of the product, folded together.
std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace

HashKey HashKey::random() {
  std::random_device source;
  const auto word = [&] { return std::uint64_t{source()} << 32U | source(); };
  const std::uint64_t first = word();
  return {first, word()};
}

std::uint64_t sip_hash(const HashKey& key, std::string_view bytes) {
  SipState state{key.first ^ 0x736f6d6570736575U, key.second ^ 0x646f72616e646f6dU, key.first ^ 0x6c7967656e657261U,
                 key.second ^ 0x7465646279746573U};
  const char* at = bytes.data();
  const char* const words_end = at + bytes.size() / 8 * 8;
  for (; at != words_end; at += 8) state.add(load64(at));
  state.add(load_tail(at, bytes.size() % 8) | std::uint64_t{bytes.size()} << 56U);
  state.v2 ^= 0xFFU;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint64_t fast_hash(const HashKey& key, std::string_view bytes) {
  std::uint64_t hash = key.first ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left > 16; at += 16, left -= 16) hash = multiply_mix(load64(at) ^ key.second, load64(at + 8) ^ hash);
  const std::uint64_t low = left >= 8 ? load64(at) : load_tail(at, left);
  const std::uint64_t high = left >= 8 ? load64(at + left - 8) : 0;
  hash = multiply_mix(low ^ key.second, high ^ hash);
  return multiply_mix(hash ^ key.first, 0x9E3779B97F4A7C15U ^ key.second);
}

}  // namespace raceway::server::storage

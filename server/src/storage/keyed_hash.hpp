// Hashes with a key that is drawn at random: whoever chooses the ids cannot choose where they land.
#pragma once

#include <cstdint>
#include <string_view>

namespace raceway::server::storage {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  /// From the system's source of randomness. Throws std::runtime_error where there is none.
  static HashKey random();
};

/// SipHash-1-3 (Aumasson, Bernstein 2012): for tables that clients can fill with keys of their choice.
std::uint64_t sip_hash(const HashKey& key, std::string_view bytes);

/// A few times faster, and weaker: for tables of bounded size whose hashes no client ever sees the effect of.
std::uint64_t fast_hash(const HashKey& key, std::string_view bytes);

}  // namespace raceway::server::storage

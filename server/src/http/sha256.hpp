// Hashes of secrets, which are kept instead of them.
#pragma once

#include <array>
#include <string_view>

namespace raceway::server::http {

using Sha256 = std::array<unsigned char, 32>;

/// Throws std::runtime_error where OpenSSL cannot.
Sha256 sha256(std::string_view text);

/// In a time that tells nothing of them.
bool equal_hashes(const Sha256& a, const Sha256& b);

}  // namespace raceway::server::http

#include "http/auth.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdexcept>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

/// K of "Bearer K", the scheme in any case.
std::optional<std::string_view> bearer(std::string_view value) {
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  return trimmed(value.substr(scheme.size()));
}

std::optional<std::string_view> offered_key(const Fields& headers) {
  if (const auto authorization = find_header(headers, "Authorization")) {
    if (const auto key = bearer(*authorization)) return key;
  }
  return find_header(headers, "X-Raceway-Key");
}

}  // namespace

KeyRing::Hash KeyRing::hash(std::string_view key) {
  Hash digest;
  unsigned int size = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 || size != digest.size())
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  return digest;
}

KeyRing::KeyRing(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (key.empty()) throw std::invalid_argument("an API key is empty");
    hashes_.push_back(hash(key));
  }
}

std::optional<std::size_t> KeyRing::find(const Fields& headers) const {
  const auto key = offered_key(headers);
  if (!key) return std::nullopt;
  const auto offered = hash(*key);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {  // all of them, also after a hit
    if (CRYPTO_memcmp(hashes_[i].data(), offered.data(), offered.size()) == 0) found = i;
  }
  return found;
}

}  // namespace raceway::server::http

#include "http/auth.hpp"

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

KeyRing::KeyRing(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (key.empty()) throw std::invalid_argument("an API key is empty");
    hashes_.push_back(sha256(key));
  }
}

std::optional<std::size_t> KeyRing::find(const Fields& headers) const {
  const auto key = offered_key(headers);
  if (!key) return std::nullopt;
  const auto offered = sha256(*key);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {  // all of them, also after a hit
    if (equal_hashes(hashes_[i], offered)) found = i;
  }
  return found;
}

}  // namespace raceway::server::http

// Who may come in: API keys.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "http/sha256.hpp"

namespace raceway::server::http {

/// The keys as SHA-256 hashes; the keys themselves are not kept. Thread-safe after construction.
class KeyRing {
 public:
  /// Throws std::invalid_argument for an empty key: it would let everyone in.
  explicit KeyRing(const std::vector<std::string>& keys);

  /// Which key (0 = the first) `headers` carry, by Authorization: Bearer K or, without one, X-Raceway-Key: K. The time
  /// taken tells nothing about the keys.
  std::optional<std::size_t> find(const Fields& headers) const;

 private:
  std::vector<Sha256> hashes_;
};

}  // namespace raceway::server::http

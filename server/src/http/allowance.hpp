// So many of something at a time, and of those so many for one client.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "http/address.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// What one client may have of what all of them share. Not limited are, unless Limits::connections_per_address says so,
/// this machine's own clients, and in any case trusted proxies, which stand for many.
class FairShare {
 public:
  FairShare(const Limits& limits, const TrustedProxies& proxies) : limits_(limits), proxies_(proxies) {}

  /// Of `all`, at least one; `all` where the client is not limited. `peer` is whom the connection comes from.
  std::size_t of(std::size_t all, std::string_view client, std::string_view peer) const;

 private:
  const Limits& limits_;
  const TrustedProxies& proxies_;
};

/// Thread-safe.
class Allowance {
 public:
  explicit Allowance(std::size_t most) : most_(most) {}

  /// Held until it goes out of scope, which must be before the allowance does. Test before use: false where there was
  /// none left.
  class Hold {
   public:
    Hold() = default;
    Hold(Allowance& from, std::string client) : from_(&from), client_(std::move(client)) {}
    Hold(Hold&& other) noexcept : from_(std::exchange(other.from_, nullptr)), client_(std::move(other.client_)) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(from_, other.from_);
      std::swap(client_, other.client_);
      return *this;
    }
    ~Hold() {
      if (from_ != nullptr) from_->give_back(client_);
    }
    explicit operator bool() const { return from_ != nullptr; }

   private:
    Allowance* from_ = nullptr;
    std::string client_;
  };

  std::size_t most() const { return most_; }

  /// One for a client that may have `share` of them.
  Hold take(const std::string& client, std::size_t share);

 private:
  void give_back(const std::string& client) noexcept;

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::unordered_map<std::string, std::size_t> by_client_;
};

}  // namespace raceway::server::http

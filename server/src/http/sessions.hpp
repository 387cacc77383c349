// Whoever signed in with the password of the user interface. A session opens nothing: API keys do.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "http/sha256.hpp"

namespace raceway::server::http {

/// Thread-safe. Password and tokens are kept as SHA-256 hashes and compared in constant time.
class Sessions {
 public:
  static constexpr std::chrono::seconds lifetime = std::chrono::hours(24 * 7);
  static constexpr std::size_t most_sessions = 10'000;  ///< beyond, the oldest goes
  static constexpr unsigned most_failures = 20;         ///< wrong passwords a minute, from all clients

  /// Without a password nobody needs to sign in.
  explicit Sessions(const std::string& password);

  bool required() const { return password_.has_value(); }

  enum class Outcome { signed_in, wrong_password, too_many };
  struct Login {
    Outcome outcome = Outcome::wrong_password;
    std::string token;  ///< where signed in
  };
  Login login(std::string_view password);
  void logout(std::string_view token);
  bool knows(std::string_view token);

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<Sha256> password_;
  std::mutex mutex_;
  std::map<Sha256, Clock::time_point> sessions_;  // until when
  Clock::time_point failures_since_{};
  unsigned failures_ = 0;
};

}  // namespace raceway::server::http

// How often a client may come: a token bucket each.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/server.hpp"

namespace raceway::server::http {

/// Remembers at most `max_clients`, the ones seen last. Thread-safe.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RateLimiter(const RateLimit& limit);

  /// Nothing where the request may pass, else the time to wait, rounded up to whole seconds.
  std::optional<std::chrono::seconds> admit(std::string_view client, Time now);

  /// The same of a request that need not pass yet: it does not count.
  std::optional<std::chrono::seconds> wait(std::string_view client, Time now);

 private:
  struct Bucket {
    std::string client;
    double tokens;
    Time filled;
  };
  Bucket& bucket_of(std::string_view client, Time now);
  Bucket& filled(std::string_view client, Time now);
  std::optional<std::chrono::seconds> wait_of(const Bucket& bucket) const;

  const bool enabled_;
  const double capacity_;
  const double tokens_per_second_;
  const std::size_t max_clients_;
  std::mutex mutex_;
  std::list<Bucket> buckets_;  ///< seen last first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_client_;
};

}  // namespace raceway::server::http

#include "http/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace raceway::server::http {

RateLimiter::RateLimiter(const RateLimit& limit)
    : enabled_(limit.enabled),
      capacity_(std::max(1.0, static_cast<double>(limit.requests_per_minute))),
      tokens_per_second_(capacity_ / 60),
      max_clients_(std::max<std::size_t>(1, limit.max_clients)) {}

RateLimiter::Bucket& RateLimiter::bucket_of(std::string_view client, Time now) {
  if (const auto known = by_client_.find(client); known != by_client_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
    return buckets_.front();
  }
  if (buckets_.size() >= max_clients_) {
    by_client_.erase(buckets_.back().client);
    buckets_.pop_back();
  }
  buckets_.push_front(Bucket{std::string(client), capacity_, now});
  by_client_.emplace(buckets_.front().client, buckets_.begin());
  return buckets_.front();
}

RateLimiter::Bucket& RateLimiter::filled(std::string_view client, Time now) {
  auto& bucket = bucket_of(client, now);
  const std::chrono::duration<double> passed = std::max(Time::duration::zero(), now - bucket.filled);
  bucket.tokens = std::min(capacity_, bucket.tokens + passed.count() * tokens_per_second_);
  bucket.filled = std::max(bucket.filled, now);
  return bucket;
}

std::optional<std::chrono::seconds> RateLimiter::wait_of(const Bucket& bucket) const {
  if (bucket.tokens >= 1) return std::nullopt;
  return std::chrono::seconds(std::lround(std::ceil((1 - bucket.tokens) / tokens_per_second_)));
}

std::optional<std::chrono::seconds> RateLimiter::admit(std::string_view client, Time now) {
  if (!enabled_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto& bucket = filled(client, now);
  const auto wait = wait_of(bucket);
  if (!wait) bucket.tokens -= 1;
  return wait;
}

std::optional<std::chrono::seconds> RateLimiter::wait(std::string_view client, Time now) {
  if (!enabled_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return wait_of(filled(client, now));
}

}  // namespace raceway::server::http

#include "http/rate_limit.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

bool is_address(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

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

std::optional<std::chrono::seconds> RateLimiter::admit(std::string_view client, Time now) {
  if (!enabled_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto& bucket = bucket_of(client, now);
  const std::chrono::duration<double> passed = std::max(Time::duration::zero(), now - bucket.filled);
  bucket.tokens = std::min(capacity_, bucket.tokens + passed.count() * tokens_per_second_);
  bucket.filled = std::max(bucket.filled, now);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  return std::chrono::seconds(std::lround(std::ceil((1 - bucket.tokens) / tokens_per_second_)));
}

std::string client_address(std::string_view peer, const Fields& headers, bool trust_forwarded_for) {
  if (trust_forwarded_for) {
    if (const auto forwarded = find_header(headers, "X-Forwarded-For")) {
      std::string first(trimmed(forwarded->substr(0, forwarded->find(','))));
      if (is_address(first)) return first;
    }
  }
  return std::string(peer);
}

}  // namespace raceway::server::http

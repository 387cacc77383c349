// What may happen a thousand times a second is told once a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace raceway::server::observability {

/// Thread-safe.
class Rarely {
 public:
  using Clock = std::chrono::steady_clock;

  /// Counts one. How many there were since it was last told of, where it is to be told of now; the first one is.
  std::optional<std::uint64_t> count(Clock::time_point now = Clock::now()) {
    constexpr std::chrono::minutes pause{1};
    const std::scoped_lock lock(mutex_);
    ++untold_;
    if (told_at_ && now - *told_at_ < pause) return std::nullopt;
    told_at_ = now;
    const auto all = untold_;
    untold_ = 0;
    return all;
  }

 private:
  std::mutex mutex_;
  std::optional<Clock::time_point> told_at_;
  std::uint64_t untold_ = 0;
};

}  // namespace raceway::server::observability

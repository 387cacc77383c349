// Counts of values by size, as Prometheus wants them, counted without a lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace raceway::server::observability {

/// What a histogram held at one moment. `counts[i]` values were at most `bounds[i]` and more than the bound before; the
/// last one counts those beyond all bounds.
template <std::size_t N>
struct HistogramReading {
  std::array<std::uint64_t, N> bounds{};
  std::array<std::uint64_t, N + 1> counts{};
  std::uint64_t sum = 0;
};

/// Whole numbers in whatever unit the bounds have. Thread-safe; a value costs two atomic additions.
template <std::size_t N>
class Histogram {
 public:
  /// `bounds` ascend.
  explicit Histogram(const std::array<std::uint64_t, N>& bounds) : bounds_(bounds) {}

  void observe(std::uint64_t value) noexcept {
    const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  /// Values that come meanwhile may be in the counts and not yet in the sum.
  HistogramReading<N> read() const {
    HistogramReading<N> reading;
    reading.bounds = bounds_;
    reading.sum = sum_.load(std::memory_order_relaxed);
    for (std::size_t at = 0; at <= N; ++at) reading.counts[at] = counts_[at].load(std::memory_order_relaxed);
    return reading;
  }

 private:
  const std::array<std::uint64_t, N> bounds_;
  std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

/// Microseconds, from a read in memory to what clients give up at.
inline constexpr std::array<std::uint64_t, 14> duration_bounds{
    100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};
using DurationHistogram = Histogram<duration_bounds.size()>;

}  // namespace raceway::server::observability

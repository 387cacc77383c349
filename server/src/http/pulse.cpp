#include "http/pulse.hpp"

#include <algorithm>

namespace raceway::server::http {
namespace {

// Counting takes a twentieth of the time at most.
constexpr int rest_after_counting = 20;
constexpr std::chrono::seconds window{5};

}  // namespace

Pulse::Beat Pulse::feel(storage::Storage& storage, const ingest::Ingestor& ingestor) {
  return {count(storage), rate(ingestor.figures().stored.load(std::memory_order_relaxed))};
}

storage::Totals Pulse::count(storage::Storage& storage) {
  const auto begun = Clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (totals_ && (counting_ || begun < counted_at_ + rest_after_counting * counting_took_)) return *totals_;
    counting_ = true;
  }
  struct Done {
    Pulse& pulse;
    ~Done() {
      const std::scoped_lock lock(pulse.mutex_);
      pulse.counting_ = false;
    }
  } const done{*this};
  const auto totals = storage.totals();
  const std::scoped_lock lock(mutex_);
  totals_ = totals;
  counted_at_ = Clock::now();
  counting_took_ = counted_at_ - begun;
  return totals;
}

double Pulse::rate(std::uint64_t stored) {
  const auto now = Clock::now();
  const std::scoped_lock lock(mutex_);
  while (samples_.size() > 1 && now - samples_[1].time >= window) samples_.pop_front();
  double rate = 0;
  if (!samples_.empty() && now > samples_.front().time) {
    const std::chrono::duration<double> seconds = now - samples_.front().time;
    rate = static_cast<double>(stored - std::min(stored, samples_.front().stored)) / seconds.count();
  }
  constexpr std::chrono::milliseconds between{500};
  if (samples_.empty() || now - samples_.back().time >= between) samples_.push_back({now, stored});
  return rate;
}

}  // namespace raceway::server::http

// How many events there are and come: asked for by many, and not worth much to find out.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "ingest/ingestor.hpp"
#include "storage/storage.hpp"

namespace raceway::server::http {

/// Thread-safe.
class Pulse {
 public:
  struct Beat {
    storage::Totals totals;        ///< as of a few seconds ago where counting takes long
    double events_per_second = 0;  ///< stored by this server within the last seconds that it was asked in
  };
  Beat feel(storage::Storage& storage, const ingest::Ingestor& ingestor);

 private:
  using Clock = std::chrono::steady_clock;
  struct Sample {
    Clock::time_point time;
    std::uint64_t stored;
  };

  storage::Totals count(storage::Storage& storage);
  double rate(std::uint64_t stored);

  std::mutex mutex_;
  std::optional<storage::Totals> totals_;
  Clock::time_point counted_at_;
  Clock::duration counting_took_{0};
  bool counting_ = false;
  std::deque<Sample> samples_;
};

}  // namespace raceway::server::http

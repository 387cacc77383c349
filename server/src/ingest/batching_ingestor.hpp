// Gathers bodies from many connections into batches, each one call and one transaction of the storage.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/config.hpp"
#include "ingest/ingestor.hpp"
#include "storage/body_reading.hpp"

namespace raceway::server::ingest {

struct BatchingOptions {
  std::uint64_t batch_size = 1000;      ///< events; a single larger body is a batch of its own
  std::uint64_t buffer_size = 100'000;  ///< events waiting or being written; a larger body is taken when none are
  /// How long a writer waits for a full batch while another one writes. It waits less where nothing more seems to come:
  /// where no body came for a tenth of this time.
  std::chrono::milliseconds flush_interval{5};
  config::Ack ack = config::Ack::durable;
  unsigned writers = 2;
  std::chrono::milliseconds give_up{5'000};  ///< durable: how long a batch that fails is tried again
  /// durable: how long take() waits for the commit. Beyond, the storage is not told to stop: it may hold locks that the
  /// same events, sent again, have to wait for.
  std::chrono::milliseconds ack_timeout{8'000};
  std::chrono::milliseconds drain{30'000};  ///< how long drain() tries; then it stops the storage
};

/// ack = durable: take() returns after the commit, or throws Unavailable; its text says whether the events may be
/// stored all the same. ack = buffered: take() returns when the body is in the buffer; its batch is tried again until
/// it is stored.
class BatchingIngestor : public Ingestor {
 public:
  BatchingIngestor(storage::Storage& storage, const BatchingOptions& options, const storage::Intake& intake = {});
  ~BatchingIngestor() override;
  BatchingIngestor(const BatchingIngestor&) = delete;
  BatchingIngestor& operator=(const BatchingIngestor&) = delete;

  Answer take(std::string&& body, storage::ByteBudget::Hold held = {}) override;
  std::uint64_t drain() override;
  Depth depth() const override;

 private:
  struct Waiting;
  using Batch = std::vector<std::shared_ptr<Waiting>>;
  using Clock = std::chrono::steady_clock;

  Answer wait_for(const std::shared_ptr<Waiting>& waiting, std::unique_lock<std::mutex>& lock);
  bool withdraw(const std::shared_ptr<Waiting>& waiting);
  bool hangs() const;
  void run_writer();
  Batch next_batch(std::unique_lock<std::mutex>& lock);
  Clock::time_point may_start_at() const;
  void write(const Batch& batch);
  /// Answers why the storage could not take the batch; nothing where it is settled what became of it.
  std::optional<std::string> try_to_write(const Batch& batch, const std::vector<std::string_view>& bodies);
  void write_apart(const Batch& batch, const std::string& too_large);
  void count(const Batch& batch, const std::vector<storage::IngestResult>& results, std::chrono::microseconds took);
  bool may_try_again(Clock::time_point since) const;
  void finish(const Batch& batch, std::vector<storage::IngestResult> results, const std::optional<std::string>& failure,
              bool is_too_large = false);

  storage::Storage& storage_;
  const BatchingOptions options_;
  const storage::Intake intake_;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;  // for writers
  std::deque<std::shared_ptr<Waiting>> queue_;
  std::uint64_t queued_events_ = 0;
  Clock::time_point last_arrival_;
  std::uint64_t buffered_events_ = 0;  // queued or being written
  std::uint64_t lost_events_ = 0;
  unsigned busy_writers_ = 0;
  unsigned running_writers_ = 0;
  std::condition_variable writer_ended_;
  Clock::time_point last_turn_;  // when a writer began or ended a batch
  bool draining_ = false;
  Clock::time_point drain_until_;
  std::vector<std::thread> writers_;
};

}  // namespace raceway::server::ingest

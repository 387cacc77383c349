// Brings events to a target in batches, several at the same time, and holds no more of them than those batches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "moving/event_sink.hpp"
#include "moving/report.hpp"
#include "moving/target.hpp"

namespace raceway::server::moving {

struct DeliveryOptions {
  unsigned jobs = 2;
  std::size_t batch_events = 1000;
  std::size_t batch_bytes = std::size_t{4} << 20U;  ///< a single event may be larger
  std::chrono::milliseconds give_up{60'000};        ///< how long one batch is offered to what cannot take it
};

/// Takes events from one thread. What becomes of each is in the report once finish() has returned.
class Delivery : public EventSink {
 public:
  Delivery(const OpenTarget& open, const DeliveryOptions& options, Report& report);
  /// Lets go of what was not sent.
  ~Delivery() override;
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  /// Waits while enough is under way. Throws what made a job give up.
  void event(std::string_view text, const Place& place) override;
  void damage(const Place& place, const std::string& what) override { report_.unreadable(place, what); }
  void note(const Place& place, const std::string& what) override { report_.note(place, what); }

  /// Sends the rest and waits for all. Throws what made a job give up.
  void finish();

 private:
  struct Event {
    std::size_t from = 0;  // in the batch's text
    std::size_t size = 0;
    Place place;
  };
  /// Events as the array that is sent.
  struct Batch {
    std::string text;
    std::vector<Event> events;
  };

  void run_job(const OpenTarget& open);
  bool next_batch(Batch& batch);
  void hand_over();
  void deliver(Target& target, const Batch& batch);
  void deliver_half(Target& target, const Batch& batch, std::size_t from, std::size_t to);
  storage::IngestResult send(Target& target, std::string_view body);
  void pause(std::chrono::milliseconds time);
  void throw_failure();

  const DeliveryOptions options_;
  Report& report_;
  Batch filling_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> waiting_;
  bool ended_ = false;    // nothing more will come
  bool stopped_ = false;  // a job gave up, or nobody wants the rest
  std::exception_ptr failure_;
  std::atomic<bool> told_to_wait_ = false;
  std::vector<std::thread> jobs_;
};

}  // namespace raceway::server::moving

#include "ingest/batching_ingestor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace raceway::server::ingest {

/// A body on its way, and what became of it.
struct BatchingIngestor::Waiting {
  std::string body;
  storage::ByteBudget::Hold held;  // what the body takes
  std::uint64_t events = 0;        // all that it holds
  std::uint64_t promised = 0;      // those of them that were not rejected at once
  Clock::time_point arrived;
  // Of its own: a batch that is done wakes those whose bodies it held, not all who wait.
  std::condition_variable finished;
  bool done = false;
  storage::IngestResult result;
  std::optional<std::string> failure;  // nothing: stored
  bool is_too_large = false;           // the failure will not pass
};

BatchingIngestor::BatchingIngestor(storage::Storage& storage, const BatchingOptions& options,
                                   const storage::Intake& intake)
    : storage_(storage), options_(options), intake_(intake), running_writers_(std::max(1U, options.writers)) {
  for (unsigned i = 0; i < running_writers_; ++i) writers_.emplace_back([this] { run_writer(); });
}

BatchingIngestor::~BatchingIngestor() {
  drain();
}

Answer BatchingIngestor::take(std::string&& body, storage::ByteBudget::Hold held) {
  // Read here already: what is no body is refused at once, and what cannot be kept is known before it is promised.
  storage::BodyReading reading(intake_);
  auto batch = reading.read(body, wire::MetadataForm::whole);
  Answer answer;
  if (batch.events.empty()) {
    answer.rejected = std::move(batch.rejected);
    figures_.add(answer);
    return answer;
  }
  auto waiting = std::make_shared<Waiting>();
  waiting->events = std::max(batch.count, batch.events.size());  // a span is several
  waiting->promised = batch.events.size();
  waiting->arrived = Clock::now();
  answer.stored = batch.events.size();
  answer.rejected = std::move(batch.rejected);
  batch = reading.nothing();  // its views end with the body's move
  waiting->body = std::move(body);
  waiting->held = std::move(held);

  std::unique_lock lock(mutex_);
  const bool full = buffered_events_ > 0 && buffered_events_ + waiting->events > options_.buffer_size;
  if (draining_ || full) {
    figures_.refused.fetch_add(1, std::memory_order_relaxed);
    throw storage::Unavailable(draining_ ? "the server is stopping" : "the buffer is full");
  }
  if (hangs()) throw storage::Unavailable("the database does not answer at the moment; nothing of this was stored");
  buffered_events_ += waiting->events;
  queued_events_ += waiting->events;
  last_arrival_ = waiting->arrived;
  queue_.push_back(waiting);
  arrived_.notify_one();
  if (options_.ack == config::Ack::buffered) return answer;

  return wait_for(waiting, lock);
}

Answer BatchingIngestor::wait_for(const std::shared_ptr<Waiting>& waiting, std::unique_lock<std::mutex>& lock) {
  const auto until = waiting->arrived + options_.ack_timeout;
  if (!waiting->finished.wait_until(lock, until, [&] { return waiting->done; })) {
    if (withdraw(waiting)) throw storage::Unavailable("the database was busy for too long; nothing of this was stored");
    throw storage::Unavailable(
        "the database has not confirmed the events in time: they may be stored or not; "
        "sending them again is safe, each is stored once");
  }
  if (waiting->is_too_large) throw storage::BodyTooLarge(*waiting->failure);
  if (waiting->failure)
    throw storage::Unavailable(*waiting->failure, "the database cannot take events now; sending them again is safe");
  return std::move(waiting->result);
}

/// Takes a body back that no writer has begun with; false where one has.
bool BatchingIngestor::withdraw(const std::shared_ptr<Waiting>& waiting) {
  const auto place = std::find(queue_.begin(), queue_.end(), waiting);
  if (place == queue_.end()) return false;
  queue_.erase(place);
  queued_events_ -= waiting->events;
  buffered_events_ -= waiting->events;
  return true;
}

/// Whether every writer has been with one batch for longer than a client waits: then the next would wait in vain, too,
/// and all of them together would keep the threads from those who only read.
bool BatchingIngestor::hangs() const {
  return options_.ack == config::Ack::durable && busy_writers_ == writers_.size() &&
         Clock::now() - last_turn_ > options_.ack_timeout;
}

/// When the batch at hand may be written, at the latest. Needs a queue that is not empty.
BatchingIngestor::Clock::time_point BatchingIngestor::may_start_at() const {
  // Where no other writer is at work there is nothing to gain by waiting: what comes meanwhile makes the next batch.
  if (busy_writers_ == 0 || draining_ || queued_events_ >= options_.batch_size) return {};
  return std::min(queue_.front()->arrived + options_.flush_interval, last_arrival_ + options_.flush_interval / 10);
}

BatchingIngestor::Batch BatchingIngestor::next_batch(std::unique_lock<std::mutex>& lock) {
  while (true) {
    arrived_.wait(lock, [this] { return !queue_.empty() || draining_; });
    if (queue_.empty()) return {};
    const auto start = may_start_at();
    if (Clock::now() >= start) break;
    arrived_.wait_until(lock, start);
  }
  Batch batch;
  std::uint64_t events = 0;
  while (!queue_.empty() && (batch.empty() || events + queue_.front()->events <= options_.batch_size)) {
    events += queue_.front()->events;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_events_ -= events;
  return batch;
}

void BatchingIngestor::run_writer() {
  std::unique_lock lock(mutex_);
  while (true) {
    const Batch batch = next_batch(lock);
    if (batch.empty()) break;
    ++busy_writers_;
    last_turn_ = Clock::now();
    lock.unlock();
    write(batch);
    lock.lock();
    --busy_writers_;
    last_turn_ = Clock::now();
    // One who waited for this writer need not wait on.
    arrived_.notify_one();
  }
  --running_writers_;
  writer_ended_.notify_all();
}

void BatchingIngestor::write(const Batch& batch) {
  std::vector<std::string_view> bodies;
  bodies.reserve(batch.size());
  for (const auto& waiting : batch) bodies.emplace_back(waiting->body);

  const auto since = Clock::now();
  auto pause = std::chrono::milliseconds(20);
  while (const auto failure = try_to_write(batch, bodies)) {
    spdlog::warn("a batch of {} bodies was not stored: {}", bodies.size(), *failure);
    if (!may_try_again(since)) {
      finish(batch, {}, failure);
      return;
    }
    // Sending a batch again is safe even where its commit is in doubt: an event is stored once.
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(1'000));
  }
}

std::optional<std::string> BatchingIngestor::try_to_write(const Batch& batch,
                                                          const std::vector<std::string_view>& bodies) {
  try {
    const auto since = Clock::now();
    auto results = storage_.ingest(bodies);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since);
    count(batch, results, took);
    finish(batch, std::move(results), {});
    return std::nullopt;
  } catch (const storage::BodyTooLarge& error) {
    figures_.failures.fetch_add(1, std::memory_order_relaxed);
    write_apart(batch, error.what());
    return std::nullopt;
  } catch (const std::exception& error) {
    figures_.failures.fetch_add(1, std::memory_order_relaxed);
    return error.what();
  }
}

/// Finds the body that is too large among its neighbours, which it must not fail.
void BatchingIngestor::write_apart(const Batch& batch, const std::string& too_large) {
  if (batch.size() == 1) {
    spdlog::error("a body of {} bytes was not stored: {}", batch.front()->body.size(), too_large);
    return finish(batch, {}, too_large, true);
  }
  for (const auto& waiting : batch) write({waiting});
}

void BatchingIngestor::count(const Batch& batch, const std::vector<storage::IngestResult>& results,
                             std::chrono::microseconds took) {
  std::uint64_t events = 0;
  for (const auto& waiting : batch) events += waiting->events;
  for (const auto& result : results) figures_.add(result);
  figures_.batches.observe(events);
  figures_.flushes.observe(static_cast<std::uint64_t>(took.count()));
}

bool BatchingIngestor::may_try_again(Clock::time_point since) const {
  const std::scoped_lock lock(mutex_);
  const auto now = Clock::now();
  if (draining_ && now >= drain_until_) return false;
  return options_.ack == config::Ack::buffered || now < since + options_.give_up;
}

void BatchingIngestor::finish(const Batch& batch, std::vector<storage::IngestResult> results,
                              const std::optional<std::string>& failure, bool is_too_large) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t at = 0; at < batch.size(); ++at) {
    Waiting& waiting = *batch[at];
    buffered_events_ -= waiting.events;
    waiting.failure = failure;
    waiting.is_too_large = is_too_large;
    if (!failure) {
      waiting.result = std::move(results[at]);
    } else if (options_.ack == config::Ack::buffered) {
      lost_events_ += waiting.promised;
      figures_.lost.fetch_add(waiting.promised, std::memory_order_relaxed);
    }
    waiting.done = true;
    waiting.finished.notify_one();
  }
}

Depth BatchingIngestor::depth() const {
  const std::scoped_lock lock(mutex_);
  return {buffered_events_, queued_events_, options_.buffer_size, static_cast<unsigned>(writers_.size()),
          busy_writers_};
}

std::uint64_t BatchingIngestor::drain() {
  {
    std::unique_lock lock(mutex_);
    if (!draining_) drain_until_ = Clock::now() + options_.drain;
    draining_ = true;
    arrived_.notify_all();
    if (!writer_ended_.wait_until(lock, drain_until_, [this] { return running_writers_ == 0; })) {
      lock.unlock();
      storage_.stop();
    }
  }
  for (auto& writer : writers_) {
    if (writer.joinable()) writer.join();
  }
  const std::scoped_lock lock(mutex_);
  return lost_events_;
}

}  // namespace raceway::server::ingest

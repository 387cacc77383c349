#include "moving/delivery.hpp"

#include <algorithm>
#include <utility>

namespace raceway::server::moving {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2'000};

}  // namespace

Delivery::Delivery(const OpenTarget& open, const DeliveryOptions& options, Report& report)
    : options_(options), report_(report) {
  for (unsigned i = 0; i < std::max(1U, options.jobs); ++i) jobs_.emplace_back([this, open] { run_job(open); });
}

Delivery::~Delivery() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  for (auto& job : jobs_) {
    if (job.joinable()) job.join();
  }
}

void Delivery::event(std::string_view text, const Place& place) {
  const bool is_full = filling_.text.size() + text.size() > options_.batch_bytes;
  if (is_full && !filling_.events.empty()) hand_over();
  filling_.text += filling_.events.empty() ? '[' : ',';
  filling_.events.push_back({filling_.text.size(), text.size(), place});
  filling_.text += text;
  if (filling_.events.size() >= options_.batch_events) hand_over();
}

void Delivery::hand_over() {
  filling_.text += ']';
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < jobs_.size() || stopped_; });
  throw_failure();
  waiting_.push_back(std::exchange(filling_, {}));
  changed_.notify_all();
}

void Delivery::finish() {
  if (!filling_.events.empty()) hand_over();
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  for (auto& job : jobs_) job.join();
  throw_failure();
}

void Delivery::throw_failure() {
  if (failure_) std::rethrow_exception(failure_);
}

bool Delivery::next_batch(Batch& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !waiting_.empty() || ended_ || stopped_; });
  if (stopped_ || waiting_.empty()) return false;
  batch = std::move(waiting_.front());
  waiting_.pop_front();
  changed_.notify_all();
  return true;
}

void Delivery::run_job(const OpenTarget& open) {
  try {
    const auto target = open();
    Batch batch;
    while (next_batch(batch)) deliver(*target, batch);
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    stopped_ = true;
    changed_.notify_all();
  }
}

void Delivery::deliver(Target& target, const Batch& batch) {
  deliver_half(target, batch, 0, batch.events.size());
}

/// Sends some of a batch; where they are refused together, by halves, until the bad one stands alone.
void Delivery::deliver_half(Target& target, const Batch& batch, std::size_t from, std::size_t to) {
  const Event& last = batch.events[to - 1];
  const auto begin = batch.events[from].from;
  const auto events = std::string_view(batch.text).substr(begin, last.from + last.size - begin);
  try {
    const bool is_whole = to - from == batch.events.size();
    const auto result = send(target, is_whole ? std::string_view(batch.text) : "[" + std::string(events) + "]");
    report_.stored(result.stored, result.duplicates);
    for (const auto& rejection : result.rejected.told()) {
      const auto at = std::min(from + rejection.index, to - 1);
      report_.rejected(batch.events[at].place, rejection.id, rejection.reason);
    }
    report_.rejected_untold(result.rejected.untold());
  } catch (const BodyRefused& error) {
    if (to - from == 1) {
      report_.rejected(batch.events[from].place, "", error.what());
      return;
    }
    const auto middle = from + (to - from) / 2;
    deliver_half(target, batch, from, middle);
    deliver_half(target, batch, middle, to);
  }
}

/// Offers a body until it is taken, or the time is over.
storage::IngestResult Delivery::send(Target& target, std::string_view body) {
  const auto since = Clock::now();
  auto next_pause = first_pause;
  while (true) {
    try {
      return target.send(body);
    } catch (const ComeAgain& error) {
      if (Clock::now() - since >= options_.give_up) throw std::runtime_error(given_up(options_.give_up, error.what()));
      if (!told_to_wait_.exchange(true)) report_.note(std::string("waiting, and trying again: ") + error.what());
      pause(error.retry_after ? std::chrono::milliseconds(*error.retry_after) : next_pause);
      next_pause = std::min(next_pause * 2, longest_pause);
    }
  }
}

/// Waits, but not for what has ended.
void Delivery::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopped_; });
  if (stopped_) throw std::runtime_error("another batch was given up");
}

}  // namespace raceway::server::moving

#include "storage/database_watch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

namespace raceway::server::storage {

DatabaseWatch::DatabaseWatch(Storage& storage, WatchTimes times)
    : storage_(storage), times_(times), thread_([this] { run(); }) {}

DatabaseWatch::~DatabaseWatch() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

bool DatabaseWatch::reachable() const {
  const auto use = storage_.database_use();
  const auto answered_at = std::max(started_, use ? use->answered_at : started_);
  const std::scoped_lock lock(mutex_);
  if (failed_at_ && answered_at <= *failed_at_) return false;
  return Clock::now() - answered_at < times_.silence;
}

std::optional<std::string> DatabaseWatch::ask() {
  const auto use = storage_.database_use();
  if (use && Clock::now() - use->answered_at < times_.every) return std::nullopt;
  try {
    storage_.check();
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

void DatabaseWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto failure = ask();
    lock.lock();
    if (failure && !failed_at_) spdlog::warn("the database cannot be reached: {}", *failure);
    if (!failure && failed_at_) spdlog::info("the database answers again");
    failed_at_ = failure ? std::optional(Clock::now()) : std::nullopt;
    stop_.wait_for(lock, times_.every, [this] { return stopping_; });
  }
}

}  // namespace raceway::server::storage

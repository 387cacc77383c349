// Whether the database answers, known without asking it when somebody wants to know.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/storage.hpp"

namespace raceway::server::storage {

struct WatchTimes {
  std::chrono::milliseconds every{1'000};
  std::chrono::milliseconds silence{10'000};  ///< so long without an answer counts as unreachable
};

/// Looks once a second, from a thread of its own, and asks the database only where nothing else has had an answer from
/// it meanwhile. Logs when it goes away and when it is back. Thread-safe.
class DatabaseWatch {
 public:
  /// `storage` is a database and outlives this.
  explicit DatabaseWatch(Storage& storage, WatchTimes times = {});
  /// May wait as long as a connection attempt takes.
  ~DatabaseWatch();
  DatabaseWatch(const DatabaseWatch&) = delete;
  DatabaseWatch& operator=(const DatabaseWatch&) = delete;

  /// Never waits for the database.
  bool reachable() const;

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  std::optional<std::string> ask();

  Storage& storage_;
  const WatchTimes times_;
  const Clock::time_point started_ = Clock::now();
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::optional<Clock::time_point> failed_at_;
  std::thread thread_;
};

}  // namespace raceway::server::storage

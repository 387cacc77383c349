// Keeps what the database knows of all traces up to date.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "config/config.hpp"
#include "postgres/interrupt.hpp"

namespace raceway::server::postgres {

/// Calls refresh_analysis() now and then, from a thread and over a connection of its own, which is open only meanwhile.
/// Where the server may not do so, or the database has nothing of the kind, it says so once and asks no more; what
/// fails for another reason is tried again the next time.
class AnalysisRefresher {
 public:
  /// Begins after the first `options.refresh_analysis`, which is not 0.
  explicit AnalysisRefresher(config::Postgres options);
  /// May wait as long as a connection attempt takes.
  ~AnalysisRefresher();
  AnalysisRefresher(const AnalysisRefresher&) = delete;
  AnalysisRefresher& operator=(const AnalysisRefresher&) = delete;

 private:
  void run();
  bool refresh();

  const config::Postgres options_;
  Interrupt interrupt_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::string last_failure_;
  std::thread thread_;
};

}  // namespace raceway::server::postgres

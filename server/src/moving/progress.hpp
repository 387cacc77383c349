// A line on the terminal that shows how far it is. Shows nothing where stderr is none.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace raceway::server::moving {

struct ProgressState {
  std::uint64_t events = 0;
  std::uint64_t done_bytes = 0;
  std::optional<std::uint64_t> all_bytes;  ///< where it is known
};

/// The line for a state, without its end: a bar where it is known how much there is.
std::string progress_line(const ProgressState& state, double seconds);

class Progress {
 public:
  /// Asks `look` for the state from a thread of its own, until stop().
  explicit Progress(std::function<ProgressState()> look);
  ~Progress() { stop(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Clears the line.
  void stop();

 private:
  void run();

  std::function<ProgressState()> look_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace raceway::server::moving

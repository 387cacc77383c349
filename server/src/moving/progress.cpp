#include "moving/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

namespace raceway::server::moving {
namespace {

constexpr std::chrono::milliseconds pace{200};
constexpr std::size_t bar_width = 30;
constexpr const char* clear_line = "\r\x1b[K";

}  // namespace

std::string progress_line(const ProgressState& state, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(state.events) / seconds : 0;
  std::string counts = fmt::format("{} events, {:.0f}/s", state.events, rate);
  if (!state.all_bytes || *state.all_bytes == 0) return counts;
  const double part = std::min(1.0, static_cast<double>(state.done_bytes) / static_cast<double>(*state.all_bytes));
  const auto full = static_cast<std::size_t>(part * bar_width);
  std::string line = fmt::format("[{}{}] {:3.0f} %  {}", std::string(full, '='), std::string(bar_width - full, ' '),
                                 part * 100, counts);
  if (part > 0) line += fmt::format(", {:.0f} s left", seconds / part - seconds);
  return line;
}

Progress::Progress(std::function<ProgressState()> look) : look_(std::move(look)) {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { run(); });
}

void Progress::run() {
  const auto since = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, pace, [this] { return end_; })) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - since;
    std::cerr << clear_line << progress_line(look_(), passed.count()) << std::flush;
  }
  std::cerr << clear_line << std::flush;
}

void Progress::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    end_ = true;
    ended_.notify_all();
  }
  thread_.join();
}

}  // namespace raceway::server::moving

#include "memory/keeper.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace raceway::server::memory {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds look_every{1};

std::string seconds_since(Clock::time_point begin) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(Clock::now() - begin).count());
}

}  // namespace

MemoryKeeper::MemoryKeeper(MemoryStorage& storage, SnapshotOptions options)
    : storage_(storage), options_(std::move(options)) {
  if (!options_.file.empty()) {
    const auto begin = Clock::now();
    std::vector<std::string> complaints;
    const auto loaded = storage_.load(options_.file, complaints);
    for (const auto& complaint : complaints) spdlog::error("snapshot {}", complaint);
    spdlog::info("snapshot {}: loaded {} in {}", options_.file.string(), loaded, seconds_since(begin));
  }
  thread_ = std::thread([this] { run(); });
}

MemoryKeeper::~MemoryKeeper() {
  stop();
}

void MemoryKeeper::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    stopping_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void MemoryKeeper::run() {
  auto saved = Clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, look_every, [this] { return stop_; })) {
    lock.unlock();
    storage_.keep_limits();
    storage_.give_back_pages();
    if (!options_.file.empty() && options_.interval.count() > 0 && Clock::now() - saved >= options_.interval) {
      save();
      saved = Clock::now();
    }
    lock.lock();
  }
}

bool MemoryKeeper::save() {
  const auto begin = Clock::now();
  try {
    const auto saved = storage_.save(options_.file);
    spdlog::info("snapshot {}: saved {} in {}", options_.file.string(), saved, seconds_since(begin));
    return true;
  } catch (const std::exception& error) {
    spdlog::error("snapshot {}: not saved: {}", options_.file.string(), error.what());
    return false;
  }
}

bool MemoryKeeper::finish() {
  stop();
  return options_.file.empty() || save();
}

}  // namespace raceway::server::memory

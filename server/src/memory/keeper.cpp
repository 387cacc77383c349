#include "memory/keeper.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace raceway::server::memory {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds look_every{1};

std::string seconds_since(Clock::time_point begin) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(Clock::now() - begin).count());
}

/// Whether the file that is open still stands under its name: whoever had the lock before may have taken it away.
bool stands_at(int file, const std::string& name) {
  struct stat open_one = {};
  struct stat named = {};
  return ::fstat(file, &open_one) == 0 && ::stat(name.c_str(), &named) == 0 && open_one.st_dev == named.st_dev &&
         open_one.st_ino == named.st_ino;
}

}  // namespace

SnapshotLock::SnapshotLock(const std::filesystem::path& snapshot) {
  std::error_code error;
  const auto place = std::filesystem::weakly_canonical(snapshot, error);  // by whatever name it is called
  name_ = (error ? snapshot : place).string() + ".lock";
  do {
    if (file_ >= 0) ::close(file_);
    file_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0) continue;
    const int reason = errno;
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    if (reason == EWOULDBLOCK)
      throw std::runtime_error("the snapshot " + snapshot.string() + " is another server's: " + name_ + " is locked");
    spdlog::warn("snapshot {}: no lock keeps other servers from it: {}", snapshot.string(),
                 std::generic_category().message(reason));
    return;
  } while (!stands_at(file_, name_));
}

SnapshotLock::~SnapshotLock() {
  if (file_ < 0) return;
  ::unlink(name_.c_str());
  ::close(file_);
}

MemoryKeeper::MemoryKeeper(MemoryStorage& storage, SnapshotOptions options)
    : storage_(storage), options_(std::move(options)) {
  if (!options_.file.empty()) {
    lock_.emplace(options_.file);
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

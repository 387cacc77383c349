// What the memory storage needs done beside the requests: its limits kept as time goes by, its snapshots written.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "memory/memory_storage.hpp"

namespace raceway::server::memory {

struct SnapshotOptions {
  std::filesystem::path file;        ///< empty: none
  std::chrono::seconds interval{0};  ///< 0: in the end only
};

/// Keeps other servers from a snapshot's file, by a lock on FILE.lock beside it, which goes with the process. The
/// snapshot itself is another file after each save.
class SnapshotLock {
 public:
  /// Throws std::runtime_error that names the file where another server has it. Where the lock cannot be made at all,
  /// as in a directory that is not there, it only says so: saving will tell.
  explicit SnapshotLock(const std::filesystem::path& snapshot);
  ~SnapshotLock();
  SnapshotLock(const SnapshotLock&) = delete;
  SnapshotLock& operator=(const SnapshotLock&) = delete;

 private:
  std::string name_;
  int file_ = -1;
};

/// A thread of its own, that logs what it does.
class MemoryKeeper {
 public:
  /// Loads the snapshot, where there is one, and begins to work; nobody may use the storage before. Throws as
  /// SnapshotLock and MemoryStorage::load(). `storage` must outlive it.
  MemoryKeeper(MemoryStorage& storage, SnapshotOptions options);
  ~MemoryKeeper();
  MemoryKeeper(const MemoryKeeper&) = delete;
  MemoryKeeper& operator=(const MemoryKeeper&) = delete;

  /// Ends the work and saves the last snapshot. Answers whether all that was to be saved is.
  bool finish();

 private:
  void run();
  bool save();
  void stop();

  MemoryStorage& storage_;
  const SnapshotOptions options_;
  std::optional<SnapshotLock> lock_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace raceway::server::memory

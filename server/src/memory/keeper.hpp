// What the memory storage needs done beside the requests: its limits kept as time goes by, its snapshots written.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "memory/memory_storage.hpp"

namespace raceway::server::memory {

struct SnapshotOptions {
  std::filesystem::path file;        ///< empty: none
  std::chrono::seconds interval{0};  ///< 0: in the end only
};

/// A thread of its own, that logs what it does.
class MemoryKeeper {
 public:
  /// Loads the snapshot, where there is one, and begins to work; nobody may use the storage before. Throws as
  /// MemoryStorage::load(). `storage` must outlive it.
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
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace raceway::server::memory

// Threads that start when they are needed, with a bounded queue before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace raceway::server::http {

/// Thread-safe.
class ThreadPool {
 public:
  ThreadPool(std::size_t threads, std::size_t queue);
  /// Runs what waits, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// False where every thread is busy and the queue is full. `job` must not throw.
  bool submit(std::function<void()> job);

  std::size_t running() const;
  std::size_t waiting() const;

 private:
  void work();

  const std::size_t max_threads_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_stop_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace raceway::server::http

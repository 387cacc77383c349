// Threads that start when they are needed, with a bounded queue before them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace raceway::server::http {

struct PoolLimits {
  std::size_t threads = 128;
  std::size_t at_once = 2;  ///< jobs begun while the ones before them get on; at most `threads`, at least 1
  std::size_t queue = 1024;
  /// How long no job must have begun, while some wait, for one more to begin than at_once.
  std::chrono::milliseconds patience{5};
};

/// More threads at work than there are cores only take turns, each finding the caches full of what others left: so of
/// jobs that get on only as many run as say `at_once`, and the thread that was free last goes first. Those that do not
/// get on, for they wait or take long, keep nobody waiting for longer than `patience`.
///
/// Thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(const PoolLimits& limits);
  /// Runs what waits, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// False where there is no room: each thread has a job, or there is one waiting for it, and the queue is full. `job`
  /// must not throw.
  bool submit(std::function<void()> job);

  /// Begins one more job where they wait and none has begun for too long; answers whether any waits still. To be called
  /// about as often as `patience` says, while jobs wait.
  bool relieve();

  std::size_t running() const;
  std::size_t waiting() const;

  /// While it lives, a job waits for something else than the processor: another may run meanwhile. Does nothing on
  /// threads that are of no pool.
  class Wait {
   public:
    Wait();
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
  };

 private:
  using Clock = std::chrono::steady_clock;

  struct Worker {
    std::condition_variable called_or_stop;
    bool called = false;
    std::thread thread;
  };

  void work(Worker& self);
  /// Lets a thread begin; false where there is none. Of those that follow, call with the mutex held.
  bool call_one();
  void begin_wait();

  const PoolLimits limits_;
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  // the one that became so last at the end
  std::size_t at_work_ = 0;    // threads that are called, and not in a Wait
  std::size_t running_ = 0;    // jobs
  Clock::time_point begun_;    // when a job began, or the first one had to wait
  bool stopping_ = false;
};

}  // namespace raceway::server::http

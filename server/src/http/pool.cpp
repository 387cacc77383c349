#include "http/pool.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace raceway::server::http {

ThreadPool::ThreadPool(std::size_t threads, std::size_t queue)
    : max_threads_(std::max<std::size_t>(1, threads)), max_waiting_(queue) {}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_or_stop_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool ThreadPool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= idle_) {  // no thread is free for it
      if (threads_.size() < max_threads_) {
        try {
          threads_.emplace_back([this] { work(); });
          ++idle_;
        } catch (const std::system_error&) {
          if (threads_.empty()) return false;  // with fewer threads than wished it goes on
        }
      }
      if (jobs_.size() >= idle_ + max_waiting_) return false;
    }
    jobs_.push_back(std::move(job));
  }
  work_or_stop_.notify_one();
  return true;
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_or_stop_.wait(lock, [this] { return !jobs_.empty() || stopping_; });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    --idle_;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    ++idle_;
  }
}

std::size_t ThreadPool::running() const {
  const std::lock_guard lock(mutex_);
  return threads_.size() - idle_;
}

std::size_t ThreadPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

}  // namespace raceway::server::http

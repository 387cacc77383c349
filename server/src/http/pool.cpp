#include "http/pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace raceway::server::http {
namespace {

thread_local ThreadPool* pool_of_this_thread = nullptr;

PoolLimits usable(PoolLimits limits) {
  limits.threads = std::max<std::size_t>(1, limits.threads);
  limits.at_once = std::clamp<std::size_t>(limits.at_once, 1, limits.threads);
  return limits;
}

}  // namespace

ThreadPool::ThreadPool(const PoolLimits& limits) : limits_(usable(limits)), begun_(Clock::now()) {
  workers_.reserve(limits_.threads);
  idle_.reserve(limits_.threads);
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    while (!jobs_.empty() && call_one()) continue;
    for (Worker* worker : idle_) worker->called_or_stop.notify_one();
  }
  for (auto& worker : workers_) worker->thread.join();
}

bool ThreadPool::submit(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (running_ + jobs_.size() >= limits_.threads + limits_.queue) return false;
  if (jobs_.empty()) begun_ = Clock::now();
  jobs_.push_back(std::move(job));
  if (at_work_ < limits_.at_once) call_one();
  if (!workers_.empty()) return true;
  jobs_.pop_back();
  return false;
}

bool ThreadPool::relieve() {
  const std::lock_guard lock(mutex_);
  if (jobs_.empty()) return false;
  const auto now = Clock::now();
  if (now - begun_ >= limits_.patience) {
    begun_ = now;
    call_one();
  }
  return true;
}

bool ThreadPool::call_one() {
  if (!idle_.empty()) {
    Worker& worker = *idle_.back();
    idle_.pop_back();
    worker.called = true;
    worker.called_or_stop.notify_one();
  } else if (workers_.size() < limits_.threads) {
    try {
      auto worker = std::make_unique<Worker>();
      worker->thread = std::thread([this, self = worker.get()] { work(*self); });
      workers_.push_back(std::move(worker));
    } catch (const std::exception&) {  // with fewer threads than wished it goes on
      return false;
    }
  } else {
    return false;
  }
  ++at_work_;
  return true;
}

void ThreadPool::work(Worker& self) {
  pool_of_this_thread = this;
  std::unique_lock lock(mutex_);
  for (;;) {
    while (jobs_.empty()) {
      --at_work_;
      if (stopping_) return;
      self.called = false;
      idle_.push_back(&self);
      self.called_or_stop.wait(lock, [&] { return self.called || stopping_; });
      if (!self.called) return;
    }
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    begun_ = Clock::now();
    ++running_;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    --running_;
  }
}

ThreadPool::Wait::Wait() {
  if (pool_of_this_thread != nullptr) pool_of_this_thread->begin_wait();
}

ThreadPool::Wait::~Wait() {
  if (pool_of_this_thread == nullptr) return;
  const std::lock_guard lock(pool_of_this_thread->mutex_);
  ++pool_of_this_thread->at_work_;
}

void ThreadPool::begin_wait() {
  const std::lock_guard lock(mutex_);
  --at_work_;
  if (!jobs_.empty() && at_work_ < limits_.at_once) call_one();
}

std::size_t ThreadPool::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::size_t ThreadPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

}  // namespace raceway::server::http

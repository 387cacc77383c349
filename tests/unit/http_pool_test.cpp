// Jobs get a thread when one is free, few at once as long as they get on, and none is kept waiting by those that do
// not.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "http/pool.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

PoolLimits limits(std::size_t threads, std::size_t at_once, std::size_t queue = 1000,
                  milliseconds patience = std::chrono::hours(1)) {
  return {threads, at_once, queue, patience};
}

/// Jobs that stay until they are let go, and count themselves.
class Stay {
 public:
  std::function<void()> job() {
    return [this] {
      std::unique_lock lock(mutex_);
      ++inside_;
      most_ = std::max(most_, inside_);
      changed_.wait(lock, [this] { return open_; });
      --inside_;
    };
  }
  int inside() const {
    const std::lock_guard lock(mutex_);
    return inside_;
  }
  int most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int most_ = 0;
  bool open_ = false;
};

/// Runs a job and waits for it; answers on which thread.
std::thread::id thread_of_a_job(ThreadPool& pool) {
  std::promise<std::thread::id> thread;
  EXPECT_TRUE(pool.submit([&] { thread.set_value(std::this_thread::get_id()); }));
  return thread.get_future().get();
}

TEST(HttpPool, RunsEveryJobThoughFewAtOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  {
    ThreadPool pool(limits(8, 2));
    for (int i = 0; i < 1'000; ++i) {
      ASSERT_TRUE(pool.submit([&] {
        const int now = ++running;
        for (int before = most; before < now && !most.compare_exchange_weak(before, now);) continue;
        --running;
        ++done;
      }));
    }
  }
  EXPECT_EQ(done, 1'000) << "what waits when the pool goes is run";
  EXPECT_LE(most, 2);
}

TEST(HttpPool, BeginsOneMoreEachTimeNoneHasBegunForAWhile) {
  Stay stay;
  ThreadPool pool(limits(4, 1, 1000, milliseconds(1)));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.submit(stay.job()));
  for (int expected = 2; expected <= 4; ++expected) {
    ASSERT_TRUE(eventually([&] {
      EXPECT_TRUE(pool.relieve());
      return stay.inside() >= expected;
    }));
  }
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_TRUE(pool.relieve()) << "there is no fifth thread";
  EXPECT_EQ(pool.running(), 4U);
  EXPECT_EQ(pool.waiting(), 1U);
  stay.open();
  ASSERT_TRUE(eventually([&] { return !pool.relieve(); }));
  EXPECT_EQ(stay.most(), 4);
}

TEST(HttpPool, IsPatientWhileJobsGetOn) {
  Stay stay;
  ThreadPool pool(limits(4, 1));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit(stay.job()));
  ASSERT_TRUE(eventually([&] { return stay.inside() == 1; }));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.relieve());
  EXPECT_EQ(pool.running(), 1U);
  EXPECT_EQ(pool.waiting(), 2U);
  stay.open();
}

TEST(HttpPool, LetsAnotherJobRunWhileOneWaits) {
  Stay stay;
  ThreadPool pool(limits(4, 1));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.submit([job = stay.job()] {
      const ThreadPool::Wait wait;
      job();
    }));
  }
  ASSERT_TRUE(eventually([&] { return stay.inside() == 2; }));
  EXPECT_NE(thread_of_a_job(pool), std::this_thread::get_id()) << "and a third one is not held up";
  stay.open();
  ASSERT_TRUE(eventually([&] { return pool.running() == 0; }));
  thread_of_a_job(pool);
  const ThreadPool::Wait harmless_elsewhere;
}

TEST(HttpPool, GivesTheNextJobToTheThreadThatWasFreeLast) {
  ThreadPool pool(limits(3, 3));
  Stay stay;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit(stay.job()));
  ASSERT_TRUE(eventually([&] { return stay.inside() == 3; }));
  stay.open();
  ASSERT_TRUE(eventually([&] { return pool.running() == 0; }));
  std::set<std::thread::id> threads;
  for (int i = 0; i < 50; ++i) {
    threads.insert(thread_of_a_job(pool));
    ASSERT_TRUE(eventually([&] { return pool.running() == 0; }));
  }
  EXPECT_EQ(threads.size(), 1U);
}

TEST(HttpPool, RefusesAJobThatFindsNoRoom) {
  Stay stay;
  ThreadPool pool(limits(2, 2, 1));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit(stay.job())) << "two to run and one to wait";
  EXPECT_FALSE(pool.submit([] {}));
  ASSERT_TRUE(eventually([&] { return stay.inside() == 2; }));
  EXPECT_FALSE(pool.submit([] {}));
  stay.open();
  ASSERT_TRUE(eventually([&] { return pool.running() == 0 && pool.waiting() == 0; }));
  EXPECT_TRUE(pool.submit([] {}));
}

}  // namespace
}  // namespace raceway::server::http::test

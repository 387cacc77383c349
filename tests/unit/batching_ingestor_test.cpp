// Bodies from many connections gathered into batches: what is acknowledged is stored, and nothing twice.
#include "ingest/batching_ingestor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "memory/memory_storage.hpp"
#include "wire/errors.hpp"
#include "wire_support.hpp"

namespace raceway::server::ingest {
namespace {

using namespace std::chrono_literals;
using storage::IngestResult;
using storage::Unavailable;
using wire::test::documented_event;
using wire::test::wrapped;

/// A store that can be held up and can fail, and remembers the batches it took.
class MoodyStorage : public memory::MemoryStorage {
 public:
  std::vector<IngestResult> ingest(const std::vector<std::string_view>& bodies) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_ || stopped_; });
    if (stopped_) throw Unavailable("stopped");
    if (failures_ > 0) {
      --failures_;
      throw Unavailable(reason_);
    }
    for (const auto body : bodies) {
      if (body.size() > largest_body_) throw storage::BodyTooLarge("the body is too large");
    }
    auto results = MemoryStorage::ingest(bodies);
    batches_.emplace_back(bodies.begin(), bodies.end());
    return results;
  }

  void close() {
    set([this] { open_ = false; });
  }
  void open() {
    set([this] { open_ = true; });
  }
  void fail(int times, const std::string& reason = "the database is away") {
    set([&, this] {
      failures_ = times;
      reason_ = reason;
    });
  }
  void take_none_larger_than(std::size_t bytes) {
    set([=, this] { largest_body_ = bytes; });
  }
  void stop() override {
    set([this] { stopped_ = true; });
  }
  /// Waits until so many calls have begun.
  void wait_for_calls(int calls) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 20s, [&] { return calls_ >= calls; }));
  }
  int calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  /// The bodies of each batch that was stored.
  std::vector<std::vector<std::string>> batches() const {
    const std::scoped_lock lock(mutex_);
    return batches_;
  }

 private:
  void set(const std::function<void()>& change) {
    const std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool stopped_ = false;
  std::size_t largest_body_ = std::string::npos;
  int failures_ = 0;
  std::string reason_;
  int calls_ = 0;
  std::vector<std::vector<std::string>> batches_;
};

constexpr int for_ever = 1'000'000'000;

/// A body of so many events, their ids beginning with `name`.
std::string body_of(const std::string& name, int events = 1) {
  std::vector<nlohmann::json> list;
  for (int i = 0; i < events; ++i) list.push_back(documented_event(name + std::to_string(i)));
  return wrapped(list);
}

BatchingOptions one_writer(config::Ack ack) {
  BatchingOptions options;
  options.ack = ack;
  options.writers = 1;
  options.give_up = 20s;
  return options;
}

/// take() in a thread of its own.
std::future<Answer> take_later(Ingestor& ingestor, std::string body) {
  return std::async(std::launch::async,
                    [&ingestor, body = std::move(body)]() mutable { return ingestor.take(std::move(body)); });
}

void wait_until_buffered(const Ingestor& ingestor, std::uint64_t events) {
  while (ingestor.depth().buffered < events) std::this_thread::sleep_for(1ms);
}

bool is_answered(std::future<Answer>& answer) {
  return answer.wait_for(0s) == std::future_status::ready;
}

TEST(DirectIngestor, StoresBeforeItAnswers) {
  memory::MemoryStorage storage;
  DirectIngestor ingestor(storage);
  EXPECT_EQ(ingestor.take(body_of("a", 3)).stored, 3U);
  EXPECT_EQ(ingestor.take(body_of("a", 4)).duplicates, 3U);
  EXPECT_EQ(storage.totals().events, 4U);
  EXPECT_THROW(ingestor.take("{"), wire::BodyError);
  EXPECT_EQ(ingestor.drain(), 0U);
}

TEST(DurableAck, ComesAfterTheCommit) {
  MoodyStorage storage;
  BatchingIngestor ingestor(storage, one_writer(config::Ack::durable));
  storage.close();
  auto answer = take_later(ingestor, body_of("a", 3));
  storage.wait_for_calls(1);
  EXPECT_FALSE(is_answered(answer));
  storage.open();
  EXPECT_EQ(answer.get().stored, 3U);
  EXPECT_EQ(storage.totals().events, 3U);
}

TEST(DurableAck, TellsEachBodyWhatBecameOfIt) {
  MoodyStorage storage;
  BatchingIngestor ingestor(storage, one_writer(config::Ack::durable));
  ingestor.take(body_of("a", 2));
  auto mixed =
      wrapped({documented_event("a0"), documented_event("b"), nlohmann::json(7), documented_event("a1", "other")});
  const auto answer = ingestor.take(std::move(mixed));
  EXPECT_EQ(answer.stored, 1U);
  EXPECT_EQ(answer.duplicates, 1U);
  ASSERT_EQ(answer.rejected.count(), 2U);
  EXPECT_EQ(answer.rejected.told()[0].index, 2U);
  EXPECT_EQ(answer.rejected.told()[1].index, 3U);
  EXPECT_EQ(answer.rejected.told()[1].id, "a1");
}

TEST(BufferedAck, ComesAtOnceAndTheEventsAreStoredAfterwards) {
  MoodyStorage storage;
  BatchingIngestor ingestor(storage, one_writer(config::Ack::buffered));
  storage.close();
  const auto answer = ingestor.take(wrapped({documented_event("a"), nlohmann::json(7)}));
  EXPECT_EQ(answer.stored, 1U);
  ASSERT_EQ(answer.rejected.count(), 1U);
  EXPECT_EQ(answer.rejected.told()[0].index, 1U) << "what cannot be kept is told at once";
  EXPECT_EQ(ingestor.take(body_of("b", 5)).stored, 5U);
  EXPECT_EQ(storage.totals().events, 0U);
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.totals().events, 6U);
}

TEST(Ingestor, RefusesABodyThatIsNoneBeforeItIsBuffered) {
  MoodyStorage storage;
  for (const auto ack : {config::Ack::durable, config::Ack::buffered}) {
    BatchingIngestor ingestor(storage, one_writer(ack));
    EXPECT_THROW(ingestor.take("{\"events\":["), wire::BodyError);
    EXPECT_THROW(ingestor.take("{}"), wire::BodyError);
    const auto answer = ingestor.take("[7]");
    EXPECT_EQ(answer.stored, 0U);
    EXPECT_EQ(answer.rejected.count(), 1U);
  }
  EXPECT_EQ(storage.calls(), 0) << "nothing of it goes to the store";
}

TEST(Batches, AreWrittenBodyByBodyWhereOneIsTooLargeForTheStorage) {
  MoodyStorage storage;
  storage.take_none_larger_than(2'000);
  auto options = one_writer(config::Ack::durable);
  options.batch_size = 1'000;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  auto first = take_later(ingestor, body_of("first", 1));
  storage.wait_for_calls(1);
  auto small = take_later(ingestor, body_of("small", 2));
  auto large = take_later(ingestor, body_of("large", 100));
  auto other = take_later(ingestor, body_of("other", 3));
  wait_until_buffered(ingestor, 106);
  storage.open();
  EXPECT_EQ(first.get().stored, 1U);
  EXPECT_EQ(small.get().stored, 2U);
  EXPECT_THROW(large.get(), storage::BodyTooLarge);
  EXPECT_EQ(other.get().stored, 3U);
  EXPECT_EQ(storage.calls(), 5) << "the first, the three together, and each of them";
  EXPECT_EQ(ingestor.drain(), 0U);
}

TEST(Batches, WithABodyThatIsTooLargeAreNotTriedForEver) {
  MoodyStorage storage;
  storage.take_none_larger_than(2'000);
  BatchingIngestor ingestor(storage, one_writer(config::Ack::buffered));
  EXPECT_EQ(ingestor.take(body_of("large", 100)).stored, 100U);
  EXPECT_EQ(ingestor.take(body_of("small", 2)).stored, 2U);
  EXPECT_EQ(ingestor.drain(), 100U);
  EXPECT_EQ(storage.totals().events, 2U);
}

TEST(Buffer, ThatIsFullAnswersUnavailableUntilThereIsRoom) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.buffer_size = 10;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("a", 6));
  storage.wait_for_calls(1);
  EXPECT_THROW(ingestor.take(body_of("b", 5)), Unavailable) << "what is being written takes its room still";
  EXPECT_EQ(ingestor.take(body_of("c", 4)).stored, 4U) << "a smaller one fits";
  EXPECT_THROW(ingestor.take(body_of("d", 1)), Unavailable);
  storage.open();
  for (int tries = 0; tries < 2'000; ++tries) {
    try {
      ingestor.take(body_of("d", 1));
      break;
    } catch (const Unavailable&) {
      std::this_thread::sleep_for(5ms);
    }
  }
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.totals().events, 6U + 4U + 1U) << "nothing of what was refused is stored";
}

TEST(Buffer, TakesALargerBodyWhereNothingWaits) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.buffer_size = 10;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  EXPECT_EQ(ingestor.take(body_of("a", 50)).stored, 50U);
  EXPECT_THROW(ingestor.take(body_of("b", 50)), Unavailable);
  EXPECT_THROW(ingestor.take(body_of("c", 1)), Unavailable);
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.totals().events, 50U);
}

TEST(Batches, GatherWhatWaitsInItsOrderUpToTheirSize) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.batch_size = 10;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("first", 1));
  storage.wait_for_calls(1);
  const std::vector<std::pair<std::string, int>> bodies = {{"a", 4},  {"b", 6}, {"c", 9}, {"d", 2},
                                                           {"e", 25}, {"f", 1}, {"g", 1}};
  for (const auto& [name, events] : bodies) ingestor.take(body_of(name, events));
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
  using Batch = std::vector<std::string>;
  const std::vector<Batch> expected = {{body_of("first")}, {body_of("a", 4), body_of("b", 6)},
                                       {body_of("c", 9)},  {body_of("d", 2)},
                                       {body_of("e", 25)}, {body_of("f"), body_of("g")}};
  EXPECT_EQ(storage.batches(), expected);
}

TEST(Batches, DoNotWaitForMoreWhereNoWriterIsBusy) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.flush_interval = 1h;
  options.writers = 3;
  BatchingIngestor ingestor(storage, options);
  EXPECT_EQ(ingestor.take(body_of("a")).stored, 1U);
  EXPECT_EQ(ingestor.take(body_of("b")).stored, 1U);
}

TEST(Batches, OfASecondWriterGoWhenNothingMoreComesForATenthOfTheFlushInterval) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.writers = 2;
  options.flush_interval = 300ms;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("a"));
  storage.wait_for_calls(1);
  const auto start = std::chrono::steady_clock::now();
  ingestor.take(body_of("b"));
  ingestor.take(body_of("c"));
  storage.wait_for_calls(2);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms) << "it waits for more while the other one writes";
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.batches().size(), 2U);
  EXPECT_EQ(storage.totals().events, 3U);
}

TEST(Batches, OfASecondWriterGoAfterTheFlushIntervalHoweverMuchComes) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.writers = 2;
  options.flush_interval = 500ms;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("a"));
  storage.wait_for_calls(1);
  const auto start = std::chrono::steady_clock::now();
  for (int at = 0; storage.calls() < 2; ++at) {
    ingestor.take(body_of("b" + std::to_string(at)));
    std::this_thread::sleep_for(10ms);
  }
  // Later than by a pause between two of them, which may come at any time on a busy machine.
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
}

TEST(Batches, OfASecondWriterGoAtOnceWhenTheyAreFull) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.writers = 2;
  options.flush_interval = 1h;
  options.batch_size = 4;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("a"));
  storage.wait_for_calls(1);
  ingestor.take(body_of("b", 3));
  ingestor.take(body_of("c", 1));
  storage.wait_for_calls(2);
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
}

TEST(Batches, WaitingForMoreGoWhenTheOtherWriterIsDone) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.writers = 2;
  options.flush_interval = 1h;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  auto first = take_later(ingestor, body_of("a"));
  storage.wait_for_calls(1);
  auto second = take_later(ingestor, body_of("b"));
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout);
  storage.open();
  EXPECT_EQ(first.get().stored, 1U);
  EXPECT_EQ(second.get().stored, 1U);
}

TEST(FailedBatch, IsTriedAgain) {
  for (const auto ack : {config::Ack::durable, config::Ack::buffered}) {
    MoodyStorage storage;
    storage.fail(3);
    BatchingIngestor ingestor(storage, one_writer(ack));
    EXPECT_EQ(ingestor.take(body_of("a", 2)).stored, 2U);
    EXPECT_EQ(ingestor.drain(), 0U);
    EXPECT_EQ(storage.calls(), 4);
    EXPECT_EQ(storage.totals().events, 2U);
  }
}

TEST(FailedBatch, IsRefusedInTheEndAndLeavesRoomForOthers) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.give_up = 60ms;
  options.buffer_size = 2;
  BatchingIngestor ingestor(storage, options);
  storage.fail(for_ever);
  try {
    ingestor.take(body_of("a", 2));
    FAIL() << "it cannot have been stored";
  } catch (const Unavailable& error) {
    EXPECT_STREQ(error.what(), "the database is away");
  }
  EXPECT_GE(storage.calls(), 2);
  storage.fail(0);
  EXPECT_EQ(ingestor.take(body_of("b", 2)).stored, 2U);
  EXPECT_EQ(ingestor.drain(), 0U) << "what was refused was not promised";
  EXPECT_EQ(storage.totals().events, 2U);
}

TEST(FailedBatch, IsRefusedAlsoWhereTheStorageGivesNoReason) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.give_up = 1ms;
  BatchingIngestor ingestor(storage, options);
  storage.fail(for_ever, "");
  EXPECT_THROW(ingestor.take(body_of("a")), Unavailable);
  EXPECT_EQ(storage.totals().events, 0U);
}

TEST(FailedBatch, ThatWasPromisedIsTriedBeyondTheTimeOfADurableOne) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.give_up = 1ms;
  BatchingIngestor ingestor(storage, options);
  storage.fail(4);
  ingestor.take(body_of("a", 2));
  storage.wait_for_calls(5);
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.totals().events, 2U);
}

/// What is said to a client whose body was not acknowledged.
std::string refusal_of(std::future<Answer>& answer) {
  try {
    answer.get();
  } catch (const Unavailable& error) {
    return error.what();
  }
  return "acknowledged";
}

/// Sends a body until it is acknowledged, as a client does.
Answer take_in_the_end(Ingestor& ingestor, const std::string& body) {
  for (int tries = 0; tries < 1'000; ++tries) {
    try {
      return ingestor.take(std::string(body));
    } catch (const Unavailable&) {
      std::this_thread::sleep_for(5ms);
    }
  }
  throw std::runtime_error("it does not heal");
}

TEST(HangingStorage, IsWaitedForNoLongerThanTold) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.ack_timeout = 30ms;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  auto answer = take_later(ingestor, body_of("a"));
  storage.wait_for_calls(1);
  EXPECT_THAT(refusal_of(answer), testing::HasSubstr("may be stored or not"));
  storage.open();
  EXPECT_EQ(take_in_the_end(ingestor, body_of("a")).duplicates, 1U) << "sent again, it is there once";
  EXPECT_EQ(storage.totals().events, 1U);
}

TEST(HangingStorage, DoesNotGetLaterWhatWasRefusedBefore) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.ack_timeout = 200ms;
  options.buffer_size = 3;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  auto first = take_later(ingestor, body_of("a"));
  storage.wait_for_calls(1);
  auto second = take_later(ingestor, body_of("b", 2));
  EXPECT_THAT(refusal_of(second), testing::HasSubstr("nothing of this was stored"));
  first.wait();
  storage.open();
  EXPECT_EQ(take_in_the_end(ingestor, body_of("c", 2)).stored, 2U) << "it takes no room either";
  EXPECT_EQ(storage.totals().events, 3U);
}

TEST(HangingStorage, RefusesAtOnceWhenOthersWaitedInVain) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.ack_timeout = 30ms;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  auto first = take_later(ingestor, body_of("a"));
  first.wait();
  std::this_thread::sleep_for(30ms);
  auto second = take_later(ingestor, body_of("b"));
  EXPECT_THAT(refusal_of(second), testing::HasSubstr("does not answer"));
  storage.open();
}

TEST(HangingStorage, DoesNotKeepAPromiseFromBeingMade) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.ack_timeout = 1ms;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  ingestor.take(body_of("a"));
  storage.wait_for_calls(1);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(ingestor.take(body_of("b")).stored, 1U);
  storage.open();
  EXPECT_EQ(ingestor.drain(), 0U);
  EXPECT_EQ(storage.totals().events, 2U);
}

TEST(Drain, EndsThoughTheStorageHangs) {
  for (const auto ack : {config::Ack::durable, config::Ack::buffered}) {
    MoodyStorage storage;
    auto options = one_writer(ack);
    options.ack_timeout = 10ms;
    options.drain = 30ms;
    BatchingIngestor ingestor(storage, options);
    storage.close();
    auto first = take_later(ingestor, body_of("a"));
    storage.wait_for_calls(1);
    first.wait();
    EXPECT_EQ(ingestor.drain(), ack == config::Ack::buffered ? 1U : 0U);
  }
}

TEST(Drain, StoresEverythingThatWasPromised) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.batch_size = 3;
  BatchingIngestor ingestor(storage, options);
  storage.close();
  for (int i = 0; i < 50; ++i) ingestor.take(body_of("a" + std::to_string(i) + "-"));
  auto lost = std::async(std::launch::async, [&] { return ingestor.drain(); });
  EXPECT_EQ(lost.wait_for(50ms), std::future_status::timeout);
  storage.open();
  EXPECT_EQ(lost.get(), 0U);
  EXPECT_EQ(storage.totals().events, 50U);
  EXPECT_THROW(ingestor.take(body_of("late")), Unavailable);
  EXPECT_EQ(ingestor.drain(), 0U) << "a second time does nothing";
}

TEST(Drain, CountsThePromisedEventsThatCouldNotBeStored) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::buffered);
  options.drain = 60ms;
  BatchingIngestor ingestor(storage, options);
  storage.fail(for_ever);
  ingestor.take(body_of("a", 2));
  // Two of its events were rejected at once: they were not promised.
  ingestor.take(wrapped({documented_event("b"), nlohmann::json(7), nlohmann::json(8), documented_event("c")}));
  EXPECT_EQ(ingestor.drain(), 4U);
  EXPECT_EQ(storage.totals().events, 0U);
}

TEST(Drain, AnswersThoseWhoWait) {
  MoodyStorage storage;
  BatchingIngestor ingestor(storage, one_writer(config::Ack::durable));
  storage.close();
  auto first = take_later(ingestor, body_of("a"));
  storage.wait_for_calls(1);
  auto second = take_later(ingestor, body_of("b"));
  std::this_thread::sleep_for(20ms);
  auto drained = std::async(std::launch::async, [&] { return ingestor.drain(); });
  storage.open();
  EXPECT_EQ(first.get().stored, 1U);
  EXPECT_EQ(drained.get(), 0U);
  try {
    EXPECT_EQ(second.get().stored, 1U);
    EXPECT_EQ(storage.totals().events, 2U);
  } catch (const Unavailable&) {
    EXPECT_EQ(storage.totals().events, 1U) << "refused, so not stored";
  }
}

TEST(Ingestor, EndedWithoutADrainStoresAllTheSame) {
  MoodyStorage storage;
  {
    BatchingIngestor ingestor(storage, one_writer(config::Ack::buffered));
    for (int i = 0; i < 20; ++i) ingestor.take(body_of("a" + std::to_string(i) + "-"));
  }
  EXPECT_EQ(storage.totals().events, 20U);
}

TEST(Ingestor, StaysExactWithManyClientsWritersAndFailures) {
  MoodyStorage storage;
  auto options = one_writer(config::Ack::durable);
  options.writers = 3;
  options.batch_size = 20;
  options.flush_interval = 1ms;
  BatchingIngestor ingestor(storage, options);
  constexpr int clients = 8;
  constexpr int bodies = 40;
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> duplicates{0};
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      for (int i = 0; i < bodies; ++i) {
        if (client == 0 && i % 10 == 0) storage.fail(2);
        // Two clients each send the same events.
        const auto answer = ingestor.take(body_of("c" + std::to_string(client / 2) + "-" + std::to_string(i) + "-", 3));
        stored += answer.stored;
        duplicates += answer.duplicates;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored, clients / 2 * bodies * 3U);
  EXPECT_EQ(duplicates, clients / 2 * bodies * 3U);
  EXPECT_EQ(storage.totals().events, clients / 2 * bodies * 3U);
  EXPECT_EQ(ingestor.drain(), 0U);
}

}  // namespace
}  // namespace raceway::server::ingest

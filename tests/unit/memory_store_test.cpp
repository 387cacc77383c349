// The memory store under what is rare: hashes that collide, threads that offer the same ids, much traffic.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "heap_count.hpp"
#include "memory/ingest.hpp"
#include "memory/memory_storage.hpp"
#include "memory/store.hpp"
#include "trace_support.hpp"
#include "wire/reasons.hpp"
#include "wire_support.hpp"

namespace raceway::server::memory {
namespace {

using nlohmann::json;
using wire::test::documented_event;
using wire::test::wrapped;

class MemoryStore : public testing::Test {
 protected:
  storage::IngestResult send(const std::vector<json>& events) {
    const auto body = wrapped(events);
    auto batch = wire::read_batch(body);
    return memory::ingest(*store_, batch);
  }

  /// Lets the hash of an event's id lead to a chunk that it is not in.
  void collide(const std::string& id, memory::Locator with) {
    const auto made = store_->ids.make(id);
    store_->index.part(made).locators.insert(memory::table_hash(made), with.packed());
  }

  /// Where the first chunk of a trace is.
  memory::Locator chunk_of(const std::string& trace_id) {
    const auto id = store_->ids.make(trace_id);
    auto& shard = store_->shard_of(id);
    return {memory::part_of(id), shard.traces[shard.traces.find(id)].newest_chunk};
  }

  std::unique_ptr<memory::Store> store_ = std::make_unique<memory::Store>();
};

TEST_F(MemoryStore, DoesNotTakeOneIdForAnotherOfTheSameHash) {
  std::vector<json> other_traces;
  for (int at = 0; at < 200; ++at) {
    other_traces.push_back(documented_event("other" + std::to_string(at), "trace" + std::to_string(at)));
  }
  EXPECT_EQ(send(other_traces).stored, 200U);
  // Whichever shard the event's trace is in: its own and others are among these.
  for (int at = 0; at < 200; ++at) {
    collide("event", chunk_of("trace" + std::to_string(at)));
    collide("second", chunk_of("trace" + std::to_string(at)));
  }
  collide("event", {3, 4'000'000});  // a chunk that was never begun
  auto result = send({documented_event("event", "mine"), documented_event("event", "mine"),
                      documented_event("second", "mine"), documented_event("third", "mine")});
  EXPECT_EQ(result.stored, 3U);
  EXPECT_EQ(result.duplicates, 1U);
  result = send({documented_event("event", "mine"), documented_event("event", "not mine")});
  EXPECT_EQ(result.stored, 0U);
  EXPECT_EQ(result.duplicates, 1U);
  ASSERT_EQ(result.rejected.count(), 1U);
  EXPECT_EQ(result.rejected.told()[0].reason, wire::reason_other_trace("mine"));
}

TEST_F(MemoryStore, LetsTheFirstOfABodyStandWhicheverShardComesFirst) {
  for (int at = 0; at < 100; ++at) {
    const auto number = std::to_string(at);
    const auto result = send(
        {documented_event("event" + number, "first" + number), documented_event("between" + number, "first" + number),
         documented_event("event" + number, "second" + number), documented_event("event" + number, "first" + number)});
    EXPECT_EQ(result.stored, 2U);
    EXPECT_EQ(result.duplicates, 1U);
    ASSERT_EQ(result.rejected.count(), 1U);
    EXPECT_EQ(result.rejected.told()[0].index, 2U);
    EXPECT_EQ(result.rejected.told()[0].reason, wire::reason_other_trace("first" + number));
  }
}

TEST_F(MemoryStore, TakesForADuplicateOnlyWhatSaysTheSame) {
  const auto reason_of = [this](const json& event) {
    const auto result = send({event});
    EXPECT_EQ(result.stored, 0U);
    return result.duplicates == 1 ? "" : result.rejected.told()[0].reason;
  };
  json event = documented_event("event");
  event.update({{"duration_ms", 1.5}, {"location", "a.cpp:1"}, {"vector_clock", {{"a", 1}, {"b", 0}}}});
  event["metadata"] = json::parse(R"({"n":1,"list":[true,null,{"x":"y"}]})");
  EXPECT_EQ(send({documented_event("before"), event, documented_event("after")}).stored, 3U);
  EXPECT_EQ(reason_of(event), "");

  auto in_other_words = event;
  in_other_words["timestamp"] = "2024-01-01T14:00:00.000+02:00";
  in_other_words["metadata"]["n"] = 1.0;
  EXPECT_EQ(reason_of(in_other_words), "");

  const std::string begins = "event_id is already stored with other contents: ";
  const std::vector<std::pair<std::string, json>> changes = {
      {"kind", {{"kind", "Error"}}},
      {"timestamp", {{"timestamp", "2024-01-01T12:00:00.000001Z"}}},
      {"duration_ms", {{"duration_ms", nullptr}}},
      {"location", {{"location", "a.cpp:2"}}},
      {"vector_clock", {{"vector_clock", {{"a", 1}}}}},
      {"vector_clock", {{"vector_clock", nullptr}}},
      {"metadata", {{"metadata", {{"n", 1}}}}},
      {"kind, location, metadata", {{"kind", "Error"}, {"location", nullptr}, {"more", 1}}},
  };
  for (const auto& [columns, change] : changes) {
    auto changed = event;
    changed.update(change);
    EXPECT_EQ(reason_of(changed), begins + columns);
  }
  EXPECT_EQ(reason_of(event), "") << "nothing of the store has changed";
}

TEST_F(MemoryStore, ComparesWithWhatStandsBeforeInTheSameBody) {
  auto changed = documented_event("event");
  changed["kind"] = "Error";
  const auto result = send({documented_event("event"), changed, documented_event("event"), documented_event("other")});
  EXPECT_EQ(result.stored, 2U);
  EXPECT_EQ(result.duplicates, 1U);
  ASSERT_EQ(result.rejected.count(), 1U);
  EXPECT_EQ(result.rejected.told()[0].index, 1U);
}

TEST_F(MemoryStore, ComparesSmallSendingsOfLargeEventsWithinBounds) {
  auto large = documented_event("event");
  large["metadata"] = {{"text", std::string(3U << 20U, 'x')}};
  EXPECT_EQ(send({large, documented_event("small")}).stored, 2U);
  const auto result = send(std::vector<json>(10, documented_event("event")));
  EXPECT_EQ(result.rejected.count(), 10U);
  const std::string reason = "event_id is already stored with other contents";
  EXPECT_EQ(result.rejected.told().front().reason, reason + ": metadata");
  EXPECT_EQ(result.rejected.told().back().reason, reason);
  EXPECT_EQ(send({documented_event("small")}).duplicates, 1U);
  EXPECT_EQ(send(std::vector<json>(10, large)).duplicates, 10U) << "however large it is";
}

TEST(MemoryStorageRecorded, IsADuplicateWhereItSaysTheSame) {
  MemoryStorage storage;
  std::uint64_t stored = 0;
  for (const auto& [name, body] : wire::test::recorded_bodies()) stored += storage.ingest({body}).at(0).stored;
  ASSERT_GT(stored, 2'000U);
  for (const auto& [name, body] : wire::test::recorded_bodies()) {
    auto events = json::parse(body)["events"];
    EXPECT_EQ(storage.ingest({body}).at(0).duplicates, events.size()) << name;
    for (auto& event : events) event["metadata"]["thread_id"] = "another one";
    const auto changed = wrapped(events);
    const auto result = storage.ingest({changed}).at(0);
    ASSERT_EQ(result.rejected.count(), events.size()) << name;
    for (const auto& rejection : result.rejected.told()) {
      EXPECT_EQ(rejection.reason, "event_id is already stored with other contents: metadata");
    }
  }
}

TEST(MemoryStorageThreads, StoreAnIdOnceThoughEachOffersItUnderItsOwnTraces) {
  constexpr int events = 2'000;
  constexpr int senders = 4;
  MemoryStorage storage;
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> rejected{0};
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      const auto mine = "trace of " + std::to_string(sender) + " number ";
      for (int from = 0; from < events; from += 10) {
        std::vector<json> body;
        for (int at = from; at < from + 10; ++at) {
          body.push_back(documented_event("event" + std::to_string(at), mine + std::to_string(at % 17)));
        }
        const auto text = wrapped(body);
        const auto result = storage.ingest({text}).at(0);
        stored += result.stored;
        rejected += result.rejected.count();
        EXPECT_EQ(result.duplicates, 0U);
        for (const auto& rejection : result.rejected.told()) {
          EXPECT_EQ(rejection.reason.find(mine), std::string::npos) << rejection.reason;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored, std::uint64_t{events});
  EXPECT_EQ(rejected, std::uint64_t{events} * (senders - 1));
  std::set<std::string> ids;
  wire::test::read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& read) {
        EXPECT_GT(read.size(), 0U) << trace.trace_id;
        for (const auto& event : read) EXPECT_TRUE(ids.insert(event.event_id).second);
        return true;
      });
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(events));
}

/// A copy of a recorded body with ids of its own, which hang together as they did.
std::string copy_of(std::string body, std::uint32_t copy) {
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = 0; at + 36 < body.size(); ++at) {
    const bool hyphens = body[at + 8] == '-' && body[at + 13] == '-' && body[at + 18] == '-' && body[at + 23] == '-';
    if (!hyphens || !std::all_of(&body[at], &body[at + 8], is_hex)) continue;
    const auto digits = static_cast<std::uint32_t>(std::stoul(body.substr(at, 8), nullptr, 16));
    std::array<char, 9> fresh{};
    std::snprintf(fresh.data(), fresh.size(), "%08x", digits + copy * 0x9E3779B9U);
    std::copy_n(fresh.begin(), 8, &body[at]);
    at += 35;
  }
  return body;
}

/// What a store takes of the heap for what `fill` puts into it, and what it says that it takes.
template <class Fill>
void expect_exact_usage(Fill fill) {
  if (!test::heap_is_counted()) GTEST_SKIP() << "another malloc has taken the place of the counted one";
  {
    MemoryStorage warm_up;  // what a thread keeps for reading and packing is not the store's
    fill(warm_up);
    fill(warm_up);
  }
  const auto before = test::heap_in_use();
  auto storage = std::make_unique<MemoryStorage>();
  const auto itself = memory::heap_bytes(storage.get());
  fill(*storage);
  EXPECT_EQ(storage->usage().total() + itself, test::heap_in_use() - before);
  fill(*storage);
  EXPECT_EQ(storage->usage().total() + itself, test::heap_in_use() - before) << "all sent again";
  storage.reset();
  EXPECT_EQ(test::heap_in_use(), before) << "all of it is given back";
}

TEST(MemoryStorageUsage, IsToTheByteWhatTheHeapGaveForRecordedTraffic) {
  std::vector<std::string> all;
  for (std::uint32_t copy = 0; copy < 20; ++copy) {
    for (const auto& [name, body] : wire::test::recorded_bodies()) all.push_back(copy_of(body, copy));
  }
  expect_exact_usage([&](MemoryStorage& storage) {
    for (const auto& body : all) storage.ingest({body});
    EXPECT_EQ(storage.totals().events, 20 * (915U + 381U + 993U));
    EXPECT_LE(storage.usage().total(), storage.totals().events * 125);
  });
}

TEST(MemoryStorageUsage, IsExactWhileTracesGrowAndAreListed) {
  std::vector<std::string> all;
  for (std::uint32_t copy = 0; copy < 5; ++copy) {
    for (const auto& [name, body] : wire::test::recorded_bodies()) all.push_back(copy_of(body, copy));
  }
  expect_exact_usage([&](MemoryStorage& storage) {
    for (const auto& body : all) {
      storage.ingest({body});
      EXPECT_GT(storage.list_traces({}, 1, 10).total, 0U);
    }
  });
}

TEST(MemoryStorageUsage, CountsTextsServicesAndLongIdsToo) {
  std::vector<json> events;
  for (int at = 0; at < 5'000; ++at) {
    const auto number = std::to_string(at);
    auto event = documented_event(std::string(200, 'e') + number, std::string(200, 't') + std::to_string(at / 5));
    event["metadata"] = {{"service_name", "a service with a long name, number " + number}};
    event["location"] = std::string(300, 'l') + std::to_string(at / 2);
    events.push_back(event);
  }
  const auto body = wrapped(events);
  expect_exact_usage([&](MemoryStorage& storage) { storage.ingest({body}); });
}

TEST(MemoryStorageUsage, CountsEveryDictionary) {
  std::vector<std::string> bodies;
  for (int trace = 0; trace < 40; ++trace) {
    std::vector<json> events;
    for (int at = 0; at < 2'000; ++at) {
      const auto id = std::to_string(trace) + "/" + std::to_string(at);
      auto event = documented_event(id, std::to_string(trace));
      event["location"] = std::string(300, 'l') + std::to_string(trace) + "/" + std::to_string(at / 2);
      events.push_back(event);
    }
    bodies.push_back(wrapped(events));
  }
  expect_exact_usage([&](MemoryStorage& storage) {
    for (const auto& body : bodies) storage.ingest({body});
  });
}

}  // namespace
}  // namespace raceway::server::memory

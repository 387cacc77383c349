// The memory store within limits: what goes first, that it is gone whole, and what remains of it: nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "heap_count.hpp"
#include "memory/bytes.hpp"
#include "memory/memory_storage.hpp"
#include "memory/segments.hpp"
#include "trace_support.hpp"
#include "wire_support.hpp"

namespace raceway::server::memory {
namespace {

using nlohmann::json;
using wire::test::Dice;
using wire::test::documented_event;
using wire::test::wrapped;

storage::IngestResult send(storage::Storage& storage, const std::vector<json>& events) {
  const auto body = wrapped(events);
  return storage.ingest({body}).at(0);
}

json event_of(const std::string& id, const std::string& trace, const std::string& service) {
  auto event = documented_event(id, trace);
  event["metadata"] = {{"service_name", service}};
  return event;
}

std::set<std::string> traces_in(storage::Storage& storage) {
  std::set<std::string> ids;
  for (const auto& trace : storage.list_traces({}, 1, 1'000'000).traces) ids.insert(trace.trace_id);
  return ids;
}

storage::EvictionCounts evicted(storage::Storage& storage, storage::MemoryLimit by) {
  return storage.fullness()->evicted.at(static_cast<std::size_t>(by));
}

/// A store of so many traces at most, as simple as can be.
class Model {
 public:
  explicit Model(std::size_t max_traces) : max_traces_(max_traces) {}

  /// Answers how many were stored, and how many were there already.
  std::pair<std::uint64_t, std::uint64_t> send(const std::string& trace, const std::vector<std::string>& ids) {
    std::uint64_t stored = 0;
    std::uint64_t duplicates = 0;
    for (const auto& id : ids) {
      ++(events_[trace].insert(id).second ? stored : duplicates);
    }
    if (stored > 0) {
      std::erase(oldest_first_, trace);
      oldest_first_.push_back(trace);
    }
    for (; oldest_first_.size() > max_traces_; oldest_first_.pop_front()) {
      ++gone_.traces;
      gone_.events += events_[oldest_first_.front()].size();
      events_.erase(oldest_first_.front());
    }
    return {stored, duplicates};
  }

  const std::map<std::string, std::set<std::string>>& events() const { return events_; }
  const storage::EvictionCounts& gone() const { return gone_; }

 private:
  std::size_t max_traces_;
  std::map<std::string, std::set<std::string>> events_;  // by trace
  std::deque<std::string> oldest_first_;
  storage::EvictionCounts gone_;
};

RC_GTEST_PROP(MemoryRetention, KeepsTheTracesThatGrewLastAsASimpleModelDoes, ()) {
  Dice dice;
  const auto max_traces = static_cast<std::size_t>(dice.between(1, 8));
  MemoryStorage storage({.max_traces = max_traces, .max_age = {}, .max_bytes = 0});
  Model model(max_traces);
  for (int bodies = dice.between(1, 60); bodies > 0; --bodies) {
    const auto trace = "t" + std::to_string(dice.between(0, 15));
    std::vector<std::string> ids;
    std::vector<json> events;
    for (int count = dice.between(1, 5); count > 0; --count) {
      ids.push_back(trace + "/" + std::to_string(dice.between(0, 9)));
      events.push_back(event_of(ids.back(), trace, "service of " + trace));
    }
    const auto result = send(storage, events);
    const auto [stored, duplicates] = model.send(trace, ids);
    RC_ASSERT(result.stored == stored);
    RC_ASSERT(result.duplicates == duplicates);
    RC_ASSERT(result.rejected.empty());
    if (dice.chance(30)) RC_ASSERT(storage.list_traces({}, 1, 100).total == model.events().size());
  }
  std::uint64_t events = 0;
  std::set<std::string> services;
  std::set<std::string> traces;
  for (const auto& [trace, ids] : model.events()) {
    const auto kept = wire::test::read_trace(storage, trace);
    RC_ASSERT(kept.has_value());
    std::set<std::string> stored;
    for (const auto& event : *kept) stored.insert(event.event_id);
    RC_ASSERT(stored == ids);
    events += ids.size();
    traces.insert(trace);
    services.insert("service of " + trace);
  }
  RC_ASSERT(traces_in(storage) == traces);
  RC_ASSERT(storage.totals().events == events);
  RC_ASSERT(storage.totals().traces == model.events().size());
  std::set<std::string> counted;
  for (const auto& service : storage.services()) counted.insert(service.name);
  RC_ASSERT(counted == services);
  RC_ASSERT(evicted(storage, storage::MemoryLimit::traces).traces == model.gone().traces);
  RC_ASSERT(evicted(storage, storage::MemoryLimit::traces).events == model.gone().events);
  RC_ASSERT(storage.fullness()->bytes == storage.usage().total());
}

TEST(MemoryRetention, TakesAnEventOfAnEvictedTraceForANewOneWhereverItIsSent) {
  MemoryStorage storage({.max_traces = 1, .max_age = {}, .max_bytes = 0});
  EXPECT_EQ(send(storage, {documented_event("e", "first")}).stored, 1U);
  EXPECT_EQ(send(storage, {documented_event("f", "second")}).stored, 1U);
  EXPECT_EQ(wire::test::read_trace(storage, "first"), std::nullopt);
  EXPECT_EQ(send(storage, {documented_event("e", "third")}).stored, 1U) << "under another trace";
  EXPECT_EQ(send(storage, {documented_event("e", "third")}).duplicates, 1U);
  EXPECT_EQ(send(storage, {documented_event("f", "second")}).stored, 1U) << "under the same one";
}

TEST(MemoryRetention, DoesNotCutATraceThatIsStillGrowing) {
  MemoryStorage storage({.max_traces = 3, .max_age = {}, .max_bytes = 0});
  for (int at = 0; at < 100; ++at) {
    const auto number = std::to_string(at);
    send(storage,
         {documented_event("growing" + number, "growing"), documented_event("other" + number, "other" + number)});
  }
  EXPECT_EQ(wire::test::read_trace(storage, "growing")->size(), 100U);
  EXPECT_EQ(traces_in(storage), (std::set<std::string>{"growing", "other98", "other99"}));
}

TEST(MemoryRetention, LetsGoOfWhatHasNotGrownForLong) {
  MemoryStorage storage({.max_traces = 0, .max_age = std::chrono::seconds(1), .max_bytes = 0});
  send(storage, {documented_event("e", "old"), documented_event("f", "old")});
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
  EXPECT_EQ(storage.totals().traces, 1U);
  storage.keep_limits();
  EXPECT_EQ(storage.totals().traces, 0U);
  EXPECT_EQ(wire::test::read_trace(storage, "old"), std::nullopt);
  EXPECT_EQ(evicted(storage, storage::MemoryLimit::age).traces, 1U);
  EXPECT_EQ(evicted(storage, storage::MemoryLimit::age).events, 2U);
}

std::vector<json> long_events(const std::string& trace, int from, int count) {
  std::vector<json> events;
  for (int at = from; at < from + count; ++at) {
    auto event = documented_event(trace + "/" + std::to_string(at), trace);
    event["location"] = std::string(1'000, 'l') + std::to_string(at);
    events.push_back(event);
  }
  return events;
}

TEST(MemoryRetention, RejectsMoreOfATraceThatAloneIsNearTheLimitAndLivesOn) {
  constexpr std::uint64_t most = 8'000'000;
  MemoryStorage storage({.max_traces = 0, .max_age = {}, .max_bytes = most});
  std::uint64_t stored = 0;
  storage::IngestResult last;
  for (int at = 0; at < 10'000; at += 100) {
    last = send(storage, long_events("giant", at, 100));
    stored += last.stored;
    EXPECT_LE(storage.usage().total(), most);
  }
  EXPECT_EQ(last.rejected.count(), 100U);
  EXPECT_EQ(last.rejected.told().front().id, "giant/9900");
  EXPECT_NE(last.rejected.told().front().reason.find("storage.memory.max_bytes"), std::string::npos)
      << last.rejected.told()[0].reason;
  EXPECT_EQ(wire::test::read_trace(storage, "giant")->size(), stored);
  EXPECT_EQ(send(storage, long_events("giant", 0, 10)).duplicates, 10U) << "what is in is still known";
  for (int at = 0; at < 100; ++at) {
    EXPECT_EQ(send(storage, long_events("small" + std::to_string(at), 0, 50)).stored, 50U);
    EXPECT_LE(storage.usage().total(), most);
  }
  EXPECT_EQ(wire::test::read_trace(storage, "giant"), std::nullopt) << "it is the one that has not grown for longest";
  EXPECT_EQ(wire::test::read_trace(storage, "small99")->size(), 50U);
}

/// Bodies that leave nothing out: long ids and services of their own, several services in a trace, traces that come
/// back.
std::vector<std::string> bodies_of_all_kinds() {
  std::vector<std::string> bodies;
  for (int body = 0; body < 400; ++body) {
    std::vector<json> events;
    for (int at = 0; at < 60; ++at) {
      const auto number = std::to_string(body) + "/" + std::to_string(at);
      const auto trace = at % 6 == 0 ? "comes again, and has a long name " + std::to_string(at)
                                     : std::string(100, 't') + std::to_string(body) + "/" + std::to_string(at / 10);
      auto event = event_of("an id that is no UUID " + number, trace,
                            "a service with a long name " + std::to_string(at % 3 == 0 ? body : at));
      event["location"] = std::string(300, 'l') + std::to_string(body / 2) + "/" + std::to_string(at);
      events.push_back(event);
    }
    bodies.push_back(wrapped(events));
  }
  return bodies;
}

TEST(MemoryRetention, KnowsToTheByteWhatItTakesWhileTracesGo) {
  if (!test::heap_is_counted()) GTEST_SKIP() << "another malloc has taken the place of the counted one";
  const auto bodies = bodies_of_all_kinds();
  constexpr std::uint64_t most = 6'000'000;
  const auto fill = [&](MemoryStorage& storage, std::size_t before) {
    // The one that only warms up is no block of the heap.
    const auto itself = before == 0 ? 0 : memory::heap_bytes(&storage);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < bodies.size(); ++at) {
      storage.ingest({bodies[at]});
      if (at % 7 == 0) storage.list_traces({}, 1, 3);
      if (before == 0) continue;
      wrong += storage.usage().total() + itself != test::heap_in_use() - before ? 1 : 0;
      wrong += storage.usage().total() != storage.fullness()->bytes ? 1 : 0;
      EXPECT_LE(storage.usage().total(), most);
    }
    EXPECT_EQ(wrong, 0U);
  };
  const storage::MemoryLimits limits{.max_traces = 0, .max_age = {}, .max_bytes = most};
  {
    MemoryStorage warm_up(limits);
    fill(warm_up, 0);
    fill(warm_up, 0);
  }
  const auto before = test::heap_in_use();
  auto storage = std::make_unique<MemoryStorage>(limits);
  fill(*storage, before);
  EXPECT_GT(evicted(*storage, storage::MemoryLimit::bytes).traces, 100U);
  EXPECT_GT(storage->totals().traces, 10U);
  storage.reset();
  EXPECT_EQ(test::heap_in_use(), before);
}

TEST(MemoryRetention, FreesWhatWasEvictedForGood) {
  const auto bodies = bodies_of_all_kinds();
  MemoryStorage storage({.max_traces = 100, .max_age = {}, .max_bytes = 0});
  std::size_t after_some = 0;
  for (int round = 0; round < 3; ++round) {
    for (const auto& body : bodies) storage.ingest({body});
    if (round == 0) after_some = storage.usage().total();
  }
  EXPECT_LT(storage.usage().total(), after_some * 5 / 4);
  EXPECT_LE(storage.totals().traces, 100U);
  std::set<std::string> in_traces;
  for (const auto& trace : storage.list_traces({}, 1, 1'000).traces) {
    in_traces.insert(trace.services.begin(), trace.services.end());
  }
  EXPECT_EQ(storage.services().size(), in_traces.size());
}

TEST(MemoryRetention, HoldsWhileManySendAndOthersRead) {
  constexpr int senders = 4;
  constexpr int bodies = 300;
  MemoryStorage storage({.max_traces = 50, .max_age = {}, .max_bytes = 0});
  std::atomic<bool> sending{true};
  std::atomic<std::uint64_t> stored{0};
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      for (int body = 0; body < bodies; ++body) {
        std::vector<json> events;
        for (int at = 0; at < 20; ++at) {
          const auto trace = std::to_string(sender) + "/" + std::to_string(body) + "/" + std::to_string(at / 5);
          events.push_back(event_of(trace + "/" + std::to_string(at), trace, "service " + trace));
        }
        stored += send(storage, events).stored;
      }
    });
  }
  std::thread reader([&] {
    while (sending) {
      wire::test::read_each_trace(
          storage, {}, [](std::uint64_t) {},
          [](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& events) {
            EXPECT_EQ(events.size(), trace.event_count);
            for (const auto& event : events) EXPECT_EQ(event.trace_id, trace.trace_id);
            return true;
          });
      for (const auto& service : storage.services()) storage.list_traces({service.name, 0, {}, {}}, 1, 10);
      storage.keep_limits();
    }
  });
  for (auto& thread : threads) thread.join();
  sending = false;
  reader.join();
  storage.keep_limits();
  EXPECT_EQ(stored, std::uint64_t{senders} * bodies * 20);
  EXPECT_EQ(storage.totals().traces, 50U);
  EXPECT_EQ(storage.totals().events, 250U);
  const auto gone = evicted(storage, storage::MemoryLimit::traces);
  EXPECT_EQ(gone.traces, std::uint64_t{senders} * bodies * 4 - 50);
  EXPECT_EQ(gone.events, stored - 250U);
  EXPECT_EQ(storage.services().size(), 50U);
  EXPECT_EQ(storage.fullness()->bytes, storage.usage().total());
}

RC_GTEST_PROP(MemorySegments, KeepWhatIsAppendedHoweverItIsMoved, ()) {
  Dice dice;
  memory::SegmentPool pool;
  memory::Segments segments;
  segments.use(pool);
  std::map<std::uint32_t, std::string> model;
  std::map<std::uint32_t, memory::Segments::Place> places;
  for (int left = dice.between(0, 400); left > 0; --left) {
    const auto owner = static_cast<std::uint32_t>(dice.between(0, 40));
    if (dice.chance(25)) {
      segments.drop(places[owner]);
      places[owner] = {};
      model.erase(owner);
    } else {
      const auto size = static_cast<std::size_t>(dice.chance(5) ? 20'000 : dice.between(0, 3'000));
      const std::string bytes(size, static_cast<char>(dice.between('a', 'z')));
      segments.append(places[owner], owner, bytes, dice.chance(50) ? 2'000 : 0);
      model[owner] += bytes;
    }
    segments.tidy([&](std::uint32_t moved, memory::Segments::Place place) { places[moved] = place; });
  }
  std::size_t total = 0;
  for (const auto& [owner, bytes] : model) {
    RC_ASSERT(segments.bytes(places[owner]) == bytes);
    total += bytes.size() + 12;
  }
  // An eighth may be lost, and what is open; a tidying moves one segment only.
  RC_ASSERT(segments.heap_bytes() <= total * 2 + 6 * memory::SegmentPool::segment_size);
}

}  // namespace
}  // namespace raceway::server::memory

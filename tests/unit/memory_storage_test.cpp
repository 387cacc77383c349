// The store in memory: what is in it after bodies were sent, once, twice, in part, or by many at a time.
#include "memory/memory_storage.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "trace_support.hpp"
#include "wire/errors.hpp"
#include "wire/timestamp.hpp"
#include "wire_support.hpp"

namespace raceway::server::memory {
namespace {

using nlohmann::json;
using wire::test::documented_event;
using wire::test::wrapped;
using Strings = std::vector<std::string>;

/// An event of a trace, with its second of the first minute of 2024 and its service.
json event_at(const std::string& id, const std::string& trace, int second, const std::string& service = "") {
  auto event = documented_event(id, trace);
  event["timestamp"] = "2024-01-01T00:00:" + std::string(second < 10 ? "0" : "") + std::to_string(second) + "Z";
  if (!service.empty()) event["metadata"] = {{"service_name", service}};
  return event;
}

wire::Micros second(int value) {
  return wire::read_timestamp("2024-01-01T00:00:00Z").micros + value * 1'000'000;
}

storage::IngestResult send(storage::Storage& storage, const std::vector<json>& events) {
  const auto body = wrapped(events);
  return storage.ingest({body}).at(0);
}

void expect_counts(const storage::IngestResult& result, std::uint64_t stored, std::uint64_t duplicates,
                   std::size_t rejected) {
  EXPECT_EQ(result.stored, stored);
  EXPECT_EQ(result.duplicates, duplicates);
  EXPECT_EQ(result.rejected.count(), rejected);
}

Strings ids_of(const std::vector<storage::StoredEvent>& events) {
  Strings ids;
  for (const auto& event : events) ids.push_back(event.event_id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

Strings traces_of(const storage::TracePage& page) {
  Strings ids;
  for (const auto& trace : page.traces) ids.push_back(trace.trace_id);
  return ids;
}

TEST(MemoryStorage, BeginsEmpty) {
  MemoryStorage storage;
  EXPECT_EQ(storage.totals().events, 0U);
  EXPECT_EQ(storage.totals().traces, 0U);
  EXPECT_EQ(storage.list_traces({}, 1, 10).total, 0U);
  EXPECT_TRUE(storage.list_traces({}, 1, 10).traces.empty());
  EXPECT_EQ(wire::test::read_trace(storage, "t"), std::nullopt);
  EXPECT_TRUE(storage.services().empty());
}

TEST(MemoryStorage, KeepsWhatWasSent) {
  MemoryStorage storage;
  auto event = event_at("e", "t", 7, "shop");
  event.update({{"duration_ms", 12.5}, {"location", "a.go:1"}, {"vector_clock", {{"bb", 1}, {"a", 2}, {"c", 0}}}});
  expect_counts(send(storage, {event, event_at("plain", "t", 8)}), 2, 0, 0);
  const auto events = wire::test::read_trace(storage, "t");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  const auto& stored = events->at(0);
  EXPECT_EQ(stored.event_id, "e");
  EXPECT_EQ(stored.trace_id, "t");
  EXPECT_EQ(stored.kind, "StateChange");
  EXPECT_EQ(stored.timestamp, second(7));
  EXPECT_EQ(stored.duration_ms, 12.5F);
  EXPECT_EQ(stored.location, "a.go:1");
  EXPECT_EQ(stored.vector_clock, R"({"a":2,"c":0,"bb":1})");
  EXPECT_EQ(json::parse(stored.metadata), json({{"service_name", "shop"}}));
  const auto& plain = events->at(1);
  EXPECT_EQ(plain.duration_ms, std::nullopt);
  EXPECT_EQ(plain.location, std::nullopt);
  EXPECT_EQ(plain.vector_clock, "");
  EXPECT_EQ(plain.metadata, "{}");
}

TEST(MemoryStorage, ShowsARowAsItIsStored) {
  storage::StoredEvent stored{"e", "t", "k", 7, 1.5F, "l", "{}", "{\"a\":1}"};
  const auto row = stored.row();
  EXPECT_EQ(row.event_id, "e");
  EXPECT_EQ(row.trace_id, "t");
  EXPECT_EQ(row.kind, "k");
  EXPECT_EQ(row.timestamp, 7);
  EXPECT_EQ(row.duration_ms, 1.5F);
  EXPECT_EQ(row.location, "l");
  EXPECT_EQ(row.vector_clock, "{}");
  EXPECT_EQ(row.metadata, "{\"a\":1}");
  stored.location = "";
  EXPECT_EQ(stored.row().location, "") << "an empty location is not a missing one";
  stored.location.reset();
  EXPECT_EQ(stored.row().location, std::nullopt);
}

TEST(MemoryStorage, CountsWhatIsSentAgainAndChangesNothing) {
  MemoryStorage storage;
  expect_counts(send(storage, {event_at("a", "t", 1, "shop"), event_at("b", "t", 2)}), 2, 0, 0);
  expect_counts(send(storage, {event_at("c", "t", 3), event_at("a", "t", 1, "shop"), event_at("c", "t", 3)}), 1, 2, 0);
  expect_counts(send(storage, {event_at("a", "t", 59, "bank"), event_at("c", "t", 4), event_at("b", "t", 2)}), 0, 1, 2);
  EXPECT_EQ(storage.totals().events, 3U);
  const auto page = storage.list_traces({}, 1, 10);
  EXPECT_EQ(page.traces.at(0).last_timestamp, second(3));
  EXPECT_EQ(page.traces.at(0).services, Strings({"shop"}));
}

TEST(MemoryStorage, RejectsAnIdThatStandsUnderAnotherTrace) {
  MemoryStorage storage;
  send(storage, {event_at("a", "first", 1)});
  const auto result = send(storage, {event_at("b", "", 1), event_at("c", "second", 1), event_at("a", "second", 2)});
  expect_counts(result, 1, 0, 2);
  EXPECT_EQ(result.rejected.told()[0].index, 0U);
  EXPECT_EQ(result.rejected.told()[0].id, "b");
  EXPECT_EQ(result.rejected.told()[1].index, 2U);
  EXPECT_EQ(result.rejected.told()[1].id, "a");
  EXPECT_EQ(result.rejected.told()[1].reason, "event_id is already stored under trace first");
  EXPECT_EQ(ids_of(*wire::test::read_trace(storage, "second")), Strings({"c"}));
  const auto within_one_body = send(storage, {event_at("d", "third", 1), event_at("d", "fourth", 1)});
  expect_counts(within_one_body, 1, 0, 1);
  EXPECT_EQ(wire::test::read_trace(storage, "fourth"), std::nullopt) << "no trace without an event";
}

TEST(MemoryStorage, AnswersForEachBodyInTheirOrder) {
  MemoryStorage storage;
  const auto first = wrapped({event_at("a", "t", 1), json(7)});
  const auto second_body = wrapped({event_at("a", "t", 1), event_at("b", "t", 2), event_at("c", "t", 2)});
  const auto results = storage.ingest({first, second_body});
  ASSERT_EQ(results.size(), 2U);
  expect_counts(results[0], 1, 0, 1);
  expect_counts(results[1], 2, 1, 0);
  EXPECT_TRUE(storage.ingest({}).empty());
}

TEST(MemoryStorage, StoresNothingWhereOneBodyIsNone) {
  MemoryStorage storage;
  const auto good = wrapped({event_at("a", "t", 1)});
  EXPECT_THROW(storage.ingest({good, "{}"}), wire::BodyError);
  EXPECT_THROW(storage.ingest({good, "{"}), wire::BodyError);
  EXPECT_EQ(storage.totals().events, 0U);
}

/// Five traces; "d" and "e" end at the same moment.
void fill(storage::Storage& storage) {
  send(storage, {event_at("a1", "a", 1, "shop"), event_at("a2", "a", 10, "bank"), event_at("a3", "a", 5)});
  send(storage, {event_at("b1", "b", 30, "shop")});
  send(storage, {event_at("c1", "c", 2), event_at("c2", "c", 3)});
  send(storage, {event_at("e1", "e", 20, "bank"), event_at("e2", "e", 15, "bank")});
  send(storage, {event_at("d1", "d", 20, "api")});
}

TEST(MemoryStorage, ListsTracesNewestFirstThenById) {
  MemoryStorage storage;
  fill(storage);
  EXPECT_EQ(traces_of(storage.list_traces({}, 1, 10)), Strings({"b", "d", "e", "a", "c"}));
  const auto trace = storage.list_traces({}, 1, 10).traces.at(3);
  EXPECT_EQ(trace.event_count, 3U);
  EXPECT_EQ(trace.first_timestamp, second(1));
  EXPECT_EQ(trace.last_timestamp, second(10));
  EXPECT_EQ(trace.services, Strings({"bank", "shop"}));
}

TEST(MemoryStorage, ListsInPages) {
  MemoryStorage storage;
  fill(storage);
  EXPECT_EQ(traces_of(storage.list_traces({}, 1, 2)), Strings({"b", "d"}));
  EXPECT_EQ(traces_of(storage.list_traces({}, 2, 2)), Strings({"e", "a"}));
  EXPECT_EQ(traces_of(storage.list_traces({}, 3, 2)), Strings({"c"}));
  EXPECT_EQ(traces_of(storage.list_traces({}, 2, 5)), Strings());
  for (const std::uint64_t page : {std::uint64_t{4}, std::uint64_t{1'000'000}, UINT64_MAX}) {
    EXPECT_EQ(traces_of(storage.list_traces({}, page, 2)), Strings());
    EXPECT_EQ(storage.list_traces({}, page, 2).total, 5U);
  }
  EXPECT_EQ(storage.list_traces({}, 1, UINT64_MAX).traces.size(), 5U);
}

TEST(MemoryStorage, FiltersByServiceEventsAndTime) {
  MemoryStorage storage;
  fill(storage);
  const auto passing = [&](const storage::TraceFilter& filter) {
    const auto page = storage.list_traces(filter, 1, 10);
    EXPECT_EQ(page.total, page.traces.size());
    Strings visited;
    std::uint64_t announced = 0;
    wire::test::read_each_trace(
        storage, filter, [&](std::uint64_t total) { announced = total; },
        [&](const storage::TraceSummary& trace, const auto&) {
          visited.push_back(trace.trace_id);
          return true;
        });
    EXPECT_EQ(announced, page.total);
    EXPECT_EQ(visited, traces_of(page)) << "both ways of listing agree";
    return visited;
  };
  EXPECT_EQ(passing({"shop", 0, {}, {}}), Strings({"b", "a"}));
  EXPECT_EQ(passing({"bank", 0, {}, {}}), Strings({"e", "a"}));
  EXPECT_EQ(passing({"sho", 0, {}, {}}), Strings());
  EXPECT_EQ(passing({"", 0, {}, {}}), Strings());
  EXPECT_EQ(passing({{}, 2, {}, {}}), Strings({"e", "a", "c"}));
  EXPECT_EQ(passing({{}, 4, {}, {}}), Strings());
  EXPECT_EQ(passing({{}, 0, second(20), {}}), Strings({"b", "d", "e"})) << "a trace that ends then is in";
  EXPECT_EQ(passing({{}, 0, second(20) + 1, {}}), Strings({"b"}));
  EXPECT_EQ(passing({{}, 0, {}, second(2)}), Strings({"a", "c"})) << "a trace that begins then is in";
  EXPECT_EQ(passing({{}, 0, {}, second(2) - 1}), Strings({"a"}));
  EXPECT_EQ(passing({{}, 0, second(10), second(15)}), Strings({"e", "a"}));
  EXPECT_EQ(passing({"bank", 3, second(1), second(30)}), Strings({"a"}));
}

TEST(MemoryStorage, CountsServicesByName) {
  MemoryStorage storage;
  fill(storage);
  std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> services;
  for (const auto& service : storage.services())
    services.emplace_back(service.name, service.event_count, service.trace_count);
  EXPECT_EQ(services, (decltype(services){{"api", 1, 1}, {"bank", 3, 2}, {"shop", 2, 2}}));
}

TEST(MemoryStorage, EndsAVisitWhereTheVisitorHasEnough) {
  MemoryStorage storage;
  fill(storage);
  Strings visited;
  wire::test::read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const storage::TraceSummary& trace, const auto&) {
        visited.push_back(trace.trace_id);
        return visited.size() < 2;
      });
  EXPECT_EQ(visited, Strings({"b", "d"}));
}

TEST(MemoryStorage, AnnouncesTheTracesItVisitsAndNoOthers) {
  MemoryStorage storage;
  fill(storage);
  std::uint64_t announced = 0;
  Strings visited;
  wire::test::read_each_trace(
      storage, {},
      [&](std::uint64_t total) {
        announced = total;
        send(storage, {event_at("c3", "c", 50), event_at("new", "new", 50)});
      },
      [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& events) {
        EXPECT_EQ(trace.event_count, events.size()) << "a trace agrees with itself";
        visited.push_back(trace.trace_id);
        return true;
      });
  EXPECT_EQ(announced, 5U);
  EXPECT_EQ(visited, Strings({"b", "d", "e", "a", "c"}));
}

TEST(MemoryStorage, VisitsEachTraceAsOfOneMomentWhileItGrows) {
  MemoryStorage storage;
  fill(storage);
  std::map<std::string, Strings> visited;
  wire::test::read_each_trace(
      storage, {}, [&](std::uint64_t) { send(storage, {event_at("new", "new", 50)}); },
      [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& events) {
        EXPECT_EQ(trace.event_count, events.size());
        visited[trace.trace_id] = ids_of(events);
        send(storage, {event_at("more" + std::to_string(visited.size()), trace.trace_id, 1)});
        return true;
      });
  EXPECT_EQ(visited,
            (std::map<std::string, Strings>{
                {"a", {"a1", "a2", "a3"}}, {"b", {"b1"}}, {"c", {"c1", "c2"}}, {"d", {"d1"}}, {"e", {"e1", "e2"}}}));
  EXPECT_EQ(storage.totals().events, 9U + 1U + 5U);
}

TEST(MemoryStorage, HasTheSameAfterRecordedTrafficInAnyOrder) {
  const auto bodies = wire::test::recorded_bodies();
  MemoryStorage forwards;
  MemoryStorage backwards;
  for (const auto& [name, body] : bodies)
    expect_counts(forwards.ingest({body}).at(0), json::parse(body)["events"].size(), 0, 0);
  std::for_each(bodies.rbegin(), bodies.rend(), [&](const auto& body) { backwards.ingest({body.second}); });
  for (const auto& [name, body] : bodies)
    expect_counts(forwards.ingest({body}).at(0), 0, json::parse(body)["events"].size(), 0);
  EXPECT_EQ(forwards.totals().events, 915U + 381U + 993U);
  EXPECT_EQ(forwards.totals().traces, 77U + 77U + 24U);
  const auto a = forwards.list_traces({}, 1, 1'000);
  const auto b = backwards.list_traces({}, 1, 1'000);
  ASSERT_EQ(traces_of(a), traces_of(b));
  for (std::size_t at = 0; at < a.traces.size(); ++at) {
    EXPECT_EQ(a.traces[at].event_count, b.traces[at].event_count);
    EXPECT_EQ(a.traces[at].first_timestamp, b.traces[at].first_timestamp);
    EXPECT_EQ(a.traces[at].services, b.traces[at].services);
    EXPECT_EQ(ids_of(*wire::test::read_trace(forwards, a.traces[at].trace_id)),
              ids_of(*wire::test::read_trace(backwards, a.traces[at].trace_id)));
  }
}

RC_GTEST_PROP(MemoryStorage, AgreesWithAMapOfEvents, ()) {
  wire::test::Dice dice;
  MemoryStorage storage;
  std::map<std::string, std::pair<std::string, int>> standing;  // by id: the trace and the moment
  std::map<std::string, std::set<int>> seconds_of;
  for (int bodies = dice.between(1, 8); bodies > 0; --bodies) {
    std::vector<json> events;
    std::uint64_t stored = 0;
    std::uint64_t duplicates = 0;
    for (int count = dice.between(1, 6); count > 0; --count) {
      const auto id = "e" + std::to_string(dice.between(0, 20));
      const auto trace = "t" + std::to_string(dice.between(0, 3));
      const int moment = dice.between(0, 2);
      events.push_back(event_at(id, trace, moment));
      if (standing.emplace(id, std::pair(trace, moment)).second) {
        ++stored;
        seconds_of[trace].insert(moment);
      } else if (standing[id] == std::pair(trace, moment)) {
        ++duplicates;
      }
    }
    const auto result = send(storage, events);
    RC_ASSERT(result.stored == stored);
    RC_ASSERT(result.duplicates == duplicates);
    RC_ASSERT(result.rejected.count() == events.size() - stored - duplicates);
  }
  RC_ASSERT(storage.totals().events == standing.size());
  RC_ASSERT(storage.totals().traces == seconds_of.size());
  for (const auto& trace : storage.list_traces({}, 1, 100).traces) {
    const auto& seconds = seconds_of.at(trace.trace_id);
    RC_ASSERT(trace.first_timestamp == second(*seconds.begin()));
    RC_ASSERT(trace.last_timestamp == second(*seconds.rbegin()));
    RC_ASSERT(trace.event_count == wire::test::read_trace(storage, trace.trace_id)->size());
  }
}

TEST(MemoryStorage, StaysExactWhenManySendTheSameWhileOthersRead) {
  constexpr int events = 400;
  constexpr int traces = 7;
  constexpr int senders = 4;
  MemoryStorage storage;
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<bool> sending{true};
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&, sender] {
      for (int at = 0; at < events; at += 4) {
        std::vector<json> body;
        // Each sender walks over the same events from another place.
        for (int i = at; i < at + 8; ++i) {
          const int number = (i + sender * 97) % events;
          body.push_back(
              event_at("e" + std::to_string(number), "t" + std::to_string(number % traces), number % 60, "s"));
        }
        const auto result = send(storage, body);
        stored += result.stored;
        duplicates += result.duplicates;
        EXPECT_TRUE(result.rejected.empty());
      }
    });
  }
  std::vector<std::thread> readers;
  readers.emplace_back([&] {
    std::uint64_t before = 0;
    while (sending) {
      wire::test::read_each_trace(
          storage, {}, [](std::uint64_t) {},
          [](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& read) {
            EXPECT_EQ(trace.event_count, read.size());
            for (const auto& event : read) EXPECT_EQ(event.trace_id, trace.trace_id);
            return true;
          });
      const auto now = storage.totals().events;
      EXPECT_GE(now, before);
      before = now;
    }
  });
  readers.emplace_back([&] {
    while (sending) {
      for (const auto& trace : storage.list_traces({}, 1, 10).traces)
        EXPECT_GE(wire::test::read_trace(storage, trace.trace_id)->size(), trace.event_count);
      for (const auto& service : storage.services()) EXPECT_LE(service.event_count, std::uint64_t{events});
    }
  });
  for (auto& thread : threads) thread.join();
  sending = false;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(stored, events);
  EXPECT_EQ(stored + duplicates, std::uint64_t{senders} * (events / 4) * 8);
  EXPECT_EQ(storage.totals().events, events);
  EXPECT_EQ(storage.services().at(0).event_count, events);
  EXPECT_EQ(storage.services().at(0).trace_count, traces);
}

}  // namespace
}  // namespace raceway::server::memory

#include "causality/happened_before.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "causality/explain.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

using Matrix = std::vector<std::vector<bool>>;

void close(Matrix& before) {
  for (std::size_t via = 0; via < before.size(); ++via) {
    for (std::size_t a = 0; a < before.size(); ++a) {
      for (std::size_t b = 0; before[a][via] && b < before.size(); ++b) {
        if (before[via][b]) before[a][b] = true;
      }
    }
  }
}

RC_GTEST_PROP(HappenedBefore, IsTheClosureOfTheEdgesThatAreKept, ()) {
  const Told told(any_facts(40));
  const std::size_t size = told.table.size();
  Matrix closure(size, std::vector<bool>(size));
  bool contradicted = false;
  told.happened.each_edge([&](const CausalEdge& edge, bool kept) {
    if (kept) closure[edge.from][edge.to] = true;
    contradicted |= !kept;
    return true;
  });
  close(closure);
  const Matrix before = relation_of(told.happened);
  RC_CLASSIFY(contradicted, "contradictory");
  // A clock that is disobeyed still says through its class what those of other classes have heard of.
  for (std::size_t a = 0; a < size; ++a) {
    for (std::size_t b = 0; b < size; ++b) RC_ASSERT((contradicted && !closure[a][b]) || closure[a][b] == before[a][b]);
  }
}

RC_GTEST_PROP(HappenedBefore, IsAStrictPartialOrderWithinTheLinearOne, ()) {
  const Told told(any_facts(40));
  const Matrix before = relation_of(told.happened);
  Matrix closure = before;
  close(closure);
  RC_ASSERT(closure == before);
  for (std::uint32_t a = 0; a < before.size(); ++a) {
    for (std::uint32_t b = 0; b < before.size(); ++b)
      RC_ASSERT(!before[a][b] || told.happened.place(a) < told.happened.place(b));
  }
}

RC_GTEST_PROP(HappenedBefore, DoesNotDependOnTheOrderOfArrival, ()) {
  Facts facts = any_facts(30);
  const Told told(facts);
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::ranges::shuffle(facts, random);
  const Told again(facts);
  RC_ASSERT(again.order() == told.order());
  RC_ASSERT(relation_of(again.happened) == relation_of(told.happened));
}

RC_GTEST_PROP(HappenedBefore, IsExplainedByAChainExactlyWhereItHolds, ()) {
  const Told told(any_facts(20));
  const Matrix before = relation_of(told.happened);
  for (std::uint32_t a = 0; a < before.size(); ++a) {
    for (std::uint32_t b = 0; b < before.size(); ++b) {
      const auto chain = shortest_chain(told.happened, a, b);
      RC_ASSERT(chain.empty() == !before[a][b]);
      if (chain.empty()) continue;
      RC_ASSERT(chain.front().event == a && chain.back().event == b);
      for (std::size_t i = 1; i < chain.size(); ++i) RC_ASSERT(before[chain[i - 1].event][chain[i].event]);
    }
  }
}

RC_GTEST_PROP(HappenedBefore, HasAWitnessForEachPair, ()) {
  const Told told(any_facts(20));
  const Matrix before = relation_of(told.happened);
  for (std::uint32_t a = 0; a < before.size(); ++a) {
    for (std::uint32_t b = 0; b < a; ++b) {
      if (before[a][b] || before[b][a]) continue;
      const EventPair pair = {a, b};
      const auto witness = find_witnesses(told.happened, {&pair, 1}).front();
      std::uint32_t last = none;
      for (const std::uint32_t event : told.happened.order()) {
        if (before[event][a] && before[event][b]) last = event;
      }
      RC_ASSERT(witness.last_common == last);
    }
  }
}

/// Which events happened before which, by their ids.
std::set<std::pair<std::string, std::string>> relation_by_id(const Told& told) {
  const Matrix before = relation_of(told.happened);
  std::set<std::pair<std::string, std::string>> pairs;
  for (std::uint32_t a = 0; a < before.size(); ++a) {
    for (std::uint32_t b = 0; b < before.size(); ++b) {
      if (before[a][b]) pairs.emplace(told.id(a), told.id(b));
    }
  }
  return pairs;
}

/// Threads that start and await each other, each of whose events names the one before it in the thread.
Facts chained_threads() {
  const int threads = *rc::gen::inRange(1, 5);
  const int size = *rc::gen::inRange(0, 30);
  Facts facts;
  std::vector<std::string> last(static_cast<std::size_t>(threads));
  for (int i = 0; i < size; ++i) {
    const auto thread = static_cast<std::size_t>(*rc::gen::inRange(0, threads));
    const auto other = static_cast<std::size_t>(*rc::gen::inRange(0, threads));
    Fact fact;
    fact.id = std::to_string(i);
    fact.parent = last[thread];
    fact.time = i;
    fact.thread = "t" + std::to_string(thread);
    fact.subject = "t" + std::to_string(other);
    const bool is_new = last[other].empty() && std::ranges::none_of(facts, [&](const Fact& each) {
                          return each.kind == Kind::async_spawn && each.subject == fact.subject;
                        });
    if (other != thread) fact.kind = is_new ? Kind::async_spawn : Kind::async_await;
    if (*rc::gen::inRange(0, 2) == 0) fact.clock = {{"n" + std::to_string(other), 1 + i / 8}};
    last[thread] = fact.id;
    facts.push_back(fact);
  }
  return facts;
}

/// Parents and clocks alone: no event is in a thread.
Facts events_without_threads() {
  Facts facts = any_facts(25);
  for (Fact& fact : facts) {
    fact.thread = fact.span = fact.upstream = "";
    if (*rc::gen::inRange(0, 3) > 0) fact.parent.clear();
  }
  return facts;
}

// But for program order: in a thread it is time that tells what came first where nothing else does.
RC_GTEST_PROP(HappenedBefore, DoesNotDependOnTimeWhereNothingIsContradicted, ()) {
  const bool in_threads = *rc::gen::arbitrary<bool>();
  Facts facts = in_threads ? chained_threads() : events_without_threads();
  const Told told(facts);
  RC_PRE(told.happened.warnings().contradicted_edges == 0U && told.happened.warnings().parent_cycles == 0U);
  for (Fact& fact : facts) fact.time = 7;
  const Told timeless(facts);
  RC_ASSERT(timeless.happened.warnings().contradicted_edges == 0U);
  RC_ASSERT(relation_by_id(timeless) == relation_by_id(told));
}

Fact in_thread(const std::string& id, const std::string& thread, std::int64_t time) {
  Fact fact;
  fact.id = id;
  fact.service = "bank";
  fact.instance = "1";
  fact.thread = thread;
  fact.time = time;
  return fact;
}

TEST(Links, AreCausesBesidesTheParent) {
  const Told told({{.id = "a", .thread = "1"},
                   {.id = "b", .thread = "2"},
                   {.id = "c", .thread = "3"},
                   {.id = "d", .parent = "a", .thread = "4", .links = {"b", "d", "elsewhere"}}});
  EXPECT_EQ(told.relation("a", "d"), "before");
  EXPECT_EQ(told.relation("b", "d"), "before");
  EXPECT_EQ(told.relation("c", "d"), "concurrent");
  EXPECT_EQ(told.happened.warnings().missing_parents, 0U);
}

TEST(Links, GiveWayToParents) {
  const Told told({{.id = "a", .thread = "1", .links = {"b"}}, {.id = "b", .parent = "a", .thread = "2"}});
  EXPECT_EQ(told.relation("a", "b"), "before");
}

TEST(HappenedBefore, OrdersAThreadAndNotTwo) {
  const Told told({in_thread("a", "t1", 1), in_thread("b", "t1", 2), in_thread("c", "t2", 3)});
  EXPECT_EQ(told.relation("a", "b"), "before");
  EXPECT_EQ(told.relation("b", "a"), "after");
  EXPECT_EQ(told.relation("a", "c"), "concurrent");
  EXPECT_EQ(told.relation("a", "a"), "equal");
}

TEST(HappenedBefore, TakesTwoProcessesThreadsOfOneNameForTwo) {
  Facts facts = {in_thread("a", "main", 1), in_thread("b", "main", 2)};
  facts[1].instance = "2";
  EXPECT_EQ(Told(facts).relation("a", "b"), "concurrent");
}

TEST(HappenedBefore, KnowsWhatASpawnedTaskFollowsAndWhoAwaitsIt) {
  Facts facts = {in_thread("spawn", "main", 1), in_thread("work", "task-7", 2), in_thread("other", "main", 3),
                 in_thread("await", "main", 4)};
  facts[0].kind = Kind::async_spawn;
  facts[0].subject = facts[3].subject = "task-7";
  facts[3].kind = Kind::async_await;
  const Told told(facts);
  EXPECT_EQ(told.relation("spawn", "work"), "before");
  EXPECT_EQ(told.relation("work", "other"), "concurrent");
  EXPECT_EQ(told.relation("work", "await"), "before");
}

/// An event of a request on an instance: `own` is its number in it.
Fact of_request(const std::string& id, const std::string& service, const std::string& span, const std::string& upstream,
                std::vector<std::pair<std::string, Counter>> clock, std::int64_t time) {
  Fact fact = in_thread(id, "request " + span, time);
  fact.service = service;
  fact.span = span;
  fact.upstream = upstream;
  fact.clock = std::move(clock);
  return fact;
}

TEST(HappenedBefore, TakesTwoRequestsOfOneInstanceForConcurrentAlthoughTheirNumbersCompare) {
  const Told told(
      {of_request("a1", "py", "s1", "", {{"py#1", 1}}, 1), of_request("a2", "py", "s1", "", {{"py#1", 2}}, 2),
       of_request("b1", "py", "s2", "", {{"py#1", 1}}, 3), of_request("b2", "py", "s2", "", {{"py#1", 2}}, 4)});
  EXPECT_EQ(told.relation("a1", "b2"), "concurrent");
  EXPECT_EQ(told.relation("a2", "b1"), "concurrent");
  EXPECT_EQ(told.relation("a1", "a2"), "before");
}

TEST(HappenedBefore, CountsInTheRequestUpstreamThatAClockMeans) {
  const Told told({of_request("a1", "web", "s1", "", {{"web#1", 1}}, 1),
                   of_request("a2", "web", "s1", "", {{"web#1", 2}}, 2),
                   of_request("a3", "web", "s1", "", {{"web#1", 4}}, 9),  // 3 went with the call
                   of_request("b1", "py", "s2", "s1", {{"web#1", 3}, {"py#1", 1}}, 5)});
  EXPECT_EQ(told.relation("a2", "b1"), "before");
  EXPECT_EQ(told.relation("a3", "b1"), "concurrent");
}

TEST(HappenedBefore, NumbersARequestByPositionThatSendsNoNumbers) {
  const Told told({of_request("a1", "ts", "s1", "", {}, 1), of_request("a2", "ts", "s1", "", {{"a1", 1}}, 2),
                   of_request("a3", "ts", "s1", "", {{"a1", 2}}, 8),
                   of_request("b1", "py", "s2", "s1", {{"ts#1", 3}, {"py#1", 1}}, 5)});
  EXPECT_EQ(told.relation("a2", "b1"), "before");
  EXPECT_EQ(told.relation("a3", "b1"), "concurrent");
}

TEST(HappenedBefore, FollowsACallBackIntoTheInstanceItCameFrom) {
  const Told told({of_request("a1", "A", "s1", "", {{"A#1", 1}}, 1), of_request("a2", "A", "s1", "", {{"A#1", 3}}, 9),
                   of_request("b1", "B", "s2", "s1", {{"A#1", 2}, {"B#1", 1}}, 3),
                   of_request("c1", "A", "s3", "s2", {{"A#1", 3}, {"B#1", 2}}, 4)});
  EXPECT_EQ(told.relation("a1", "c1"), "before");
  EXPECT_EQ(told.relation("b1", "c1"), "before");
  EXPECT_EQ(told.relation("a2", "c1"), "concurrent");
}

TEST(HappenedBefore, ComparesPlainClocksByTheBook) {
  Facts facts = {{.id = "a", .time = 3, .clock = {{"A", 2}}},
                 {.id = "b", .time = 2, .clock = {{"A", 2}, {"B", 1}}},
                 {.id = "c", .time = 1, .clock = {{"A", 1}, {"C", 1}}},
                 {.id = "d", .time = 1, .clock = {}}};
  const Told told(facts);
  EXPECT_EQ(told.relation("a", "b"), "before");
  EXPECT_EQ(told.relation("b", "c"), "concurrent");
  EXPECT_EQ(told.relation("d", "b"), "concurrent");
}

/// `rounds` times the same events: so many clocks that rise, each of them of so many events.
Facts equal_clocks(int rounds, int clocks) {
  Facts facts;
  for (int round = 0; round < rounds; ++round) {
    for (int number = 1; number <= clocks; ++number) {
      Fact fact;
      fact.id = std::to_string(round) + "-" + std::to_string(number);
      fact.time = number;
      fact.clock = {{"bank", static_cast<Counter>(number)}};
      facts.push_back(fact);
    }
  }
  return facts;
}

TEST(HappenedBefore, PutsEventsWithoutAThreadOnAsFewLinesAsAreAtATimeConcurrent) {
  const Told told(equal_clocks(20, 50));
  EXPECT_EQ(told.happened.lines(), 20U);
}

TEST(HappenedBefore, FindsAnEndOfALineThatIsFurtherBack) {
  // Three at once, then one alone, then three again: each of those follows one of the first.
  Facts facts;
  for (const auto& [id, counter] : std::vector<std::pair<std::string, Counter>>{
           {"a", 1}, {"b", 1}, {"c", 1}, {"d", 2}, {"e", 3}, {"f", 3}, {"g", 3}}) {
    Fact fact;
    fact.id = id;
    fact.clock = {{"bank", counter}};
    facts.push_back(fact);
  }
  EXPECT_EQ(Told(facts).happened.lines(), 3U);
}

TEST(HappenedBefore, TakesLittleMemoryForManyEqualClocksAndForManyThreads) {
  Facts facts = equal_clocks(100, 300);
  for (int thread = 0; thread < 20'000; ++thread) {
    Fact fact;
    fact.id = "thread " + std::to_string(thread);
    fact.parent = "0-300";
    fact.thread = std::to_string(thread);
    fact.time = 1'000;
    facts.push_back(fact);
  }
  EventTable table = table_of(facts);
  std::size_t most = 0;
  Allowed allowed;
  allowed.memory = [&](std::size_t bytes) { most = std::max(most, bytes); };
  const HappenedBefore happened(table, allowed);
  happened.walk([](const Step&) { return true; });
  EXPECT_LT(most, std::size_t{8} << 20U);
}

TEST(HappenedBefore, NamesWhatContradictsItself) {
  Facts facts = {in_thread("a", "t1", 5), in_thread("b", "t2", 2), in_thread("c", "t3", 3)};
  facts[0].parent = "b";
  facts[1].parent = "a";
  facts[2].parent = "nobody";
  const Told told(facts);
  EXPECT_EQ(told.happened.warnings().parent_cycles, 1U);
  EXPECT_EQ(told.happened.warnings().missing_parents, 1U);
  EXPECT_EQ(told.relation("b", "a"), "before");
}

}  // namespace
}  // namespace raceway::causality

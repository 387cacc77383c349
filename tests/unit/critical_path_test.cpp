#include "causality/critical_path.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

/// How the caller of an activity goes on: waits for it, does not, or waits for it at some later time.
enum class Call { waits, spawns, spawns_and_awaits };

/// An activity in microseconds, and who called it.
struct Timed {
  std::string name;
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::string caller = {};
  Call call = Call::waits;
};

Fact told_by(const std::string& thread, const std::string& what, std::int64_t time, const std::string& parent) {
  Fact fact;
  fact.id = thread + " " + what;
  fact.parent = parent;
  fact.time = time;
  fact.service = "s";
  fact.thread = thread;
  return fact;
}

/// A thread of its own for each, which tells of its start and of its end.
Facts facts_of(const std::vector<Timed>& activities) {
  Facts facts;
  for (const Timed& each : activities) {
    std::string cause = each.caller.empty() ? "" : each.caller + " 1";
    if (each.call != Call::waits) {
      facts.push_back(told_by(each.caller, "spawns " + each.name, each.start, cause));
      facts.back().kind = Kind::async_spawn;
      facts.back().subject = each.name;
      cause = facts.back().id;
    }
    facts.push_back(told_by(each.name, "1", each.start, cause));
    facts.push_back(told_by(each.name, "2", each.end, each.name + " 1"));
    if (each.call != Call::spawns_and_awaits) continue;
    facts.push_back(told_by(each.caller, "awaits " + each.name, each.end, each.caller + " 1"));
    facts.back().kind = Kind::async_await;
    facts.back().subject = each.name;
  }
  return facts;
}

std::string thread_of(const Told& told, std::uint32_t line) {
  return std::string(told.table.names()[told.table.origin(told.happened.line(line).front()).thread]);
}

/// "A 1-20, B 20-40", in microseconds since `start`, which is the trace's earliest.
std::string pieces_of(const Told& told, std::int64_t start = 0) {
  std::string text;
  for (const PathPiece& piece : elapsed_path(told.happened).pieces) {
    text += (text.empty() ? "" : ", ") + thread_of(told, piece.line) + " " +
            std::to_string(start + piece.from / 1'000) + "-" + std::to_string(start + piece.to / 1'000);
  }
  return text;
}

std::string pieces_of(const std::vector<Timed>& activities) {
  const auto earliest = std::ranges::min_element(activities, {}, &Timed::start);
  return pieces_of(Told(facts_of(activities)), earliest->start);
}

std::vector<std::string> detached_of(const std::vector<Timed>& activities) {
  const Told told(facts_of(activities));
  std::vector<std::string> threads;
  for (const std::uint32_t line : elapsed_path(told.happened).detached) threads.push_back(thread_of(told, line));
  std::ranges::sort(threads);
  return threads;
}

using Threads = std::vector<std::string>;

TEST(ElapsedPath, GivesTheCallerTheTimeBetweenWhatItCalled) {
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 30, "R"}, {"B", 50, 70, "R"}}),
            "R 0-10, A 10-30, R 30-50, B 50-70, R 70-100");
}

TEST(ElapsedPath, GivesOverlappingTimeToTheOneThatEndedLast) {
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 60, "R"}, {"B", 40, 90, "R"}}), "R 0-40, B 40-90, R 90-100");
  // One within another was not waited for at the end of the other; of two that end at once it is the later one that is
  // taken first, and the earlier one ends too late for what is left.
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 90, "R"}, {"B", 40, 60, "R"}}), "R 0-10, A 10-90, R 90-100");
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 90, "R"}, {"B", 40, 90, "R"}}), "R 0-40, B 40-90, R 90-100");
}

TEST(ElapsedPath, GoesIntoWhatTheCalledOnesCalled) {
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 80, "R"}, {"B", 20, 40, "A"}, {"C", 25, 35, "B"}}),
            "R 0-10, A 10-20, B 20-25, C 25-35, B 35-40, A 40-80, R 80-100");
}

// Jaeger takes only a child that ended strictly before the one behind it began, and gives A's time to R here.
TEST(ElapsedPath, TakesThoseThatFollowEachOtherWithoutAGap) {
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 10, 40, "R"}, {"B", 40, 70, "R"}}), "R 0-10, A 10-40, B 40-70, R 70-100");
  EXPECT_EQ(pieces_of({{"R", 0, 100}, {"A", 0, 40, "R"}, {"B", 40, 100, "R"}}), "A 0-40, B 40-100");
}

TEST(ElapsedPath, TakesWhatReachesBeyondItsCallerAsFarAsItIsWithin) {
  EXPECT_EQ(pieces_of({{"R", 10, 100}, {"early", 5, 30, "R"}}), "early 10-30, R 30-100");
  EXPECT_EQ(pieces_of({{"R", 10, 100}, {"late", 80, 120, "R"}}), "R 10-80, late 80-100");
  EXPECT_EQ(pieces_of({{"R", 10, 100}, {"wider", 5, 120, "R"}}), "wider 10-100");
  // Even where that leaves of it no more than of its own caller.
  EXPECT_EQ(pieces_of({{"R", 10, 50}, {"A", 5, 120, "R"}, {"B", 40, 90, "A"}}), "A 10-40, B 40-50");
}

TEST(ElapsedPath, LeavesOutWhatLiesOutsideItsCaller) {
  const std::vector<Timed> activities = {{"R", 50, 100}, {"before", 0, 20, "R"}, {"behind", 120, 900, "R"}};
  EXPECT_EQ(pieces_of(activities), "R 50-100");
  EXPECT_EQ(detached_of(activities), (Threads{"before", "behind"}));
  // Or outside of what of its caller is within the caller's own.
  EXPECT_EQ(detached_of({{"R", 10, 50}, {"A", 5, 40, "R"}, {"B", 5, 8, "A"}}), (Threads{"B"}));
}

TEST(ElapsedPath, TakesForACallWhatBeginsAThreadAndNotWhatItHearsLater) {
  Facts facts = facts_of({{"R", 10, 50}, {"worker", 0, 60}});
  facts.push_back(told_by("worker", "hears", 20, "R 1"));
  EXPECT_EQ(pieces_of(Told(facts)), "worker 0-60");
}

TEST(ElapsedPath, LeavesOutWhatNobodyWaitsFor) {
  std::vector<Timed> activities = {{"R", 0, 100}, {"task", 20, 60, "R", Call::spawns}, {"A", 30, 40, "task"}};
  EXPECT_EQ(pieces_of(activities), "R 0-100");
  EXPECT_EQ(detached_of(activities), (Threads{"task"}));
  activities[1].call = Call::spawns_and_awaits;
  EXPECT_EQ(pieces_of(activities), "R 0-20, task 20-30, A 30-40, task 40-60, R 60-100");
  EXPECT_EQ(detached_of(activities), Threads{});
}

TEST(ElapsedPath, IsOfTheLongestThatNobodyCalled) {
  EXPECT_EQ(pieces_of({{"short", 0, 30}, {"R", 20, 90}, {"A", 40, 50, "R"}}), "R 20-40, A 40-50, R 50-90");
  EXPECT_EQ(pieces_of({{"later", 20, 50}, {"R", 10, 40}}), "R 10-40") << "of equally long ones the earlier";
}

TEST(ElapsedPath, OfNothingOrOfAnInstantHasNoPieces) {
  EXPECT_EQ(elapsed_path(Told({}).happened).nanos, 0);
  EXPECT_EQ(pieces_of(Told({})), "");
  EXPECT_EQ(pieces_of({{"R", 5, 5}}), "");
}

// Unlike Jaeger, which reads spans: what tells of its duration only when it has ended began that long before.
TEST(ElapsedPath, CountsDurationsBackFromWhenTheyAreTold) {
  Facts facts = {told_by("R", "1", 100, ""), told_by("A", "1", 70, "R 1")};
  facts[0].duration_nanos = 100'000;
  facts[1].duration_nanos = 20'500;
  const auto path = elapsed_path(Told(facts).happened);
  EXPECT_EQ(path.nanos, 100'000);
  ASSERT_EQ(path.pieces.size(), 3U);
  EXPECT_EQ(path.pieces[1].from, 49'500);
  EXPECT_EQ(path.pieces[1].to, 70'000);
  // Of equally long ones the one that began earlier, though it tells of that later.
  facts = {told_by("R", "1", 40, ""), told_by("B", "1", 15, ""), told_by("B", "2", 45, "B 1")};
  facts[0].duration_nanos = 30'000;
  EXPECT_EQ(pieces_of(Told(facts)), "R 0-30");
}

// Unlike Jaeger: spans of one thread cannot wait for each other, so a strand is one activity, whatever is called in it.
TEST(ElapsedPath, TakesAThreadAsOneActivity) {
  Facts facts = facts_of({{"R", 0, 100}, {"A", 10, 30, "R"}});
  for (Fact& fact : facts) {
    fact.span = fact.thread;
    fact.thread = "main";
  }
  EXPECT_EQ(pieces_of(Told(facts)), "main 0-100");
}

/// A test case of Jaeger UI: packages/jaeger-ui/src/components/TracePage/CriticalPath/testCases of
/// https://github.com/jaegertracing/jaeger-ui, under Apache-2.0, retold; FOLLOWS_FROM is a spawn that nobody awaits.
/// Jaeger tells sections from the last to the first.
struct JaegerCase {
  const char* name;
  std::vector<Timed> activities;
  std::string sections;
  Threads detached;  ///< Jaeger drops what those called, too; here only what is left out itself is told
};

const std::vector<JaegerCase>& jaeger_cases() {
  static const std::vector<JaegerCase> cases = {
      {"test1",
       {{"C", 1, 101}, {"D", 20, 40, "C"}, {"E", 50, 60, "C"}},
       "C 1-20, D 20-40, C 40-50, E 50-60, C 60-101",
       {}},
      {"test2", {{"X", 1, 101}, {"A", 10, 50, "X"}, {"C", 20, 60, "X"}}, "X 1-20, C 20-60, X 60-101", {}},
      {"test3", {{"send", 100, 140}, {"task", 200, 500, "send"}}, "send 100-140", {"task"}},
      {"test4", {{"A", 1, 31}, {"B", 40, 80, "A"}, {"C", 50, 60, "B"}}, "A 1-31", {"B"}},
      {"test5", {{"A", 1, 31}, {"B", 10, 20, "A", Call::spawns}, {"C", 12, 14, "B"}}, "A 1-31", {"B"}},
      {"test6", {{"A", 1, 30}, {"B", 15, 35, "A"}, {"C", 10, 25, "B"}}, "A 1-15, C 15-25, B 25-30", {}},
      {"test7", {{"A", 1, 30}, {"B", 15, 35, "A"}, {"C", 20, 40, "B"}}, "A 1-15, B 15-20, C 20-30", {}},
      {"test8", {{"A", 10, 30}, {"B", 5, 35, "A"}}, "B 10-30", {}},
      {"test9", {{"A", 10, 30}, {"B", 1, 5, "A"}}, "A 10-30", {"B"}},
  };
  return cases;
}

TEST(ElapsedPath, IsThatOfJaeger) {
  for (const JaegerCase& jaeger : jaeger_cases()) {
    EXPECT_EQ(pieces_of(jaeger.activities), jaeger.sections) << jaeger.name;
    EXPECT_EQ(detached_of(jaeger.activities), jaeger.detached) << jaeger.name;
  }
}

constexpr std::int64_t last_instant = 40;

std::vector<Timed> any_activities() {
  std::vector<Timed> activities;
  const int size = *rc::gen::inRange(1, 12);
  for (int i = 0; i < size; ++i) {
    Timed each{std::string(1, static_cast<char>('A' + i)), 0, 0};
    each.start = *rc::gen::inRange<std::int64_t>(0, last_instant);
    each.end = *rc::gen::inRange<std::int64_t>(each.start, last_instant + 1);
    const int caller = *rc::gen::inRange(-1, i);
    if (caller >= 0) {
      each.caller = activities[static_cast<std::size_t>(caller)].name;
      if (*rc::gen::inRange(0, 5) == 0) each.call = Call::spawns;
    }
    activities.push_back(each);
  }
  return activities;
}

/// Paints each instant with the one that has it: who is called paints over its caller.
class Painter {
 public:
  Painter(std::vector<Timed> activities, const Told& told) : activities_(std::move(activities)), told_(told) {
    // Whoever spawns or is spawned tells of it, which must not happen outside of its own time.
    for (Timed& each : activities_) {
      for (const Timed& spawned : activities_) {
        if (spawned.call != Call::spawns || spawned.caller != each.name) continue;
        each.start = std::min(each.start, spawned.start);
        each.end = std::max(each.end, spawned.start);
      }
    }
    for (Timed& each : activities_) {
      if (each.caller.empty()) continue;
      const Timed& caller = *std::ranges::find(activities_, each.caller, &Timed::name);
      if (each.call == Call::spawns || each.end < caller.start || each.start > caller.end) {
        each.caller = "nobody";
        continue;
      }
      each.start = std::max(each.start, caller.start);
      each.end = std::min(each.end, caller.end);
    }
  }

  std::size_t detached() const {
    return static_cast<std::size_t>(std::ranges::count(activities_, "nobody", &Timed::caller));
  }

  /// By instant; empty where the path is not.
  std::vector<std::string> painted() {
    std::vector<std::string> instants(last_instant);
    const Timed* root = &activities_.front();  // nobody called the first
    const auto key = [&](const Timed& each) { return std::tuple(each.start - each.end, each.start, place(each)); };
    for (const Timed& each : activities_) {
      if (each.caller.empty() && key(each) < key(*root)) root = &each;
    }
    paint(instants, *root, root->start, root->end);
    return instants;
  }

 private:
  std::uint32_t place(const Timed& each) const { return told_.happened.place(told_.rank(each.name + " 1")); }

  void paint(std::vector<std::string>& instants, const Timed& owner, std::int64_t from, std::int64_t to) {
    std::fill(instants.begin() + from, instants.begin() + to, owner.name);
    const auto key = [&](const Timed& each) { return std::tuple(-each.end, -each.start, place(each)); };
    for (std::vector<const Timed*> left = called_by(owner); !left.empty();) {
      std::erase_if(left, [&](const Timed* each) { return each->end > to || each->end <= from; });
      const auto last = std::ranges::min_element(left, {}, [&](const Timed* each) { return key(*each); });
      if (last == left.end()) return;
      const Timed& called = **last;
      left.erase(last);
      to = std::max(called.start, from);
      paint(instants, called, to, called.end);
    }
  }

  std::vector<const Timed*> called_by(const Timed& caller) const {
    std::vector<const Timed*> called;
    for (const Timed& each : activities_) {
      if (each.caller == caller.name) called.push_back(&each);
    }
    return called;
  }

  std::vector<Timed> activities_;
  const Told& told_;
};

RC_GTEST_PROP(ElapsedPath, GivesEachInstantToTheOneThatHadIt, ()) {
  const auto activities = any_activities();
  const Told told(facts_of(activities));
  std::int64_t start = last_instant;
  for (const Timed& each : activities) start = std::min(start, each.start);
  std::vector<std::string> had(last_instant);
  for (const PathPiece& piece : elapsed_path(told.happened).pieces) {
    for (auto instant = start + piece.from / 1'000; instant < start + piece.to / 1'000; ++instant)
      had[static_cast<std::size_t>(instant)] = thread_of(told, piece.line);
  }
  Painter painter(activities, told);
  RC_ASSERT(had == painter.painted());
  RC_ASSERT(elapsed_path(told.happened).detached.size() == painter.detached());
}

RC_GTEST_PROP(ElapsedPath, CoversItsTimeExactlyWhateverIsTold, ()) {
  const Told told(any_lasting_facts(50));
  const auto path = elapsed_path(told.happened);
  std::int64_t trace_start = std::numeric_limits<std::int64_t>::max();
  for (std::uint32_t event = 0; event < told.table.size(); ++event) {
    const auto& each = told.table[event];
    trace_start = std::min(trace_start, each.timestamp * 1'000 - std::max<std::int64_t>(each.duration_nanos, 0));
  }
  std::int64_t covered = 0;
  for (std::size_t i = 0; i < path.pieces.size(); ++i) {
    const PathPiece& piece = path.pieces[i];
    RC_ASSERT(piece.from < piece.to);
    if (i > 0) RC_ASSERT(piece.from == path.pieces[i - 1].to);
    covered += piece.to - piece.from;
    // And nobody has time before its start or behind its end.
    std::int64_t start = std::numeric_limits<std::int64_t>::max();
    std::int64_t end = 0;
    for (const std::uint32_t event : told.happened.line(piece.line)) {
      const std::int64_t at = told.table[event].timestamp * 1'000 - trace_start;
      start = std::min(start, at - std::max<std::int64_t>(told.table[event].duration_nanos, 0));
      end = std::max(end, at);
    }
    RC_ASSERT(start <= piece.from && piece.to <= end);
    RC_ASSERT(std::ranges::count(path.detached, piece.line) == 0);
  }
  RC_ASSERT(covered == path.nanos);
}

TEST(NanosSince, AreBounded) {
  EventTable::Event event{};
  event.timestamp = 1'700'000'000'000'001;
  event.nanos = 7;
  EXPECT_EQ(nanos_since(1'700'000'000'000'000, event), 1'007);
  event.timestamp = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(nanos_since(std::numeric_limits<std::int64_t>::min(), event), std::numeric_limits<std::int64_t>::max() / 2);
}

}  // namespace
}  // namespace raceway::causality

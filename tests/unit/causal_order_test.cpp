#include "causality/causal_order.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "causality/clock.hpp"

namespace raceway::causality {
namespace {

using Clock = std::vector<std::pair<std::string, Counter>>;

/// An event that owns what TraceEvent only refers to.
struct Told {
  std::string id;
  std::string parent_id;
  std::int64_t timestamp = 0;
  Clock clock;
  std::int32_t nanos = 0;
};

using Story = std::vector<Told>;

/// The TraceEvents of a story, and the components they refer to.
class Trace {
 public:
  explicit Trace(const Story& story) : clocks_(story.size()) {
    for (std::size_t i = 0; i < story.size(); ++i) {
      const Told& told = story[i];
      for (const auto& [name, counter] : told.clock) clocks_[i].push_back({name, counter});
      events_.push_back({told.id, told.parent_id, told.timestamp, told.nanos, clocks_[i]});
    }
  }

  explicit Trace(Story&&) = delete;

  std::span<const TraceEvent> events() const { return events_; }

 private:
  std::vector<std::vector<Component>> clocks_;
  std::vector<TraceEvent> events_;
};

std::vector<std::string> ids_in_order(const Story& story) {
  const Trace trace(story);
  std::vector<std::string> ids;
  for (const std::uint32_t index : causal_order(trace.events())) ids.push_back(story.at(index).id);
  return ids;
}

std::vector<std::string> ids(const std::string& letters) {
  std::vector<std::string> result;
  for (const char letter : letters) result.emplace_back(1, letter);
  return result;
}

bool is_permutation(std::vector<std::uint32_t> order, std::size_t size) {
  std::vector<std::uint32_t> all(size);
  std::iota(all.begin(), all.end(), 0U);
  std::ranges::sort(order);
  return order == all;
}

/// For each event its place in the order.
std::vector<std::uint32_t> places(const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> places(order.size());
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

// The contract said once more, by pairs of events and without any thought of speed.
class Oracle {
 public:
  explicit Oracle(std::span<const TraceEvent> events)
      : events_(events), parents_(events.size()), reach_(events.size(), std::vector<bool>(events.size())) {
    for (std::size_t i = 0; i < size(); ++i) parents_[i] = find(events_[i].parent_id);
    for (std::size_t i = 0; i < size(); ++i) cut_cycle_through(i);
    for (std::size_t a = 0; a < size(); ++a) {
      for (std::size_t b = 0; b < size(); ++b) reach_[a][b] = must_precede(a, b);
    }
    for (std::size_t via = 0; via < size(); ++via) {
      for (std::size_t a = 0; a < size(); ++a) {
        for (std::size_t b = 0; b < size(); ++b) {
          if (reach_[a][via] && reach_[via][b]) reach_[a][b] = true;
        }
      }
    }
  }

  bool is_parent(std::size_t a, std::size_t b) const { return parents_[b] == a; }
  bool clock_before(std::size_t a, std::size_t b) const { return has_clock(a) && has_clock(b) && before(a, b); }
  bool must_precede(std::size_t a, std::size_t b) const { return is_parent(a, b) || clock_before(a, b); }
  bool on_one_circle(std::size_t a, std::size_t b) const { return a == b || (reach_[a][b] && reach_[b][a]); }
  bool contradictory() const {
    for (std::size_t a = 0; a < size(); ++a) {
      if (reach_[a][a]) return true;
    }
    return false;
  }

  std::vector<std::uint32_t> order() const {
    std::vector<std::uint32_t> result;
    std::vector<bool> out(size());
    while (result.size() < size()) {
      std::optional<std::size_t> next = first([&](std::size_t i) { return !out[i] && free(i, out); });
      if (!next) next = first([&](std::size_t i) { return !out[i] && must_give_way(i, out); });
      out[*next] = true;
      result.push_back(static_cast<std::uint32_t>(*next));
    }
    return result;
  }

 private:
  std::size_t size() const { return events_.size(); }

  bool earlier(std::size_t a, std::size_t b) const {
    const auto key = [&](std::size_t i) {
      return std::tuple(events_[i].timestamp, events_[i].nanos, std::string(events_[i].id));
    };
    return key(a) < key(b);
  }

  template <class Condition>
  std::optional<std::size_t> first(Condition holds) const {
    std::optional<std::size_t> result;
    for (std::size_t i = 0; i < size(); ++i) {
      if (holds(i) && (!result || earlier(i, *result))) result = i;
    }
    return result;
  }

  template <class Condition>
  bool none_left(const std::vector<bool>& out, Condition holds) const {
    for (std::size_t i = 0; i < size(); ++i) {
      if (!out[i] && holds(i)) return false;
    }
    return true;
  }

  std::optional<std::size_t> find(std::string_view id) const {
    if (id.empty()) return std::nullopt;
    return first([&](std::size_t i) { return events_[i].id == id; });
  }

  void cut_cycle_through(std::size_t start) {
    std::vector<std::size_t> cycle;
    for (std::optional<std::size_t> at = start; at && cycle.size() <= size(); at = parents_[*at]) {
      cycle.push_back(*at);
      if (parents_[*at] != start) continue;
      parents_[*std::ranges::min_element(cycle, [&](auto a, auto b) { return earlier(a, b); })] = std::nullopt;
      return;
    }
  }

  bool has_clock(std::size_t i) const {
    return std::ranges::any_of(events_[i].clock, [](const Component& component) { return component.counter > 0; });
  }

  bool before(std::size_t a, std::size_t b) const {
    const auto cursor = [&](std::size_t i) {
      const auto clock = events_[i].clock;
      return SpanCursor(clock.data(), clock.data() + clock.size());
    };
    return compare(cursor(a), cursor(b)) == Order::before;
  }

  bool clocks_allow(std::size_t i, const std::vector<bool>& out) const {
    return none_left(out, [&](std::size_t other) { return clock_before(other, i); });
  }
  bool parent_allows(std::size_t i, const std::vector<bool>& out) const { return !parents_[i] || out[*parents_[i]]; }
  bool free(std::size_t i, const std::vector<bool>& out) const { return clocks_allow(i, out) && parent_allows(i, out); }

  /// Its circle waits for nothing outside, its parent is out, and an event of the circle whose clock would allow it to
  /// go waits for it, as its child or further down.
  bool must_give_way(std::size_t i, const std::vector<bool>& out) const {
    if (!parent_allows(i, out)) return false;
    const auto in_circle = [&](std::size_t other) { return on_one_circle(other, i); };
    const bool only_the_circle_is_left = none_left(out, [&](std::size_t other) {
      return !in_circle(other) &&
             !none_left(out, [&](std::size_t member) { return in_circle(member) && must_precede(other, member); });
    });
    return only_the_circle_is_left && !none_left(out, [&](std::size_t other) {
             return in_circle(other) && descends(other, i) && clocks_allow(other, out);
           });
  }

  bool descends(std::size_t i, std::size_t ancestor) const {
    for (std::optional<std::size_t> at = parents_[i]; at; at = parents_[*at]) {
      if (*at == ancestor) return true;
    }
    return false;
  }

  std::span<const TraceEvent> events_;
  std::vector<std::optional<std::size_t>> parents_;
  std::vector<std::vector<bool>> reach_;
};

/// A number from `low` to below `high`, as likely large in the first case as in the last.
int any(int low, int high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high));
}

/// Any few events, as contradictory as it comes: with unknown parents, cycles, zero counters and equal clocks.
Story any_story() {
  const int size = any(0, 30);
  const int components = any(1, 5);
  const int highest = any(1, 5);
  const int latest = any(1, 30);
  const int orphans = any(0, 15);
  Story story;
  for (int i = 0; i < size; ++i) {
    Told told{.id = "e" + std::to_string(i), .parent_id = "", .clock = {}};
    const int parent = any(0, size + orphans);
    if (parent < size) told.parent_id = "e" + std::to_string(parent);
    if (parent == size) told.parent_id = "unknown";
    told.timestamp = any(-latest, latest);
    told.nanos = any(0, 2);
    for (int c = 0; c < components; ++c) {
      const auto counter = any(-1, highest);
      if (counter >= 0) told.clock.emplace_back(std::string(1, static_cast<char>('A' + c)), counter);
    }
    story.push_back(told);
  }
  return story;
}

/// What some threads that send each other messages leave behind: the parent is the thread's last event.
Story any_execution() {
  const int size = any(0, 60);
  const int threads = any(1, 6);
  std::vector<Clock> clocks(static_cast<std::size_t>(threads));
  for (auto& clock : clocks) {
    for (int c = 0; c < threads; ++c) clock.emplace_back("t" + std::to_string(c), 0);
  }
  std::vector<std::string> last(clocks.size());
  Story story;
  for (int i = 0; i < size; ++i) {
    const auto thread = static_cast<std::size_t>(any(0, threads));
    const auto sender = static_cast<std::size_t>(any(0, 3 * threads));
    Clock& clock = clocks[thread];
    if (sender < clocks.size()) {
      for (std::size_t c = 0; c < clock.size(); ++c)
        clock[c].second = std::max(clock[c].second, clocks[sender][c].second);
    }
    ++clock[thread].second;
    const std::string id = "e" + std::to_string(i);
    story.push_back({id, last[thread], any(0, 20), clock});
    last[thread] = id;
  }
  return story;
}

template <class T>
std::vector<T> shuffled(std::vector<T> items) {
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::ranges::shuffle(items, random);
  return items;
}

RC_GTEST_PROP(CausalOrder, ObeysEveryLinkAndEveryClockOfARealExecution, ()) {
  const Story story = shuffled(any_execution());
  const Trace trace(story);
  const Oracle oracle(trace.events());
  RC_ASSERT(!oracle.contradictory());
  const auto order = causal_order(trace.events());
  RC_ASSERT(is_permutation(order, story.size()));
  const auto place = places(order);
  for (std::size_t a = 0; a < story.size(); ++a) {
    for (std::size_t b = 0; b < story.size(); ++b) RC_ASSERT(!oracle.must_precede(a, b) || place[a] < place[b]);
  }
  RC_ASSERT(order == oracle.order());
}

RC_GTEST_PROP(CausalOrder, BreaksAClockOnlyOnACircleOfContradictionsAndNeverALink, ()) {
  const Story story = any_story();
  const Trace trace(story);
  const Oracle oracle(trace.events());
  const auto order = causal_order(trace.events());
  RC_ASSERT(is_permutation(order, story.size()));
  RC_CLASSIFY(oracle.contradictory(), "contradictory");
  const auto place = places(order);
  for (std::size_t a = 0; a < story.size(); ++a) {
    for (std::size_t b = 0; b < story.size(); ++b) {
      RC_ASSERT(!oracle.is_parent(a, b) || place[a] < place[b]);
      RC_ASSERT(!oracle.clock_before(a, b) || oracle.on_one_circle(a, b) || place[a] < place[b]);
    }
  }
}

RC_GTEST_PROP(CausalOrder, IsTheOneThatTheContractNames, ()) {
  const Story story = any_story();
  const Trace trace(story);
  RC_ASSERT(causal_order(trace.events()) == Oracle(trace.events()).order());
}

RC_GTEST_PROP(CausalOrder, DoesNotDependOnTheOrderOfTheInput, ()) {
  const Story story = any_story();
  RC_ASSERT(ids_in_order(story) == ids_in_order(shuffled(story)));
}

TEST(CausalOrder, OfNothingIsNothing) {
  EXPECT_TRUE(causal_order({}).empty());
}

TEST(CausalOrder, IsByTimeThenNanosecondsThenIdWhereNothingElseIsKnown) {
  EXPECT_EQ(ids_in_order({{"d", "", 2, {}},
                          {"c", "", 1, {}, 7},
                          {"b", "", 1, {}, 5},
                          {"a", "", 1, {}, 7},
                          {"z", "", std::numeric_limits<std::int64_t>::min(), {}}}),
            ids("zbacd"));
}

TEST(CausalOrder, PutsParentsFirstWhereTimestampsRunBackwards) {
  EXPECT_EQ(ids_in_order({{"c", "b", 1, {}}, {"b", "a", 2, {}}, {"a", "", 3, {}}}), ids("abc"));
}

TEST(CausalOrder, PutsEarlierClocksFirstWhereTimestampsRunBackwards) {
  EXPECT_EQ(ids_in_order({{"c", "", 1, {{"X", 2}, {"Y", 1}}}, {"b", "", 2, {{"X", 2}}}, {"a", "", 3, {{"X", 1}}}}),
            ids("abc"));
}

TEST(CausalOrder, FollowsLinksAndClocksThroughEventsThatHaveOnlyOneOfThem) {
  EXPECT_EQ(
      ids_in_order({{"d", "", 1, {{"X", 2}}}, {"c", "b", 2, {{"X", 1}}}, {"b", "a", 3, {}}, {"a", "", 4, {{"Y", 1}}}}),
      ids("abcd"));
}

TEST(CausalOrder, IgnoresParentsThatAreNotThereAndSelfParents) {
  EXPECT_EQ(ids_in_order({{"b", "b", 2, {}}, {"a", "elsewhere", 1, {}}, {"c", "", 3, {}}}), ids("abc"));
}

TEST(CausalOrder, IsByTimeForConcurrentClocks) {
  EXPECT_EQ(ids_in_order({{"b", "", 2, {{"X", 1}}}, {"a", "", 1, {{"Y", 100}}}}), ids("ab"));
}

TEST(CausalOrder, IsByTimeForEqualClocksAlsoWhereOneWritesItsZeros) {
  EXPECT_EQ(
      ids_in_order({{"c", "", 3, {{"X", 1}}}, {"a", "", 1, {{"A", 0}, {"X", 1}}}, {"b", "", 2, {{"X", 1}, {"Z", 0}}}}),
      ids("abc"));
}

TEST(CausalOrder, HoldsALaterClockBackForAllEventsThatShareTheEarlierOne) {
  EXPECT_EQ(ids_in_order({{"c", "", 0, {{"X", 2}}}, {"b", "", 9, {{"X", 1}}}, {"a", "", 1, {{"X", 1}}}}), ids("abc"));
}

TEST(CausalOrder, NeverTakesAnEventWithoutAClockForOrdered) {
  EXPECT_EQ(ids_in_order({{"a", "", 1, {{"X", 1}}}, {"b", "", 2, {}}, {"c", "", 3, {{"X", 0}}}}), ids("abc"));
}

TEST(CausalOrder, KnowsCountersWhoseSumIsMoreThan64Bits) {
  const Counter most = std::numeric_limits<Counter>::max();
  EXPECT_EQ(ids_in_order({{"b", "", 1, {{"X", most}, {"Y", most}}}, {"a", "", 2, {{"X", most}, {"Y", most - 1}}}}),
            ids("ab"));
}

TEST(CausalOrder, CutsACycleOfParentsAtItsEarliestEvent) {
  EXPECT_EQ(ids_in_order({{"a", "c", 3, {}}, {"b", "a", 1, {}}, {"c", "b", 2, {}}}), ids("bca"));
}

TEST(CausalOrder, LetsAnEventBelowACycleOfParentsWaitForItsParent) {
  EXPECT_EQ(ids_in_order({{"a", "b", 2, {}}, {"b", "a", 3, {}}, {"c", "b", 1, {}}}), ids("abc"));
}

TEST(CausalOrder, BelievesTheParentLinkWhereTheClocksSayOtherwise) {
  EXPECT_EQ(ids_in_order({{"child", "parent", 1, {{"X", 1}}}, {"parent", "", 2, {{"X", 2}}}}),
            (std::vector<std::string>{"parent", "child"}));
}

TEST(CausalOrder, KeepsTheClocksOfThoseWhoOnlyComeAfterAContradiction) {
  // c and d follow the contradictory pair; that they are the earliest by time does not let them pass it.
  EXPECT_EQ(
      ids_in_order(
          {{"d", "", 1, {{"X", 4}}}, {"c", "", 2, {{"X", 3}}}, {"b", "a", 3, {{"X", 1}}}, {"a", "", 4, {{"X", 2}}}}),
      ids("abcd"));
}

TEST(CausalOrder, LetsOnlyTheAncestorsPassThatAContradictionIsAbout) {
  // b claims the last event of its own thread as its parent; c and d, between them, stay behind b.
  EXPECT_EQ(
      ids_in_order(
          {{"d", "", 1, {{"X", 3}}}, {"c", "", 2, {{"X", 2}}}, {"b", "a", 3, {{"X", 1}}}, {"a", "", 4, {{"X", 4}}}}),
      ids("abcd"));
}

TEST(CausalOrder, DoesNotLetAnAncestorPassForSomebodyOutsideTheContradiction) {
  // b and c contradict each other. a would be the earliest to go against its clock, but only e, which is not part of
  // the contradiction, waits for it.
  EXPECT_EQ(
      ids_in_order(
          {{"b", "", 5, {{"X", 2}}}, {"c", "b", 6, {{"X", 1}}}, {"a", "", 1, {{"X", 3}}}, {"e", "a", 2, {{"Y", 1}}}}),
      ids("bcae"));
}

TEST(CausalOrder, KeepsEventsOfTheSameIdAndGivesTheirChildrenTheEarliest) {
  const Story story = {{"a", "", 5, {}}, {"b", "a", 1, {}}, {"a", "", 3, {}}, {"a", "", 3, {}}};
  const Trace trace(story);
  EXPECT_EQ(causal_order(trace.events()), (std::vector<std::uint32_t>{2, 1, 3, 0}));
}

// Sizes: each of these would take minutes or overflow the stack if it were quadratic or recursive.

Story thread_story(int threads, int events, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  std::vector<Clock> clocks(static_cast<std::size_t>(threads));
  for (auto& clock : clocks) {
    for (int c = 0; c < threads; ++c) clock.emplace_back("thread-" + std::to_string(100 + c), 0);
  }
  std::vector<std::string> last(clocks.size());
  Story story;
  for (int i = 0; i < events; ++i) {
    const auto thread = static_cast<std::size_t>(below(threads));
    Clock& clock = clocks[thread];
    if (below(4) == 0) {
      const Clock& sender = clocks[static_cast<std::size_t>(below(threads))];
      for (std::size_t c = 0; c < clock.size(); ++c) clock[c].second = std::max(clock[c].second, sender[c].second);
    }
    ++clock[thread].second;
    const std::string id = "event-" + std::to_string(i);
    story.push_back({id, last[thread], i - 50 + below(100), clock});
    last[thread] = id;
  }
  return story;
}

TEST(CausalOrder, OrdersAHundredThousandEventsOfThirtyThreads) {
  const Story story = thread_story(30, 100'000, 1);
  const Trace trace(story);
  const auto order = causal_order(trace.events());
  ASSERT_TRUE(is_permutation(order, story.size()));
  // Each event counts its own thread one up. Whatever else it knows of has to be there already.
  std::vector<Counter> highest(30);
  for (const std::uint32_t index : order) {
    int raised = 0;
    for (std::size_t c = 0; c < highest.size(); ++c) {
      const Counter counter = story[index].clock[c].second;
      if (counter <= highest[c]) continue;
      ASSERT_EQ(counter, ++highest[c]);
      ++raised;
    }
    ASSERT_EQ(raised, 1);
  }
}

TEST(CausalOrder, OrdersFiftyThousandConcurrentClocksThatShareAComponent) {
  Story story = {{"root", "", 1'000'000, {{"X", 1}}}};
  for (int i = 0; i < 50'000; ++i) {
    story.push_back({"e" + std::to_string(i), "root", 50'000 - i, {{"X", 1}, {"t" + std::to_string(100'000 + i), 1}}});
  }
  const Trace trace(story);
  const auto order = causal_order(trace.events());
  ASSERT_EQ(order.size(), story.size());
  EXPECT_EQ(order.front(), 0U);
  for (std::uint32_t place = 1; place < order.size(); ++place) ASSERT_EQ(order[place], order.size() - place);
}

TEST(CausalOrder, OrdersClocksOfTwoComponentsThatAreAllConcurrent) {
  // No component is rare here: every clock is a chain of its own and has both. The last one knows of all others.
  constexpr std::uint32_t count = 100'000;
  Story story = {{"last", "", 0, {{"X", count}, {"Y", count}}}};
  for (std::uint32_t i = 1; i < count; ++i) {
    story.push_back({"e" + std::to_string(i), "", i, {{"X", i}, {"Y", count - i}}});
  }
  const Trace trace(story);
  const auto order = causal_order(trace.events());
  ASSERT_TRUE(is_permutation(order, story.size()));
  EXPECT_EQ(order.back(), 0U);
}

TEST(CausalOrder, FollowsAMillionParentsBackwardsInTime) {
  constexpr std::size_t count = 1'000'000;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("event-" + std::to_string(i));
  std::vector<TraceEvent> events;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(
        {names[i], i + 1 < count ? std::string_view(names[i + 1]) : "", static_cast<std::int64_t>(i), 0, {}});
  }
  const auto order = causal_order(events);
  ASSERT_EQ(order.size(), count);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(order[i], count - 1 - i);
}

TEST(CausalOrder, UntiesOneLongContradiction) {
  // A chain of clocks, and a chain of parents against it.
  constexpr int count = 100'000;
  Story story;
  for (int i = 0; i < count; ++i) {
    const std::string parent = i + 1 < count ? "e" + std::to_string(i + 1) : "";
    story.push_back({"e" + std::to_string(i), parent, i, {{"X", static_cast<Counter>(i + 1)}}});
  }
  const Trace trace(story);
  const auto order = causal_order(trace.events());
  ASSERT_EQ(order.size(), story.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], order.size() - 1 - i);
}

TEST(CausalOrder, UntiesManyContradictions) {
  // Pairs of one thread, each with the later event as the earlier one's parent.
  constexpr std::uint32_t pairs = 50'000;
  Story story;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const std::string id = std::to_string(i);
    story.push_back({"child" + id, "parent" + id, i, {{"X", 2 * i + 1}}});
    story.push_back({"parent" + id, "", i, {{"X", 2 * i + 2}}});
  }
  const Trace trace(story);
  const auto order = causal_order(trace.events());
  ASSERT_EQ(order.size(), story.size());
  for (std::uint32_t i = 0; i < pairs; ++i) {
    ASSERT_EQ(order[2 * i], 2 * i + 1);
    ASSERT_EQ(order[2 * i + 1], 2 * i);
  }
}

}  // namespace
}  // namespace raceway::causality

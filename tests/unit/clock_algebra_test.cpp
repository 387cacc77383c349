// The laws of vector clocks, against a map from names to counters as the obvious implementation.
#include "causality/clock_algebra.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "causality/clock.hpp"

namespace raceway::causality {
namespace {

constexpr Counter largest = std::numeric_limits<Counter>::max();

using Map = std::map<std::string, Counter>;

/// A clock that owns its names, in the order of a clock. A sink, too.
class Clock {
 public:
  Clock() = default;
  Clock(std::initializer_list<std::pair<std::string, Counter>> entries) {
    for (const auto& [name, counter] : entries) set(name, counter);
  }
  explicit Clock(const Map& map) {
    for (const auto& [name, counter] : map) set(name, counter);
  }

  void add(std::string_view name, Counter counter) {
    RC_ASSERT(counter > 0);
    RC_ASSERT((entries_.empty() || compare_names(entries_.back().first, name) < 0));
    entries_.emplace_back(name, counter);
  }

  class Cursor {
   public:
    explicit Cursor(const Clock& clock) : at_(clock.entries_.begin()), end_(clock.entries_.end()) {}
    bool done() const { return at_ == end_; }
    std::string_view name() const { return at_->first; }
    Counter counter() const { return at_->second; }
    void next() { ++at_; }

   private:
    std::vector<std::pair<std::string, Counter>>::const_iterator at_, end_;
  };
  Cursor cursor() const { return Cursor(*this); }

  /// Without its zeros.
  Map map() const {
    Map map;
    for (const auto& [name, counter] : entries_) {
      if (counter > 0) map[name] = counter;
    }
    return map;
  }

  friend bool operator==(const Clock& a, const Clock& b) { return a.map() == b.map(); }
  friend void showValue(const Clock& clock, std::ostream& out) { rc::show(clock.entries_, out); }

 private:
  void set(const std::string& name, Counter counter) {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), name, [](const auto& entry, const auto& key) {
      return compare_names(entry.first, key) < 0;
    });
    entries_.insert(place, {name, counter});
  }

  std::vector<std::pair<std::string, Counter>> entries_;
};

Order order_of(const Clock& a, const Clock& b) {
  return compare(a.cursor(), b.cursor());
}

bool at_most(const Clock& a, const Clock& b) {
  const Order order = order_of(a, b);
  return order == Order::before || order == Order::equal;
}

template <class Operation>
Clock made_by(Operation operation) {
  Clock result;
  operation(result);
  return result;
}

Clock merged(const Clock& a, const Clock& b) {
  return made_by([&](Clock& result) { merge(a.cursor(), b.cursor(), result); });
}
Clock met(const Clock& a, const Clock& b) {
  return made_by([&](Clock& result) { meet(a.cursor(), b.cursor(), result); });
}
Clock ahead(const Clock& a, const Clock& b) {
  return made_by([&](Clock& result) { difference(a.cursor(), b.cursor(), result); });
}
Clock advanced(const Clock& a, const Clock& steps) {
  return made_by([&](Clock& result) { advance(a.cursor(), steps.cursor(), result); });
}
Clock left_without(const Clock& a, const Clock& excluded) {
  return made_by([&](Clock& result) { without(a.cursor(), excluded.cursor(), result); });
}

Counter counter_in(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? 0 : found->second;
}

/// Every component of either, with both counters.
std::map<std::string, std::pair<Counter, Counter>> side_by_side(const Map& a, const Map& b) {
  std::map<std::string, std::pair<Counter, Counter>> both;
  for (const auto& [name, counter] : a) both[name].first = counter;
  for (const auto& [name, counter] : b) both[name].second = counter;
  return both;
}

Order order_by_definition(const Clock& a, const Clock& b) {
  bool a_greater = false;
  bool b_greater = false;
  for (const auto& [name, counters] : side_by_side(a.map(), b.map())) {
    a_greater |= counters.first > counters.second;
    b_greater |= counters.second > counters.first;
  }
  if (a_greater && b_greater) return Order::concurrent;
  if (a_greater) return Order::after;
  return b_greater ? Order::before : Order::equal;
}

Order reversed(Order order) {
  if (order == Order::before) return Order::after;
  return order == Order::after ? Order::before : order;
}

}  // namespace
}  // namespace raceway::causality

// Few names and few counters, so that every relation of clocks is met often; the ends of the range among them.
template <>
struct rc::Arbitrary<raceway::causality::Clock> {
  static Gen<raceway::causality::Clock> arbitrary() {
    using namespace raceway::causality;
    const auto name = gen::element<std::string>("", "A", "B", "aa", "\xC3\xA9");
    const auto counter = gen::element<Counter>(0, 0, 0, 1, 1, 2, largest - 1, largest);
    const auto entries = gen::container<std::vector<std::pair<std::string, Counter>>>(gen::pair(name, counter));
    return gen::map(entries, [](const auto& drawn) { return Clock(Map(drawn.begin(), drawn.end())); });
  }
};

namespace raceway::causality {
namespace {

TEST(ClockOrder, ComparesByEveryComponentWhereAMissingOneIsZero) {
  EXPECT_EQ(order_of({{"A", 2}}, {{"A", 2}, {"B", 1}}), Order::before);
  EXPECT_EQ(order_of({{"A", 2}, {"B", 1}}, {{"A", 2}}), Order::after);
  EXPECT_EQ(order_of({{"A", 1}, {"B", 2}}, {{"A", 2}, {"B", 1}}), Order::concurrent);
  EXPECT_EQ(order_of({{"A", 1}}, {{"B", 1}}), Order::concurrent);
  EXPECT_EQ(order_of({{"A", 0}}, {}), Order::equal);
  EXPECT_EQ(order_of({}, {}), Order::equal);
  EXPECT_EQ(order_of({}, {{"A", 1}}), Order::before);
  EXPECT_EQ(order_of({{"A", largest - 1}}, {{"A", largest}}), Order::before);
}

TEST(ClockOrder, SortsShorterNamesFirstAndThenBytes) {
  const std::vector<std::string_view> sorted = {"", "A", "a", "\xC3", "Zz", "\xC3\xA9", "aaa"};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end(),
                             [](std::string_view a, std::string_view b) { return compare_names(a, b) < 0; }));
}

RC_GTEST_PROP(ClockOrder, AgreesWithItsDefinition, (const Clock& a, const Clock& b)) {
  RC_CLASSIFY(true, std::string(name_of(order_of(a, b))));
  RC_ASSERT(order_of(a, b) == order_by_definition(a, b));
  RC_ASSERT(order_of(a, merged(a, b)) == order_by_definition(a, merged(a, b)));
  RC_ASSERT(order_of(a, met(a, b)) == order_by_definition(a, met(a, b)));
}

RC_GTEST_PROP(ClockOrder, IsReversedWithItsSides, (const Clock& a, const Clock& b)) {
  RC_ASSERT(order_of(b, a) == reversed(order_of(a, b)));
}

RC_GTEST_PROP(ClockOrder, FindsAClockEqualToItself, (const Clock& a)) {
  RC_ASSERT(order_of(a, a) == Order::equal);
}

RC_GTEST_PROP(ClockOrder, IsTransitive, (const Clock& a, const Clock& more, const Clock& yet_more)) {
  const Clock b = merged(a, more);
  const Clock c = merged(b, yet_more);
  RC_PRE(order_of(a, b) == Order::before && order_of(b, c) == Order::before);
  RC_ASSERT(order_of(a, c) == Order::before);
}

RC_GTEST_PROP(ClockMerge, IsTheLeastUpperBound, (const Clock& a, const Clock& b, const Clock& c)) {
  const Clock bound = merged(a, b);
  RC_ASSERT(at_most(a, bound) && at_most(b, bound));
  const Clock other_bound = merged(bound, c);
  RC_ASSERT(at_most(bound, other_bound));
  if (at_most(a, c) && at_most(b, c)) RC_ASSERT(at_most(bound, c));
}

RC_GTEST_PROP(ClockMeet, IsTheGreatestLowerBound, (const Clock& a, const Clock& b, const Clock& c)) {
  const Clock bound = met(a, b);
  RC_ASSERT(at_most(bound, a) && at_most(bound, b));
  if (at_most(c, a) && at_most(c, b)) RC_ASSERT(at_most(c, bound));
}

RC_GTEST_PROP(ClockMerge, CommutesAssociatesAndIsIdempotent, (const Clock& a, const Clock& b, const Clock& c)) {
  RC_ASSERT(merged(a, b) == merged(b, a));
  RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
  RC_ASSERT(merged(a, a) == a);
}

RC_GTEST_PROP(ClockMeet, CommutesAssociatesAndIsIdempotent, (const Clock& a, const Clock& b, const Clock& c)) {
  RC_ASSERT(met(a, b) == met(b, a));
  RC_ASSERT(met(met(a, b), c) == met(a, met(b, c)));
  RC_ASSERT(met(a, a) == a);
}

RC_GTEST_PROP(ClockLattice, MergeAndMeetAbsorbEachOtherAndDistribute,
              (const Clock& a, const Clock& b, const Clock& c)) {
  RC_ASSERT(merged(a, met(a, b)) == a);
  RC_ASSERT(met(a, merged(a, b)) == a);
  RC_ASSERT(met(a, merged(b, c)) == merged(met(a, b), met(a, c)));
}

RC_GTEST_PROP(ClockLattice, TheEmptyClockIsItsBottom, (const Clock& a)) {
  RC_ASSERT(at_most({}, a));
  RC_ASSERT(merged(a, {}) == a);
  RC_ASSERT(met(a, {}) == Clock{});
}

RC_GTEST_PROP(ClockMerge, TakesTheLargerCounterAndMeetTheSmaller, (const Clock& a, const Clock& b)) {
  const Map larger = merged(a, b).map();
  const Map smaller = met(a, b).map();
  for (const auto& [name, counters] : side_by_side(a.map(), b.map())) {
    RC_ASSERT(counter_in(larger, name) == std::max(counters.first, counters.second));
    RC_ASSERT(counter_in(smaller, name) == std::min(counters.first, counters.second));
  }
}

RC_GTEST_PROP(ClockDifference, IsEmptyIfAndOnlyIfBeforeOrEqual, (const Clock& a, const Clock& b)) {
  RC_ASSERT((ahead(a, b) == Clock{}) == at_most(a, b));
}

RC_GTEST_PROP(ClockDifference, AddedToTheOtherGivesTheMerge, (const Clock& a, const Clock& b)) {
  RC_ASSERT(advanced(b, ahead(a, b)) == merged(a, b));
}

RC_GTEST_PROP(ClockAdvance, GrowsByTheStepsOrThrows, (const Clock& a, const Clock& steps)) {
  bool overflows = false;
  for (const auto& [name, counters] : side_by_side(a.map(), steps.map())) {
    overflows |= counters.first > largest - counters.second;
  }
  RC_CLASSIFY(overflows, "overflows");
  if (overflows) {
    RC_ASSERT_THROWS_AS(advanced(a, steps), InvalidClock);
    return;
  }
  const Map grown = advanced(a, steps).map();
  for (const auto& [name, counters] : side_by_side(a.map(), steps.map())) {
    RC_ASSERT(counter_in(grown, name) == counters.first + counters.second);
  }
}

RC_GTEST_PROP(ClockWithout, LeavesTheRestAsItWas, (const Clock& a, const Clock& excluded)) {
  Map expected = a.map();
  for (const auto& [name, counter] : excluded.map()) expected.erase(name);
  RC_ASSERT(left_without(a, excluded).map() == expected);
}

RC_GTEST_PROP(ClockReading, AgreesWithAMap, (const Clock& a)) {
  const Map map = a.map();
  CounterSum total = 0;
  for (const auto& [name, counter] : map) total += counter;
  RC_ASSERT(size(a.cursor()) == map.size());
  RC_ASSERT(sum(a.cursor()) == total);
  for (const std::string name : {"", "A", "b", "aa", "nobody", "worker-10"}) {
    RC_ASSERT(counter_of(a.cursor(), name) == counter_in(map, name));
  }
}

TEST(ClockReading, SumsBeyondTheRangeOfOneCounter) {
  const Clock clock = {{"A", largest}, {"B", largest}};
  EXPECT_TRUE(sum(clock.cursor()) == CounterSum{2} * largest);
}

RC_GTEST_PROP(ClockTotalOrder, PutsAClockBehindThoseBeforeIt, (const Clock& a, const Clock& b)) {
  const auto total = compare_in_total_order(a.cursor(), b.cursor());
  const Order order = order_of(a, b);
  RC_ASSERT((total == 0) == (order == Order::equal));
  if (order == Order::before) RC_ASSERT((total < 0));
  if (order == Order::after) RC_ASSERT((total > 0));
  RC_ASSERT((compare_in_total_order(b.cursor(), a.cursor()) == (0 <=> total)));
}

RC_GTEST_PROP(ClockTotalOrder, IsTransitive, (const Clock& a, const Clock& b, const Clock& c)) {
  const auto not_after = [](const Clock& x, const Clock& y) {
    return compare_in_total_order(x.cursor(), y.cursor()) <= 0;
  };
  if (not_after(a, b) && not_after(b, c)) RC_ASSERT(not_after(a, c));
}

RC_GTEST_PROP(ClockNormalize, SortsTakesTheLargerAndDropsZeros,
              (const std::vector<std::pair<bool, std::uint8_t>>& drawn)) {
  static const std::vector<std::string> names = {"B", "A", "long", "", "bb", "aa"};
  std::vector<Component> components;
  Map expected;
  for (const auto& [zero, which] : drawn) {
    const std::string& name = names[which % names.size()];
    const Counter counter = zero ? 0 : which;
    components.push_back({name, counter});
    if (counter > 0) expected[name] = std::max(counter_in(expected, name), counter);
  }
  const std::size_t kept = normalize(components);
  Clock clock;  // asserts that what is added is in order, without zeros
  for (const Component& component : std::span(components).first(kept)) clock.add(component.name, component.counter);
  RC_ASSERT(clock.map() == expected);
}

TEST(InvalidClock, NamesTheComponentTheValueTheRuleAndTheRemedy) {
  const InvalidClock error(InvalidClock::Kind::out_of_range, "db", "-1");
  EXPECT_STREQ(error.what(), "component \"db\" of the vector clock has an invalid counter: -1");
  EXPECT_STREQ(error.rule(), "A counter is a whole number from 0 to 18446744073709551615.");
  EXPECT_NE(std::string_view(error.remedy()), "");
  EXPECT_STREQ(counter_overflow("db", 3).what(), "component \"db\" of the vector clock cannot grow by 3");
}

TEST(InvalidClock, CutsALongValueBetweenCharacters) {
  std::string accents = "x";
  for (int i = 0; i < 60; ++i) accents += "\xC3\xA9";
  const InvalidClock error(InvalidClock::Kind::not_a_clock, "", accents);
  EXPECT_EQ(error.what(), "not a vector clock: " + accents.substr(0, 99) + "...");
}

}  // namespace
}  // namespace raceway::causality

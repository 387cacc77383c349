#include "causality/clock_precedence.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace raceway::causality {
namespace {

using Clock = std::vector<Component>;
using Clocks = std::vector<Clock>;

ClockPrecedence precedence_of(const Clocks& clocks, SearchLimit limit = {}) {
  NumberedClocks numbered;
  for (const Clock& clock : clocks) numbered.add(clock);
  numbered.finish();
  return clock_precedence(std::move(numbered), limit);
}

Order compare_clocks(const Clock& a, const Clock& b) {
  return compare(SpanCursor(a.data(), a.data() + a.size()), SpanCursor(b.data(), b.data() + b.size()));
}

bool empty(const Clock& clock) {
  return std::ranges::all_of(clock, [](const Component& component) { return component.counter == 0; });
}

/// reach[a][b]: class a reaches class b over the edges.
std::vector<std::vector<bool>> reachability(const ClockPrecedence& precedence) {
  std::vector<std::vector<bool>> reach(precedence.classes, std::vector<bool>(precedence.classes));
  for (const Edge& edge : precedence.edges) reach.at(edge.from).at(edge.to) = true;
  for (std::uint32_t via = 0; via < precedence.classes; ++via) {
    for (std::uint32_t a = 0; a < precedence.classes; ++a) {
      for (std::uint32_t b = 0; b < precedence.classes; ++b) {
        if (reach[a][via] && reach[via][b]) reach[a][b] = true;
      }
    }
  }
  return reach;
}

/// Few components and small counters, so that all four orders are there.
Clocks any_clocks() {
  static const std::vector<std::string> names = {"a", "b", "c", "d", "ab", "bb"};
  const auto any = [](int low, int high) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high)); };
  const int size = any(0, 40);
  const auto components = static_cast<std::size_t>(any(1, static_cast<int>(names.size()) + 1));
  const int highest = any(1, 8);
  // Also such as take all of 64 bits, and are many where most are few.
  const Counter step = std::vector<Counter>{1, 1, std::uint64_t{1} << 31U, std::numeric_limits<Counter>::max() / 8}.at(
      static_cast<std::size_t>(any(0, 4)));
  Clocks clocks(static_cast<std::size_t>(size));
  for (Clock& clock : clocks) {
    for (std::size_t c = 0; c < components; ++c) {
      const int counter = any(-1, highest);
      if (counter >= 0) clock.push_back({names[c], static_cast<Counter>(counter) * (any(0, 3) == 0 ? step : 1)});
    }
  }
  return clocks;
}

RC_GTEST_PROP(ClockPrecedence, PutsClocksIntoOneClassExactlyIfTheyAreEqual, ()) {
  const Clocks clocks = any_clocks();
  const auto precedence = precedence_of(clocks);
  for (std::size_t a = 0; a < clocks.size(); ++a) {
    RC_ASSERT((precedence.class_of[a] == ClockPrecedence::no_class) == empty(clocks[a]));
    for (std::size_t b = 0; b < clocks.size(); ++b) {
      const bool equal = compare_clocks(clocks[a], clocks[b]) == Order::equal;
      RC_ASSERT((precedence.class_of[a] == precedence.class_of[b]) == equal);
    }
  }
}

RC_GTEST_PROP(ClockPrecedence, ReachesExactlyWhatHappenedLater, ()) {
  const Clocks clocks = any_clocks();
  const auto precedence = precedence_of(clocks);
  RC_ASSERT(precedence.exact);
  const auto reach = reachability(precedence);
  for (std::size_t a = 0; a < clocks.size(); ++a) {
    for (std::size_t b = 0; b < clocks.size(); ++b) {
      if (empty(clocks[a]) || empty(clocks[b])) continue;
      const bool before = compare_clocks(clocks[a], clocks[b]) == Order::before;
      RC_ASSERT(reach[precedence.class_of[a]][precedence.class_of[b]] == before);
    }
  }
}

RC_GTEST_PROP(ClockPrecedence, StillReachesWhatHappenedLaterWhenTheSearchIsGivenUp, ()) {
  const Clocks clocks = any_clocks();
  const auto steps = *rc::gen::inRange<std::uint64_t>(0, 300);
  const auto precedence = precedence_of(clocks, {.fixed = steps, .for_each_counter = 0});
  RC_CLASSIFY(!precedence.exact, "given up");
  for (const Edge& edge : precedence.edges) RC_ASSERT(edge.from < edge.to);
  const auto reach = reachability(precedence);
  for (std::size_t a = 0; a < clocks.size(); ++a) {
    for (std::size_t b = 0; b < clocks.size(); ++b) {
      if (empty(clocks[a]) || empty(clocks[b])) continue;
      if (compare_clocks(clocks[a], clocks[b]) != Order::before) continue;
      RC_ASSERT(reach[precedence.class_of[a]][precedence.class_of[b]]);
    }
  }
}

RC_GTEST_PROP(ClockPrecedence, DoesNotDependOnTheOrderOfTheInputEvenWhenTheSearchIsGivenUp, ()) {
  Clocks clocks = any_clocks();
  const SearchLimit limit{.fixed = *rc::gen::inRange<std::uint64_t>(0, 300), .for_each_counter = 0};
  const auto precedence = precedence_of(clocks, limit);
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::ranges::shuffle(clocks, random);
  RC_ASSERT(precedence_of(clocks, limit).edges == precedence.edges);
}

/// A clock of each thread for each of its events; now and then a thread hears from another.
Clocks execution(std::size_t threads, std::size_t events) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (int i = 100; i < 200; ++i) result.push_back("t" + std::to_string(i));
    return result;
  }();
  std::mt19937 random(7);
  Clocks now(threads);
  for (Clock& clock : now) {
    for (std::size_t c = 0; c < threads; ++c) clock.push_back({names.at(c), 0});
  }
  Clocks clocks;
  for (std::size_t i = 0; i < events; ++i) {
    const std::size_t thread = random() % threads;
    const std::size_t sender = random() % (4 * threads);
    if (sender < threads) {
      for (std::size_t c = 0; c < threads; ++c) {
        now[thread][c].counter = std::max(now[thread][c].counter, now[sender][c].counter);
      }
    }
    ++now[thread][thread].counter;
    clocks.push_back(now[thread]);
  }
  return clocks;
}

TEST(ClockPrecedence, NeedsOnlyAFewEdgesForTheClocksOfSomeThreads) {
  const Clocks clocks = execution(30, 20'000);
  const auto precedence = precedence_of(clocks);
  EXPECT_TRUE(precedence.exact);
  EXPECT_EQ(precedence.classes, clocks.size());
  EXPECT_LT(precedence.edges.size(), 6 * clocks.size());
}

TEST(ClockPrecedence, NeedsNoSearchAmongClocksThatShareOneComponentOnly) {
  std::vector<std::string> names;
  for (int i = 0; i < 50'000; ++i) names.push_back("t" + std::to_string(100'000 + i));
  Clocks clocks;
  for (const std::string& name : names) clocks.push_back({{"X", 1}, {name, 1}});
  // A few steps for each clock are enough: none is compared with all others.
  const auto precedence = precedence_of(clocks, {.fixed = 0, .for_each_counter = 4});
  EXPECT_TRUE(precedence.exact);
  EXPECT_TRUE(precedence.edges.empty());
}

TEST(ClockPrecedence, GivesUpOnVeryManyClocksThatAllShareTheirComponents) {
  constexpr Counter count = 100'000;
  Clocks clocks;
  for (Counter i = 1; i < count; ++i) clocks.push_back({{"X", i}, {"Y", count - i}});
  const auto precedence = precedence_of(clocks);
  EXPECT_FALSE(precedence.exact);
  EXPECT_EQ(precedence.classes, count - 1);
}

}  // namespace
}  // namespace raceway::causality

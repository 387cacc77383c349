#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "causality/critical_path.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

using Ids = std::vector<std::string>;

Ids longest_of(const Told& told) {
  Ids ids;
  for (const std::uint32_t event : longest_durations(told.happened).events) ids.push_back(told.id(event));
  return ids;
}

Fact lasting(const std::string& id, const std::string& parent, std::int64_t nanos) {
  Fact fact;
  fact.id = id;
  fact.parent = parent;
  fact.duration_nanos = nanos;
  fact.thread = "t";
  return fact;
}

TEST(LongestDurations, AddUpAlongCallsAndNotAlongAThread) {
  const Told told(
      {lasting("a", "", 5), lasting("b", "a", 7), lasting("c", "a", 3), lasting("d", "c", 6), lasting("alone", "", 8)});
  EXPECT_EQ(longest_of(told), (Ids{"a", "c", "d"}));
  EXPECT_EQ(longest_durations(told.happened).nanos, 14);
  EXPECT_EQ(longest_durations(told.happened).nanos_of_trace, 29);
}

TEST(LongestDurations, GoFromSpanToSpan) {
  Facts facts = {lasting("a", "", 5), lasting("b", "", 7)};
  facts[0].span = "outer";
  facts[1].span = "inner";
  facts[1].thread = "t2";
  facts[1].upstream = "outer";
  EXPECT_EQ(longest_of(Told(facts)), (Ids{"a", "b"}));
}

TEST(LongestDurations, OfEqualSumsHaveFewerEventsAndEndEarlier) {
  EXPECT_EQ(longest_of(Told({lasting("a", "", 0), lasting("b", "a", 4), lasting("c", "b", 0)})), Ids{"b"});
  EXPECT_EQ(longest_of(Told({lasting("a", "", 2), lasting("b", "a", 2), lasting("c", "", 4)})), Ids{"c"});
  EXPECT_EQ(longest_of(Told({lasting("a", "", 4), lasting("b", "", 4)})), Ids{"a"});
  EXPECT_EQ(longest_of(Told({})), Ids{});
}

/// How long, of how many events, and where in the order it ends; the best of all chains that there are is the smallest.
using Chain = std::tuple<std::int64_t, std::size_t, std::uint32_t>;

void each_chain(const Told& told, std::uint32_t event, Chain chain, std::optional<Chain>& best) {
  const auto& [nanos, events, place] = chain;
  chain = {nanos - std::max<std::int64_t>(told.table[event].duration_nanos, 0), events + 1, told.happened.place(event)};
  best = std::min(best.value_or(chain), chain);
  for (const CausalEdge& edge : told.happened.edges()) {
    const bool calls = edge.reason == Reason::parent || edge.reason == Reason::span;
    if (edge.from == event && calls && told.happened.kept(edge)) each_chain(told, edge.to, chain, best);
  }
}

RC_GTEST_PROP(LongestDurations, AreThoseOfTheBestOfAllChains, ()) {
  const Told told(any_lasting_facts(16));
  std::optional<Chain> best;
  std::int64_t all = 0;
  for (std::uint32_t event = 0; event < told.table.size(); ++event) {
    each_chain(told, event, {}, best);
    all += std::max<std::int64_t>(told.table[event].duration_nanos, 0);
  }
  const auto path = longest_durations(told.happened);
  RC_ASSERT(path.nanos_of_trace == all);
  RC_ASSERT(path.events.empty() == !best.has_value());
  if (!best) return;
  RC_ASSERT(Chain(-path.nanos, path.events.size(), told.happened.place(path.events.back())) == *best);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < path.events.size(); ++i) {
    sum += std::max<std::int64_t>(told.table[path.events[i]].duration_nanos, 0);
    RC_ASSERT(i == 0 || std::ranges::any_of(told.happened.edges(), [&](const CausalEdge& edge) {
                return edge.from == path.events[i - 1] && edge.to == path.events[i] &&
                       (edge.reason == Reason::parent || edge.reason == Reason::span);
              }));
  }
  RC_ASSERT(sum == path.nanos);
}

}  // namespace
}  // namespace raceway::causality

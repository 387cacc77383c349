#include "causality/races.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "causality/racing_events.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

/// A conflicting pair that nothing orders, found by looking at every pair.
struct Found {
  std::string variable;
  RaceClass race_class;
  std::uint32_t earlier;
  std::uint32_t later;
};

RaceClass class_of(const Told& told, const LockSets& locks, std::uint32_t a, std::uint32_t b) {
  const auto unknown = [&](std::uint32_t event) {
    return told.happened.strands().of(event) == none && told.table.clock(event).empty() &&
           told.happened.parents()[event] == none;
  };
  if (unknown(a) || unknown(b)) return RaceClass::unknown;
  if (locks.protect(locks.of(a), locks.of(b))) return RaceClass::guarded;
  const Access in_a = told.table[a].access;
  const Access in_b = told.table[b].access;
  if (is_atomic(in_a) && is_atomic(in_b)) return RaceClass::atomic;
  return writes(in_a) && writes(in_b) ? RaceClass::write_write : RaceClass::read_write;
}

std::vector<Found> all_pairs(const Told& told, const LockSets& locks) {
  const auto before = relation_of(told.happened);
  std::vector<Found> found;
  for (const std::uint32_t later : told.happened.order()) {
    for (const std::uint32_t earlier : told.happened.order()) {
      if (earlier == later) break;
      const auto& a = told.table[earlier];
      const auto& b = told.table[later];
      if (a.access == Access::no_access || b.access == Access::no_access || a.subject != b.subject) continue;
      if ((!writes(a.access) && !writes(b.access)) || before[earlier][later]) continue;
      found.push_back(
          {std::string(told.table.names()[a.subject]), class_of(told, locks, earlier, later), earlier, later});
    }
  }
  return found;
}

RC_GTEST_PROP(Races, AreCountedAsIfEachPairWereLookedAt, ()) {
  const Told told(any_facts(60));
  const LockSets locks(told.happened);
  std::map<std::string, ClassCounts> expected;
  for (const Found& pair : all_pairs(told, locks)) ++expected[pair.variable][static_cast<std::size_t>(pair.race_class)];
  for (const bool by_site : {false, true}) {
    std::map<std::string, ClassCounts> counted;
    for (const auto& variable : find_races(told.happened, locks, {.by_site = by_site}).variables) {
      if (variable.pairs != ClassCounts{}) counted[std::string(told.table.names()[variable.variable])] = variable.pairs;
    }
    RC_ASSERT(counted == expected);
  }
}

RC_GTEST_PROP(Races, AreToldOfEachEvent, ()) {
  const Told told(any_facts(60));
  const LockSets locks(told.happened);
  std::vector<bool> expected(told.table.size());
  std::vector<std::tuple<std::uint32_t, std::uint32_t, RaceClass>> pairs;
  for (const Found& pair : all_pairs(told, locks)) {
    if (!is_race(pair.race_class)) continue;
    expected[pair.earlier] = expected[pair.later] = true;
    pairs.emplace_back(pair.earlier, pair.later, pair.race_class);
  }
  const auto most = static_cast<std::size_t>(*rc::gen::inRange(0, 40));
  const auto found = racing_events(told.happened, locks, most);
  RC_ASSERT(found.complete);
  RC_ASSERT(found.is_racing == expected);
  RC_ASSERT(found.pairs == pairs.size());
  pairs.resize(std::min(most, pairs.size()));
  decltype(pairs) first;
  for (const auto& pair : found.first) first.emplace_back(pair.earlier, pair.later, pair.race_class);
  RC_ASSERT(first == pairs);
}

RC_GTEST_PROP(Races, AreListedWorstFirstUpToTheLimit, ()) {
  const Told told(any_facts(50));
  const LockSets locks(told.happened);
  using Key = std::tuple<std::size_t, Sharing, std::string, std::uint32_t, std::uint32_t>;
  const auto process = [&](std::uint32_t event) { return ProcessName::of(told.table.origin(event)); };
  std::vector<Key> expected;
  for (const Found& pair : all_pairs(told, locks)) {
    const Sharing sharing = process(pair.earlier) == process(pair.later)                   ? Sharing::process
                            : process(pair.earlier).service == process(pair.later).service ? Sharing::service
                                                                                           : Sharing::name;
    expected.emplace_back(std::min<std::size_t>(static_cast<std::size_t>(pair.race_class), 2), sharing, pair.variable,
                          told.happened.place(pair.later), told.happened.place(pair.earlier));
  }
  std::ranges::sort(expected);
  const auto most = static_cast<std::size_t>(*rc::gen::inRange(0, 30));
  if (expected.size() > most) expected.resize(most);
  std::vector<Key> listed;
  for (const RacePair& pair : find_races(told.happened, locks, {.most_pairs = most, .with_info = true}).listed) {
    listed.emplace_back(std::min<std::size_t>(static_cast<std::size_t>(pair.race_class), 2), pair.sharing,
                        std::string(told.table.names()[pair.variable]), told.happened.place(pair.later),
                        told.happened.place(pair.earlier));
  }
  RC_ASSERT(listed == expected);
}

RC_GTEST_PROP(Races, OfSitesAddUpToThoseOfPairs, ()) {
  const Told told(any_facts(50));
  const LockSets locks(told.happened);
  using Side = std::pair<std::string, Access>;
  std::map<std::tuple<std::string, Side, Side>, ClassCounts> expected;
  const auto side = [&](std::uint32_t event) {
    return Side(told.table.names()[told.table[event].location], told.table[event].access);
  };
  for (const Found& pair : all_pairs(told, locks)) {
    const std::pair<Side, Side> sides = std::minmax({side(pair.earlier), side(pair.later)});
    ++expected[{pair.variable, sides.first, sides.second}][static_cast<std::size_t>(pair.race_class)];
  }
  std::map<std::tuple<std::string, Side, Side>, ClassCounts> counted;
  const auto& names = told.table.names();
  for (const SitePair& site : find_races(told.happened, locks, {.by_site = true}).sites) {
    counted[{std::string(names[site.variable]),
             {std::string(names[site.site1]), site.access1},
             {std::string(names[site.site2]), site.access2}}] = site.pairs;
    const auto before = relation_of(told.happened);
    RC_ASSERT(!before[site.example.earlier][site.example.later]);
  }
  RC_ASSERT(counted == expected);
}

RC_GTEST_PROP(Races, OfPlacesStandInAnOrderThatDoesNotDependOnWhichEventsCameFirst, ()) {
  using Place =
      std::tuple<std::string, std::string, Access, std::string, Access, ClassCounts, std::string, std::string>;
  const auto places = [](const Facts& facts) {
    const Told told(facts);
    const auto& names = told.table.names();
    std::vector<Place> found;
    for (const SitePair& site : find_races(told.happened, LockSets(told.happened), {.by_site = true}).sites) {
      found.emplace_back(names[site.variable], names[site.site1], site.access1, names[site.site2], site.access2,
                         site.pairs, told.id(site.example.earlier), told.id(site.example.later));
    }
    return found;
  };
  Facts facts = any_facts(40);
  const auto before = places(facts);
  std::ranges::reverse(facts);
  RC_ASSERT(places(facts) == before);
}

using EdgeById = std::tuple<std::string, std::string, Reason>;

/// All but those of program order and plain clocks.
std::set<EdgeById> edges_by_id(const Told& told) {
  std::set<EdgeById> edges;
  for (const CausalEdge& edge : told.happened.edges()) edges.emplace(told.id(edge.from), told.id(edge.to), edge.reason);
  return edges;
}

RC_GTEST_PROP(Races, NeverBecomeMoreByAnEdge, ()) {
  Facts facts = any_facts(40);
  for (Fact& fact : facts) fact.parent.clear();
  const Told told(facts);
  const auto before = find_races(told.happened, LockSets(told.happened), {}).pairs;
  if (facts.size() < 2) return;
  // An edge along the order, so that it contradicts nothing.
  const auto order = told.order();
  const auto from = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(order.size()) - 1));
  const auto to =
      static_cast<std::size_t>(*rc::gen::inRange<int>(static_cast<int>(from) + 1, static_cast<int>(order.size())));
  for (Fact& fact : facts) {
    if (fact.id == order[to]) fact.parent = order[from];
  }
  const Told more(facts);
  RC_PRE(more.order() == order &&
         more.happened.warnings().contradicted_edges <= told.happened.warnings().contradicted_edges);
  // A parent can make another event the earliest of a span, and with it another upstream span the one that counts.
  RC_PRE(std::ranges::includes(edges_by_id(more), edges_by_id(told)));
  const auto after = find_races(more.happened, LockSets(more.happened), {}).pairs;
  RC_ASSERT(after[0] + after[1] <= before[0] + before[1] + before[4]);
}

RC_GTEST_PROP(Races, AreTheSameWhateverThreadsAreCalled, ()) {
  Facts facts = any_facts(40);
  for (Fact& fact : facts) {
    if (fact.kind == Kind::async_spawn || fact.kind == Kind::async_await) fact.kind = Kind::other;
  }
  const Told told(facts);
  for (Fact& fact : facts) {
    if (!fact.thread.empty()) fact.thread = "renamed " + fact.thread;
  }
  const Told renamed(facts);
  RC_ASSERT(find_races(renamed.happened, LockSets(renamed.happened), {}).pairs ==
            find_races(told.happened, LockSets(told.happened), {}).pairs);
}

/// Races by the ids of both events, so that traces can be compared that have not the same events.
std::set<std::pair<std::string, std::string>> races_by_id(const Facts& facts) {
  const Told told(facts);
  std::set<std::pair<std::string, std::string>> ids;
  for (const RacePair& pair : find_races(told.happened, LockSets(told.happened), {.most_pairs = 10'000}).listed)
    ids.insert(std::minmax({told.id(pair.earlier), told.id(pair.later)}));
  return ids;
}

/// Any facts of which those of locks say nothing of the order, but by being in a thread.
Facts facts_with_idle_locks(int most_events) {
  Facts facts = any_facts(most_events);
  std::set<std::string> of_locks;
  for (Fact& fact : facts) {
    fact.instance.clear();  // without one no request counts its events
    if (fact.kind == Kind::async_spawn || fact.kind == Kind::async_await) fact.kind = Kind::other;
    if (fact.kind != Kind::lock_acquire && fact.kind != Kind::lock_release) continue;
    of_locks.insert(fact.id);
    fact.clock.clear();
    fact.parent = fact.span = fact.upstream = "";
    fact.links.clear();
    if (fact.thread.empty()) fact.thread = "t";
  }
  for (Fact& fact : facts) {
    if (of_locks.contains(fact.parent)) fact.parent.clear();
    std::erase_if(fact.links, [&](const std::string& id) { return of_locks.contains(id); });
  }
  return facts;
}

/// What an event of the kind, if there is one, does to the races by being there: those without and those with it.
void without_one(Facts facts, Kind kind, const std::function<void(const Facts& without, const Facts& with)>& check) {
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].kind != kind) continue;
    Facts without = facts;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    check(without, facts);
  }
}

RC_GTEST_PROP(Races, AreNotRemovedByRemovingAnAcquire, ()) {
  without_one(facts_with_idle_locks(30), Kind::lock_acquire, [](const Facts& without, const Facts& with) {
    RC_ASSERT(std::ranges::includes(races_by_id(without), races_by_id(with)));
  });
}

// The other way round: a lock whose release is not told is held to the end, and keeps apart what it did not.
RC_GTEST_PROP(Races, AreNotAddedByRemovingARelease, ()) {
  without_one(facts_with_idle_locks(30), Kind::lock_release, [](const Facts& without, const Facts& with) {
    RC_ASSERT(std::ranges::includes(races_by_id(with), races_by_id(without)));
  });
}

RC_GTEST_PROP(Races, AreNotChangedByAnIdleThread, ()) {
  Facts facts = any_facts(40);
  const Told told(facts);
  const auto races = races_by_id(facts);
  Fact idle;
  idle.id = "idle";
  idle.time = *rc::gen::inRange(-5, 25);
  idle.service = "A";
  idle.thread = "idle";
  facts.insert(facts.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(facts.size()) + 1),
               idle);
  const Told more(facts);
  for (const bool by_site : {false, true}) {
    const auto before = find_races(told.happened, LockSets(told.happened), {.by_site = by_site});
    const auto after = find_races(more.happened, LockSets(more.happened), {.by_site = by_site});
    RC_ASSERT(after.pairs == before.pairs);
    RC_ASSERT(after.variables.size() == before.variables.size());
    for (std::size_t i = 0; i < before.variables.size(); ++i)
      RC_ASSERT(after.variables[i].pairs == before.variables[i].pairs);
    RC_ASSERT(after.sites.size() == before.sites.size());
  }
  RC_ASSERT(races_by_id(facts) == races);
}

/// `strands` strands with `each` writes of one variable.
Facts all_concurrent(int strands, int each) {
  Facts facts;
  for (int i = 0; i < strands * each; ++i) {
    Fact fact;
    fact.id = std::to_string(i);
    fact.time = i;
    fact.thread = std::to_string(i % strands);
    fact.kind = Kind::state_change;
    fact.access = Access::write;
    fact.subject = "x";
    facts.push_back(fact);
  }
  return facts;
}

TEST(Races, OfManyStrandsAreCountedExactlyAndTheFirstAreListed) {
  const Told told(all_concurrent(2'000, 2));
  const auto races = find_races(told.happened, LockSets(told.happened), {.most_pairs = 3});
  EXPECT_EQ(races.pairs[0], 4'000U * 3'999 / 2 - 2'000);
  ASSERT_EQ(races.listed.size(), 3U);
  EXPECT_EQ(told.id(races.listed[0].earlier) + " " + told.id(races.listed[0].later), "0 1");
  EXPECT_EQ(told.id(races.listed[2].earlier) + " " + told.id(races.listed[2].later), "1 2");
  EXPECT_TRUE(races.listed[0].first);
  EXPECT_FALSE(races.listed[1].first);
}

TEST(Races, OfAThreadThatHeardOfManyAccessesAreCountedWithoutEachOfThem) {
  Facts facts = all_concurrent(1, 3'000);
  for (int i = 0; i < 50; ++i) {
    Fact fact = facts[0];
    fact.id = "late " + std::to_string(i);
    fact.parent = std::to_string(2'900 - i);
    fact.thread = "late " + std::to_string(i);
    fact.time = 5'000 + i;
    facts.push_back(fact);
  }
  const Told told(facts);
  std::uint64_t expected = 50 * 49 / 2;
  for (std::uint64_t i = 0; i < 50; ++i) expected += 3'000 - (2'900 - i + 1);
  EXPECT_EQ(find_races(told.happened, LockSets(told.happened), {}).pairs[0], expected);
}

/// Of one variable, by a thread for each text: + acquires the one lock, - releases it, w writes.
ClassCounts pairs_under_a_lock(const std::vector<std::string>& threads) {
  Facts facts;
  for (const std::string& thread : threads) {
    for (const char step : thread) {
      Fact fact;
      fact.id = std::to_string(facts.size());
      fact.time = static_cast<std::int64_t>(facts.size());
      fact.thread = "thread " + std::to_string(&thread - threads.data());
      fact.kind = step == '+' ? Kind::lock_acquire : step == '-' ? Kind::lock_release : Kind::state_change;
      fact.subject = step == 'w' ? "x" : "lock";
      if (step == 'w') fact.access = Access::write;
      facts.push_back(fact);
    }
  }
  const Told told(facts);
  return find_races(told.happened, LockSets(told.happened), {}).pairs;
}

TEST(Races, AreKeptApartByALockFromItsAcquireToAsManyReleases) {
  const ClassCounts race = {1, 0, 0, 0, 0};
  const ClassCounts guarded = {0, 0, 0, 1, 0};
  EXPECT_EQ(pairs_under_a_lock({"+w-", "+w-"}), guarded);
  EXPECT_EQ(pairs_under_a_lock({"+-w", "+w-"}), race);
  EXPECT_EQ(pairs_under_a_lock({"w+-", "+w-"}), race);
  EXPECT_EQ(pairs_under_a_lock({"++-w-", "+w"}), guarded) << "acquired twice, released once";
  EXPECT_EQ(pairs_under_a_lock({"++--w", "+w-"}), race);
  EXPECT_EQ(pairs_under_a_lock({"-+w-", "+w-"}), guarded) << "a release of what was not held means nothing";
}

TEST(Races, KeptApartByALockOfTheSameProcessAreNone) {
  Facts facts;
  for (const char* thread : {"t1", "t2"}) {
    for (const Kind kind : {Kind::lock_acquire, Kind::state_change, Kind::lock_release}) {
      Fact fact;
      fact.id = std::string(thread) + std::to_string(static_cast<int>(kind));
      fact.time = static_cast<std::int64_t>(facts.size());
      fact.thread = thread;
      fact.kind = kind;
      fact.subject = kind == Kind::state_change ? "x" : "lock";
      if (kind == Kind::state_change) fact.access = Access::write;
      facts.push_back(fact);
    }
  }
  const auto pairs_of = [](const Facts& told_facts) {
    const Told told(told_facts);
    return find_races(told.happened, LockSets(told.happened), {}).pairs;
  };
  EXPECT_EQ(pairs_of(facts), (ClassCounts{0, 0, 0, 1, 0}));
  for (Fact& fact : facts) fact.shared_lock = true;
  EXPECT_EQ(pairs_of(facts), (ClassCounts{1, 0, 0, 0, 0}));
  for (Fact& fact : facts) {
    fact.shared_lock = false;
    if (fact.thread == "t2") fact.instance = "2";
  }
  EXPECT_EQ(pairs_of(facts), (ClassCounts{1, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace raceway::causality

#include "causality/audit_trail.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "causality/races.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

/// An access in a few words.
Fact accessing(const std::string& id, const std::string& thread, Access access, std::int64_t time,
               const std::string& variable = "x") {
  Fact fact;
  fact.id = id;
  fact.time = time;
  fact.thread = thread;
  fact.kind = Kind::state_change;
  fact.access = access;
  fact.subject = variable;
  return fact;
}

/// "a, b after, c races": one word for each access, none where it is concurrent with the one before and no race.
std::string trail_of(const Facts& facts, const std::string& variable = "x") {
  const Told told(facts);
  std::string text;
  for (const AuditTrail& trail : audit_trails(told.happened, LockSets(told.happened), variable)) {
    for (const AuditEntry& entry : trail.accesses) {
      text += (text.empty() ? "" : ", ") + told.id(entry.event);
      if (entry.after_previous) text += " after";
      if (entry.races_with_previous) text += " races";
    }
  }
  return text;
}

TEST(AuditTrails, SayOfEachAccessWhetherTheOneBeforeHappenedBeforeIt) {
  Facts facts = {accessing("a", "t1", Access::write, 1), accessing("b", "t1", Access::read, 2),
                 accessing("c", "t2", Access::write, 3)};
  EXPECT_EQ(trail_of(facts), "a after, b after, c races");
  facts[2].parent = "b";
  EXPECT_EQ(trail_of(facts), "a after, b after, c after");
  facts[2].parent = "a";
  EXPECT_EQ(trail_of(facts), "a after, b after, c races");
}

TEST(AuditTrails, HoldAnAccessAgainstTheOneBeforeAlone) {
  // c races with a, too; but the one before it is b, and two reads are none.
  EXPECT_EQ(trail_of({accessing("a", "t1", Access::write, 1), accessing("b", "t1", Access::read, 2),
                      accessing("c", "t2", Access::read, 3)}),
            "a after, b after, c");
}

TEST(AuditTrails, CountAsRacesWhatIsOne) {
  const auto second = [](Access first, Access then) {
    return trail_of({accessing("a", "t1", first, 1), accessing("b", "t2", then, 2)}).substr(9);
  };
  EXPECT_EQ(second(Access::write, Access::write), "b races");
  EXPECT_EQ(second(Access::read, Access::write), "b races");
  EXPECT_EQ(second(Access::write, Access::read), "b races");
  EXPECT_EQ(second(Access::atomic_write, Access::read), "b races");
  EXPECT_EQ(second(Access::atomic_write, Access::atomic_rmw), "b");
  EXPECT_EQ(second(Access::read, Access::atomic_read), "b");
}

TEST(AuditTrails, DoNotCallARaceWhatALockKeepsApart) {
  Facts facts;
  std::int64_t time = 0;
  for (const char* thread : {"t1", "t2"}) {
    for (const Kind kind : {Kind::lock_acquire, Kind::state_change, Kind::lock_release}) {
      const bool is_access = kind == Kind::state_change;
      facts.push_back(accessing(thread + std::string(is_access ? " writes" : std::to_string(time)), thread,
                                is_access ? Access::write : Access::no_access, time, is_access ? "x" : "lock"));
      facts.back().kind = kind;
      ++time;
    }
  }
  EXPECT_EQ(trail_of(facts), "t1 writes after, t2 writes");
  facts[3].subject = "another lock";
  EXPECT_EQ(trail_of(facts), "t1 writes after, t2 writes races");
}

TEST(AuditTrails, TakeNothingForARaceOfWhichNothingIsKnown) {
  EXPECT_EQ(trail_of({accessing("a", "", Access::write, 1), accessing("b", "t2", Access::write, 2)}), "a after, b");
}

TEST(AuditTrails, AreInTheLinearOrderAndNotInThatOfTime) {
  Facts facts = {accessing("late", "t1", Access::write, 9), accessing("early", "t2", Access::read, 1)};
  facts[1].parent = "late";
  EXPECT_EQ(trail_of(facts), "late after, early after");
}

TEST(AuditTrails, OfAllVariablesAreByNameBytewise) {
  const Told told({accessing("1", "t", Access::read, 1, "b"), accessing("2", "t", Access::write, 2, "\xc3\xa9"),
                   accessing("3", "t", Access::write, 3, "B"), accessing("4", "t", Access::write, 4, "ba"),
                   accessing("5", "t", Access::no_access, 5, "z"), accessing("6", "t", Access::write, 6, "")});
  std::vector<std::string> names;
  for (const AuditTrail& trail : audit_trails(told.happened, LockSets(told.happened)))
    names.emplace_back(told.table.names()[trail.variable]);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "b", "ba", "\xc3\xa9"}));
  EXPECT_TRUE(audit_trails(told.happened, LockSets(told.happened), "never").empty());
}

/// One access as it is held against the one before.
using Held = std::tuple<std::uint32_t, bool, bool>;

RC_GTEST_PROP(AuditTrails, AreAsEveryPairHasIt, ()) {
  const Told told(any_facts(50));
  const LockSets locks(told.happened);
  const auto before = relation_of(told.happened);
  std::map<std::string, std::vector<Held>> expected;
  for (const std::uint32_t event : told.happened.order()) {
    const auto& access = told.table[event];
    if (access.access == Access::no_access) continue;
    auto& trail = expected[std::string(told.table.names()[access.subject])];
    bool after = true;
    bool races = false;
    if (!trail.empty()) {
      const std::uint32_t previous = std::get<0>(trail.back());
      const auto& other = told.table[previous];
      const auto is_unknown_to_all = [&](std::uint32_t each) {
        return told.happened.strands().of(each) == none && told.table.clock(each).empty() &&
               told.happened.parents()[each] == none;
      };
      after = before[previous][event];
      races = !after && (writes(access.access) || writes(other.access)) &&
              !(is_atomic(access.access) && is_atomic(other.access)) && !is_unknown_to_all(previous) &&
              !is_unknown_to_all(event) && !locks.protect(locks.of(previous), locks.of(event));
    }
    trail.emplace_back(event, after, races);
  }
  std::map<std::string, std::vector<Held>> found;
  for (const AuditTrail& trail : audit_trails(told.happened, locks)) {
    const std::string name(told.table.names()[trail.variable]);
    for (const AuditEntry& entry : trail.accesses)
      found[name].emplace_back(entry.event, entry.after_previous, entry.races_with_previous);
    const auto alone = audit_trails(told.happened, locks, name);
    RC_ASSERT(alone.size() == 1U);
    RC_ASSERT(alone[0].accesses.size() == trail.accesses.size());
  }
  RC_ASSERT(found == expected);
}

}  // namespace
}  // namespace raceway::causality

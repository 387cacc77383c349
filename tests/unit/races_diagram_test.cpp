#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "causality/diagram.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

using Arrows = std::set<std::pair<std::string, std::string>>;

Fact in_thread(std::string id, std::string thread, std::string parent = "") {
  Fact fact;
  fact.id = std::move(id);
  fact.thread = std::move(thread);
  fact.parent = std::move(parent);
  fact.time = 1;
  return fact;
}

Fact in_span(std::string id, std::string span, std::string parent = "") {
  Fact fact;
  fact.id = std::move(id);
  fact.span = std::move(span);
  fact.parent = std::move(parent);
  return fact;
}

std::string id_at(const Told& told, std::uint32_t place) {
  return told.id(told.happened.order()[place]);
}

Arrows arrows_of(const Told& told, const Diagram& diagram) {
  Arrows arrows;
  for (std::uint32_t place = 0; place < diagram.lane.size(); ++place) {
    for (const Cause& cause : diagram.causes_of(place)) arrows.emplace(id_at(told, cause.place), id_at(told, place));
  }
  return arrows;
}

/// The ids of each lane's events, by "thread/row".
std::map<std::string, std::vector<std::string>> lanes_of(const Told& told, const Diagram& diagram) {
  std::map<std::string, std::vector<std::string>> lanes;
  for (std::uint32_t place = 0; place < diagram.lane.size(); ++place) {
    const Lane& lane = diagram.lanes[diagram.lane[place]];
    const std::string name = std::string(told.table.names()[lane.thread]) + '/' + std::to_string(lane.row);
    lanes[name].push_back(id_at(told, place));
  }
  return lanes;
}

using Lists = std::map<std::string, std::vector<std::string>>;

TEST(Diagram, OfNothingIsEmpty) {
  const Told told(Facts{});
  const auto diagram = draw(told.happened);
  EXPECT_TRUE(diagram.lanes.empty());
  EXPECT_EQ(diagram.cause_begin, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(diagram.all_causes);
}

TEST(Diagram, HasTheArrowsThatNoOtherWaySays) {
  // d follows a by way of b and of c.
  const Told told({in_thread("a", "main"), in_thread("b", "one", "a"), in_thread("c", "one"),
                   in_thread("d", "two", "c"), in_thread("e", "two", "a")});
  const auto diagram = draw(told.happened);
  EXPECT_EQ(lanes_of(told, diagram), (Lists{{"main/0", {"a"}}, {"one/0", {"b", "c"}}, {"two/0", {"d", "e"}}}));
  EXPECT_EQ(arrows_of(told, diagram), (Arrows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(diagram.column, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  for (const Cause& cause : diagram.causes) EXPECT_EQ(cause.reason, Reason::parent);
}

TEST(Diagram, NamesTheReasonOfEachArrow) {
  Facts facts = {in_thread("a", "main"), in_thread("b", "one"), in_thread("c", "two", "a")};
  facts[0].clock = {{"x", 1}};
  facts[1].clock = {{"x", 1}, {"y", 1}};
  facts[2].clock = {{"x", 1}, {"z", 1}};
  const Told told(facts);
  const auto diagram = draw(told.happened);
  ASSERT_EQ(diagram.causes.size(), 2U);
  for (std::uint32_t place = 1; place < 3; ++place) {
    const auto expected = id_at(told, place) == "b" ? Reason::clock : Reason::parent;
    EXPECT_EQ(diagram.causes_of(place)[0].reason, expected);
  }
}

TEST(Diagram, PutsSpansThatOverlapIntoRowsOfTheirOwn) {
  // Two spans beside each other under one, then one that follows the second's end, and goes into its row.
  Facts facts = {in_span("root", "r"), in_span("a1", "a", "root"), in_span("b1", "b", "root"), in_span("a2", "a"),
                 in_span("b2", "b"),   in_span("c1", "c", "b2"),   in_span("root2", "r")};
  for (std::size_t i = 0; i < facts.size(); ++i) facts[i].time = static_cast<std::int64_t>(i);
  const Told told(facts);
  const auto lanes = lanes_of(told, draw(told.happened));
  EXPECT_EQ(lanes, (Lists{{"/0", {"root", "root2"}}, {"/1", {"a1", "a2"}}, {"/2", {"b1", "b2", "c1"}}}));
}

TEST(Diagram, PutsEventsWithoutThreadIntoOneRowAsLongAsTheyFollowEachOther) {
  Facts facts;
  for (int i = 1; i <= 4; ++i) {
    for (const std::string host : {"p", "q"}) {
      Fact fact;
      fact.id = host + std::to_string(i);
      fact.service = host;
      fact.time = i;
      fact.clock = {{host, static_cast<Counter>(i)}};
      if (host == "q" && i > 1) fact.clock.emplace_back("p", static_cast<Counter>(i - 1));
      facts.push_back(fact);
    }
  }
  const Told told(facts);
  const auto diagram = draw(told.happened);
  EXPECT_EQ(diagram.lanes.size(), 2U);
  EXPECT_EQ(arrows_of(told, diagram), (Arrows{{"p1", "q2"}, {"p2", "q3"}, {"p3", "q4"}}));
}

TEST(Diagram, SortsLanesByWhatAppearsFirst) {
  Facts facts = {in_thread("a", "main"), in_thread("b", "w2", "a"), in_thread("c", "main", "b"),
                 in_thread("d", "w1", "c")};
  facts[0].service = facts[2].service = "web";
  facts[1].service = "db";
  facts[3].service = "web";
  const Told told(facts);
  const auto diagram = draw(told.happened);
  std::vector<std::string> names;
  for (const Lane& lane : diagram.lanes) {
    names.push_back(std::string(told.table.names()[lane.process.service]) + ' ' +
                    std::string(told.table.names()[lane.thread]));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"web main", "web w1", "db w2"}));
}

// Each of 10,000 equal clocks has as causes 10,000 others.
TEST(Diagram, GivesUpCausesWhereTheyWouldBeTheSquareOfTheEvents) {
  Facts facts;
  for (int i = 0; i < 20'000; ++i) {
    Fact fact;
    fact.id = std::to_string(i);
    fact.clock = {{"a", 1}};
    if (i >= 10'000) fact.clock.emplace_back("b", 1);
    facts.push_back(fact);
  }
  const Told told(facts);
  const auto diagram = draw(told.happened);
  EXPECT_FALSE(diagram.all_causes);
  EXPECT_EQ(diagram.lane.size(), facts.size());
  EXPECT_EQ(diagram.cause_begin.size(), facts.size() + 1);
  EXPECT_EQ(*std::ranges::max_element(diagram.column), 1U);
}

/// By brute force, of events by their places.
struct Expected {
  explicit Expected(const Told& told, std::uint32_t events) : before(events, std::vector<bool>(events)) {
    const auto relation = relation_of(told.happened);
    const auto order = told.happened.order();
    for (std::uint32_t a = 0; a < events; ++a) {
      for (std::uint32_t b = 0; b < events; ++b) before[a][b] = relation[order[a]][order[b]];
    }
  }
  bool directly(std::uint32_t a, std::uint32_t b) const {
    if (!before[a][b]) return false;
    for (std::uint32_t via = a + 1; via < b; ++via) {
      if (before[a][via] && before[via][b]) return false;
    }
    return true;
  }

  std::vector<std::vector<bool>> before;
};

void check(const Told& told, std::uint32_t most) {
  const std::uint32_t events = std::min(most, told.table.size());
  const Diagram diagram = draw(told.happened, most);
  const Expected expected(told, events);
  RC_ASSERT(diagram.lane.size() == events && diagram.column.size() == events);
  RC_ASSERT(diagram.all_causes);
  std::vector<std::uint32_t> last(diagram.lanes.size(), none);
  std::vector<std::uint32_t> columns(events);
  for (std::uint32_t b = 0; b < events; ++b) {
    const std::uint32_t before_in_lane = std::exchange(last[diagram.lane[b]], b);
    if (before_in_lane != none) RC_ASSERT(expected.before[before_in_lane][b]);
    std::vector<std::uint32_t> causes;
    for (std::uint32_t a = 0; a < b; ++a) {
      if (expected.before[a][b]) columns[b] = std::max(columns[b], columns[a] + 1);
      if (expected.directly(a, b) && diagram.lane[a] != diagram.lane[b]) causes.push_back(a);
    }
    RC_ASSERT(diagram.column[b] == columns[b]);
    std::vector<std::uint32_t> found;
    for (const Cause& cause : diagram.causes_of(b)) found.push_back(cause.place);
    RC_ASSERT(found == causes);
    const Lane& lane = diagram.lanes[diagram.lane[b]];
    const auto& origin = told.table.origin(told.happened.order()[b]);
    RC_ASSERT(lane.process == ProcessName::of(origin) && lane.thread == origin.thread);
  }
  RC_ASSERT(std::set<Lane>(diagram.lanes.begin(), diagram.lanes.end()).size() == diagram.lanes.size());
  RC_ASSERT(std::ranges::none_of(last, [](std::uint32_t event) { return event == none; }));
}

RC_GTEST_PROP(Diagram, IsTheReductionOfTheOrder, ()) {
  check(Told(any_facts(40)), none);
}

RC_GTEST_PROP(Diagram, OfAPastIsTheReductionOfThat, ()) {
  check(Told(any_facts(40)), static_cast<std::uint32_t>(*rc::gen::inRange(0, 40)));
}

/// As it is told: lanes by names, arrows by ids.
std::vector<std::string> told_as_text(const Told& told, const Diagram& diagram) {
  std::vector<std::string> text;
  const Names& names = told.table.names();
  for (std::uint32_t place = 0; place < diagram.lane.size(); ++place) {
    const Lane& lane = diagram.lanes[diagram.lane[place]];
    std::string line = id_at(told, place) + " in " + std::to_string(diagram.lane[place]);
    for (const auto name : {lane.process.service, lane.process.instance, lane.thread})
      line += ' ' + std::string(names[name]);
    line += ' ' + std::to_string(lane.row);
    for (const Cause& cause : diagram.causes_of(place))
      line += ' ' + id_at(told, cause.place) + ' ' + std::string(name_of(cause.reason));
    text.push_back(line);
  }
  return text;
}

RC_GTEST_PROP(Diagram, DoesNotDependOnTheOrderOfArrival, ()) {
  Facts facts = any_facts(40);
  if (*rc::gen::arbitrary<bool>()) {
    for (Fact& fact : facts) fact.thread.clear();
  }
  const Told told(facts);
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::ranges::shuffle(facts, random);
  const Told again(facts);
  RC_ASSERT(told_as_text(again, draw(again.happened)) == told_as_text(told, draw(told.happened)));
}

/// The edges that each event's reason names are there.
RC_GTEST_PROP(Diagram, HasTheMostTrustedReasonOfAnEdgeBetweenTheTwo, ()) {
  const Told told(any_facts(30));
  std::map<std::pair<std::uint32_t, std::uint32_t>, Reason> reasons;
  told.happened.each_edge([&](const CausalEdge& edge, bool) {
    const auto [known, is_new] = reasons.try_emplace({edge.from, edge.to}, edge.reason);
    if (!is_new) known->second = std::min(known->second, edge.reason);
    return true;
  });
  const auto diagram = draw(told.happened);
  const auto order = told.happened.order();
  for (std::uint32_t place = 0; place < diagram.lane.size(); ++place) {
    for (const Cause& cause : diagram.causes_of(place)) {
      const auto known = reasons.find({order[cause.place], order[place]});
      RC_ASSERT(cause.reason == (known == reasons.end() ? Reason::clock : known->second));
    }
  }
}

/// Some events without threads whose lines are chains across processes.
RC_GTEST_PROP(Diagram, OfEventsWithoutThreadsIsTheReductionToo, ()) {
  Facts facts = any_facts(40);
  for (Fact& fact : facts) fact.thread.clear();
  const bool spans = *rc::gen::arbitrary<bool>();
  for (Fact& fact : facts) fact.span = spans ? fact.span : "";
  check(Told(facts), none);
}

}  // namespace
}  // namespace raceway::causality

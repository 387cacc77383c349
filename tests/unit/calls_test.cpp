#include "causality/calls.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

/// An event of a service, in a span of its own thread.
Fact within(const std::string& id, const std::string& service, const std::string& span,
            const std::string& upstream = "", const std::string& parent = "") {
  Fact fact;
  fact.id = id;
  fact.parent = parent;
  fact.service = service;
  fact.thread = "thread of " + id;
  fact.span = span;
  fact.upstream = upstream;
  return fact;
}

using CallCounts = std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>;

CallCounts counts_of(const Told& told) {
  CallCounts counts;
  const auto& names = told.table.names();
  for (const Calls& calls : find_calls(told.happened)) {
    const auto [at, is_new] = counts.try_emplace(
        {std::string(names[calls.from]), std::string(names[calls.to]), std::string(name_of(calls.kind))}, calls.count);
    EXPECT_TRUE(is_new) << "each in one line";
  }
  return counts;
}

TEST(CallsFound, AreOfASpanByTheOneUpstream) {
  Facts facts = {within("a", "web", "s1"), within("b", "bank", "s2", "s1"), within("c", "bank", "s2", "s1")};
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 1}})) << "one span is one call";
  facts.push_back(within("d", "bank", "s3", "s1"));
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 2}}));
  facts.push_back(within("e", "bank", "s4", "s4"));
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 2}})) << "nobody calls itself";
}

TEST(CallsFound, WithinAServiceAreOfAnotherStrandOnly) {
  Facts facts = {within("a", "bank", "s1"), within("b", "bank", "s2", "s1")};
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"bank", "bank", "Custom"}, 1}}));
  facts[1].thread = facts[0].thread;
  EXPECT_EQ(counts_of(Told(facts)), CallCounts{});
}

TEST(CallsFound, OfACallerThatIsNotStoredHaveNoName) {
  EXPECT_EQ(counts_of(Told({within("b", "bank", "s2", "elsewhere")})), (CallCounts{{{"", "bank", "Custom"}, 1}}));
}

TEST(CallsFound, AreOfTheKindOfTheFirstEvent) {
  for (const auto& [kind, name] :
       {std::pair(Kind::http_request, "HttpCall"), std::pair(Kind::http_response, "HttpCall"),
        std::pair(Kind::database_query, "DatabaseQuery"), std::pair(Kind::function_call, "Custom")}) {
    Facts facts = {within("a", "web", "s1"), within("b", "bank", "s2", "s1"), within("c", "bank", "s2", "s1")};
    facts[1].kind = kind;
    EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", name}, 1}}));
  }
}

TEST(CallsFound, AreParentsInAnotherServiceToo) {
  Facts facts = {within("a", "web", ""), within("b", "bank", "", "", "a"), within("c", "bank", "", "", "b"),
                 within("d", "store", "", "", "gone")};
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 1}}));
  facts.push_back(within("e", "bank", "", "", "a"));
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 2}}));
}

TEST(CallsFound, AreOneWhereSpanAndParentSayTheSame) {
  Facts facts = {within("a", "web", "s1"), within("b", "bank", "s2", "s1", "a"), within("c", "bank", "s2", "s1", "a")};
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 1}}));
  facts.push_back(within("d", "store", "s3", "", "a"));
  EXPECT_EQ(counts_of(Told(facts)), (CallCounts{{{"web", "bank", "Custom"}, 1}, {{"web", "store", "Custom"}, 1}}));
}

TEST(CallsFound, StandByTheNamesOfServicesThenByKind) {
  Facts facts = {within("a", "web", "s1"),         within("b", "bank", "s2", "s1"), within("c", "alpha", "s3", "s1"),
                 within("d", "web", "s4", "s2"),   within("e", "bank", "s5", "s1"), within("f", "B", "s6", "s1"),
                 within("g", "zeta", "s7", "gone")};
  facts[4].kind = Kind::http_request;
  const Told told(facts);
  std::vector<std::string> rows;
  for (const Calls& calls : find_calls(told.happened)) {
    rows.push_back(std::string(told.table.names()[calls.from]) + ">" + std::string(told.table.names()[calls.to]) + " " +
                   std::string(name_of(calls.kind)));
  }
  EXPECT_EQ(rows, (std::vector<std::string>{">zeta Custom", "bank>web Custom", "web>B Custom", "web>alpha Custom",
                                            "web>bank HttpCall", "web>bank Custom"}));
}

Facts any_requests() {
  Facts facts = any_facts(40);
  for (Fact& fact : facts) {
    const Kind kinds[] = {fact.kind, fact.kind, Kind::http_request, Kind::http_response, Kind::database_query};
    fact.kind = kinds[*rc::gen::inRange(0, 5)];
  }
  return facts;
}

/// The same from the facts alone, as they stand along the order.
class CallsOfFacts {
 public:
  explicit CallsOfFacts(const Told& told) : told_(told) {
    for (const std::uint32_t event : told.happened.order()) add_span(event);
    for (const std::uint32_t event : told.happened.order()) add_parent(event);
  }
  const CallCounts& counts() const { return counts_; }

 private:
  std::string service(std::uint32_t event) const {
    return event == none ? "" : std::string(told_.table.names()[told_.table.origin(event).service]);
  }
  std::uint32_t span(std::uint32_t event) const { return told_.table.origin(event).span; }

  void count(std::uint32_t from, std::uint32_t to) {
    const Kind kind = told_.table[to].kind;
    const bool http = kind == Kind::http_request || kind == Kind::http_response;
    const std::string name = http ? "HttpCall" : kind == Kind::database_query ? "DatabaseQuery" : "Custom";
    ++counts_[{service(from), service(to), name}];
  }

  /// The first event of a span, or none.
  std::uint32_t first_of(std::uint32_t wanted) const {
    const auto order = told_.happened.order();
    const auto at = std::ranges::find_if(order, [&](std::uint32_t event) { return span(event) == wanted; });
    return at == order.end() ? none : *at;
  }

  /// Whether the span of `event` counts as a call by another span.
  bool is_called(std::uint32_t event, std::uint32_t upstream) const {
    const std::uint32_t caller = told_.happened.spans().first(upstream);
    const std::uint32_t first = first_of(span(event));
    return upstream != 0 && span(event) != 0 && upstream != span(event) &&
           told_.happened.spans().upstream(span(event)) == upstream &&
           (caller == none || told_.happened.spot(caller).line != told_.happened.spot(first).line);
  }

  void add_span(std::uint32_t event) {
    if (span(event) == 0 || first_of(span(event)) != event) return;
    const std::uint32_t upstream = told_.happened.spans().upstream(span(event));
    if (is_called(event, upstream)) count(told_.happened.spans().first(upstream), event);
  }

  void add_parent(std::uint32_t event) {
    const std::uint32_t parent = told_.happened.parents()[event];
    if (parent == none || service(parent) == service(event) || is_called(event, span(parent))) return;
    count(parent, event);
  }

  const Told& told_;
  CallCounts counts_;
};

RC_GTEST_PROP(CallsFound, AreThoseOfTheFactsAlone, ()) {
  const Told told(any_requests());
  RC_ASSERT(counts_of(told) == CallsOfFacts(told).counts());
}

}  // namespace
}  // namespace raceway::causality

// What reading takes, whatever is sent: memory in proportion to the body, and an end when it is told to.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heap_count.hpp"
#include "wire/batch.hpp"
#include "wire_body_check.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using raceway::test::heap_in_use;
using raceway::test::heap_is_counted;
using raceway::test::heap_peak;
using raceway::test::reset_heap_peak;

constexpr std::size_t size_of_bodies = 1'000'000;

/// `piece` again and again, with commas between, in so many bytes.
std::string repeated(std::string_view piece, std::size_t bytes = size_of_bodies) {
  std::string text;
  while (text.size() < bytes) {
    if (!text.empty()) text += ',';
    text += piece;
  }
  return text;
}

/// What `make` gives for 0, 1, 2 ... likewise.
std::string numbered(const std::function<std::string(const std::string&)>& make, std::size_t bytes = size_of_bodies) {
  std::string text;
  for (std::size_t number = 0; text.size() < bytes; ++number) {
    if (number > 0) text += ',';
    text += make(std::to_string(number));
  }
  return text;
}

std::string documented(std::string_view more) {
  return R"({"event_id":"d","trace_id":"t","kind":"k","timestamp":"2024-01-01T12:00:00Z")" + std::string(more) + "}";
}

std::string sdk(std::string_view variant, std::string_view more = "") {
  return R"({"id":"s","trace_id":"t","timestamp":"2024-01-01T12:00:00Z","kind":{"k":{)" + std::string(variant) + "}}" +
         std::string(more) + "}";
}

std::string copies(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t copy = 0; copy < count; ++copy) all += text;
  return all;
}

/// Bodies whose bytes want to become as much memory as they can, by what they are.
std::vector<std::pair<std::string, std::string>> make_greedy_bodies() {
  const auto metadata = [](const std::string& members) { return documented(R"(,"metadata":{)" + members + "}"); };
  const std::string nest = copies("[", 120) + copies("]", 120);
  const auto member = [](const std::string& number) { return "\"" + number + "\":1"; };
  std::vector<std::pair<std::string, std::string>> bodies = {
      {"numbers instead of events", "[" + repeated("1") + "]"},
      {"strings instead of events", "[" + repeated(R"("")") + "]"},
      {"arrays instead of events", "[" + repeated("[]") + "]"},
      {"empty events", R"({"events":[)" + repeated("{}") + "]}"},
      {"events with an id only", "[" + repeated(R"({"id":"x"})") + "]"},
      {"small events", "[" + repeated(documented("")) + "]"},
      {"small numbers", metadata(R"("a":[)" + repeated("1") + "]")},
      {"small numbers in some events", "[" + repeated(metadata(R"("a":[)" + repeated("1", 500'000) + "]")) + "]"},
      {"small numbers in many events", "[" + repeated(metadata(R"("a":[)" + repeated("1", 20'000) + "]")) + "]"},
      {"small numbers in a known layout", "[" + repeated(sdk(R"("a":[)" + repeated("1", 20'000) + "]")) + "]"},
      {"small numbers, and an error behind them", metadata(R"("a":[)" + repeated("1") + R"(],"b":"\u0000")")},
      {"small numbers where an id should be", documented(R"(,"event_id":[)" + repeated("1") + "]")},
      {"numbers of two digits", metadata(R"("a":[)" + repeated("12") + "]")},
      {"numbers with exponents", metadata(R"("a":[)" + repeated("1e999") + "]")},
      {"numbers that are too long", metadata(R"("a":[)" + repeated(std::string(1001, '1')) + "]")},
      {"a number of all digits", metadata(R"("a":)" + std::string(size_of_bodies, '1'))},
      {"a number of zeros", metadata(R"("a":0.)" + std::string(size_of_bodies, '0') + "1e1000001")},
      {"empty strings", metadata(R"("a":[)" + repeated(R"("")") + "]")},
      {"empty objects", metadata(R"("a":[)" + repeated("{}") + "]")},
      {"small arrays", metadata(R"("a":[)" + repeated("[1]") + "]")},
      {"small objects", metadata(R"("a":[)" + repeated(R"({"":1})") + "]")},
      {"nests", metadata(R"("a":[)" + repeated(nest) + "]")},
      {"nests of objects", metadata(R"("a":[)" + repeated(copies(R"({"":)", 120) + "1" + copies("}", 120)) + "]")},
      {"equal keys", metadata(repeated(R"("":1)"))},
      {"many keys", metadata(numbered(member))},
      {"many keys backwards", metadata(numbered([](const std::string& number) {
         return "\"" + std::to_string(9'999'999 - std::stoi(number)) + "\":1";
       }))},
      {"many unknown fields", documented("," + numbered(member))},
      {"many unknown fields that stand in the metadata too",
       documented("," + numbered(member, size_of_bodies / 2) + R"(,"metadata":{)" +
                  numbered(member, size_of_bodies / 2) + "}")},
      {"many fields of a variant", sdk(numbered(member))},
      {"many fields of the SDK's metadata", sdk("", R"(,"metadata":{)" + numbered(member) + "}")},
      {"many unknown fields of the SDK's form", sdk("", "," + numbered(member))},
      {"a large clock", documented(R"(,"vector_clock":{)" + numbered(member) + "}")},
      {"a large clock of pairs", sdk("", R"(,"causality_vector":[)" + numbered([](const std::string& number) {
                                           return "[\"" + number + "\",1]";
                                         }) + "]")},
      {"a clock of equal names", sdk("", R"(,"causality_vector":[)" + repeated(R"(["",1])") + "]")},
      {"a large string", metadata(R"("a":")" + std::string(size_of_bodies, 'x') + "\"")},
      {"a string of escapes", metadata(R"("a":")" + copies(R"(\n)", size_of_bodies / 2) + "\"")},
      {"a string of long escapes", metadata(R"("a":")" + copies(R"(\u0041)", size_of_bodies / 6) + "\"")},
      {"a string that is not ASCII", metadata(R"("a":")" + copies("é", size_of_bodies / 2) + "\"")},
      {"a large key", metadata("\"" + std::string(size_of_bodies, 'x') + "\":1")},
      {"a large key with escapes", metadata("\"" + copies(R"(\n)", size_of_bodies / 2) + "\":1")},
      {"a large id", R"({"id":")" + std::string(size_of_bodies, 'x') + "\"}"},
      {"a large id with escapes", R"({"id":")" + copies(R"(\n)", size_of_bodies / 2) + "\"}"},
      {"a large kind", documented(R"(,"kind":")" + std::string(size_of_bodies, 'x') + "\"")},
      {"a large something for a kind", documented(R"(,"kind":[")" + std::string(size_of_bodies, 'x') + "\"]")},
      {"a large location", documented(R"(,"location":")" + std::string(size_of_bodies, 'x') + "\"")},
      {"levels", documented(R"(,"a":)" + copies("[", size_of_bodies / 2) + copies("]", size_of_bodies / 2))},
      {"levels that do not end", copies("[", size_of_bodies)},
      {"a large key beside the events", "{\"" + std::string(size_of_bodies, 'x') + R"(":1,"events":[{"id":"x"}]})"},
      {"events twice", R"({"events":[)" + repeated(documented(""), size_of_bodies / 2) + R"(],"events":[)" +
                           repeated(documented(""), size_of_bodies / 2) + "]}"},
      {"white space", std::string(size_of_bodies, ' ') + "[" + documented("") + "]"},
      {"no JSON", documented(R"(,"a":[)" + repeated("1") + "}")}};
  return bodies;
}

const std::vector<std::pair<std::string, std::string>>& greedy_bodies() {
  static const auto bodies = make_greedy_bodies();
  return bodies;
}

TEST(Limits, MemoryIsInProportionToTheBodyWhateverItHolds) {
  if (!heap_is_counted()) GTEST_SKIP();
  for (const auto& [name, body] : greedy_bodies()) {
    outcome_of(R"([{"id":"x"}])");  // what a thread keeps
    const std::size_t before = heap_in_use();
    reset_heap_peak();
    std::string outcome = "read";
    try {
      read_batch(body);
    } catch (const BodyError& error) {
      outcome = error.what();
    }
    const std::size_t taken = heap_peak() - before;
    const std::size_t kept = heap_in_use() - std::min(before, heap_in_use());
    EXPECT_LE(taken, 6 * body.size() + (std::size_t{1} << 20U)) << name << ": " << outcome;
    EXPECT_LE(kept, std::size_t{3} << 20U) << name;
  }
}

TEST(Limits, AnEventOfTooManyValuesIsRejectedByNameAndItsNeighboursAreNot) {
  const auto greedy =
      R"({"id":"greedy","trace_id":"t","timestamp":"2024-01-01T12:00:00Z","kind":{"k":{"a":[)" + repeated("1") + "]}}}";
  const auto good = sdk_event("good").dump();
  std::string body = "[";
  for (int copy = 0; copy < 4; ++copy) body.append(good).append(",").append(greedy).append(",");
  body += good + "]";
  for (int time = 0; time < 2; ++time) {  // unknown, and with a layout that is known
    const auto batch = read_batch(body);
    EXPECT_EQ(batch.events.size(), 5U);
    ASSERT_EQ(batch.rejected.count(), 4U);
    for (std::uint32_t at = 0; at < 4; ++at) {
      const auto& rejection = batch.rejected.told()[at];
      EXPECT_EQ(rejection.index, 2 * at + 1);
      EXPECT_EQ(rejection.id, "greedy");
      EXPECT_TRUE(rejection.reason.starts_with("it holds too many small values")) << rejection.reason;
    }
  }
}

TEST(Limits, SmallValuesInANumberThatSomebodySendsAreKept) {
  for (const auto& values : {repeated("1", 300'000), repeated("12", 10'000'000), repeated("true", 10'000'000)}) {
    EXPECT_EQ(reason_of_text(documented(R"(,"metadata":{"a":[)" + values + "]}")), "");
  }
}

TEST(Limits, SeveralBodiesShareAnAllowance) {
  Allowance allowance;
  allowance.set_limit(memory_of_any_body);
  std::vector<Batch> batches;
  std::size_t bytes = 0;
  std::size_t kept = 0;
  const auto body = documented(R"(,"metadata":{"a":[)" + repeated("1", 100'000) + "]}");
  for (int copy = 0; copy < 40; ++copy) {
    batches.push_back(read_batch(body, {.allowance = &allowance}));
    bytes += body.size();
    kept += batches.back().events.size();
    ASSERT_LE(allowance.in_use(), memory_of_any_body + memory_of_text(bytes));
  }
  EXPECT_GT(kept, 0U);
  EXPECT_LT(kept, 40U);
  batches.clear();
  EXPECT_EQ(allowance.in_use(), 0U);
}

TEST(Limits, WhateverIsAllowedAnEventIsKeptOrRejected) {
  const std::string small = documented("");
  const std::string large = documented(R"(,"metadata":{"a":[)" + repeated("[1,{\"b\":[2]}]", 2'000) + "]}");
  const std::string body = "[" + small + "," + large + "," + small + "]";
  const std::string reason = "it holds too many small values: they would take several times the memory of their text";
  std::size_t outcomes = 0;
  for (std::size_t allowed = 0; allowed < 64'000; allowed += 40) {
    Allowance allowance;
    allowance.set_limit(allowed);
    const auto batch = read_batch(body, {.allowance = &allowance});
    ASSERT_EQ(batch.events.size() + batch.rejected.count(), 3U) << allowed;
    for (const auto& rejection : batch.rejected.told()) ASSERT_EQ(rejection.reason, reason) << allowed;
    outcomes |= std::size_t{1} << batch.events.size();
  }
  EXPECT_GE(std::popcount(outcomes), 2);
}

struct Stopped {};
thread_local std::size_t checks_left = 0;
thread_local std::size_t checks_done = 0;

void stop_at_last() {
  ++checks_done;
  if (--checks_left == 0) throw Stopped();
}

/// How often it is checked whether reading is to go on; it is stopped at the check `last`.
std::size_t checks_of(std::string_view body, std::size_t last) {
  Allowance allowance(heap_memory(), stop_at_last);
  allowance.set_limit(memory_of_any_body);
  checks_left = last;
  checks_done = 0;
  try {
    read_batch(body, {.allowance = &allowance});
  } catch (const BodyError&) {
    // Read to its end or to an error.
  }
  EXPECT_EQ(allowance.in_use(), 0U);
  return checks_done;
}

TEST(Limits, ReadingEndsAtAnyCheckAndGivesEverythingBack) {
  for (const auto& [name, body] : greedy_bodies()) {
    const std::size_t checks = checks_of(body, static_cast<std::size_t>(-1));
    for (std::size_t last = 1; last <= checks; last += 1 + checks / 3) {
      EXPECT_THROW(checks_of(body, last), Stopped) << name;
    }
    EXPECT_NO_THROW(checks_of(body, 2 * checks + 10)) << name;
  }
}

TEST(Limits, ManyValuesAreCheckedOften) {
  // Several hundred thousand values.
  for (const std::string name : {"empty events", "arrays instead of events", "empty strings", "numbers of two digits",
                                 "a string of escapes", "many keys backwards", "a clock of equal names"}) {
    const auto& bodies = greedy_bodies();
    const auto body = std::find_if(bodies.begin(), bodies.end(), [&](const auto& each) { return each.first == name; });
    EXPECT_GE(checks_of(body->second, static_cast<std::size_t>(-1)), 100U) << name;
  }
}

/// An event of any kind, perhaps spoiled.
std::string some_event(Dice& dice) {
  auto event = dice.chance(50) ? sdk_event("s" + dice.text(3)) : documented_event("d" + dice.text(3));
  for (int fields = dice.between(0, 3); fields > 0; --fields) event[dice.text(5)] = dice.value(3);
  if (dice.chance(30)) event["metadata"] = dice.value(3);
  auto text = event.dump(dice.one_of({-1, -1, 1}));
  if (dice.chance(20)) {
    text.insert(text.size() - 1, dice.one_of({R"(,"x":"\u0000")", R"(,"x":"\ud800")", R"(,"x":1e9999)", R"(,"id":7)",
                                              R"(,"\u0069d":"again")", R"(,"x":1e300)"}));
  }
  if (dice.chance(10)) text = dice.value(2).dump();
  if (dice.chance(10)) text = std::string(130, '[') + std::string(130, ']');
  if (dice.chance(3)) text.erase(static_cast<std::size_t>(dice.between(0, static_cast<int>(text.size()) - 1)), 1);
  return text;
}

RC_GTEST_PROP(Limits, EventsThatAreMeasuredFirstAreReadLikeThoseThatAreNot, ()) {
  Dice dice;
  std::string events = "[";
  for (int left = dice.between(1, 6); left > 0; --left) events += some_event(dice) + (left > 1 ? "," : "]");
  const auto body = dice.chance(50) ? events : R"({"sdk":{"a":[1]},"events":)" + events + "}";
  const auto outcome = outcome_of(body);
  for (int draws = 0; draws < 4; ++draws) {
    RC_ASSERT(outcome_of(body, {.window = static_cast<std::size_t>(dice.between(0, 600))}) == outcome);
  }
}

RC_GTEST_PROP(Rejections, TellTheFirstOnesAndCountTheRest, ()) {
  Dice dice;
  std::vector<std::uint32_t> indexes(static_cast<std::size_t>(dice.between(0, 3000)));
  for (std::size_t at = 0; at < indexes.size(); ++at) indexes[at] = static_cast<std::uint32_t>(at * 2);
  const auto begin = indexes.begin() + dice.between(0, static_cast<int>(indexes.size()));
  for (auto at = begin; at != indexes.end(); ++at) std::swap(*at, *(begin + dice.between64(0, at - begin + 1)));
  Rejections rejections;
  for (const auto index : indexes) {
    if (rejections.would_tell(index)) {
      rejections.add({index, std::to_string(index), "reason"});
    } else {
      rejections.add_untold();
    }
  }
  rejections.sort();
  RC_ASSERT(rejections.count() == indexes.size());
  RC_ASSERT(rejections.told().size() == std::min(indexes.size(), Rejections::most_told));
  std::sort(indexes.begin(), indexes.end());
  for (std::size_t at = 0; at < rejections.told().size(); ++at) {
    RC_ASSERT(rejections.told()[at].index == indexes[at]);
    RC_ASSERT(rejections.told()[at].id == std::to_string(indexes[at]));
  }
}

}  // namespace
}  // namespace raceway::wire::test

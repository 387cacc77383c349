// ShiViz logs: read by their own expression in pieces of any size, and written so that they read the same.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "moving/shiviz_reader.hpp"
#include "moving/shiviz_text.hpp"
#include "moving/shiviz_writer.hpp"
#include "moving_support.hpp"
#include "wire_support.hpp"

namespace raceway::server::moving::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* usual = R"((?<event>.*)\n(?<host>\S*) (?<clock>{.*}))";

Found read(std::string_view log, const std::string& parser = usual, std::size_t piece = 1'000'000) {
  Found found;
  ShivizReader reader(found, parser, "log");
  feed_in_pieces(reader, log, piece);
  return found;
}

TEST(AShivizLog, IsReadByItsExpression) {
  const auto found = read("starts\nalice {\"alice\":1}\nhears \"x\"\nbob {\"alice\":1, \"bob\":2} \n");
  ASSERT_THAT(found.events, SizeIs(2));
  auto event = json::parse(found.events[1]);
  EXPECT_THAT(event["event_id"].get<std::string>(), testing::MatchesRegex("bob:2:[0-9a-f]{32}"));
  event.erase("event_id");
  EXPECT_EQ(event, json::parse(R"({"trace_id":"log","kind":"Log","timestamp":"1970-01-01T00:00:00.003Z",
                                   "location":"bob","vector_clock":{"alice":1,"bob":2},
                                   "metadata":{"event":"hears \"x\"","host":"bob"}})"));
  EXPECT_THAT(found.damages, IsEmpty());
}

TEST(AShivizLog, MayHaveItsExpressionOnTheFirstLine) {
  const auto found = read(std::string(usual) + "\n\na\nh {\"h\":1}\nb\nh {\"h\":2}\n", "");
  ASSERT_THAT(found.events, SizeIs(2));
  EXPECT_EQ(found.places.at(0).line, 3U);
}

TEST(AShivizLog, NamesItsTracesByADelimiter) {
  const auto found = read(
      std::string(usual) + "\n^=== (?<trace>.*) ===$\n\n=== one ===\na\nh {\"h\":1}\n=== two ===\nb\nh {\"h\":1}\n", "",
      3);
  ASSERT_THAT(found.events, SizeIs(2));
  EXPECT_EQ(json::parse(found.events[0])["trace_id"], "one");
  EXPECT_EQ(json::parse(found.events[1])["trace_id"], "two");
}

TEST(AShivizLog, LeavesOutNoClockInSilence) {
  const auto found =
      read("a\nh {\"h\":1}\n\n{\"h\":2}\nb\nh {\"h\":3}\n", R"((?<event>\w+)\n(?<host>h) (?<clock>{.*}))");
  EXPECT_THAT(found.events, SizeIs(2));
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("finds no event")));
  EXPECT_EQ(found.damage_places.at(0).line, 4U);
}

TEST(AShivizLog, IsRefusedWithoutAUsableExpression) {
  EXPECT_THROW(read("a\nh {\"h\":1}\n", ""), std::runtime_error);
  EXPECT_THROW(read("x", "(?<event>"), std::runtime_error);
  EXPECT_THROW(read("x", "(?<event>.*)"), std::runtime_error);
}

TEST(AShivizLog, MayHoldTextBeyondAsciiAndTellsWhatIsNoText) {
  const auto found = read("aén ✓\nh {\"h\":1}\n\xff\xfe\nh {\"h\":2}\nb\nh {\"h\":3}\n",
                          R"((?<event>\S.*)\n(?<host>\S*) (?<clock>{.*}))");
  EXPECT_THAT(found.events, SizeIs(2));
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("finds no event")));
}

TEST(AShivizLog, OfTlaPlusHasItsClocksInStrings) {
  const auto found = read(
      "State 1: <Initial predicate>\n/\\ Sets = {{}, {\"a\", \"b\"}}\n/\\ Host = n1\n"
      "/\\ Clock = \"{\\\"n1\\\":1,\\\"n2\\\":0}\"\n\n",
      R"x(^State \d+: <(?<event>.*)>\n(?:/\\ (?!Host).*\n)*/\\ Host = (?<host>.*)\n/\\ Clock = "(?<clock>.*)")x");
  EXPECT_THAT(found.damages, IsEmpty());
  ASSERT_THAT(found.events, SizeIs(1));
  EXPECT_EQ(json::parse(found.events[0])["vector_clock"], json::parse(R"({"n1":1,"n2":0})"));
}

TEST(AShivizLog, WhoseClockIsNoJsonIsToldAndCostsNothingElse) {
  const auto found = read("a\nh {\"h\":1\nb\nh {x}\nc\nh {\"h\":3}\n", R"((?<event>.*)\n(?<host>\S*) (?<clock>{.*))");
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("no JSON"), HasSubstr("no JSON")));
  EXPECT_THAT(found.events, SizeIs(1));
}

RC_GTEST_PROP(ALogWithLinesOfWindows, IsReadAsWithLinesOfUnix, ()) {
  const std::string log =
      std::string(usual) + "\n^=== (?<trace>.*) ===$\n\n=== one ===\na\nh {\"h\":1}\n\n{\"h\":9}\nb\nh {\"h\":2}\n";
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : log) windows += c == '\n' ? "\r\n" : std::string(1, c);
  const auto wanted = read(log, "");
  const auto found = read(windows, "", *rc::gen::inRange<std::size_t>(1, 60));
  RC_ASSERT(found.events == wanted.events);
  RC_ASSERT(found.damages == wanted.damages);
  for (std::size_t at = 0; at < wanted.places.size(); ++at) {
    RC_ASSERT(found.places[at].line == wanted.places[at].line);
    RC_ASSERT(found.places[at].byte == wanted.places[at].byte + 3 + wanted.places[at].line - 1);
  }
}

// --- what an event is called ---

std::vector<std::string> ids(const Found& found) {
  std::vector<std::string> ids;
  for (const auto& event : found.events) ids.push_back(json::parse(event)["event_id"]);
  return ids;
}

TEST(AnEventOfALog, HasTheSameIdWhereverItIsReadAgain) {
  const std::string first = "a\nh {\"h\":1, \"x\":4}\n";
  const std::string second = "b\nh {\"h\":2,\"x\":4}\n";
  const auto both = ids(read(first + second));
  EXPECT_EQ(ids(read("noise\n" + first + "\n\n" + second)), both);
  EXPECT_EQ(ids(read(second)), std::vector{both.at(1)});
  EXPECT_EQ(ids(read("a\nh {\"x\":4,\"h\":1,\"y\":0}\n")), std::vector{both.at(0)}) << "the same clock";
}

TEST(EventsOfALog, ThatDifferHaveDifferentIds) {
  const auto found = read(
      "a\nh {\"h\":1}\nb\nh {\"h\":1}\na\ni {\"h\":1,\"i\":1}\na\nh {\"h\":1,\"i\":1}\na\nh {\"h\":11}\na\nh1 "
      "{\"h1\":1}\n");
  const auto all = ids(found);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 6U);
  Found other;
  ShivizReader reader(other, usual, "another trace");
  feed_in_pieces(reader, "a\nh {\"h\":1}\n", 100);
  EXPECT_NE(ids(other).at(0), all.at(0));
}

TEST(EventsOfALog, WithoutACounterOfTheirOwnAreToldApartByTheirNumber) {
  const std::string log = "a\nh {}\na\nh {}\nb\nh {\"x\":1}\na\nh {}\nb\nh {\"h\":0,\"x\":1}\n";
  const auto all = ids(read(log));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 5U);
  EXPECT_EQ(ids(read(log)), all);
}

TEST(TwoExecutionsOfOneName, AreTwoTracesAndAreTold) {
  const auto found = read(std::string(usual) +
                              "\n^=== (?<trace>.*) ===$\n\n=== x ===\n\n=== x ===\na\nh {\"h\":1}\n=== y ===\na\nh "
                              "{\"h\":1}\n=== x ===\na\nh {\"h\":1}\n",
                          "", 7);
  std::vector<std::string> traces;
  for (const auto& event : found.events) traces.push_back(json::parse(event)["trace_id"]);
  EXPECT_THAT(traces, ElementsAre("x", "y", "x~2"));
  EXPECT_THAT(found.notes, ElementsAre(HasSubstr("another execution is called x")));
  const auto all = ids(found);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 3U);
}

TEST(ADateThatCannotBeRead, IsToldAndTheEventIsNotStoredAtAnotherTime) {
  const auto found = read("yesterday a\nh {\"h\":1}\n2014-10-13 b\nh {\"h\":2}\n",
                          R"((?<date>\S+) (?<event>.*)\n(?<host>\S*) (?<clock>{.*}))");
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("\"yesterday\" is in none of the forms")));
  ASSERT_THAT(found.events, SizeIs(1));
  EXPECT_EQ(json::parse(found.events[0])["timestamp"], "2014-10-13T00:00:00Z");
}

TEST(AnExpressionThatGoesBackAndForth, IsGivenUpOn) {
  const auto found = read(std::string(64, 'a') + "\nbxy\n", R"((?<event>(a+)+)b(?<host>x)(?<clock>y))");
  EXPECT_THAT(found.events, IsEmpty());
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("too many steps")));
}

TEST(AWrittenLog, BeginsWithItsExpressionAndItsDelimiter) {
  const auto header = shiviz_header();
  EXPECT_TRUE(begins_with_parser(header));
  EXPECT_EQ(header, std::string(own_parser) + "\n" + std::string(own_delimiter) + "\n\n");
}

std::string written(const std::vector<json>& events, ShivizChanges* changes = nullptr) {
  ShivizWriter writer;
  std::string log = shiviz_header();
  for (const auto& event : events) writer.append(log, event.dump());
  writer.finish(log);
  if (changes != nullptr) *changes = writer.changes();
  return log;
}

json event_of(const std::string& id, const json& clock, const json& metadata) {
  return {{"event_id", id},        {"trace_id", "t"},
          {"kind", "K"},           {"timestamp", "2026-01-01T00:00:00.123456789Z"},
          {"vector_clock", clock}, {"metadata", metadata}};
}

TEST(TheHostOfAWrittenEvent, IsTheClocksComponentThatSawIt) {
  const auto host = [](const char* clock, const char* metadata) {
    const auto out = written({event_of("e", json::parse(clock), json::parse(metadata))});
    const auto line = out.substr(out.rfind('\n', out.size() - 2) + 1);
    return line.substr(0, line.find(" {"));
  };
  EXPECT_EQ(host(R"({"a":1,"b":2})", R"({"host":"a"})"), "a");
  EXPECT_EQ(host(R"({"a#1":1,"b":2})", R"({"service_name":"a","instance_id":"1"})"), "a#1");
  EXPECT_EQ(host(R"({"x":1,"w":2})", R"({"thread_id":"w"})"), "w");
  EXPECT_EQ(host(R"({"a":2,"b":1})", R"({"causality_vector":[["b",1],["a",2]],"thread_id":"n"})"), "a");
  EXPECT_EQ(host("{}", R"({"thread_id":"n"})"), "n");
  EXPECT_EQ(host("{}", R"({"service_name":"s","process_id":7,"thread_id":"n"})"), "s#7/n");
  EXPECT_EQ(host("{}", R"({"host":"h"})"), "h");
  EXPECT_EQ(host(R"({"e":1})", R"({"service_name":"s","thread_id":"n"})"), "s/n") << "named by an event's id";
}

TEST(AWrittenTrace, OfWhichNothingCanBeShownIsLeftOut) {
  ShivizChanges changes;
  EXPECT_EQ(written({event_of("e", json::object(), json::object())}, &changes), shiviz_header());
  EXPECT_EQ(changes.left_out, 1U);
  EXPECT_EQ(changes.text(),
            "1 events are left out: they have no clock, and no thread or host that tells their place\n");
}

// --- what stands where, at random and by brute force ---

constexpr std::array hosts = {"a", "b", "c", "a b", "x{y", "constructor"};

/// Clocks of processes that send and hear, some of which forget what they counted; threads; events without a clock.
std::vector<json> random_events(wire::test::Dice& dice) {
  std::vector<json> events;
  std::map<std::string, json> clocks;
  for (int i = dice.between(1, 25); i > 0; --i) {
    const std::string host = hosts.at(static_cast<std::size_t>(dice.between(0, 5)));
    const std::string other = hosts.at(static_cast<std::size_t>(dice.between(0, 5)));
    json& clock = clocks[host];
    if (clock.is_null() || dice.chance(5)) clock = json::object();
    const json heard = clocks[other];
    for (const auto& [name, number] : heard.items()) {
      if (dice.chance(50)) clock[name] = std::max(clock.value(name, 0), number.get<int>());
    }
    if (!dice.chance(10)) clock[host] = clock.value(host, 0) + dice.between(1, 3);
    const bool has_clock = !dice.chance(25);
    json metadata = {{"event", "x"}};
    if (dice.chance(70)) metadata["host"] = host;
    if (dice.chance(40)) metadata["thread_id"] = std::to_string(dice.between(1, 3));
    if (!events.empty() && dice.chance(30)) metadata["parent_id"] = events.back()["event_id"];
    events.push_back(event_of("e" + std::to_string(i), has_clock ? clock : json::object(), metadata));
  }
  return events;
}

bool before(const json& a, const json& b) {
  bool less = false;
  for (const auto& [name, number] : a.items()) {
    if (number > b.value(name, 0)) return false;
  }
  for (const auto& [name, number] : b.items()) less |= number > a.value(name, 0);
  return less;
}

json without_zeros(const json& clock) {
  json kept = json::object();
  for (const auto& [name, number] : clock.items()) {
    if (number != 0) kept[name] = number;
  }
  return kept;
}

RC_GTEST_PROP(AnyEvents, StandInALogThatShivizTakesAndInTheirOrder, ()) {
  wire::test::Dice dice;
  const auto sent = random_events(dice);
  ShivizChanges changes;
  const auto log = written(sent, &changes);
  const auto found = read(log, "", static_cast<std::size_t>(dice.between(1, 200)));
  RC_ASSERT(found.damages.empty());
  RC_ASSERT(found.events.size() + changes.left_out == sent.size());

  std::map<std::string, json> original;
  for (const auto& event : sent) original[event["event_id"]] = without_zeros(event["vector_clock"]);
  std::map<std::string, std::set<int>> numbers;
  std::vector<json> shown;
  for (const auto& text : found.events) {
    shown.push_back(json::parse(text));
    const std::string host = shown.back()["metadata"]["host"];
    RC_ASSERT(shown.back()["vector_clock"].contains(host));
    RC_ASSERT(numbers[host].insert(shown.back()["vector_clock"][host].get<int>()).second);
  }
  for (const auto& [host, all] : numbers) RC_ASSERT(*all.rbegin() == static_cast<int>(all.size()) && *all.begin() == 1);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    for (const auto& [name, number] : shown[i]["vector_clock"].items()) {
      RC_ASSERT(number > 0 && number <= static_cast<int>(numbers[name].size()));
    }
    for (std::size_t j = 0; j < shown.size(); ++j) {
      const auto& a = original[shown[i]["event_id"]];
      const auto& b = original[shown[j]["event_id"]];
      const bool is_before = before(shown[i]["vector_clock"], shown[j]["vector_clock"]);
      RC_ASSERT(!is_before || i < j);
      if (!a.empty() && !b.empty() && a != b) RC_ASSERT(is_before == before(a, b));
    }
  }
}

RC_GTEST_PROP(AnyEvents, ComeBackFromALogWithIdKindTimeAndHost, ()) {
  wire::test::Dice dice;
  std::vector<json> sent;
  const auto name = [&] { return dice.text(6) + "n"; };
  for (int trace = dice.between(1, 3); trace > 0; --trace) {
    const std::string trace_id = name() + std::to_string(trace);
    for (int i = dice.between(1, 5); i > 0; --i) {
      const std::string host = name() + std::to_string(i);
      sent.push_back(event_of(name() + std::to_string(sent.size()), {{host, 1}}, {{"host", host}, {"event", name()}}));
      sent.back()["trace_id"] = trace_id;
      sent.back()["kind"] = name();
    }
  }
  const auto found = read(written(sent), "", static_cast<std::size_t>(dice.between(1, 200)));
  RC_ASSERT(found.events.size() == sent.size());
  std::map<std::string, json> got;
  for (const auto& text : found.events) got[json::parse(text)["event_id"]] = json::parse(text);
  for (const auto& event : sent) {
    const auto& back = got[event["event_id"]];
    for (const char* field : {"event_id", "trace_id", "kind", "timestamp", "vector_clock"}) {
      RC_ASSERT(back[field].dump() == event[field].dump());
    }
    RC_ASSERT(back["metadata"]["host"].dump() == event["metadata"]["host"].dump());
  }
}

}  // namespace
}  // namespace raceway::server::moving::test

// ShiViz logs: read by their own expression in pieces of any size, and written so that they read the same.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

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
  const auto found = read(std::string(64, 'a') + "\n{\n", R"((?<event>(a+)+)b(?<host>x)(?<clock>y))");
  EXPECT_THAT(found.events, IsEmpty());
  EXPECT_THAT(found.damages, SizeIs(1));
}

TEST(AWrittenLog, BeginsWithItsExpressionAndItsDelimiter) {
  const auto header = shiviz_header();
  EXPECT_TRUE(begins_with_parser(header));
  EXPECT_EQ(header, std::string(own_parser) + "\n" + std::string(own_delimiter) + "\n\n");
}

TEST(TheHostOfAWrittenEvent, IsTheClocksComponentThatSawIt) {
  const auto host = [](const char* clock, const char* metadata) {
    const auto event =
        R"({"event_id":"e","trace_id":"t","kind":"K","timestamp":"2026-01-01T00:00:00Z","vector_clock":)" +
        std::string(clock) + R"(,"metadata":)" + metadata + "}";
    std::string out;
    ShivizWriter().append(out, event);
    const auto line = out.substr(out.rfind('\n', out.size() - 2) + 1);
    return line.substr(0, line.find(" {"));
  };
  EXPECT_EQ(host(R"({"a":1,"b":2})", R"({"host":"a"})"), "a");
  EXPECT_EQ(host(R"({"a#1":1,"b":2})", R"({"service_name":"a","instance_id":"1"})"), "a#1");
  EXPECT_EQ(host(R"({"x":1,"w":2})", R"({"thread_id":"w"})"), "w");
  EXPECT_EQ(host(R"({"a":2,"b":1})", R"({"causality_vector":[["b",1],["a",2]],"thread_id":"n"})"), "a");
  EXPECT_EQ(host("{}", R"({"thread_id":"n"})"), "n");
  EXPECT_EQ(host("{}", "{}"), "-");
}

RC_GTEST_PROP(AnyEvents, ComeBackFromALogWithIdKindTimeHostAndClock, ()) {
  wire::test::Dice dice;
  std::string log = shiviz_header();
  ShivizWriter writer;
  std::vector<json> sent;
  const auto name = [&] { return dice.text(6) + "n"; };
  for (int trace = dice.between(1, 3); trace > 0; --trace) {
    const std::string trace_id = name() + std::to_string(trace);
    for (int i = dice.between(1, 5); i > 0; --i) {
      const std::string host = name();
      json clock = {{host, dice.between(1, 9)}};
      while (dice.chance(40)) clock[name()] = dice.between(1, 9);
      sent.push_back({{"event_id", name() + std::to_string(sent.size())},
                      {"trace_id", trace_id},
                      {"kind", name()},
                      {"timestamp", "2026-01-01T00:00:00.123456789Z"},
                      {"vector_clock", clock},
                      {"metadata", {{"host", host}, {"event", name()}}}});
      writer.append(log, sent.back().dump());
    }
  }
  const auto found = read(log, "", static_cast<std::size_t>(dice.between(1, 200)));
  RC_ASSERT(found.events.size() == sent.size());
  for (std::size_t at = 0; at < sent.size(); ++at) {
    const auto got = json::parse(found.events[at]);
    for (const char* field : {"event_id", "trace_id", "kind", "timestamp", "vector_clock"}) {
      RC_ASSERT(got[field].dump() == sent[at][field].dump());
    }
    RC_ASSERT(got["metadata"]["host"].dump() == sent[at]["metadata"]["host"].dump());
  }
}

}  // namespace
}  // namespace raceway::server::moving::test

// Events are found in JSON text however it is wrapped, cut into pieces and damaged.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "moving/event_splitter.hpp"
#include "moving_support.hpp"
#include "wire_support.hpp"

namespace raceway::server::moving::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Found split(std::string_view text, std::size_t piece = 1'000'000,
            std::size_t max_event = EventSplitter::largest_event) {
  Found found;
  EventSplitter splitter(found, max_event);
  feed_in_pieces(splitter, text, piece);
  return found;
}

std::string event(const std::string& id) {
  return R"({"id":")" + id + R"(","events":[7],"x":{"events":[{"id":"no"}],"s":"}]\"{"}})";
}

TEST(EventsAreFoundIn, ABareEvent) {
  EXPECT_THAT(split(event("a")).events, ElementsAre(event("a")));
}

TEST(EventsAreFoundIn, ABodyOfPostEvents) {
  const auto found = split("{\"more\":{\"a\":[1]}, \"events\" : [" + event("a") + " ,\n" + event("b") + "], \"x\":1}");
  EXPECT_THAT(found.events, ElementsAre(event("a"), event("b")));
  EXPECT_THAT(found.damages, IsEmpty());
}

TEST(EventsAreFoundIn, AnArray) {
  EXPECT_THAT(split(" [ " + event("a") + "," + event("b") + " ] ").events, ElementsAre(event("a"), event("b")));
}

TEST(EventsAreFoundIn, TheAnswerForATrace) {
  const auto found = split(R"({"success":true,"data":{"trace_id":"t","events":[)" + event("a") +
                           R"(],"audit_trails":{"x":[{"event_id":"no"}]},"anomalies":[{"id":"no"}]},"error":null})");
  EXPECT_THAT(found.events, ElementsAre(event("a")));
  EXPECT_THAT(found.damages, IsEmpty());
}

TEST(EventsAreFoundIn, TheAnswerForAllTraces) {
  const auto found = split(R"({"success":true,"data":{"total_traces":2,"traces":[{"trace_id":"t","events":[)" +
                           event("a") + R"(]},{"trace_id":"u","services":["s"],"events":[)" + event("b") + "," +
                           event("c") + R"(]}]},"error":null})");
  EXPECT_THAT(found.events, ElementsAre(event("a"), event("b"), event("c")));
}

TEST(EventsAreFoundIn, SeveralDocumentsWhateverStandsBetweenThem) {
  const auto found = split("\xEF\xBB\xBF" + event("a") + event("b") + "\n\n[" + event("c") + "]\r\n{\"events\":[" +
                           event("d") + "]}, " + event("e"));
  EXPECT_THAT(found.events, ElementsAre(event("a"), event("b"), event("c"), event("d"), event("e")));
  EXPECT_THAT(found.damages, IsEmpty());
}

TEST(EventsAreFoundIn, NoEmptyText) {
  for (const char* text : {"", " \n", "[]", "{\"events\":[]}", "[] []"}) {
    const auto found = split(text);
    EXPECT_THAT(found.events, IsEmpty()) << text;
    EXPECT_THAT(found.damages, IsEmpty()) << text;
  }
}

TEST(WhatIsNoEvent, IsHandedOnToBeRejectedByName) {
  EXPECT_THAT(split(R"([7,"x",[1],{"a":1}] null)").events, ElementsAre("7", "\"x\"", "[1]", R"({"a":1})", "null"));
}

TEST(AnEventWithAMemberData, IsNoAnswer) {
  const std::string text = R"({"data":{"events":[{"id":"no"}]},"event_id":"a"})";
  EXPECT_THAT(split(text).events, ElementsAre(text));
}

TEST(ThePlaceOfAnEvent, IsItsLineItsByteAndItsNumber) {
  const auto found = split("[\n  " + event("a") + ",\n" + event("b") + "]");
  ASSERT_THAT(found.places, SizeIs(2));
  EXPECT_EQ(found.places[0].line, 2U);
  EXPECT_EQ(found.places[0].byte, 4U);
  EXPECT_EQ(found.places[1].line, 3U);
  EXPECT_EQ(found.places[1].byte, 4 + event("a").size() + 2);
  EXPECT_EQ(found.places[1].index, 1U);
}

// --- damage ---

TEST(ADamagedLine, CostsNoOtherLine) {
  for (const char* broken : {"garbage", "{\"id\":", "{\"id\":\"open", "{\"id\":\"a\",\"x\":[", "{\"id\" 1}", "}}}]",
                             "\"", "{\"id\":\"a\"}}", "[[[", "{\"id\":\"a\\", "\x01\x02\xff", "{\"a\":1,}",
                             "{\"x\":[1 2]}", "{\"events\":[{\"id\":\"a\",", "{\"events\":{"}) {
    const std::string text = event("a") + "\n" + broken + "\n" + event("b") + "\n" + event("c") + "\n";
    for (const std::size_t piece : {1UL, 7UL, 100'000UL}) {
      const auto found = split(text, piece);
      EXPECT_THAT(found.events, testing::IsSupersetOf({event("a"), event("b"), event("c")})) << broken;
      EXPECT_TRUE(!found.damages.empty() || found.events.size() > 3) << broken;
    }
  }
}

TEST(ADamagedLine, IsToldWithItsPlace) {
  const auto found = split(event("a") + "\n{\"id\":tru,,}\n" + event("b"));
  ASSERT_THAT(found.damages, SizeIs(1));
  EXPECT_THAT(found.damages[0], HasSubstr("unexpected ','"));
  EXPECT_EQ(found.damage_places[0].line, 2U);
  EXPECT_EQ(found.damage_places[0].byte, event("a").size() + 1 + 10);
  EXPECT_EQ(found.damage_places[0].index, 1U);
}

TEST(ADamagedLine, InsideOneDocumentCostsNoOtherLine) {
  const auto found = split("{\"events\":[\n" + event("a") + ",\n{\"id\":\"br{oken,\n" + event("b") + ",\n" +
                           event("c") + "\n]}\n" + event("d"));
  EXPECT_THAT(found.events, ElementsAre(event("a"), event("b"), event("c"), event("d")));
  EXPECT_THAT(found.damages, SizeIs(1));
}

TEST(ManyDamagedBodies, DoNotPileUp) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "{\"events\":[{\"id\":\"a\",\n" + event("b") + "\n";
  EXPECT_EQ(std::ranges::count(split(text).events, event("b")), 1'000);
}

TEST(ATextThatIsCutOff, GivesWhatIsWholeAndSaysWhereItEnds) {
  const std::string text = "{\"events\":[\n" + event("a") + ",\n" + event("b") + "\n]}\n";
  const auto second = text.find(event("b"));
  for (std::size_t size = 1; size + 1 < text.size(); ++size) {
    const auto found = split(text.substr(0, size));
    const std::size_t whole = size >= second + event("b").size() ? 2 : size >= second - 2 ? 1 : 0;
    ASSERT_EQ(found.events.size(), whole) << size;
    ASSERT_EQ(found.damages.size(), 1U) << size;
    if (whole == 1 && size > second) {
      ASSERT_EQ(found.damage_places[0].byte, second);
    }
  }
}

TEST(AnEventThatIsTooLarge, IsNotHeldAndCostsNoOther) {
  const std::string large = R"({"id":"large","x":")" + std::string(500'000, 'x') + "\"}";
  const auto found = split(event("a") + "\n" + large + "\n" + event("b"), 1'000, 10'000);
  EXPECT_THAT(found.events, ElementsAre(event("a"), event("b")));
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("more than 10000 bytes")));
}

TEST(NestingWithoutEnd, IsDamage) {
  const auto found = split("{\"id\":" + std::string(100'000, '[') + "\n" + event("b"));
  EXPECT_THAT(found.events, ElementsAre(event("b")));
  EXPECT_THAT(found.damages, ElementsAre(HasSubstr("nests deeper than 256")));
}

// --- laws ---

RC_GTEST_PROP(AnyDocuments, GiveTheSameEventsInPiecesOfAnySize, ()) {
  wire::test::Dice dice;
  std::vector<std::string> sent;
  std::string text;
  for (int document = dice.between(0, 4); document > 0; --document) {
    std::vector<nlohmann::json> events;
    for (int i = dice.between(1, 4); i > 0; --i) {
      auto each = wire::test::documented_event("e" + std::to_string(sent.size() + events.size()));
      each["metadata"][dice.text()] = dice.value(3);
      events.push_back(each);
    }
    const int form = dice.between(0, 3);
    if (form == 3) events.resize(1);
    const nlohmann::json array = events;
    const std::string body = form == 0   ? array.dump(dice.one_of({-1, 2}))
                             : form == 1 ? nlohmann::json{{"events", array}}.dump(dice.one_of({-1, 2}))
                             : form == 2 ? R"({"success":true,"data":)" + nlohmann::json{{"events", array}}.dump() + "}"
                                         : events.front().dump(dice.one_of({-1, 4}));
    text += body + dice.one_of<std::string>({"", "\n", " \r\n ", ","});
    for (const auto& each : events) sent.push_back(each.dump());
  }
  const auto size = static_cast<std::size_t>(dice.between(1, 300));
  const auto found = split(text, size);
  RC_ASSERT(found.damages.empty());
  RC_ASSERT(found.events.size() == sent.size());
  for (std::size_t at = 0; at < sent.size(); ++at) {
    RC_ASSERT(nlohmann::json::parse(found.events[at]).dump() == sent[at]);
    RC_ASSERT(text.substr(found.places[at].byte, found.events[at].size()) == found.events[at]);
    RC_ASSERT(found.places[at].line ==
              1U + static_cast<std::uint64_t>(
                       std::count(text.begin(), text.begin() + static_cast<long>(found.places[at].byte), '\n')));
  }
}

RC_GTEST_PROP(AnyDamage, IsTheSameInPiecesOfAnySizeAndNeverSilent, ()) {
  wire::test::Dice dice;
  std::string text;
  for (int i = 0; i < 12; ++i) text += wire::test::documented_event("e" + std::to_string(i)).dump() + "\n";
  for (int i = dice.between(1, 6); i > 0; --i) {
    const auto at = static_cast<std::size_t>(dice.between(0, static_cast<int>(text.size()) - 1));
    if (dice.chance(50)) {
      text.erase(at, static_cast<std::size_t>(dice.between(1, 40)));
    } else {
      text[at] = static_cast<char>(dice.between(0, 255));
    }
  }
  const auto whole = split(text);
  const auto pieces = split(text, static_cast<std::size_t>(dice.between(1, 200)));
  RC_ASSERT(whole.events == pieces.events);
  RC_ASSERT(whole.damages == pieces.damages);
  // Every line that is whole comes through. (To the library that judges it here, a text ends with a zero byte.)
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto line = text.substr(from, end - from);
    if (line.starts_with("{\"event_id\"") && line.find('\0') == std::string::npos && nlohmann::json::accept(line)) {
      RC_ASSERT(std::ranges::count(whole.events, line) >= 1);
    }
    from = end + 1;
  }
}

TEST(RecordedBodies, AreSplitAsTheWireReadsThem) {
  std::string all;
  std::vector<std::string> ids;
  for (const auto& [name, body] : wire::test::recorded_bodies()) {
    all += body;
    for (const auto& id : wire::test::ids_of(wire::read_batch(body))) ids.push_back(id);
  }
  const auto found = split(all, 4'096);
  EXPECT_THAT(found.damages, IsEmpty());
  ASSERT_EQ(found.events.size(), ids.size());
  for (std::size_t at = 0; at < ids.size(); ++at) {
    EXPECT_EQ(wire::test::ids_of(wire::read_batch(found.events[at])).front(), ids[at]);
  }
}

}  // namespace
}  // namespace raceway::server::moving::test

// Events whose layout was learned are read in another way than the first of them: with the same outcome, whatever they
// hold.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "wire/batch.hpp"
#include "wire/json.hpp"
#include "wire_body_check.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::ordered_json;

std::string text_of(const Event& event) {
  ordered_json clock = ordered_json::array();
  for (const auto& [name, counter] : event.clock) clock.push_back({name, counter});
  std::string metadata;
  append_json(metadata, event.metadata);
  const ordered_json columns = {event.event_id,
                                event.trace_id,
                                event.kind,
                                event.timestamp,
                                event.duration_ms ? ordered_json(*event.duration_ms) : ordered_json(),
                                event.location ? ordered_json(*event.location) : ordered_json(),
                                event.has_clock,
                                clock,
                                event.service_name ? ordered_json(*event.service_name) : ordered_json()};
  return columns.dump() + metadata;
}

/// What came of an event, and whether a learned layout was followed.
struct Outcome {
  std::string text;
  bool by_layout = false;
};

std::vector<Outcome> outcomes_of(const Batch& batch) {
  std::vector<Outcome> outcomes(batch.count);
  for (const auto& event : batch.events) outcomes[event.index] = {text_of(event), event.metadata_shape != 0};
  for (const auto& [index, id, reason] : batch.rejected.told())
    outcomes[index] = {std::string("rejected ").append(id).append(": ").append(reason), false};
  return outcomes;
}

/// Reads events, given as text, in a thread of their own, which has not learned any layout.
std::vector<Outcome> read_anew(const std::vector<std::string>& events) {
  std::string body = "[";
  for (const auto& event : events) body += (body.size() > 1 ? "," : "") + event;
  body += "]";
  std::vector<Outcome> outcomes;
  std::thread([&] { outcomes = outcomes_of(read_batch(body)); }).join();
  return outcomes;
}

constexpr std::string_view usual_event =
    R"({"id":"6a1c1b1e-3b0c-4a4e-9d0e-0c7a7b8a9f10","trace_id":"t","parent_id":null,
  "timestamp":"2026-11-22T07:25:33.523572Z",
  "kind":{"StateChange":{"variable":"x","new_value":1,"location":"a.js:1","file":"a.js","line":2,"duration_ms":1.5}},
  "metadata":{"thread_id":"main","process_id":1,"service_name":"shop","environment":"test","tags":{},"duration_ns":null},
  "causality_vector":[["a",1],["b",2]],"lock_set":[]})";

TEST(EventLayouts, ReadRecordedTrafficAsItIsReadTheFirstTime) {
  for (const auto& [name, body] : recorded_bodies()) {
    std::vector<std::string> events;
    const auto sent = ordered_json::parse(body);
    for (const auto& event : sent.at("events")) events.push_back(event.dump());
    std::vector<std::string> twice = events;
    twice.insert(twice.end(), events.begin(), events.end());
    const auto outcomes = read_anew(twice);
    for (std::size_t at = 0; at < events.size(); ++at) {
      const auto& again = outcomes.at(events.size() + at);
      EXPECT_TRUE(again.by_layout) << name << " " << events[at];
      ASSERT_EQ(again.text, read_anew({events[at]}).at(0).text) << name;
    }
  }
}

TEST(EventLayouts, MakeNoDifferenceToUnusualValues) {
  const std::vector<std::string> values = {"null",
                                           "true",
                                           "-0",
                                           "1e2",
                                           "1e39",
                                           "18446744073709551616",
                                           R"("")",
                                           R"("\u0000")",
                                           R"("\ud800")",
                                           R"("\u00e9\n")",
                                           "\"" + std::string(600, 'x') + "\"",
                                           R"("6A1C1B1E3B0C4A4E9D0E0C7A7B8A9F10")",
                                           R"("2026-11-22 07:25:33.123456789+0130")",
                                           R"("2026-02-30T07:25:33Z")",
                                           R"("a.js:2")",
                                           "[]",
                                           "{}",
                                           R"([["b",1],["a",2]])",
                                           R"([["a",1],["a",2]])",
                                           R"([["a",-1]])",
                                           R"([["a",1.0]])",
                                           R"([["a"]])",
                                           R"({"b":1,"a":2,"b":3})",
                                           R"({"A":{"x":1}})",
                                           R"("Word")",
                                           std::string(126, '[') + std::string(126, ']'),
                                           std::string(127, '[') + std::string(127, ']')};
  const auto usual = ordered_json::parse(usual_event);
  std::vector<std::string> places;
  const auto flat = usual.flatten();
  for (const auto& [place, value] : flat.items()) places.push_back(place);
  for (const auto* place : {"/kind", "/kind/StateChange", "/metadata", "/causality_vector"}) places.emplace_back(place);

  const std::string stand_in = "\"the value\"";
  for (const auto& place : places) {
    auto event = usual;
    event[ordered_json::json_pointer(place)] = "the value";
    for (const auto& value : values) {
      auto text = event.dump();
      text.replace(text.find(stand_in), stand_in.size(), value);
      const auto after_usual = read_anew({usual.dump(), usual.dump(), text, usual.dump()});
      EXPECT_EQ(after_usual[2].text, read_anew({text}).at(0).text) << text;
      EXPECT_TRUE(after_usual[3].by_layout) << text;
      EXPECT_EQ(after_usual[3].text, after_usual[0].text) << text;
    }
  }
}

TEST(EventLayouts, MakeNoDifferenceToKeysThatComeAndGo) {
  const auto usual = ordered_json::parse(usual_event);
  const auto check = [&](const std::string& text) {
    const auto after_usual = read_anew({usual.dump(), text, text});
    const auto alone = read_anew({text}).at(0).text;
    EXPECT_EQ(after_usual[1].text, alone) << text;
    EXPECT_EQ(after_usual[2].text, alone) << text;
  };
  for (const auto* object : {"", "/kind", "/kind/StateChange", "/metadata"}) {
    const ordered_json::json_pointer place(object);
    for (const auto& [key, value] : usual[place].items()) {
      auto without = usual;
      without[place].erase(key);
      check(without.dump());
      // The same key once more, in front of itself.
      auto renamed = usual;
      renamed[place]["again"] = "other";
      auto text = renamed.dump();
      const std::string again = "\"again\"";
      check(text.replace(text.find(again), again.size(), "\"" + key + "\""));
      // The same key in other letters.
      auto escaped = usual.dump();
      char first[8];
      std::snprintf(first, sizeof first, "\\u%04x", static_cast<unsigned>(key.front()));
      const std::string quoted = "\"" + key + "\":";
      check(escaped.replace(escaped.find(quoted) + 1, 1, first));
    }
    for (const auto* key : {"x", "thread_id", "lock_set", "timestamp_nanos", "kind_fields", "event_id", "location"}) {
      auto with = usual;
      if (with[place].contains(key)) continue;
      with[place][key] = "more";
      check(with.dump());
    }
  }
}

/// An event that differs from the next such one in a few places, and there mostly by a character more or less.
std::string similar_event(Dice& dice) {
  const auto text = [&] {
    return std::string(dice.one_of({"\"a\"", "\"ab\"", "\"\"", R"("a\n")", "\"\xC3\xA9\"", "null", "1"}));
  };
  const auto number = [&] { return std::string(dice.one_of({"1", "12", "1.0", "1e1", "null", "-0", "\"1\""})); };
  const auto id = [&] {
    return std::string(dice.one_of(
        {"\"6a1c1b1e-3b0c-4a4e-9d0e-0c7a7b8a9f10\"", "\"6A1C1B1E-3b0c-4a4e-9d0e-0c7a7b8a9f10\"", "\"t\"", "\"tt\""}));
  };
  const auto tags = [&] { return std::string(dice.one_of({"{}", R"({"k":1})", R"({"k":1,"l":[2]})", "null"})); };
  const auto clock = [&] {
    return std::string(dice.one_of({"[]", R"([["a",1]])", R"([["a",12]])", R"([["ab",1]])", R"([["b",1],["a",2]])",
                                    R"([["a",1],["b",2]])", "null"}));
  };
  std::string json = R"({"id":)" + id() + R"(,"trace_id":)" + id() + R"(,"parent_id":)" +
                     dice.one_of({id(), std::string("null")}) + R"(,"timestamp":"2026-11-22T07:25:33.5235)" +
                     dice.one_of({"1", "2", "123"}) + R"(Z","kind":{"StateChange":{"variable":)" + text() +
                     R"(,"new_value":)" + number() + R"(}},"metadata":{"thread_id":)" + text() + R"(,"process_id":)" +
                     number() + R"(,"service_name":)" + text() + R"(,"tags":)" + tags() + R"(,"duration_ns":)" +
                     number();
  if (dice.chance(30)) json += R"(,"instance_id":)" + text();
  json += R"(},"causality_vector":)" + clock() + R"(,"lock_set":)" + dice.one_of({"[]", R"(["l"])"}) + "}";
  return json;
}

RC_GTEST_PROP(EventLayouts, TakeNoEventForTheOneBefore, ()) {
  Dice dice;
  std::vector<std::string> events;
  for (int count = dice.between(2, 8); count > 0; --count) events.push_back(similar_event(dice));
  const auto outcomes = read_anew(events);
  for (std::size_t at = 0; at < events.size(); ++at) {
    RC_ASSERT(outcomes[at].text == read_anew({events[at]}).at(0).text);
  }
}

TEST(EventLayouts, AreSeenWhateverStandsAroundTheEvents) {
  const std::string known(usual_event);
  const std::string other = R"({"id":"b","trace_id":"t","timestamp":"2026-11-22T07:25:33Z","kind":"Odd"})";
  const std::string bad = R"({"id":"c","trace_id":"t","timestamp":"never","kind":"Odd"})";
  // NOLINTBEGIN(performance-inefficient-string-concatenation): as one reads them
  for (const auto& body : {known,
                           " " + known + "\n",
                           "[" + known + "]",
                           " [ " + known + " , " + known + " ] ",
                           R"({"events":[)" + known + "," + known + "]}",
                           R"( { "events" : [ )" + known + " ] } ",
                           R"({"events":[)" + known + R"(],"more":[1]})",
                           R"({"more":[{}],"events":[)" + known + "]}",
                           R"({"events":[)" + known + "," + other + R"(],"events":[)" + known + "]}",
                           R"({"events":[)" + known + R"(],"events":7})",
                           R"({"events":[)" + known + R"(],"events":[]})",
                           R"({"id":1,"events":[)" + known + "]}",
                           "[" + known + "," + other + "," + known + "]",
                           "[" + known + "," + bad + "," + known + "]",
                           "[" + other + "," + known + "]",
                           "[" + known + ",7," + known + "]",
                           "[" + known + ",]",
                           "[" + known + " " + known + "]",
                           "[" + known,
                           "[" + known + "]]",
                           "[" + known + "]x",
                           R"({"events":[)" + known + "]",
                           R"({"events":[)" + known + "]}}",
                           R"({"events":[)" + known + "],}",
                           "[" + known + ",\"\xFF\"]",
                           "[" + known + "]\x01",
                           R"({"events":{"0":)" + known + "}}"}) {
    EXPECT_NO_THROW(check_body(body)) << body;
  }
  // NOLINTEND(performance-inefficient-string-concatenation)
  const auto outcomes = read_anew({known, known, other, known, bad, known});
  for (const std::size_t at : {1U, 3U, 5U}) EXPECT_TRUE(outcomes[at].by_layout) << at;
  EXPECT_EQ(outcomes[3].text, outcomes[0].text);
}

TEST(EventLayouts, AreLearnedInEveryStyleOfWhiteSpace) {
  const auto event = ordered_json::parse(usual_event);
  std::vector<std::string> styles = {event.dump(), event.dump(1), event.dump(2), std::string(usual_event)};
  std::string spaced;
  for (const char c : event.dump()) {
    const bool is_behind_a_key = c == ':' && spaced.back() == '"';
    spaced += c;
    if (is_behind_a_key || c == ',') spaced += ' ';
  }
  styles.push_back(spaced);
  std::vector<std::string> events;
  for (int round = 0; round < 2; ++round) events.insert(events.end(), styles.begin(), styles.end());
  events.insert(events.end(), styles.rbegin(), styles.rend());
  const auto outcomes = read_anew(events);
  for (std::size_t at = styles.size(); at < events.size(); ++at) EXPECT_TRUE(outcomes[at].by_layout) << events[at];
}

TEST(EventLayouts, TellWhichEventsHaveTheSameContext) {
  auto event = ordered_json::parse(usual_event);
  std::string body = "[" + event.dump();
  for (const auto* thread : {"main", "main", "other", "other", "main"}) {
    event["metadata"]["thread_id"] = thread;
    body += "," + event.dump();
  }
  body += "]";
  std::vector<std::uint32_t> numbers;
  std::thread([&] {
    for (const auto& read : read_batch(body).events) numbers.push_back(read.context_number);
  }).join();
  ASSERT_EQ(numbers.size(), 6U);
  EXPECT_EQ(numbers[0], 0U) << "read the general way";
  EXPECT_NE(numbers[1], 0U);
  EXPECT_EQ(numbers[2], numbers[1]);
  EXPECT_NE(numbers[3], numbers[2]);
  EXPECT_EQ(numbers[4], numbers[3]);
  EXPECT_NE(numbers[5], numbers[4]);
}

TEST(EventLayouts, GiveTheSameShapeOnlyToTheSameKindAndKeys) {
  std::map<std::uint64_t, std::vector<std::string>> keys_of_shape;
  std::size_t shaped = 0;
  for (const auto& [name, body] : recorded_bodies()) {
    const auto batch = read_batch(body);
    for (const auto& event : batch.events) {
      if (event.metadata_shape == 0) continue;
      std::vector<std::string> keys;
      keys.emplace_back(event.kind);
      for (const auto& member : event.metadata.as_object()) keys.emplace_back(member.key());
      const auto known = keys_of_shape.try_emplace(event.metadata_shape, keys).first;
      ASSERT_EQ(known->second, keys) << name;
      ++shaped;
    }
  }
  EXPECT_LT(keys_of_shape.size(), 100U);
  EXPECT_GT(shaped, 2'000U);
}

TEST(EventLayouts, AreForgottenWhereThereAreMoreThanCanBeKept) {
  std::vector<std::string> events;
  for (int at = 0; at < 2'000; ++at) {
    auto event = ordered_json::parse(usual_event);
    event["kind"]["StateChange"]["field" + std::to_string(at)] = at;
    events.push_back(event.dump());
  }
  // What comes often is learned again.
  for (int at = 0; at < 200; ++at) events.emplace_back(usual_event);
  const auto outcomes = read_anew(events);
  for (std::size_t at = 0; at < 2'000; at += 100) ASSERT_EQ(outcomes[at].text, read_anew({events[at]}).at(0).text);
  EXPECT_TRUE(outcomes.back().by_layout);
  EXPECT_EQ(outcomes.back().text, read_anew({events.back()}).at(0).text);
}

}  // namespace
}  // namespace raceway::wire::test

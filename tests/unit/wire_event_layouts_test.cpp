// Events whose layout was learned are read in another way than the first of them: with the same outcome, whatever they
// hold.
#include <gtest/gtest.h>

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
  for (const auto& [index, id, reason] : batch.rejected) outcomes[index] = {"rejected " + id + ": " + reason, false};
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

TEST(EventLayouts, GiveTheSameShapeOnlyToTheSameKeys) {
  std::map<std::uint64_t, std::vector<std::string>> keys_of_shape;
  std::size_t shaped = 0;
  for (const auto& [name, body] : recorded_bodies()) {
    const auto batch = read_batch(body);
    for (const auto& event : batch.events) {
      if (event.metadata_shape == 0) continue;
      std::vector<std::string> keys;
      for (const auto& member : event.metadata.as_object()) keys.emplace_back(member.key);
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

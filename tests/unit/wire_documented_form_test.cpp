// The documented form: what it becomes in a row, and how an event sent in it is shown in the SDK's form.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wire/batch.hpp"
#include "wire/event.hpp"
#include "wire/timestamp.hpp"
#include "wire/writer.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::json;

json with(json event, const json& more) {
  event.update(more);
  return event;
}

/// The metadata of a row.
json metadata_of(const json& event) {
  const auto body = event.dump();
  const auto batch = read_batch(body);
  std::string text;
  append_json(text, batch.events.at(0).metadata);
  return json::parse(text);
}

TEST(DocumentedForm, MapsToTheColumns) {
  const auto body =
      R"({"event_id":"E-1","trace_id":"T-1","kind":"StateChange","timestamp":"2024-01-01T12:00:00.123456789+02:00",
    "duration_ms":12.5,"location":"bank.go:42","vector_clock":{"b":2,"a":1,"cc":0},
    "metadata":{"service_name":"bank","variable":"balance","new_value":1.50e1}})";
  const auto batch = read_batch(body);
  const Event& row = batch.events.at(0);
  EXPECT_EQ(row.event_id, "E-1");
  EXPECT_EQ(row.trace_id, "T-1");
  EXPECT_EQ(row.kind, "StateChange");
  EXPECT_EQ(row.timestamp, read_timestamp("2024-01-01T10:00:00.123456Z").micros);
  EXPECT_EQ(row.duration_ms, 12.5F);
  EXPECT_EQ(row.location, "bank.go:42");
  EXPECT_EQ(row.service_name, "bank");
  EXPECT_TRUE(row.has_clock);
  ASSERT_EQ(row.clock.size(), 3U);
  EXPECT_EQ(row.clock[0], (causality::Component{"a", 1}));
  EXPECT_EQ(row.clock[1], (causality::Component{"b", 2}));
  EXPECT_EQ(row.clock[2], (causality::Component{"cc", 0}));
  std::string metadata;
  append_json(metadata, row.metadata);
  EXPECT_EQ(metadata, R"({"variable":"balance","new_value":15.0,"service_name":"bank","timestamp_nanos":789})");
}

TEST(DocumentedForm, NeedsNoMoreThanFourFields) {
  const auto body = documented_event("e").dump();
  const auto batch = read_batch(body);
  const Event& row = batch.events.at(0);
  EXPECT_FALSE(row.has_clock);
  EXPECT_FALSE(row.duration_ms);
  EXPECT_FALSE(row.location);
  EXPECT_FALSE(row.service_name);
  EXPECT_EQ(metadata_of(documented_event("e")), json::object());
  const json nulls = {
      {"duration_ms", nullptr}, {"location", nullptr}, {"vector_clock", nullptr}, {"metadata", nullptr}};
  EXPECT_EQ(read_back(with(documented_event("e"), nulls)), read_back(documented_event("e")));
}

TEST(DocumentedForm, TellsNoClockFromAnEmptyOne) {
  const auto body = with(documented_event("e"), {{"vector_clock", json::object()}}).dump();
  const auto batch = read_batch(body);
  EXPECT_TRUE(batch.events.at(0).has_clock);
  EXPECT_TRUE(batch.events.at(0).clock.empty());
}

TEST(DocumentedForm, KeepsIdsAsTheyAre) {
  const auto event = documented_event("0AF7651F8C104B2D9E3FA1B2C3D4E5F6", "{Trace 1}");
  EXPECT_EQ(read_back(event).at("id"), "0AF7651F8C104B2D9E3FA1B2C3D4E5F6");
  EXPECT_EQ(read_back(event).at("trace_id"), "{Trace 1}");
}

TEST(DocumentedForm, TakesFieldsItDoesNotKnowForMetadata) {
  EXPECT_EQ(
      metadata_of(with(documented_event("e"), {{"thread_id", "t1"}, {"parent_id", "p"}, {"n", nullptr}, {"id", 7}})),
      json({{"thread_id", "t1"}, {"parent_id", "p"}, {"n", nullptr}, {"id", 7}}));
  EXPECT_EQ(metadata_of(with(documented_event("e"), {{"a", 1}, {"b", 2}, {"metadata", {{"a", 3}}}})),
            json({{"a", 3}, {"b", 2}, {"event_fields", {{"a", 1}}}}))
      << "a name that metadata has too stands aside";
}

TEST(DocumentedForm, CutsALongLocationAndKeepsItWhole) {
  std::string location;
  for (int i = 0; i < 501; ++i) location += "é";
  const auto body = with(documented_event("e"), {{"location", location}}).dump();
  const auto batch = read_batch(body);
  EXPECT_EQ(batch.events.at(0).location, location.substr(0, 1'000));
  EXPECT_EQ(metadata_of(json::parse(body)), json({{"location", location}}));
  const auto both = with(documented_event("e"), {{"location", location}, {"metadata", {{"location", "mine"}}}});
  EXPECT_EQ(metadata_of(both), json({{"location", "mine"}, {"event_fields", {{"location", location}}}}));
}

TEST(DocumentedForm, CutsALongServiceNameOnlyInItsColumn) {
  const std::string name(300, 's');
  const auto body = with(documented_event("e"), {{"metadata", {{"service_name", name}}}}).dump();
  const auto batch = read_batch(body);
  EXPECT_EQ(batch.events.at(0).service_name, name.substr(0, 255));
  EXPECT_EQ(metadata_of(json::parse(body)), json({{"service_name", name}}));
}

TEST(DocumentedForm, KeepsWhatTheDurationsColumnCannot) {
  const auto kept = [](const std::string& duration) {
    auto text = documented_event("e").dump();
    text.insert(text.size() - 1, ",\"duration_ms\":" + duration);
    const auto batch = read_batch(text);
    std::string metadata;
    append_json(metadata, batch.events.at(0).metadata);
    return metadata;
  };
  for (const auto* fits : {"0", "0.1", "12.5", "-1", "1e3", "3.4e38", "16777216"}) EXPECT_EQ(kept(fits), "{}") << fits;
  EXPECT_EQ(kept("12.3456789012"), R"({"duration_ms":12.3456789012})");
  EXPECT_EQ(kept("16777217"), R"({"duration_ms":16777217})");
}

TEST(DocumentedForm, TakesAClockInPairsToo) {
  const auto body = with(documented_event("e"), {{"vector_clock", json::array({{"b", 1}, {"a", 2}, {"b", 5}})}}).dump();
  const auto batch = read_batch(body);
  const auto& clock = batch.events.at(0).clock;
  ASSERT_EQ(clock.size(), 2U);
  EXPECT_EQ(clock[0], (causality::Component{"a", 2}));
  EXPECT_EQ(clock[1], (causality::Component{"b", 5})) << "of a component named twice the larger counter";
  EXPECT_EQ(read_back(json::parse(body)).at("causality_vector"), json::array({{"b", 1}, {"a", 2}, {"b", 5}}));
}

TEST(DocumentedForm, IsShownInTheSdksForm) {
  const auto event = with(documented_event("e"),
                          {{"duration_ms", 12.5},
                           {"location", "bank.go:42"},
                           {"vector_clock", {{"b", 2}, {"aa", 1}}},
                           {"parent_id", "p"},
                           {"metadata", {{"variable", "x"}, {"service_name", "bank"}, {"tags", {{"k", "v"}}}}}});
  EXPECT_EQ(read_back(event),
            json::parse(R"({"id":"e","trace_id":"trace","parent_id":"p","timestamp":"2024-01-01T12:00:00Z",
    "kind":{"StateChange":{"variable":"x","location":"bank.go:42"}},
    "metadata":{"thread_id":"","process_id":0,"service_name":"bank","environment":"","tags":{"k":"v"},"duration_ns":12500000},
    "causality_vector":[["b",2],["aa",1]],"lock_set":[]})"));
  EXPECT_EQ(
      read_back(documented_event("e")),
      json::parse(
          R"({"id":"e","trace_id":"trace","parent_id":null,"timestamp":"2024-01-01T12:00:00Z","kind":{"StateChange":{}},
    "metadata":{"thread_id":"","process_id":0,"service_name":"","environment":"","tags":{},"duration_ns":null},
    "causality_vector":[],"lock_set":[]})"));
}

TEST(DocumentedForm, IsShownWithItsDurationInNanoseconds) {
  const std::vector<std::pair<json, json>> durations = {
      {0, 0}, {0.1, 100'000}, {12.5, 12'500'000}, {1e-7, 0}, {1.5e-6, 1}, {3600000, 3'600'000'000'000}, {-1, nullptr}};
  for (const auto& [sent, nanos] : durations) {
    const auto shown = read_back(with(documented_event("e"), {{"duration_ms", sent}}));
    EXPECT_EQ(shown.at("metadata").at("duration_ns"), nanos) << sent;
  }
}

/// The keys of every object in a JSON text, to see those that stand twice.
void expect_unique_keys(const std::string& text) {
  std::vector<std::vector<std::string>> open;
  const auto see = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key) {
      const auto key = value.get<std::string>();
      EXPECT_EQ(std::count(open.back().begin(), open.back().end(), key), 0) << key << " twice in " << text;
      open.back().push_back(key);
    }
    return true;
  };
  const auto parsed = json::parse(text, see);
  EXPECT_TRUE(parsed.is_object());
}

TEST(DocumentedForm, IsShownWithoutAKeyTwice) {
  const json traps = {{"id", 1},        {"parent_id", 2}, {"lock_set", {3}}, {"causality_vector", {{"a", 1}}},
                      {"thread_id", 4}, {"tags", 5},      {"variable", 6},   {"location", "l"}};
  const json fields = {{"kind_fields", traps}, {"metadata_fields", traps}, {"event_fields", traps}};
  for (const auto& metadata : {traps, fields, with(traps, fields)}) {
    for (const auto& more : {json::object(), traps, fields}) {
      const auto event = with(with(documented_event("e"), more), {{"metadata", metadata}});
      const auto text = text_read_back(event.dump());
      expect_unique_keys(text);
      EXPECT_EQ(json::parse(text).at("id"), "e");
    }
  }
}

TEST(Row, PutThereByHandIsShownAsFarAsItMakesSense) {
  const auto shown = [](const std::string& clock, const std::string& metadata) {
    Row row;
    row.event_id = "e";
    row.trace_id = "t";
    row.kind = "K";
    row.vector_clock = clock;
    row.metadata = metadata;
    std::string text;
    append_sdk_event(text, row);
    return json::parse(text);
  };
  EXPECT_EQ(shown("", "").at("kind"), json({{"K", json::object()}}));
  EXPECT_EQ(shown("7", "[]").at("causality_vector"), json::array());
  EXPECT_EQ(shown("{ \"a\": 1 }", "{ \"x\": [1, 2] }").at("kind"), json({{"K", {{"x", {1, 2}}}}}));
  EXPECT_EQ(shown("", R"({"timestamp_nanos":7})").at("timestamp"), "2000-01-01T00:00:00.000000007Z");
  for (const auto* nanos : {"1000", "-1", "1.5", "\"7\"", "null", "99999999999999999999"}) {
    EXPECT_EQ(shown("", R"({"timestamp_nanos":)" + std::string(nanos) + "}").at("timestamp"), "2000-01-01T00:00:00Z")
        << nanos;
  }
  EXPECT_EQ(shown("", R"({"lock_set":7})").at("lock_set"), json::array());
  EXPECT_THROW(shown("{", "{}"), std::invalid_argument);
  EXPECT_THROW(shown("{}", "{x}"), std::invalid_argument);
}

RC_GTEST_PROP(DocumentedForm, KeepsWhatItWasSentInItsMetadata, ()) {
  Dice dice;
  json sent = json::object();
  for (int count = dice.between(0, 6); count > 0; --count) sent["x" + dice.text(6)] = dice.value(3);
  const auto event = with(documented_event("e"), {{"metadata", sent}});
  RC_ASSERT(metadata_of(event) == sent);
  RC_ASSERT(read_back(event).at("kind").at("StateChange") == sent);
}

}  // namespace
}  // namespace raceway::wire::test

// What an SDK sends comes back in the SDK's form, field by field, whatever it sends.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wire/batch.hpp"
#include "wire/event.hpp"
#include "wire/fields.hpp"
#include "wire/timestamp.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::json;

/// What may be filled in where it was not sent.
json with_defaults(json event) {
  const auto fill = [](json& object, const std::string& name, const json& value) {
    if (!object.contains(name)) object[name] = value;
  };
  fill(event, "parent_id", nullptr);
  for (const auto* list : {"causality_vector", "lock_set"}) {
    if (!event.contains(list) || event[list].is_null()) event[list] = json::array();
  }
  if (!event.contains("metadata") || event["metadata"].is_null()) event["metadata"] = json::object();
  json& metadata = event["metadata"];
  for (const auto* name : {"thread_id", "service_name", "environment"}) fill(metadata, name, "");
  fill(metadata, "process_id", 0);
  fill(metadata, "tags", json::object());
  fill(metadata, "duration_ns", nullptr);
  return event;
}

/// The time without its zone, which is UTC, and with nine digits of fraction.
std::string plain_time(std::string text) {
  for (const std::string zone : {"Z", "+00:00"}) {
    if (text.ends_with(zone)) text.resize(text.size() - zone.size());
  }
  if (text.find('.') == std::string::npos) text += '.';
  text.resize(std::string("2024-01-01T12:00:00.").size() + 9, '0');
  return text;
}

TEST(RecordedTraffic, ComesBackExactly) {
  std::map<std::string, std::size_t> events_of_app;
  for (const auto& [name, body] : recorded_bodies()) {
    const auto read = read_back(std::string_view(body));
    const auto sent_events = json::parse(body).at("events");
    for (auto sent : sent_events) {
      auto back = read.at(sent.at("id").get<std::string>());
      ASSERT_EQ(plain_time(back.at("timestamp")), plain_time(sent.at("timestamp"))) << name;
      sent.erase("timestamp");
      back.erase("timestamp");
      ASSERT_EQ(back, sent) << name << "\n" << back.dump() << "\n" << sent.dump();
    }
    EXPECT_EQ(read.size(), sent_events.size()) << name;
    events_of_app[name.substr(0, name.find('/'))] += sent_events.size();
  }
  EXPECT_EQ(events_of_app,
            (std::map<std::string, std::size_t>{{"typescript", 915}, {"python", 381}, {"distributed", 993}}));
}

json with_kind(const std::string& name, const json& variant) {
  auto event = sdk_event("e");
  event["kind"] = {{name, variant}};
  return event;
}

const Event& only_event(const Batch& batch) {
  EXPECT_EQ(batch.events.size(), 1U);
  return batch.events.at(0);
}

TEST(SdkForm, MapsToTheColumns) {
  auto event = with_kind("StateChange", {{"variable", "balance"}, {"new_value", 2}, {"location", "bank.js:7"}});
  event["id"] = "0AF7651F8C104B2D9E3FA1B2C3D4E5F6";
  event["trace_id"] = "{0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f7}";
  event["parent_id"] = "urn:uuid:0AF7651F-8C10-4B2D-9E3F-A1B2C3D4E5F8";
  event["metadata"]["duration_ns"] = 1'500'000;
  event["causality_vector"] = json::array({{"b", 0}, {"c", 18446744073709551615U}, {"aa", 1}});
  const auto body = event.dump();
  auto batch = read_batch(body);
  const Event& row = only_event(batch);
  EXPECT_EQ(row.event_id, "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6");
  EXPECT_EQ(row.trace_id, "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f7");
  EXPECT_EQ(row.kind, "StateChange");
  EXPECT_EQ(row.timestamp, read_timestamp("2024-01-01T12:00:00Z").micros);
  EXPECT_EQ(row.duration_ms, 1.5F);
  EXPECT_EQ(row.location, "bank.js:7");
  EXPECT_EQ(row.service_name, "shop");
  EXPECT_TRUE(row.has_clock);
  ASSERT_EQ(row.clock.size(), 3U);
  EXPECT_EQ(row.clock[0], (causality::Component{"b", 0}));
  EXPECT_EQ(row.clock[1], (causality::Component{"c", 18446744073709551615U}));
  EXPECT_EQ(row.clock[2], (causality::Component{"aa", 1}));
  std::string metadata;
  append_json(metadata, row.metadata);
  EXPECT_EQ(metadata,
            R"({"tags":{},"variable":"balance","new_value":2,"parent_id":"0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f8",)"
            R"("thread_id":"main","process_id":1,"duration_ns":1500000,"environment":"test","service_name":"shop"})");
}

TEST(SdkForm, TakesTheDurationFromTheMetadataElseFromTheVariant) {
  const auto duration_of = [](const json& event) {
    const auto body = event.dump();
    auto batch = read_batch(body);
    return only_event(batch).duration_ms;
  };
  auto event = with_kind("HttpResponse", {{"duration_ms", 28}});
  EXPECT_EQ(duration_of(event), 28.0F);
  event["metadata"]["duration_ns"] = 2'500'000;
  EXPECT_EQ(duration_of(event), 2.5F);
  event["metadata"]["duration_ns"] = 0;
  EXPECT_EQ(duration_of(event), 0.0F);
  EXPECT_EQ(duration_of(sdk_event("e")), std::nullopt);
}

TEST(SdkForm, SaysWhereTheEventWas) {
  const auto location_of = [](const json& variant) -> std::string {
    const auto body = with_kind("X", variant).dump();
    auto batch = read_batch(body);
    return std::string(only_event(batch).location.value_or("(none)"));
  };
  EXPECT_EQ(location_of({{"location", "a.go:1"}}), "a.go:1");
  EXPECT_EQ(location_of({{"location", ""}}), "");
  EXPECT_EQ(location_of({{"file", "a.go"}, {"line", 12}}), "a.go:12");
  EXPECT_EQ(location_of({{"file", "a.go"}, {"line", 12}, {"location", "b"}}), "b");
  EXPECT_EQ(location_of({{"file", "a.go"}}), "(none)");
  EXPECT_EQ(location_of({{"file", 1}, {"line", 12}}), "(none)");
  EXPECT_EQ(location_of({{"location", std::string(600, 'x')}}), std::string(500, 'x'));
}

TEST(SdkForm, ComesBackWhateverTheVariantCallsItsFields) {
  const std::string long_file(510, 'f');
  const std::vector<json> variants = {
      json::object(),
      {{"location", "a.js:12"}, {"file", "a.js"}, {"line", 12}},
      {{"location", "b.js"}, {"file", "a.js"}, {"line", 12}},
      {{"file", "a.js"}, {"line", 12}},
      {{"file", long_file}, {"line", 12}},
      {{"file", long_file}, {"line", 12}, {"location", std::string(500, 'f')}},  // as it would be cut
      {{"file", long_file}, {"line", 12}, {"location", long_file + ":12"}},
      {{"location", std::string(500, 'x')}},
      {{"location", std::string(501, 'x')}},
      {{"location", nullptr}},
      {{"location", ""}},
      {{"location", {{"line", 1}}}, {"file", "a"}, {"line", 1}},
      {{"thread_id", "t"}, {"tags", 1}, {"parent_id", "p"}, {"lock_set", "l"}, {"service_name", "other"}},
      {{"kind_fields", {{"x", 1}}}, {"metadata_fields", 1}, {"event_fields", nullptr}, {"timestamp_nanos", 5}},
      {{"duration_ns", 7}, {"duration_ms", 8.25}, {"causality_vector", json::array()}},
      {{"id", 1},
       {"event_id", 2},
       {"trace_id", 3},
       {"metadata", 4},
       {"kind", 5},
       {"timestamp", 6},
       {"vector_clock", 7}},
      {{"", 1}, {"a b", 2}, {"é", 3}, {"\n", 4}}};
  for (const auto& variant : variants) {
    const auto sent = with_kind("Thing", variant);
    EXPECT_EQ(read_back(sent), sent);
  }
}

TEST(SdkForm, ComesBackWithFieldsThatNobodyKnows) {
  auto sent = sdk_event("e");
  sent["metadata"].update({{"host", "h"},
                           {"id", 1},
                           {"parent_id", 2},
                           {"kind_fields", 3},
                           {"location", "l"},
                           {"file", "f"},
                           {"instance_id", nullptr},
                           {"duration_ms", 7}});
  sent.update({{"span", {1, 2}},
               {"event_fields", 4},
               {"thread_id", 5},
               {"location", "m"},
               {"vector_clock", {{"a", 1}}},
               {"duration_ms", "long"}});
  EXPECT_EQ(read_back(sent), sent);
}

TEST(SdkForm, ComesBackWithItsClockAsItWasSent) {
  for (const auto* pairs : {"[]", R"([["a",1]])", R"([["bb",1],["a",2]])", R"([["a",2],["a",1],["b",0]])",
                            R"([["",0]])", R"([["a",18446744073709551615]])", R"([["a",1],["b",2],["cc",3]])"}) {
    auto sent = sdk_event("e");
    sent["causality_vector"] = json::parse(pairs);
    EXPECT_EQ(read_back(sent), sent);
  }
}

TEST(SdkForm, KeepsNumbersDigitByDigit) {
  auto text = sdk_event("e").dump();
  const std::string values = R"([1.10,12345678901234567890123,0.1000000000000000055511151231257827,-0.5,100.0])";
  text.insert(text.find("\"data\":null") + 7, values);
  text.erase(text.find(values) + values.size(), 4);
  EXPECT_NE(text_read_back(text).find(values), std::string::npos) << text_read_back(text);
}

TEST(SdkForm, ComesBackFromTheGreatestDepthThatIsTaken) {
  const auto nested = [](int depth) {
    json value = 1;
    for (int i = 0; i < depth; ++i) value = json::array({value});
    return value;
  };
  // Each place with the number of containers that stand around it in the event.
  const std::vector<std::pair<json::json_pointer, int>> places = {
      {json::json_pointer("/kind/Custom/data"), 3}, {json::json_pointer("/metadata/tags"), 2},
      {json::json_pointer("/metadata/unknown"), 2}, {json::json_pointer("/unknown"), 1},
      {json::json_pointer("/kind/Custom/tags"), 3}, {json::json_pointer("/lock_set/0"), 2}};
  for (const auto& [place, around] : places) {
    auto sent = sdk_event("e");
    sent[place] = nested(128 - around);
    EXPECT_EQ(read_back(sent), sent) << place;
    sent[place] = nested(129 - around);
    EXPECT_NE(reason_of(sent), "") << place;
  }
}

// The 13 variants of the contract and their fields.
const std::vector<std::pair<std::string, std::vector<std::string>>> variants = {
    {"FunctionCall", {"function_name", "module", "args", "file", "line"}},
    {"AsyncSpawn", {"task_id", "spawned_by"}},
    {"AsyncAwait", {"future_id", "awaited_at"}},
    {"StateChange", {"variable", "old_value", "new_value", "location", "access_type"}},
    {"LockAcquire", {"lock_id", "lock_type", "location"}},
    {"LockRelease", {"lock_id", "lock_type", "location"}},
    {"MemoryFence", {"ordering", "location"}},
    {"HttpRequest", {"method", "url", "headers", "body"}},
    {"HttpResponse", {"status", "headers", "body", "duration_ms"}},
    {"DatabaseQuery", {"query", "database", "duration_ms"}},
    {"DatabaseResult", {"rows_affected"}},
    {"Error", {"error_type", "message", "stack_trace"}},
    {"Custom", {"name", "data"}}};

/// Names that mean something elsewhere, in a row or in an event.
std::string trap(Dice& dice) {
  return dice.one_of<std::string>({"thread_id",
                                   "process_id",
                                   "service_name",
                                   "environment",
                                   "tags",
                                   "duration_ns",
                                   "instance_id",
                                   "distributed_span_id",
                                   "upstream_span_id",
                                   "parent_id",
                                   "lock_set",
                                   "causality_vector",
                                   "timestamp_nanos",
                                   "kind_fields",
                                   "metadata_fields",
                                   "event_fields",
                                   "location",
                                   "file",
                                   "line",
                                   "trace_id",
                                   "kind",
                                   "metadata",
                                   "vector_clock",
                                   "timestamp",
                                   "events",
                                   ""});
}

json field_value(Dice& dice, const std::string& name) {
  if (name.starts_with("duration")) return dice.chance(20) ? json() : json(dice.between(0, 1'000'000) / 8.0);
  if (name == "line" && dice.chance(80)) return dice.between(0, 5'000);
  if (name == "file" && dice.chance(80)) return dice.one_of<std::string>({"a.js", "b.js", ""});
  if (name == "location" && dice.chance(80)) {
    return dice.one_of<std::string>(
        {"a.js:0", "a.js:1", "b.js:2", "x", "", std::string(500, 'y'), std::string(501, 'y')});
  }
  return dice.value(3);
}

json random_variant(Dice& dice, const std::vector<std::string>& fields) {
  json variant = json::object();
  for (const auto& name : fields) {
    if (dice.chance(85)) variant[name] = field_value(dice, name);
  }
  for (int more = dice.between(0, 3); more > 0; --more) {
    const auto name = dice.chance(70) ? trap(dice) : dice.text(5);
    variant[name] = field_value(dice, name);
  }
  return variant;
}

json random_metadata(Dice& dice) {
  json metadata = json::object();
  for (const auto* name : {"thread_id", "service_name", "environment", "instance_id", "distributed_span_id",
                           "upstream_span_id", "tags", "process_id"}) {
    if (dice.chance(80)) metadata[name] = dice.chance(80) ? json(dice.text()) : dice.value(2);
  }
  if (dice.chance(60)) metadata["duration_ns"] = dice.chance(30) ? json() : json(dice.between(0, 1'000'000'000));
  for (int more = dice.between(0, 2); more > 0; --more) {
    const auto name = dice.chance(70) ? trap(dice) : dice.text(5);
    if (!name.starts_with("duration")) metadata[name] = dice.value(2);
  }
  return metadata;
}

json random_clock(Dice& dice) {
  json pairs = json::array();
  for (int count = dice.between(0, 4); count > 0; --count) {
    pairs.push_back({dice.one_of<std::string>({"a", "b", "api#1", "é", ""}),
                     dice.chance(90) ? static_cast<std::uint64_t>(dice.between(0, 100)) : UINT64_MAX});
  }
  return pairs;
}

/// The id as a client may write it.
std::string disguised(Dice& dice, std::string uuid) {
  if (dice.chance(30)) std::erase(uuid, '-');
  if (dice.chance(30))
    std::transform(uuid.begin(), uuid.end(), uuid.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return dice.one_of<std::string>({uuid, uuid, "{" + uuid + "}", "urn:uuid:" + uuid});
}

/// A moment of the years 2000 to 2100 as a client may write it, and as it comes back.
std::pair<std::string, std::string> random_time(Dice& dice) {
  const Timestamp time{dice.between64(0, 3'155'760'000'000'000), dice.chance(50) ? 0 : dice.between(1, 999)};
  std::string back;
  append_timestamp(back, time, "Z");
  auto sent = back;
  if (dice.chance(50)) sent = plain_time(sent) + dice.one_of<std::string>({"Z", "+00:00", "z", "-0000"});
  if (dice.chance(20)) sent[10] = ' ';
  return {sent, back};
}

/// An event as it is sent, and as it should come back.
std::pair<json, json> random_event(Dice& dice, std::set<std::string>& ids) {
  auto id = dice.uuid();
  while (!ids.insert(id).second) id.front() = id.front() == 'f' ? '0' : "123456789abcdef0"[id.front() % 16];
  const auto trace = dice.uuid();
  const auto [sent_time, time] = random_time(dice);
  json back = {{"id", id}, {"trace_id", trace}, {"timestamp", time}};
  if (dice.chance(80)) {
    const auto& [name, fields] =
        variants[static_cast<std::size_t>(dice.between(0, static_cast<int>(variants.size()) - 1))];
    back["kind"] = {{name, random_variant(dice, fields)}};
  } else {
    back["kind"] = {{"X" + dice.text(20), random_variant(dice, {})}};
  }
  if (dice.chance(95)) back["metadata"] = random_metadata(dice);
  if (dice.chance(90)) back["causality_vector"] = dice.chance(95) ? random_clock(dice) : json();
  if (dice.chance(90)) back["lock_set"] = dice.chance(70) ? json::array() : json::array({dice.value(1), dice.text()});
  if (dice.chance(90)) back["parent_id"] = dice.chance(30) ? json() : json(dice.uuid());
  for (int more = dice.between(0, 2); more > 0; --more) {
    const auto name = dice.chance(50) ? trap(dice) : "y" + dice.text(5);
    if (!fields::is_sdk_field(name)) back[name] = dice.value(2);
  }
  json sent = back;
  sent["id"] = disguised(dice, id);
  sent["trace_id"] = disguised(dice, trace);
  sent["timestamp"] = sent_time;
  if (sent.contains("parent_id") && sent["parent_id"].is_string())
    sent["parent_id"] = disguised(dice, sent["parent_id"]);
  return {sent, with_defaults(back)};
}

RC_GTEST_PROP(SdkForm, ComesBackAsItWasSent, ()) {
  Dice dice;
  std::set<std::string> ids;
  std::vector<json> sent;
  std::map<std::string, json> expected;
  for (int count = dice.between(1, 3); count > 0; --count) {
    const auto [event, back] = random_event(dice, ids);
    sent.push_back(event);
    expected[back["id"]] = back;
  }
  RC_ASSERT(read_back(std::string_view(wrapped(sent))) == expected);
}

}  // namespace
}  // namespace raceway::wire::test

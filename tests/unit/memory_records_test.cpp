// What the memory store packs, it gives back to the letter: whatever was sent, however it was cut into bodies.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "memory/memory_storage.hpp"
#include "trace_support.hpp"
#include "wire/batch.hpp"
#include "wire/json.hpp"
#include "wire_support.hpp"

namespace raceway::server::storage {

void PrintTo(const StoredEvent& event, std::ostream* out) {
  *out << event.event_id << " of " << event.trace_id << ": " << event.kind << " at " << event.timestamp << ", location "
       << event.location.value_or("none") << ", clock " << event.vector_clock << ", metadata " << event.metadata;
}

}  // namespace raceway::server::storage

namespace raceway::server::memory {
namespace {

using nlohmann::json;
using wire::test::Dice;
using wire::test::documented_event;
using wire::test::sdk_event;
using wire::test::wrapped;
using Events = std::map<std::string, storage::StoredEvent>;  // by id

std::string clock_text(const wire::Event& event) {
  if (!event.has_clock) return "";
  std::string text;
  for (const auto& [name, counter] : event.clock) {
    text += text.empty() ? "{" : ",";
    wire::append_json_string(text, name);
    text += ':' + std::to_string(counter);
  }
  return text.empty() ? "{}" : text + '}';
}

/// The row of an event, as its canonical texts say.
storage::StoredEvent row_of(const wire::Event& event) {
  storage::StoredEvent row;
  row.event_id = event.event_id;
  row.trace_id = event.trace_id;
  row.kind = event.kind;
  row.timestamp = event.timestamp;
  row.duration_ms = event.duration_ms;
  if (event.location) row.location = std::string(*event.location);
  row.vector_clock = clock_text(event);
  wire::append_json(row.metadata, event.metadata);
  return row;
}

/// The first event of each id, over all bodies.
Events sent(const std::vector<std::string>& bodies) {
  Events events;
  for (const auto& body : bodies) {
    const auto batch = wire::read_batch(body);
    for (const auto& event : batch.events) events.try_emplace(std::string(event.event_id), row_of(event));
  }
  return events;
}

Events read_back(MemoryStorage& storage) {
  Events events;
  wire::test::read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& read) {
        EXPECT_EQ(trace.event_count, read.size());
        for (const auto& event : read) EXPECT_TRUE(events.emplace(event.event_id, event).second) << event.event_id;
        return true;
      });
  return events;
}

void expect_kept(const std::vector<std::string>& bodies) {
  MemoryStorage storage;
  for (const auto& body : bodies) storage.ingest({body});
  const auto expected = sent(bodies);
  const auto kept = read_back(storage);
  ASSERT_EQ(kept.size(), expected.size());
  for (const auto& [id, row] : expected) EXPECT_EQ(kept.at(id), row);
}

void expect_events_kept(const std::vector<json>& events) {
  expect_kept(std::vector<std::string>{wrapped(events)});
  std::vector<std::string> one_by_one;
  for (const auto& event : events) one_by_one.push_back(event.dump());
  expect_kept(one_by_one);
}

std::string uuid_of(unsigned number) {
  const std::string digits = std::to_string(100'000 + number);
  return "aaaaaaaa-bbbb-4ccc-8ddd-eeeeee" + digits;
}

/// A documented event whose metadata is this JSON text.
std::string with_metadata(const std::string& id, const std::string& metadata) {
  auto text = documented_event(id, "t").dump();
  text.back() = ',';
  return text + "\"metadata\":" + metadata + '}';
}

void expect_metadata_kept(const std::vector<std::string>& texts) {
  std::vector<std::string> bodies;
  // Twice and more: what is seen again is packed in another way than what is new.
  for (int round = 0; round < 3; ++round) {
    for (const auto& text : texts) bodies.push_back(with_metadata("e" + std::to_string(bodies.size()), text));
  }
  expect_kept(bodies);
}

TEST(MemoryRecords, KeepTheRecordedTrafficToTheLetter) {
  std::vector<std::string> bodies;
  for (const auto& [name, body] : wire::test::recorded_bodies()) bodies.push_back(body);
  expect_kept(bodies);
  std::reverse(bodies.begin(), bodies.end());
  expect_kept(bodies);
}

TEST(MemoryRecords, KeepTheRecordedTrafficSentEventByEvent) {
  std::vector<std::string> bodies;
  for (const auto& [name, body] : wire::test::recorded_bodies()) {
    const auto parsed = json::parse(body);
    for (const auto& event : parsed["events"]) bodies.push_back(event.dump());
  }
  expect_kept(bodies);
}

TEST(MemoryRecords, KeepNumbersAsTheyWereWritten) {
  std::string numbers =
      "[0,1,-1,63,64,-64,127,128,16383,16384,0.5,-0.5,0.05,0.50,10.00,-12.3400,100,1e2,1.5e-7,-0,0.0,"
      "18446744073709551615,18446744073709551616,-9223372036854775808,999999999999999999,"
      "1000000000000000000,-999999999999999999,0.999999999999999999,12345678.9012345678,"
      "123456789012345678.9,0.000000000000000001,0.0000000000000000001,3.141592653589793,1e30,1e-30,"
      "12.889862060546875,1.7976931348623157e308,5e-324";
  numbers += "," + std::string(900, '7') + "]";
  expect_metadata_kept({"{\"n\":" + numbers + "}", R"({"process_id":0.10,"tags":{"n":-0.0}})"});
}

TEST(MemoryRecords, KeepTextsThatLookLikeSomethingElse) {
  json texts = {"",
                "a",
                "0",
                "deadbeef",
                "DEADBEEF",
                "deadbee",
                "deadbeeg",
                "0123456789abcdef0",
                "null",
                "\\",
                "\"",
                "\n\t\u0001",
                "\u00e9\u4e16\U0001F600",
                std::string(64, 'f'),
                std::string(66, 'f'),
                std::string(62, '0'),
                "3b98b917-5787-4b2c-94c2-3538c16f83a2",
                "3B98B917-5787-4B2C-94C2-3538C16F83A2",
                "3b98b917-5787-4b2c-94c2-3538c16f83ag",
                "3b98b9175787-4b2c-94c2-3538c16f83a2-",
                "o0000000",
                "0o000000",
                "::::::::",
                "@@@@@@@@",
                "````````",
                "gggggggg",
                std::string(3'000, 'x'),
                std::string(3'000, 'a')};
  expect_metadata_kept({json{{"texts", texts}}.dump(), json{{"thread_id", texts}, {"tags", texts}}.dump(),
                        json{{"parent_id", "3b98b917-5787-4b2c-94c2-3538c16f83a2"}}.dump(),
                        json{{"parent_id", ""}}.dump(), json{{"parent_id", 7}}.dump()});
}

TEST(MemoryRecords, KeepDeepAndWideMetadata) {
  std::string deep = "1";
  for (int level = 0; level < 60; ++level) deep = R"({"k":[)" + deep + ",null,true,false]}";
  json wide;
  for (int key = 0; key < 3'000; ++key) wide["key" + std::to_string(key)] = key;
  expect_metadata_kept({R"({"a":)" + deep + "}", wide.dump(), "{}", R"({"":{"":{}},"a":[],"b":[[],{}]})",
                        json{{"tags", wide}}.dump(), json{{"a", std::vector<int>(5'000, 7)}}.dump()});
}

TEST(MemoryRecords, KeepContextsOfRequestsThatInterleave) {
  std::vector<json> events;
  for (unsigned at = 0; at < 200; ++at) {
    auto event = sdk_event(uuid_of(at), uuid_of(900 + at % 3));
    const unsigned request = (at * 7) % 40;
    event["metadata"]["thread_id"] = "thread-" + std::to_string(request);
    if (request % 3 == 0) event["metadata"]["upstream_span_id"] = "00f067aa0ba902b7";
    if (request % 5 == 0) event["metadata"].erase("service_name");
    if (request % 7 == 0) event["metadata"]["tags"] = {{"list", {1, nullptr, true, {{"deep", "er"}}}}};
    if (request % 11 == 0) event.erase("metadata");
    if (at > 2) event["parent_id"] = uuid_of(at % 4 == 0 ? at - 1 : at - 3);
    events.push_back(event);
  }
  expect_events_kept(events);
}

TEST(MemoryRecords, KeepClocksInTheOrderSentAndInTheirOwn) {
  const std::vector<json> clocks = {json::array(),
                                    {{"a", 1}},
                                    {{"a", 1}, {"b", 2}},
                                    {{"b", 2}, {"a", 1}},
                                    {{"b", 2}, {"a", 1}, {"b", 2}},
                                    {{"b", 2}, {"a", 1}, {"b", 3}},
                                    {{"bb", 5.0}, {"a", 1}},
                                    {{"typescript-service#ts-1", 21}, {"python-service#py-1", 3}},
                                    {{"3b98b917-5787-4b2c-94c2-3538c16f83a2", 18446744073709551615U}, {"", 0}},
                                    nullptr};
  std::vector<json> events;
  for (unsigned round = 0; round < 3; ++round) {
    for (std::size_t at = 0; at < clocks.size(); ++at) {
      auto event = sdk_event(uuid_of(static_cast<unsigned>(events.size())), "t");
      event["causality_vector"] = clocks[at];
      events.push_back(event);
      // Of the other form, with pairs of its own beside its clock.
      auto documented = documented_event(uuid_of(static_cast<unsigned>(events.size())), "t");
      documented["vector_clock"] = {{"a", 1}, {"b", 2}};
      documented["metadata"] = {{"causality_vector", clocks[at]}};
      events.push_back(documented);
    }
  }
  json large = json::array();
  for (int component = 100; component > 0; --component) large.push_back({"c" + std::to_string(component), component});
  auto event = sdk_event("large clock", "t");
  event["causality_vector"] = large;
  events.push_back(event);
  expect_events_kept(events);
}

TEST(MemoryRecords, KeepIdsOfAnyKindAndTimesOfAnyYear) {
  std::vector<json> events;
  const std::vector<std::string> ids = {"x",
                                        std::string(255, 'i'),
                                        "3b98b917-5787-4b2c-94c2-3538c16f83a2",
                                        "3B98B917-5787-4B2C-94C2-3538C16F83A3",
                                        "3b98b91757874b2c94c23538c16f83a2",
                                        "\u00e9\u4e16\U0001F600",
                                        " ",
                                        "\"quoted\""};
  const std::vector<std::string> times = {"0000-01-01T00:00:00Z", "294276-12-31T23:59:59.999999999Z",
                                          "2024-01-01T00:00:00.123456789Z", "1999-12-31T23:59:59.999999Z"};
  for (const auto& trace : ids) {
    for (const auto& id : ids) {
      auto event =
          documented_event(events.size() % 8 == 0 ? id : id.substr(0, 200) + std::to_string(events.size()), trace);
      event["timestamp"] = times[events.size() % times.size()];
      event["duration_ms"] = events.size() % 2 == 0 ? json(0.1) : json(nullptr);
      event["location"] = std::string(events.size() % 2 == 0 ? 500 : 501, 'l');
      events.push_back(event);
    }
  }
  expect_events_kept(events);
}

TEST(MemoryRecords, KeepATraceThatFillsManyChunks) {
  std::vector<std::string> bodies;
  unsigned number = 0;
  for (int body = 0; body < 40; ++body) {
    std::vector<json> events;
    for (int at = 0; at < 25; ++at, ++number) {
      auto event = sdk_event(uuid_of(number), "t");
      event["metadata"]["thread_id"] = "thread-" + std::to_string(number / 90);
      if (number > 0) event["parent_id"] = uuid_of(number - 1);
      event["causality_vector"] = {{"longer-name", number}, {"name", number / 2}};
      if (number % 97 == 0) event["kind"]["Custom"]["data"] = std::string(9'000, 'd');
      events.push_back(event);
    }
    bodies.push_back(wrapped(events));
  }
  expect_kept(bodies);
}

/// An event of one of few traces, in either form, with much that repeats and much that is odd.
json random_event(Dice& dice, const std::string& id) {
  const auto few = [&](const char* name) { return name + std::to_string(dice.between(0, 2)); };
  const bool is_sdk = dice.chance(70);
  const auto trace = dice.chance(50) ? few("trace ") : uuid_of(static_cast<unsigned>(dice.between(0, 2)));
  json event = is_sdk ? sdk_event(id, trace) : documented_event(id, trace);
  json& metadata = event["metadata"];
  for (const char* key : {"thread_id", "service_name", "distributed_span_id", "other"}) {
    if (dice.chance(40)) metadata[key] = dice.chance(70) ? json(few("value ")) : dice.value(3);
  }
  if (dice.chance(30)) metadata[dice.text()] = dice.value(4);
  if (dice.chance(20)) metadata["tags"] = dice.value(2);
  if (is_sdk && dice.chance(40)) {
    event["kind"] = {{few("Kind"), {{"location", dice.text()}, {"new_value", dice.value(2)}, {"duration_ms", 1.5}}}};
  }
  if (dice.chance(60)) {
    json clock = json::array();
    for (int left = dice.between(0, 4); left > 0; --left) clock.push_back({few("c"), dice.between(0, 300)});
    (is_sdk ? event["causality_vector"] : metadata["causality_vector"]) = clock;
  }
  if (!is_sdk && dice.chance(60)) event["vector_clock"] = {{few("c"), dice.between(0, 300)}, {"c", 1}};
  return event;
}

RC_GTEST_PROP(MemoryRecords, KeepAnyEventsInAnyBodies, ()) {
  Dice dice;
  std::vector<std::string> bodies;
  std::vector<std::string> ids = {uuid_of(0)};
  for (int left = dice.between(1, 6); left > 0; --left) {
    std::vector<json> events;
    for (int count = dice.between(1, 12); count > 0; --count) {
      ids.push_back(dice.chance(80) ? dice.uuid() : "id " + dice.text());
      auto event = random_event(dice, ids.back());
      if (dice.chance(60)) event["parent_id"] = ids[ids.size() - static_cast<std::size_t>(dice.one_of({1, 2}))];
      events.push_back(event);
    }
    bodies.push_back(wrapped(events));
  }
  MemoryStorage storage;
  for (const auto& body : bodies) storage.ingest({body});
  const auto expected = sent(bodies);
  const auto kept = read_back(storage);
  RC_ASSERT(kept.size() == expected.size());
  for (const auto& [id, row] : expected) RC_ASSERT(kept.at(id) == row);
}

}  // namespace
}  // namespace raceway::server::memory

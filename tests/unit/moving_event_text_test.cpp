// The text of an event makes the same row again, whether it came from a row or from the API.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "memory/memory_storage.hpp"
#include "moving/event_text.hpp"
#include "trace_support.hpp"
#include "wire/writer.hpp"
#include "wire_support.hpp"

namespace raceway::server::moving::test {
namespace {

using nlohmann::json;
using storage::StoredEvent;
using wire::test::documented_event;
using wire::test::sdk_event;

std::vector<StoredEvent> rows_of(std::string_view body) {
  memory::MemoryStorage storage;
  const auto result = storage.ingest({body}).front();
  if (!result.rejected.empty()) throw std::logic_error("rejected: " + result.rejected.told().front().reason);
  std::vector<StoredEvent> rows;
  wire::test::read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const auto&, std::vector<StoredEvent> events) {
        for (auto& event : events) rows.push_back(std::move(event));
        return true;
      });
  return rows;
}

std::string text_of(const StoredEvent& row) {
  std::string text;
  append_row(text, row.row());
  return text;
}

std::string api_form(const StoredEvent& row) {
  std::string text;
  wire::append_sdk_event(text, row.row());
  return text;
}

std::string text_from_api(const StoredEvent& row) {
  std::string text;
  append_api_event(text, api_form(row), {.no_service = true});
  return text;
}

/// All columns of a row, to compare.
auto columns(const StoredEvent& row) {
  return std::tuple(row.event_id, row.trace_id, row.kind, row.timestamp, row.duration_ms, row.location,
                    row.vector_clock, row.metadata);
}

void expect_nothing_lost(const std::string& body) {
  for (const auto& row : rows_of(body)) {
    const auto again = rows_of(text_of(row)).at(0);
    EXPECT_EQ(columns(again), columns(row)) << text_of(row);
    EXPECT_EQ(api_form(rows_of(text_from_api(row)).at(0)), api_form(row)) << text_from_api(row);
  }
}

TEST(TheTextOfAnEvent, IsOneLineInTheDocumentedForm) {
  const auto row = rows_of(documented_event("a\nb", "t").dump()).at(0);
  EXPECT_THAT(text_of(row), testing::StartsWith(R"({"event_id":"a\nb","trace_id":"t","kind":)"));
  EXPECT_EQ(text_of(row).find('\n'), std::string::npos);
}

TEST(TheTextOfAnEvent, LosesNothingOfWhatSdksSent) {
  for (const auto& [name, body] : wire::test::recorded_bodies()) expect_nothing_lost(body);
}

TEST(TheTextOfAnEvent, OfAnSdkIsTheSameFromTheApiAsFromTheRow) {
  for (const auto& [name, body] : wire::test::recorded_bodies()) {
    for (const auto& row : rows_of(body)) {
      EXPECT_EQ(columns(rows_of(text_from_api(row)).at(0)), columns(row));
    }
  }
}

TEST(TheTextOfAnEvent, KeepsNanosecondsParentsLocksAndTheClockAsItWasSent) {
  auto event = sdk_event("6d0e1f5e-1111-4222-8333-944455556666");
  event["timestamp"] = "2026-01-01T00:00:00.123456789Z";
  event["parent_id"] = "6d0e1f5e-1111-4222-8333-944455557777";
  event["lock_set"] = {"l2", "l1"};
  event["causality_vector"] = json::parse(R"([["long-name",3],["b",0],["a",18446744073709551615]])");
  event["unknown"] = {{"x", 1}};
  expect_nothing_lost(event.dump());
  const auto back = json::parse(api_form(rows_of(text_of(rows_of(event.dump()).at(0))).at(0)));
  for (const char* field : {"timestamp", "parent_id", "lock_set", "causality_vector", "unknown"}) {
    EXPECT_EQ(back[field], event[field]) << field;
  }
}

TEST(TheTextOfAnEvent, LeavesIdsAsTheyAreThatOnlyLookLikeUuids) {
  auto event = documented_event("6D0E1F5E111142228333944455556666", "{6d0e1f5e-1111-4222-8333-944455556666}");
  event["metadata"]["parent_id"] = "6D0E1F5E-1111-4222-8333-944455556666";
  expect_nothing_lost(event.dump());
  const auto row = rows_of(event.dump()).at(0);
  EXPECT_EQ(columns(rows_of(text_from_api(row)).at(0)), columns(row));
}

TEST(TheTextOfAnEvent, FromTheApiHasNothingThatWasNotSent) {
  auto event = documented_event("a");
  event["metadata"] = {{"x", 1}};
  event["vector_clock"] = {{"a", 1}};
  event.erase("duration_ms");
  const auto row = rows_of(event.dump()).at(0);
  EXPECT_EQ(columns(rows_of(text_from_api(row)).at(0)), columns(row));
}

TEST(TheTextOfAnEvent, KeepsAnEmptyServiceWhereThereIsSuchAService) {
  auto event = sdk_event("a");
  event["metadata"]["service_name"] = "";
  std::string text;
  append_api_event(text, api_form(rows_of(event.dump()).at(0)), {.no_service = false});
  EXPECT_TRUE(json::parse(text)["metadata"].contains("service_name"));
}

RC_GTEST_PROP(TheTextOfAnyEvent, LosesNothing, ()) {
  wire::test::Dice dice;
  auto event = dice.chance(50) ? documented_event("e") : sdk_event(dice.uuid());
  for (int i = dice.between(0, 3); i > 0; --i) event["metadata"][dice.text()] = dice.value(3);
  if (dice.chance(30)) event["timestamp"] = "2026-01-01T00:00:00." + std::to_string(dice.between(1, 999'999'999)) + "Z";
  if (dice.chance(30)) event[dice.text()] = dice.value(2);
  if (dice.chance(30)) event["duration_ms"] = dice.between(0, 100'000) / 1024.0;
  const auto rows = rows_of(event.dump());
  const auto again = rows_of(text_of(rows.at(0)));
  RC_ASSERT(columns(again.at(0)) == columns(rows.at(0)));
  RC_ASSERT(api_form(rows_of(text_from_api(rows.at(0))).at(0)) == api_form(rows.at(0)));
}

}  // namespace
}  // namespace raceway::server::moving::test

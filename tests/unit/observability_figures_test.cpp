// What is counted for /metrics, and into which of the fixed classes it falls.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "ingest/figures.hpp"
#include "observability/histogram.hpp"
#include "observability/request_figures.hpp"
#include "wire/batch.hpp"
#include "wire/reasons.hpp"

namespace raceway::server {
namespace {

using ingest::reject_class;
using ingest::RejectClass;
using observability::Histogram;
using observability::RequestFigures;

RC_GTEST_PROP(ObservabilityHistogram, counts_each_value_once_at_the_first_bound_that_is_not_less, ()) {
  const auto values = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 40));
  Histogram<3> histogram({5, 10, 30});
  std::array<std::uint64_t, 4> expected{};
  for (const auto value : values) {
    histogram.observe(value);
    ++expected[value <= 5 ? 0 : value <= 10 ? 1 : value <= 30 ? 2 : 3];
  }
  const auto reading = histogram.read();
  RC_ASSERT(reading.counts == expected);
  RC_ASSERT(reading.sum == std::accumulate(values.begin(), values.end(), std::uint64_t{0}));
}

/// The class of the reason that the wire gives for a body's only event.
RejectClass class_of(const std::string& event) {
  const auto batch = wire::read_batch(event);
  EXPECT_EQ(batch.rejected.count(), 1U) << event;
  return batch.rejected.empty() ? RejectClass::other : reject_class(batch.rejected.told().front().reason);
}

std::string event_with(const std::string& member) {
  return R"({"event_id":"e","trace_id":"t","kind":"Log",)" + member + "}";
}

TEST(ObservabilityRejections, fall_into_the_class_of_what_is_wrong) {
  const std::string when = R"("timestamp":"2026-01-01T00:00:00Z")";
  EXPECT_EQ(class_of(event_with(R"("metadata":{})")), RejectClass::missing_field);
  EXPECT_EQ(class_of(R"({"trace_id":"t"})"), RejectClass::missing_field);
  EXPECT_EQ(class_of(event_with(R"("timestamp":"yesterday")")), RejectClass::bad_timestamp);
  EXPECT_EQ(class_of(event_with(R"("timestamp":5)")), RejectClass::bad_timestamp);
  EXPECT_EQ(class_of(event_with(when + R"(,"vector_clock":{"a":-1})")), RejectClass::bad_clock);
  EXPECT_EQ(class_of(event_with(when + R"(,"vector_clock":7)")), RejectClass::bad_clock);
  EXPECT_EQ(class_of(R"({"event_id":"e","kind":"Log",)" + when + R"(,"trace_id":")" + std::string(300, 'x') + "\"}"),
            RejectClass::too_long);
  EXPECT_EQ(class_of(event_with(when + R"(,"metadata":{"a":"\u0000"})")), RejectClass::bad_text);
  EXPECT_EQ(class_of(event_with(when + R"(,"metadata":7)")), RejectClass::other);
  EXPECT_EQ(reject_class(wire::reason_other_trace("x is missing")), RejectClass::other_trace);
  EXPECT_EQ(reject_class("permission denied for table events"), RejectClass::other);
}

TEST(ObservabilityRequests, are_counted_by_route_method_and_class_of_status_by_many_threads_at_once) {
  RequestFigures figures;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&figures] {
      for (int n = 0; n < 1000; ++n) {
        figures.record({"GET", "/a", 200, 1, 10, std::chrono::microseconds(50)});
        figures.record({"BREW", "", 418, 0, 0, std::chrono::microseconds(-1)});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto reading = figures.read();
  ASSERT_EQ(reading.routes.size(), 2U);
  EXPECT_EQ(reading.received_bytes, 4000U);
  EXPECT_EQ(reading.sent_bytes, 40000U);
  for (const auto& route : reading.routes) {
    const bool matched = route.name == "/a";
    EXPECT_TRUE(matched || route.name == "none");
    EXPECT_EQ(route.requests[matched ? 0 : 7][matched ? 1 : 3], 4000U);
    EXPECT_EQ(route.durations.counts[0], 4000U);
  }
}

TEST(ObservabilityRequests, of_more_routes_than_there_is_room_for_are_counted_together) {
  RequestFigures figures;
  for (std::size_t n = 0; n < RequestFigures::most_routes + 10; ++n)
    figures.record({"GET", "/" + std::to_string(n), 200, 0, 0, std::chrono::microseconds(1)});
  const auto reading = figures.read();
  ASSERT_EQ(reading.routes.size(), RequestFigures::most_routes + 1);
  EXPECT_EQ(reading.routes.back().name, "other");
  EXPECT_EQ(reading.routes.back().requests[0][1], 10U);
}

}  // namespace
}  // namespace raceway::server

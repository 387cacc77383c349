#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "status/metrics.hpp"
#include "status/view.hpp"

namespace raceway::server::status {
namespace {

using Json = nlohmann::ordered_json;

TEST(StatusView, GroupsDigitsAndNamesDurations) {
  EXPECT_EQ(shown_count(0), "0");
  EXPECT_EQ(shown_count(999), "999");
  EXPECT_EQ(shown_count(1'234'567), "1,234,567");
  EXPECT_EQ(shown_duration(59), "59 s");
  EXPECT_EQ(shown_duration(3'599), "59 min 59 s");
  EXPECT_EQ(shown_duration(90'000), "1 d 1 h");
}

TEST(StatusView, HasNoRateOverARestartOrALoss) {
  const Json before = {{"events_captured", 100U}, {"uptime_seconds", 10U}};
  EXPECT_EQ(rate_between(before, {{"events_captured", 300U}, {"uptime_seconds", 12U}}, 2), 100);
  EXPECT_FALSE(rate_between(before, {{"events_captured", 300U}, {"uptime_seconds", 1U}}, 2));
  EXPECT_FALSE(rate_between(before, {{"events_captured", 50U}, {"uptime_seconds", 12U}}, 2));
}

TEST(StatusView, ShowsWhatALaterServerSaysAsWell) {
  const Json data = {{"version", "9"}, {"events_captured", 1U}, {"pool", {{"in_use", 3U}, {"waiting", 0U}}}};
  const auto shown = view("http://h:1", data, Metrics(""), 12.6, {false, 80});
  EXPECT_NE(shown.find("Raceway 9 at http://h:1"), std::string::npos);
  EXPECT_NE(shown.find("pool      in_use 3, waiting 0"), std::string::npos);
  EXPECT_NE(shown.find("rate      13 events/s"), std::string::npos);
  EXPECT_NE(shown.find("backend   postgres"), std::string::npos);
}

TEST(StatusMetrics, AreReadAsPrometheusReadsThem) {
  const Metrics metrics(R"(# HELP a_total something
# TYPE a_total counter
a_total 3
b{state="in use",of="x}y"} 1.5
b{state="idle"} 2 1700000000
not a sample
c{broken 1
)");
  EXPECT_EQ(metrics.value("a_total"), 3);
  EXPECT_EQ(metrics.value("b"), 3.5);
  EXPECT_EQ(metrics.by_label("b"), "in use x}y 2, idle 2");
  EXPECT_FALSE(metrics.value("c"));
  EXPECT_FALSE(metrics.value("nothing"));
}

TEST(StatusMetrics, SayHowBufferPoolAndDatabaseAre) {
  const auto lines = metric_lines(Metrics(R"(raceway_database_reachable 0
raceway_ingest_buffer_events 1200
raceway_ingest_buffer_limit_events 100000
raceway_database_pool_connections{state="idle"} 1
raceway_database_pool_connections{state="in_use"} 3
raceway_database_pool_max_connections 10
raceway_database_pool_waiting 2
raceway_events_stored_total 5
raceway_events_rejected_total{reason="kind"} 1
raceway_events_rejected_total{reason="id"} 1
)"));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"database", "away"},
      {"buffer", "1,200 of 100,000 events"},
      {"pool", "idle 1, in_use 3 of 10, waiting 2"},
      {"ingest", "5 stored, 0 duplicates, 2 rejected since the start"}};
  EXPECT_EQ(lines, expected);
  EXPECT_TRUE(metric_lines(Metrics("")).empty());
}

}  // namespace
}  // namespace raceway::server::status

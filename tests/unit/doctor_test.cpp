#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "doctor/checks.hpp"
#include "doctor/report.hpp"
#include "status/view.hpp"
#include "terminal/terminal.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::uint64_t giga = 1ULL << 30U;

TEST(DoctorSizes, AreReadAsPostgresqlWritesThemAndWithoutAUnitAsBytes) {
  EXPECT_EQ(read_bytes("16GB"), 16 * giga);
  EXPECT_EQ(read_bytes("512 MB"), giga / 2);
  EXPECT_EQ(read_bytes("1024"), 1024U);
  EXPECT_EQ(read_bytes("2TB"), 2048 * giga);
  for (const auto* text : {"", "GB", "1.5GB", "-1", "16 Gb", "8 8kB", "99999999999TB"})
    EXPECT_FALSE(read_bytes(text)) << text;
}

TEST(DoctorSizes, AreShownWithAFewDigits) {
  EXPECT_EQ(shown_bytes(0), "0 B");
  EXPECT_EQ(shown_bytes(giga), "1 GB");
  EXPECT_EQ(shown_bytes(giga * 3 / 2), "1.5 GB");
  EXPECT_EQ(shown_bytes(64 * 1024), "64 kB");
  EXPECT_EQ(postgres_bytes(giga / 2 + 5), "512MB");
}

TEST(DoctorNames, AreQuotedWhereSqlWantsIt) {
  EXPECT_EQ(sql_name("raceway"), "raceway");
  EXPECT_EQ(sql_name("user"), "\"user\"");
  EXPECT_EQ(sql_name("Race way"), "\"Race way\"");
  EXPECT_EQ(sql_name("a\"; DROP"), "\"a\"\"; DROP\"");
  EXPECT_EQ(sql_name("1st"), "\"1st\"");
}

TEST(DoctorDisk, IsJudgedByWhatIsFreeNotByItsSizeAlone) {
  EXPECT_EQ(judge_disk("it", 100 * giga, 50 * giga).severity, Severity::ok);
  EXPECT_EQ(judge_disk("it", 100 * giga, 9 * giga).severity, Severity::warning);
  EXPECT_EQ(judge_disk("it", 100 * giga, 1 * giga).severity, Severity::error);
  EXPECT_EQ(judge_disk("it", 10'000 * giga, 30 * giga).severity, Severity::ok) << "30 GB are a while, on any disk";
  EXPECT_FALSE(judge_disk("it", 100 * giga, 0).mend.empty());
}

TEST(DoctorClock, IsToldAheadFromBehind) {
  EXPECT_EQ(judge_clock(0.4).severity, Severity::ok);
  EXPECT_EQ(judge_clock(-5).severity, Severity::warning);
  EXPECT_NE(judge_clock(-5).found.find("behind"), std::string::npos);
  EXPECT_EQ(judge_clock(120).severity, Severity::error);
  EXPECT_NE(judge_clock(120).found.find("ahead"), std::string::npos);
}

TEST(DoctorReport, NeverBreaksALineThatIsToBeRun) {
  const std::string statement = "ALTER SYSTEM SET " + std::string(200, 'x') + " = '1 2 3';";
  const Findings findings = {{"a check",
                              Severity::error,
                              "some words that go on and on for much longer than forty columns",
                              {{Place::sql, "superuser", {statement}, "restart PostgreSQL"}}}};
  std::ostringstream out;
  print_text(out, findings, {false, 40});
  EXPECT_NE(out.str().find(statement + "\n"), std::string::npos);
  EXPECT_NE(out.str().find("1 error, 0 warnings, 0 ok"), std::string::npos);
  EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

TEST(DoctorReport, IsJsonWhateverADatabaseSays) {
  std::ostringstream out;
  print_json(out, {{"a", Severity::warning, "not \xff UTF-8", {}}});
  const auto report = nlohmann::json::parse(out.str());
  EXPECT_EQ(report["worst"], "warning");
  EXPECT_EQ(report["findings"][0]["mend"].size(), 0U);
}

TEST(Wrapping, KeepsWordsWholeAndLinesShort) {
  EXPECT_EQ(terminal::wrapped("one two three", 7, 0), "one two\nthree");
  EXPECT_EQ(terminal::wrapped("one two", 7, 4), "one\n    two");
  EXPECT_EQ(terminal::wrapped("incomprehensibilities", 5, 0), "incomprehensibilities");
  EXPECT_EQ(terminal::wrapped("", 5, 2), "");
  EXPECT_EQ(terminal::wrapped("\u00e4\u00e4 \u00e4\u00e4", 5, 0), "\u00e4\u00e4 \u00e4\u00e4") << "columns, not bytes";
}

}  // namespace
}  // namespace raceway::server::doctor

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

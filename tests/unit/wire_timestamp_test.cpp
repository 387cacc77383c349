// Times of RFC 3339: every form that clients send, over the whole range that the column holds.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using SysMicros = std::chrono::sys_time<std::chrono::microseconds>;

constexpr sys_days epoch = sys_days(2000y / 1 / 1);
/// The bounds of PostgreSQL's type as its own headers give them, and ours: year 0 is the first.
constexpr Micros first_moment = Micros{(sys_days(std::chrono::year(0) / 1 / 1) - epoch).count()} * 86'400'000'000;
constexpr Micros end_of_time = 9'223'371'331'200'000'000;

Micros micros_of(SysMicros time) {
  return (time - epoch).count();
}

std::string written(Timestamp time, std::string_view zone = "Z") {
  std::string text;
  append_timestamp(text, time, zone);
  return text;
}

/// A text read, and written in UTC.
std::string normal(std::string_view text) {
  return written(read_timestamp(text));
}

std::string problem_of(std::string_view text) {
  try {
    read_timestamp(text);
    return "";
  } catch (const EventError& error) {
    return error.what();
  }
}

TEST(Timestamps, CountMicrosecondsFromTheYear2000) {
  EXPECT_EQ(read_timestamp("2000-01-01T00:00:00Z").micros, 0);
  EXPECT_EQ(read_timestamp("2000-01-01T00:00:00.000001Z").micros, 1);
  EXPECT_EQ(read_timestamp("1999-12-31T23:59:59.999999Z").micros, -1);
  EXPECT_EQ(read_timestamp("1970-01-01T00:00:00Z").micros, -946'684'800'000'000);
}

TEST(Timestamps, AreReadInEveryFormThatClientsSend) {
  const std::string noon = "2024-02-29T12:00:00Z";
  for (const auto* text :
       {"2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "2024-02-29 12:00:00Z", "2024-02-29T12:00:00+00:00",
        "2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00+0000", "2024-02-29T12:00:00+00", "2024-02-29T14:00:00+02:00",
        "2024-02-29T14:00:00+02", "2024-02-29T17:45:00+0545", "2024-02-29T06:30:00-05:30", "2024-02-28T12:01:00-23:59",
        "2024-03-01T11:59:00+23:59", "2024-02-29T12:00:00.000Z", "2024-02-29T12:00:00,0Z"}) {
    EXPECT_EQ(normal(text), noon) << text;
  }
}

TEST(Timestamps, CrossMidnightMonthAndYearWithTheirZone) {
  EXPECT_EQ(normal("2024-01-01T00:30:00+01:00"), "2023-12-31T23:30:00Z");
  EXPECT_EQ(normal("2023-12-31T23:30:00-01:00"), "2024-01-01T00:30:00Z");
  EXPECT_EQ(normal("2024-03-01T00:00:00+00:01"), "2024-02-29T23:59:00Z");
  EXPECT_EQ(normal("2023-03-01T00:00:00+00:01"), "2023-02-28T23:59:00Z");
}

TEST(Timestamps, KeepNanosecondsAndDropWhatIsFiner) {
  const std::string digits = "123456789012";
  const Micros second = read_timestamp("2024-01-01T00:00:00Z").micros;
  for (std::size_t count = 1; count <= digits.size(); ++count) {
    const auto sent = digits.substr(0, count);
    const auto nanos = std::stoll((sent + "000000000").substr(0, 9));
    const auto time = read_timestamp("2024-01-01T00:00:00." + sent + "Z");
    EXPECT_EQ(time.micros, second + nanos / 1'000) << sent;
    EXPECT_EQ(time.nanos, nanos % 1'000) << sent;
  }
  const auto many = read_timestamp("2024-01-01T00:00:00.9999999999999999999999999999999999999999Z");
  EXPECT_EQ(many.micros, second + 999'999);
  EXPECT_EQ(many.nanos, 999);
}

TEST(Timestamps, BeforeTheEpochAreFlooredToo) {
  const auto time = read_timestamp("1999-12-31T23:59:59.999999999Z");
  EXPECT_EQ(time.micros, -1);
  EXPECT_EQ(time.nanos, 999);
  EXPECT_EQ(written(time), "1999-12-31T23:59:59.999999999Z");
}

TEST(Timestamps, AreWrittenWithTheShortestExactFraction) {
  const Micros second = read_timestamp("2024-01-01T12:00:00Z").micros;
  EXPECT_EQ(written({second, 0}), "2024-01-01T12:00:00Z");
  EXPECT_EQ(written({second + 120'000, 0}), "2024-01-01T12:00:00.120Z");
  EXPECT_EQ(written({second + 120'100, 0}), "2024-01-01T12:00:00.120100Z");
  EXPECT_EQ(written({second + 1, 0}), "2024-01-01T12:00:00.000001Z");
  EXPECT_EQ(written({second, 7}), "2024-01-01T12:00:00.000000007Z");
  EXPECT_EQ(written({second + 120'000, 10}, "+00:00"), "2024-01-01T12:00:00.120000010+00:00");
}

TEST(Timestamps, ReachFromYear0To294276) {
  EXPECT_EQ(read_timestamp("0000-01-01T00:00:00Z").micros, first_moment);
  EXPECT_EQ(read_timestamp("294276-12-31T23:59:59.999999Z").micros, end_of_time - 1);
  EXPECT_EQ(read_timestamp("+294276-12-31T23:59:59.999999Z").micros, end_of_time - 1);
  EXPECT_EQ(normal("0000-02-29T00:00:00Z"), "0000-02-29T00:00:00Z");
  EXPECT_EQ(normal("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
  EXPECT_EQ(normal("10000-01-01T00:00:00Z"), "+10000-01-01T00:00:00Z");
  EXPECT_EQ(normal("+010000-01-01T00:00:00Z"), "+10000-01-01T00:00:00Z");
  for (const auto* text : {"294277-01-01T00:00:00Z", "294276-12-31T23:59:60Z", "294276-12-31T23:00:00-01:00",
                           "0000-01-01T00:30:00+01:00", "999999-01-01T00:00:00Z", "9999999-01-01T00:00:00Z"}) {
    EXPECT_NE(problem_of(text).find("out of range"), std::string::npos) << text << ": " << problem_of(text);
  }
  for (const auto* text : {"-0001-01-01T00:00:00Z", "99999999-01-01T00:00:00Z"}) EXPECT_NE(problem_of(text), "");
}

TEST(Timestamps, TakeALeapSecondForTheNextMinutesFirst) {
  EXPECT_EQ(normal("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(normal("2016-12-31T23:59:60.5Z"), "2017-01-01T00:00:00.500Z");
  EXPECT_EQ(normal("2024-02-28T23:59:60Z"), "2024-02-29T00:00:00Z");
  EXPECT_NE(problem_of("2016-12-31T23:59:61Z"), "");
}

TEST(Timestamps, KnowTheLeapYears) {
  for (const auto* year : {"2000", "2024", "1600", "0000", "0004", "2400"}) {
    EXPECT_EQ(problem_of(std::string(year) + "-02-29T00:00:00Z"), "") << year;
  }
  for (const auto* year : {"1900", "2023", "2100", "2200", "0100"}) {
    EXPECT_NE(problem_of(std::string(year) + "-02-29T00:00:00Z"), "") << year;
  }
}

TEST(Timestamps, OfNoDayOrNoHourAreRefused) {
  for (const auto* text :
       {"2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
        "2024-04-31T00:00:00Z", "2024-06-31T00:00:00Z", "2024-09-31T00:00:00Z", "2024-11-31T00:00:00Z",
        "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60"}) {
    EXPECT_NE(problem_of(text).find("out of range"), std::string::npos) << text << ": " << problem_of(text);
  }
}

TEST(Timestamps, WithoutAZoneAreRefusedAndToldTheMend) {
  for (const auto* text : {"2024-01-01T00:00:00", "2024-01-01T00:00:00.123", "2024-01-01 00:00:00"}) {
    EXPECT_NE(problem_of(text).find("no zone"), std::string::npos) << text << ": " << problem_of(text);
  }
}

TEST(Timestamps, OfAnyOtherTextAreRefused) {
  for (const auto* text : {"",
                           " ",
                           "now",
                           "2024",
                           "2024-01-01",
                           "2024-1-1T00:00:00Z",
                           "24-01-01T00:00:00Z",
                           "2024-01-01T00:00Z",
                           "2024-01-01T0:00:00Z",
                           "2024-01-01T00:00:00.Z",
                           "2024-01-01T00:00:00ZZ",
                           "2024-01-01T00:00:00Z ",
                           " 2024-01-01T00:00:00Z",
                           "2024-01-01T00:00:00 +00:00",
                           "2024-01-01T00:00:00+0",
                           "2024-01-01T00:00:00+00:0",
                           "2024-01-01T00:00:00+00:",
                           "2024-01-01T00:00:00+000",
                           "2024-01-01T00:00:00UTC",
                           "2024-01-01_00:00:00Z",
                           "2024/01/01T00:00:00Z",
                           "+2024-01-01T00:00:00Z",
                           "1704067200",
                           "2024-01-01T00:00:00.1.2Z",
                           "２024-01-01T00:00:00Z"}) {
    EXPECT_NE(problem_of(text), "") << text;
  }
}

TEST(Timestamps, ThatAreRefusedAreShownInWholeCharacters) {
  // 61 bytes of two-byte characters: cut in bytes, the reason would be no UTF-8, and no answer could hold it.
  std::string text = "x";
  for (int i = 0; i < 40; ++i) text += "é";
  const auto problem = problem_of(text);
  for (std::size_t at = 0; at < problem.size(); ++at) {
    if (problem[at] != '\xC3') continue;
    ASSERT_EQ(problem.at(at + 1), '\xA9') << problem;
  }
  EXPECT_NE(problem.find("\" is not a time"), std::string::npos);
}

RC_GTEST_PROP(Timestamps, ComeBackOverTheWholeRange, ()) {
  const auto micros = *rc::gen::inRange(first_moment, end_of_time);
  const auto nanos = *rc::gen::element(0, *rc::gen::inRange(1, 1'000));
  for (const std::string_view zone : {"Z", "+00:00"}) {
    const auto back = read_timestamp(written({micros, nanos}, zone));
    RC_ASSERT(back.micros == micros);
    RC_ASSERT(back.nanos == nanos);
  }
}

RC_GTEST_PROP(Timestamps, AgreeWithTheStandardLibrary, ()) {
  const auto from = micros_of(sys_days(1900y / 1 / 1));
  const auto to = micros_of(sys_days(2201y / 1 / 1));
  const auto micros = *rc::gen::inRange(from, to);
  const auto zone_minutes = *rc::gen::inRange(-23 * 60, 23 * 60);
  const SysMicros utc = epoch + std::chrono::microseconds(micros);
  const SysMicros local = utc + std::chrono::minutes(zone_minutes);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);

  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06d%c%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()),
                zone_minutes < 0 ? '-' : '+', std::abs(zone_minutes) / 60, std::abs(zone_minutes) % 60);
  RC_ASSERT(read_timestamp(text).micros == micros);
}

TEST(Timestamps, OfEveryDayFrom1900To2200AgreeWithTheStandardLibrary) {
  for (auto day = sys_days(1900y / 1 / 1); day < sys_days(2201y / 1 / 1); day += std::chrono::days(1)) {
    const std::chrono::year_month_day date(day);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT00:00:00Z", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(written({micros_of(day), 0}), text);
    ASSERT_EQ(read_timestamp(text).micros, micros_of(day));
  }
}

}  // namespace
}  // namespace raceway::wire

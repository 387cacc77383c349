// Dates of logs: every form that is read gives its instant, and what is in none is an error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <ctime>

#include "moving/shiviz_date.hpp"

namespace raceway::server::moving::test {
namespace {

struct Case {
  const char* given;
  const char* wanted;
};

std::string read_or_error(const std::string& text, DateOrder order = DateOrder::unstated) {
  try {
    return read_log_date(text, order);
  } catch (const DateError& error) {
    return error.what();
  }
}

TEST(ADateOfALog, IsReadInTheFormsThatLogsHave) {
  constexpr auto cases = std::to_array<Case>({
      {"2014-10-13T14:37:20Z", "2014-10-13T14:37:20Z"},
      {"2014-10-13t14:37:20.5z", "2014-10-13T14:37:20.500Z"},
      {"2014-10-13 14:37:20", "2014-10-13T14:37:20Z"},
      {"2014-10-13 14:37", "2014-10-13T14:37:00Z"},
      {"2014-10-13", "2014-10-13T00:00:00Z"},
      {" 2014-10-13  14:37:20,637 ", "2014-10-13T14:37:20.637Z"},
      {"2014-10-13 14:37:20.123456789", "2014-10-13T14:37:20.123456789Z"},
      {"2014-10-13T14:37:20+02:00", "2014-10-13T12:37:20Z"},
      {"2014-10-13 14:37:20.543 -0930", "2014-10-14T00:07:20.543Z"},
      {"2014-10-13 14:37:20+02", "2014-10-13T12:37:20Z"},
      {"2014-10-13 14:37:20 UTC", "2014-10-13T14:37:20Z"},
      {"20141013T143720Z", "2014-10-13T14:37:20Z"},
      {"20141013T143720.25+0100", "2014-10-13T13:37:20.250Z"},
      {"2014/10/13 14:37:20.123456", "2014-10-13T14:37:20.123456Z"},
      {"2014/1/3", "2014-01-03T00:00:00Z"},
      {"10/13/2014 14:37:20.543", "2014-10-13T14:37:20.543Z"},
      {"10/13/2014 14:37:20", "2014-10-13T14:37:20Z"},
      {"10/13/2014", "2014-10-13T00:00:00Z"},
      {"13/10/2014 14:37:20", "2014-10-13T14:37:20Z"},
      {"5/5/2014", "2014-05-05T00:00:00Z"},
      {"10/13/2014, 2:37:20 PM", "2014-10-13T14:37:20Z"},
      {"5/27/2013 10:53:39 AM", "2013-05-27T10:53:39Z"},
      {"5/27/2013 12:00:01 PM", "2013-05-27T12:00:01Z"},
      {"5/27/2013 12:00:01 am", "2013-05-27T00:00:01Z"},
      {"5/27/2013 1:02pm", "2013-05-27T13:02:00Z"},
      {"2013-05-27 01:02:03.5 PM +01:00", "2013-05-27T12:02:03.500Z"},
      {"13.10.2014 14:37:20", "2014-10-13T14:37:20Z"},
      {"3.1.2014", "2014-01-03T00:00:00Z"},
      {"Mon Oct 13 14:37:20 2014", "2014-10-13T14:37:20Z"},
      {"Sun Oct  5 14:37:20 2014", "2014-10-05T14:37:20Z"},
      {"Mon Oct 13 14:37:20 UTC 2014", "2014-10-13T14:37:20Z"},
      {"Mon Oct 13 02:37:20 PM UTC 2014", "2014-10-13T14:37:20Z"},
      {"Mon Oct 13 2014 14:37:20 GMT+0200 (Central European Summer Time)", "2014-10-13T12:37:20Z"},
      {"Oct 13, 2014 2:37:20 PM", "2014-10-13T14:37:20Z"},
      {"October 13, 2014", "2014-10-13T00:00:00Z"},
      {"13 Oct 2014 14:37:20", "2014-10-13T14:37:20Z"},
      {"Mon, 13 Oct 2014 14:37:20 +0200", "2014-10-13T12:37:20Z"},
      {"Monday, 13 October 2014 14:37:20.000001 GMT", "2014-10-13T14:37:20.000001Z"},
      {"13/Oct/2014:14:37:20 +0000", "2014-10-13T14:37:20Z"},
      {"13-Oct-2014 14:37:20", "2014-10-13T14:37:20Z"},
      {"1413211040", "2014-10-13T14:37:20Z"},
      {"1413211040.5", "2014-10-13T14:37:20.500Z"},
      {"1413211040543", "2014-10-13T14:37:20.543Z"},
      {"1413211040543.25", "2014-10-13T14:37:20.543250Z"},
      {"1413211040543210", "2014-10-13T14:37:20.543210Z"},
      {"1413211040543210987", "2014-10-13T14:37:20.543210987Z"},
      {"1413211040543210987.6", "2014-10-13T14:37:20.543210987Z"},
      {"+12026-01-01T00:00:00Z", "+12026-01-01T00:00:00Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"29.02.2016", "2016-02-29T00:00:00Z"},
  });
  for (const auto& [given, wanted] : cases) EXPECT_EQ(read_or_error(given), wanted) << given;
}

TEST(ADateOfALog, InNoSuchFormIsAnErrorThatSaysWhich) {
  for (const char* given : {"yesterday",
                            "",
                            "2014",
                            "2014-10",
                            "2014-10-13 25:00:00",
                            "2014-13-13",
                            "2014-02-30",
                            "2014-10-13T",
                            "2014-10-13 14",
                            "2014-10-13 14:37:20.",
                            "2014-10-13 14:37:20.1234567890",
                            "2014-10-13 14:37:20 x",
                            "2014-10-13 14:37:20 +1",
                            "10/13/14",
                            "13/13/2014",
                            "13-10-2014",
                            "31.04.2014",
                            "Mon",
                            "Oct 2014",
                            "13 Okt 2014",
                            "10/13/2014 14:37:20 PM",
                            "10/13/2014 0:37 AM",
                            "20141013",
                            "20141013143720",
                            "12",
                            "1413211040x",
                            "-1413211040",
                            "1413211040.",
                            "2014-10-13 14:37:20 CET",
                            "2014-10-13 14:37:20 +02:0",
                            "2014-10-1314:37:20"}) {
    EXPECT_THROW(read_log_date(given), DateError) << given;
  }
  EXPECT_THAT(read_or_error("yesterday"), testing::HasSubstr(known_date_forms));
  EXPECT_THAT(read_or_error("Oct 13 14:37:20"), testing::HasSubstr("has no year"));
  EXPECT_THAT(read_or_error("13 Oct 14:37:20"), testing::HasSubstr("has no year"));
  EXPECT_THAT(read_or_error("20141013"), testing::HasSubstr("8 digits"));
  EXPECT_THAT(read_or_error("2014-10-13 14:37:20 CET"), testing::HasSubstr("names its zone"));
}

TEST(ADateWithSlashes, IsReadInTheOrderThatIsStated) {
  EXPECT_THAT(read_or_error("05/06/2014"), testing::HasSubstr("--date-order"));
  EXPECT_EQ(read_or_error("05/06/2014", DateOrder::month_first), "2014-05-06T00:00:00Z");
  EXPECT_EQ(read_or_error("05/06/2014", DateOrder::day_first), "2014-06-05T00:00:00Z");
  EXPECT_THAT(read_or_error("10/13/2014", DateOrder::day_first), testing::HasSubstr("no such month"));
  EXPECT_THAT(read_or_error("13/10/2014", DateOrder::month_first), testing::HasSubstr("no such month"));
  EXPECT_EQ(read_or_error("2014/05/06", DateOrder::day_first), "2014-05-06T00:00:00Z");
}

/// A random instant, written in each form by the C library.
RC_GTEST_PROP(AnInstant, ComesBackFromEachForm, ()) {
  const auto seconds = *rc::gen::inRange<std::int64_t>(100'000'000, 9'999'999'999);
  const int digits = *rc::gen::inRange(0, 10);
  const auto nanos =
      fmt::format("{:09}", *rc::gen::inRange(0, 1'000'000'000)).substr(0, static_cast<std::size_t>(digits));
  const int offset = *rc::gen::inRange(-14 * 60, 14 * 60);
  const auto written = [](std::int64_t at, const char* form) {
    const auto time = static_cast<std::time_t>(at);
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 100> text{};
    return std::string(text.data(), std::strftime(text.data(), text.size(), form, &parts));
  };
  const auto read = [](const std::string& text, DateOrder order = DateOrder::unstated) {
    auto time = read_or_error(text, order);
    RC_LOG() << text << " -> " << time << '\n';
    return time;
  };
  auto padded = nanos;
  while (padded.size() % 3 != 0) padded += '0';
  while (padded.ends_with("000")) padded.resize(padded.size() - 3);
  const auto plain = written(seconds, "%Y-%m-%dT%H:%M:%SZ");
  const auto fine = padded.empty() ? plain : written(seconds, "%Y-%m-%dT%H:%M:%S.") + padded + "Z";

  const auto fraction = [&](char point) { return nanos.empty() ? "" : point + nanos; };
  const auto zone = [&](const char* separator) {
    return fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 60, separator,
                       std::abs(offset) % 60);
  };
  const auto there = seconds + offset * 60;
  for (const char* form :
       {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S",
        "%a, %d %b %Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%b %d, %Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%Y%m%dT%H%M%S"}) {
    RC_ASSERT(read(written(seconds, form) + fraction('.')) == fine);
    RC_ASSERT(read(written(seconds, form) + fraction(',') + " Z") == fine);
    RC_ASSERT(read(written(there, form) + fraction('.') + zone(":")) == fine);
    RC_ASSERT(read(written(there, form) + fraction(',') + ' ' + zone("")) == fine);
  }
  RC_ASSERT(read(written(seconds, "%a %b %e %H:%M:%S") + fraction('.') + written(seconds, " %Y")) == fine);
  RC_ASSERT(read(written(seconds, "%m/%d/%Y %H:%M:%S") + fraction('.'), DateOrder::month_first) == fine);
  RC_ASSERT(read(written(seconds, "%d/%m/%Y %H:%M:%S") + fraction('.'), DateOrder::day_first) == fine);
  RC_ASSERT(read(written(seconds, "%m/%d/%Y %I:%M:%S") + fraction('.') + written(seconds, " %p"),
                 DateOrder::month_first) == fine);
  RC_ASSERT(read(written(seconds, "%Y-%m-%d")) == written(seconds, "%Y-%m-%dT00:00:00Z"));
  auto all = nanos;
  all.resize(9, '0');
  RC_ASSERT(read(std::to_string(seconds) + fraction('.')) == fine);
  RC_ASSERT(read(std::to_string(seconds) + all.substr(0, 3) + '.' + all.substr(3)) == fine);
  RC_ASSERT(read(std::to_string(seconds) + all.substr(0, 6) + '.' + all.substr(6)) == fine);
  RC_ASSERT(read(std::to_string(seconds) + all) == fine);
}

}  // namespace
}  // namespace raceway::server::moving::test

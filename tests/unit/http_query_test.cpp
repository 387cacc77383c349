// Query parameters: what is absent has its default, what makes no sense is a 400 that names it.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "http/api.hpp"
#include "http/query.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::http {
namespace {

Request request_with(const Fields& query) {
  Request request;
  request.query = query;
  return request;
}

/// The message of the 400 that `read` ends in; empty where it ends in none.
std::string refusal_of(const std::function<void()>& read) {
  try {
    read();
    return "";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status(), 400);
    return refusal.what();
  }
}

TEST(QueryNumber, IsTheDefaultWhereItIsAbsent) {
  EXPECT_EQ(query_number(request_with({}), "limit", 50, 1), 50U);
  EXPECT_EQ(query_number(request_with({{"other", "7"}}), "limit", 50, 1), 50U);
}

TEST(QueryNumber, IsAWholeNumberOfTheLeastOrMore) {
  EXPECT_EQ(query_number(request_with({{"limit", "7"}}), "limit", 50, 1), 7U);
  EXPECT_EQ(query_number(request_with({{"limit", "0"}}), "limit", 50, 0), 0U);
  EXPECT_EQ(query_number(request_with({{"limit", "18446744073709551615"}}), "limit", 50, 0),
            std::numeric_limits<std::uint64_t>::max());
  for (const auto* bad :
       {"", "0", "-1", "+1", "1.5", "1e2", " 1", "1 ", "x", "1x", "0x10", "18446744073709551616", "NaN"}) {
    const auto refusal = refusal_of([&] { query_number(request_with({{"limit", bad}}), "limit", 50, 1); });
    EXPECT_TRUE(refusal.starts_with("limit is \"" + std::string(bad))) << bad << ": " << refusal;
    EXPECT_NE(refusal.find("at least 1"), std::string::npos) << refusal;
  }
}

TEST(QueryPage, IsTheFirstByDefault) {
  const auto page = query_page(request_with({}), 20);
  EXPECT_EQ(page.asked, 1U);
  EXPECT_EQ(page.number, 1U);
  EXPECT_EQ(page.size, 20U);
}

TEST(QueryPage, ZeroMeansTheFirstAndIsEchoed) {
  const auto page = query_page(request_with({{"page", "0"}}), 20);
  EXPECT_EQ(page.asked, 0U);
  EXPECT_EQ(page.number, 1U);
}

TEST(QueryPage, HasALargestSizeAndRefusesZeroAndGarbage) {
  EXPECT_EQ(query_page(request_with({{"page_size", "1000"}}), 20).size, 1000U);
  EXPECT_EQ(query_page(request_with({{"page_size", "1001"}}), 20).size, max_page_size);
  EXPECT_EQ(query_page(request_with({{"page_size", "18446744073709551615"}}), 20).size, max_page_size);
  for (const auto* bad : {"0", "-1", "ten", ""}) {
    EXPECT_NE(refusal_of([&] { query_page(request_with({{"page_size", bad}}), 20); }), "") << bad;
  }
  for (const auto* bad : {"-1", "one", ""}) {
    EXPECT_NE(refusal_of([&] { query_page(request_with({{"page", bad}}), 20); }), "") << bad;
  }
}

TEST(QueryFilter, LetsEverythingPassByDefault) {
  const auto filter = query_filter(request_with({}));
  EXPECT_FALSE(filter.service);
  EXPECT_EQ(filter.min_events, 0U);
  EXPECT_FALSE(filter.from);
  EXPECT_FALSE(filter.to);
}

TEST(QueryFilter, ReadsServiceEventsAndTimes) {
  const auto noon = wire::read_timestamp("2024-01-01T12:00:00Z").micros;
  const auto filter = query_filter(request_with({{"service", "a b"},
                                                 {"min_events", "3"},
                                                 {"from", "2024-01-01T12:00:00.000001Z"},
                                                 {"to", "2024-01-01 14:00:00+02:00"}}));
  EXPECT_EQ(filter.service, "a b");
  EXPECT_EQ(filter.min_events, 3U);
  EXPECT_EQ(filter.from, noon + 1);
  EXPECT_EQ(filter.to, noon);
}

TEST(QueryFilter, UnderstandsAZoneWhosePlusArrivedAsABlank) {
  const auto noon = wire::read_timestamp("2024-01-01T12:00:00Z").micros;
  for (const auto* time : {"2024-01-01T14:00:00 02:00", "2024-01-01 14:00:00 02:00", "2024-01-01T14:00:00.0 0200",
                           "2024-01-01T14:00:00 02"}) {
    EXPECT_EQ(query_filter(request_with({{"from", time}})).from, noon) << time;
  }
}

TEST(QueryFilter, RefusesTimesThatAreNone) {
  for (const auto* bad :
       {"", "yesterday", "2024-01-01", "2024-01-01T12:00:00", "2024-01-01 12:00:00", "1704067200", "12:00 1"}) {
    for (const std::string name : {"from", "to"}) {
      const auto refusal = refusal_of([&] { query_filter(request_with({{name, bad}})); });
      EXPECT_TRUE(refusal.starts_with(name + ": timestamp")) << bad << ": " << refusal;
    }
  }
}

TEST(QueryFilter, RefusesAnEventCountThatIsNone) {
  EXPECT_TRUE(refusal_of([] { query_filter(request_with({{"min_events", "-1"}})); }).starts_with("min_events is"));
}

}  // namespace
}  // namespace raceway::server::http

// What ties a row to other rows: parent, clock, and the time beyond microseconds.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "wire/arena.hpp"
#include "wire/links.hpp"

namespace raceway::wire {
namespace {

Row row_of(const std::string& clock, const std::string& metadata) {
  Row row;
  row.vector_clock = clock;
  row.metadata = metadata;
  return row;
}

TEST(Links, AreReadFromARow) {
  const std::string clock = R"({"bb": 3, "a": 18446744073709551615, "c": 0})";
  const std::string metadata = R"({"parent_id": "p\u00e9", "timestamp_nanos": 999, "x": {"parent_id": "other"}})";
  // Moved, as those who sort rows move them.
  const Links first = read_links(row_of(clock, metadata));
  const Links links = first;
  EXPECT_EQ(links.parent_id, "pé");
  EXPECT_EQ(links.timestamp_nanos, 999);
  ASSERT_EQ(links.clock.size(), 3U);
  EXPECT_EQ(links.clock[0], (causality::Component{"a", 18446744073709551615U}));
  EXPECT_EQ(links.clock[1], (causality::Component{"c", 0}));
  EXPECT_EQ(links.clock[2], (causality::Component{"bb", 3}));
}

TEST(Links, MayBeMissing) {
  for (const auto& [clock, metadata] :
       {std::pair("", "{}"), std::pair("{}", ""), std::pair("{}", R"({"parent_id":null})"),
        std::pair("7", R"({"parent_id":7,"timestamp_nanos":"7"})"), std::pair(R"({"a":-1})", "[]"),
        std::pair(R"({"a":{"b":1}})", R"({"timestamp_nanos":1000})")}) {
    const std::string clock_text = clock;
    const std::string metadata_text = metadata;
    const Links links = read_links(row_of(clock_text, metadata_text));
    EXPECT_EQ(links.parent_id, "") << metadata;
    EXPECT_EQ(links.timestamp_nanos, 0) << metadata;
    EXPECT_TRUE(links.clock.empty()) << clock;
  }
}

TEST(Links, OfARowThatIsNoJsonAreAnError) {
  EXPECT_THROW(read_links(row_of("{}", "{")), std::invalid_argument);
  EXPECT_THROW(read_links(row_of("{\"a\"}", "{}")), std::invalid_argument);
}

}  // namespace
}  // namespace raceway::wire

// What the analysis reads of a row: its origin, what it is about, its parent and clock, the time beyond microseconds.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "wire/arena.hpp"
#include "wire/event_facts.hpp"

namespace raceway::wire {
namespace {

Row row_of(const std::string& clock, const std::string& metadata) {
  Row row;
  row.vector_clock = clock;
  row.metadata = metadata;
  return row;
}

TEST(EventFacts, AreReadFromARow) {
  const std::string clock = R"({"bb": 3, "a": 18446744073709551615, "c": 0})";
  const std::string metadata = R"({"parent_id": "p\u00e9", "timestamp_nanos": 999, "x": {"parent_id": "other"}})";
  // Moved, as those who sort rows move them.
  const ReadFacts first = read_facts(row_of(clock, metadata));
  const ReadFacts facts = first;
  EXPECT_EQ(facts.parent_id, "pé");
  EXPECT_EQ(facts.facts.nanos, 999);
  ASSERT_EQ(facts.facts.clock.size(), 3U);
  EXPECT_EQ(facts.facts.clock[0], (causality::Component{"a", 18446744073709551615U}));
  EXPECT_EQ(facts.facts.clock[1], (causality::Component{"c", 0}));
  EXPECT_EQ(facts.facts.clock[2], (causality::Component{"bb", 3}));
}

TEST(EventFacts, MayBeMissing) {
  for (const auto& [clock, metadata] :
       {std::pair("", "{}"), std::pair("{}", ""), std::pair("{}", R"({"parent_id":null})"),
        std::pair("7", R"({"parent_id":7,"timestamp_nanos":"7"})"), std::pair(R"({"a":-1})", "[]"),
        std::pair(R"({"a":{"b":1}})", R"({"timestamp_nanos":1000})")}) {
    const std::string clock_text = clock;
    const std::string metadata_text = metadata;
    const ReadFacts facts = read_facts(row_of(clock_text, metadata_text));
    EXPECT_EQ(facts.parent_id, "") << metadata;
    EXPECT_EQ(facts.facts.nanos, 0) << metadata;
    EXPECT_TRUE(facts.facts.clock.empty()) << clock;
  }
}

Row row_of_kind(std::string_view kind, std::string_view metadata) {
  Row row;
  row.kind = kind;
  row.metadata = metadata;
  return row;
}

TEST(EventFacts, SayWhatAnEventIsAbout) {
  using causality::Access;
  using causality::Kind;
  const std::string access = R"({"variable":"x","access_type":"AtomicRMW","process_id":7,"thread_id":"t"})";
  const auto change = read_facts(row_of_kind("StateChange", access));
  EXPECT_EQ(change.facts.kind, Kind::state_change);
  EXPECT_EQ(change.facts.access, Access::atomic_rmw);
  EXPECT_EQ(change.facts.subject, "x");
  EXPECT_EQ(change.facts.origin.process, "7");
  EXPECT_EQ(change.facts.origin.thread, "t");
  // A change of state is a write unless it says something else.
  EXPECT_EQ(read_facts(row_of_kind("StateChange", R"({"variable":"x"})")).facts.access, Access::write);
  EXPECT_EQ(read_facts(row_of_kind("FunctionCall", R"({"access_type":"Read"})")).facts.access, Access::no_access);
  const std::string lock = R"({"lock_id":"l","lock_type":"RwLock for Read"})";
  const auto acquire = read_facts(row_of_kind("LockAcquire", lock));
  EXPECT_EQ(acquire.facts.kind, Kind::lock_acquire);
  EXPECT_EQ(acquire.facts.subject, "l");
  EXPECT_TRUE(acquire.facts.shared_lock);
  EXPECT_FALSE(read_facts(row_of_kind("LockAcquire", R"({"lock_type":"Mutex"})")).facts.shared_lock);
}

TEST(EventFacts, HaveTheDurationInWholeNanoseconds) {
  Row row = row_of_kind("FunctionCall", R"({"duration_ns":17000001})");
  row.duration_ms = 17.0F;
  EXPECT_EQ(read_facts(row).facts.duration_nanos, 17'000'001);
  row.metadata = "{}";
  EXPECT_EQ(read_facts(row).facts.duration_nanos, 17'000'000);
  row.duration_ms = -1.0F;
  EXPECT_EQ(read_facts(row).facts.duration_nanos, std::nullopt);
}

TEST(EventFacts, OfARowThatIsNoJsonAreAnError) {
  EXPECT_THROW(read_facts(row_of("{}", "{")), std::invalid_argument);
  EXPECT_THROW(read_facts(row_of("{\"a\"}", "{}")), std::invalid_argument);
}

}  // namespace
}  // namespace raceway::wire

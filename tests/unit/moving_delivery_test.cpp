// Batches on their way: counted, tried again, split, given up.
#include <gmock/gmock.h>

#include <atomic>
#include <sstream>

#include "memory/memory_storage.hpp"
#include "moving/delivery.hpp"
#include "wire/errors.hpp"
#include "wire_support.hpp"

namespace raceway::server::moving::test {
namespace {

using testing::HasSubstr;
using wire::test::documented_event;

/// A store in memory whose door can be shut.
class Door {
 public:
  OpenTarget open() {
    return [this] { return std::make_unique<Way>(*this); };
  }

  memory::MemoryStorage storage;
  std::atomic<int> busy_for = 0;  ///< so many more bodies are turned away; -1: all
  std::atomic<std::size_t> largest_body = std::size_t{1} << 30U;
  std::atomic<std::size_t> bodies = 0;

 private:
  class Way : public Target {
   public:
    explicit Way(Door& door) : door_(door) {}
    storage::IngestResult send(std::string_view body) override {
      ++door_.bodies;
      if (door_.busy_for == -1) throw ComeAgain("shut", std::nullopt);
      if (door_.busy_for > 0) {
        --door_.busy_for;
        throw ComeAgain("shut", std::chrono::seconds(0));
      }
      if (body.size() > door_.largest_body) throw BodyRefused("too large");
      try {
        return std::move(door_.storage.ingest({body}).front());
      } catch (const wire::BodyError& error) {
        throw BodyRefused(error.what());
      }
    }

   private:
    Door& door_;
  };
};

std::string event(int number) {
  return documented_event("e" + std::to_string(number)).dump();
}

struct Outcome {
  std::string summary;
  std::string told;
};

Outcome deliver(Door& door, const std::vector<std::string>& events, DeliveryOptions options = {}) {
  std::ostringstream told;
  Report report(told);
  Delivery delivery(door.open(), options, report);
  std::uint64_t at = 0;
  for (const auto& each : events) {
    delivery.event(each, {at + 1, at * 1'000, at});
    ++at;
  }
  delivery.finish();
  return {report.summary(), told.str()};
}

std::vector<std::string> some_events(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) events.push_back(event(i));
  return events;
}

TEST(ADelivery, BringsEveryEventOnce) {
  Door door;
  EXPECT_EQ(deliver(door, some_events(2'501), {.jobs = 4, .batch_events = 100}).summary,
            "stored 2501, duplicates 0, rejected 0");
  EXPECT_EQ(door.bodies, 26U);
  EXPECT_EQ(door.storage.totals().events, 2'501U);
}

TEST(ADelivery, CountsWhatIsThereAlready) {
  Door door;
  deliver(door, some_events(10));
  EXPECT_EQ(deliver(door, some_events(15)).summary, "stored 5, duplicates 10, rejected 0");
}

TEST(ADelivery, OfNothingSendsNothing) {
  Door door;
  EXPECT_EQ(deliver(door, {}).summary, "stored 0, duplicates 0, rejected 0");
  EXPECT_EQ(door.bodies, 0U);
}

TEST(ARejectedEvent, IsNamedWithItsPlaceItsIdAndTheReason) {
  Door door;
  auto events = some_events(20);
  events[7] = R"({"event_id":"bad","trace_id":"t"})";
  const auto outcome = deliver(door, events, {.jobs = 1, .batch_events = 5});
  EXPECT_EQ(outcome.summary, "stored 19, duplicates 0, rejected 1");
  EXPECT_EQ(outcome.told, "rejected: line 8, byte 7000, event 7, id \"bad\": kind is missing\n");
}

TEST(AnEventThatSpoilsItsBatch, IsFoundAndItsNeighboursAreStored) {
  Door door;
  auto events = some_events(100);
  events[0] = R"({"event_id":tru})";
  events[63] = "{\"event_id\":\"\xff\"}";
  events[99] = R"({"event_id":01})";
  const auto outcome = deliver(door, events);
  EXPECT_EQ(outcome.summary, "stored 97, duplicates 0, rejected 3");
  for (const char* place : {"line 1,", "line 64,", "line 100,"}) EXPECT_THAT(outcome.told, HasSubstr(place));
}

TEST(ABodyThatIsTooLarge, GoesInParts) {
  Door door;
  door.largest_body = 3 * event(0).size();
  EXPECT_EQ(deliver(door, some_events(50)).summary, "stored 50, duplicates 0, rejected 0");
}

TEST(ATargetThatCannotNow, IsAskedAgainAndToldOfOnce) {
  Door door;
  door.busy_for = 5;
  const auto outcome = deliver(door, some_events(50), {.jobs = 2, .batch_events = 10});
  EXPECT_EQ(outcome.summary, "stored 50, duplicates 0, rejected 0");
  EXPECT_EQ(outcome.told, "waiting, and trying again: shut\n");
}

TEST(ATargetThatStaysAway, IsGivenUpOnWithoutHangingAnyone) {
  Door door;
  door.busy_for = -1;
  try {
    deliver(door, some_events(500), {.jobs = 3, .batch_events = 10, .give_up = {}});
    FAIL() << "it was not given up";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "given up after 0 s, as --give-up says: shut");
  }
  EXPECT_EQ(door.storage.totals().events, 0U);
}

TEST(AReport, TellsOnlyTheFirstOfVeryManyProblems) {
  std::ostringstream told;
  Report report(told);
  for (std::uint64_t i = 0; i < Report::most_told + 100; ++i) report.rejected({i, 0, i}, "x", "no");
  const auto text = told.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), Report::most_told + 1);
  EXPECT_EQ(report.summary(), "stored 0, duplicates 0, rejected " + std::to_string(Report::most_told + 100));
}

}  // namespace
}  // namespace raceway::server::moving::test

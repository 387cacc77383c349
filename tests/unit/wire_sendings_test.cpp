// Events that are sent more than once: what counts as the same, and which of them a store has to be asked about.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "wire/contents.hpp"
#include "wire/reasons.hpp"
#include "wire/sendings.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::json;
using Kind = StoreOutcome::Kind;

constexpr std::string_view usual_event =
    R"({"event_id":"e","trace_id":"t","kind":"Log","timestamp":"2024-01-01T12:00:00Z","duration_ms":1.5,)"
    R"("location":"a.cpp:1","vector_clock":{"a":1,"b":0},"metadata":{"n":1,"list":[1,{"x":null}]}})";

/// The usual event with a part of its text replaced.
std::string having(std::string_view part, std::string_view replacement) {
  std::string text(usual_event);
  return text.replace(text.find(part), part.size(), replacement);
}

bool says_the_same(std::string_view a, std::string_view b) {
  const auto one = read_batch(a);
  const auto other = read_batch(b);
  return equal_contents(*one.events.begin(), *other.events.begin());
}

TEST(Contents, AreTheSameWhateverWordsAndTraceTheyAreSentWith) {
  for (const auto& text :
       {std::string(usual_event), having(R"("n":1)", R"("n":1.00)"), having(R"("n":1)", R"("n":0.1e1)"),
        having("1.5", "1.50"), having("12:00:00Z", "14:00:00.000+02:00"),
        having(R"({"a":1,"b":0})", R"( { "b" : 0, "a" : 1 } )"), having("a.cpp", "\\u0061.cpp"),
        having(R"("t")", R"("another")")}) {
    EXPECT_TRUE(says_the_same(usual_event, text)) << text;
  }
}

TEST(Contents, AreOthersWhereAColumnDiffers) {
  for (const auto& text :
       {having("Log", "Error"), having("12:00:00Z", "12:00:00.000001Z"), having("12:00:00Z", "12:00:00.000000001Z"),
        having("1.5", "1.25"), having(R"("duration_ms":1.5,)", ""), having("a.cpp:1", "a.cpp:2"),
        having(R"("a.cpp:1")", "null"), having(R"("a.cpp:1")", R"("")"), having(R"("b":0)", R"("b":2)"),
        having(R"(,"b":0)", ""), having(R"({"a":1,"b":0})", "{}"), having(R"({"a":1,"b":0})", "null"),
        having(R"("n":1)", R"("n":10)"), having(R"("n":1)", R"("n":"1")"), having(R"("n":1)", R"("n":true)"),
        having(R"("n":1)", R"("m":1)"), having(R"([1,{"x":null}])", R"([{"x":null},1])"), having(R"({"x":null})", "{}"),
        having("[1,", "[1,1,")}) {
    EXPECT_FALSE(says_the_same(usual_event, text)) << text;
  }
}

TEST(Contents, OfNumbersAreEqualByValue) {
  const auto equal = [](std::string_view a, std::string_view b) {
    return equal_values(Json::of_number(a), Json::of_number(b));
  };
  EXPECT_TRUE(equal("0", "0.00"));
  EXPECT_TRUE(equal("100", "100.0"));
  EXPECT_TRUE(equal("-1.50", "-1.5"));
  EXPECT_FALSE(equal("100", "1"));
  EXPECT_FALSE(equal("1.05", "1.5"));
  EXPECT_FALSE(equal("-1", "1"));
}

TEST(OtherContents, NameTheColumnsThatDiffer) {
  OtherContents other;
  other.note("kind", false);
  EXPECT_EQ(other.reason(), "");
  other.note("location", true);
  other.note("metadata", true);
  EXPECT_EQ(other.reason(), "event_id is already stored with other contents: location, metadata");
}

/// Sendings of one event "e", each of a body of its own, by kind and trace.
class Sendings : public testing::Test {
 protected:
  void send(const std::string& kind, const std::string& trace_id = "t") {
    auto event = documented_event("e", trace_id);
    event["kind"] = kind;
    texts_.push_back(event.dump());
  }

  /// What is reported of each body, in a letter: stored, duplicate, rejected, or open.
  std::string count(const StoreOutcome& outcome) {
    std::vector<Batch> batches;
    for (const auto& text : texts_) batches.push_back(read_batch(text));
    Allowance unlimited;
    const auto sendings = sendings_by_identity(batches, {}, unlimited);
    bodies_.assign(batches.size(), {});
    std::vector<Sending> open;
    count_sendings(sendings, outcome, bodies_, open);
    std::string letters;
    for (const auto& body : bodies_) {
      letters += body.stored == 1 ? 's' : body.duplicates == 1 ? 'd' : body.rejected.count() == 1 ? 'r' : '?';
    }
    for (const auto& sending : open) letters[sending.body] = 'o';
    return letters;
  }

  std::string reason(std::size_t body) const { return bodies_[body].rejected.told().front().reason; }

 private:
  std::vector<std::string> texts_;
  std::vector<BodyOutcome> bodies_;
};

TEST_F(Sendings, ThatSayWhatTheFirstSaysShareItsAnswer) {
  send("Log");
  send("Log");
  send("Error");
  send("Log", "u");
  EXPECT_EQ(count({Kind::stored, "", ""}), "sdor");
  EXPECT_EQ(reason(3), reason_other_trace("t"));
  EXPECT_EQ(count({Kind::stands_already, "t", ""}), "ddor");
  EXPECT_EQ(count({Kind::stands_already, "t", "it says more"}), "rror");
  EXPECT_EQ(reason(0), "it says more");
  EXPECT_EQ(reason(1), "it says more");
  EXPECT_EQ(reason(3), reason_other_trace("t"));
}

TEST_F(Sendings, OfAnotherTraceThanTheFirstAreOpenWhereItStandsUnderTheirs) {
  send("Log");
  send("Log", "u");
  send("Error", "u");
  EXPECT_EQ(count({Kind::stands_already, "u", ""}), "roo");
  EXPECT_EQ(reason(0), reason_other_trace("u"));
}

TEST_F(Sendings, AreAllRefusedWithTheFirst) {
  send("Log");
  send("Error");
  send("Log", "u");
  EXPECT_EQ(count({Kind::refused, "not this one", ""}), "rrr");
  EXPECT_EQ(reason(2), "not this one");
}

TEST_F(Sendings, OfOneIdStayInTheirOrder) {
  const auto body = wrapped({documented_event("b"), documented_event("a"), documented_event("b", "u")});
  const auto batch = read_batch(body);
  std::vector<Sending> sendings;
  for (const auto& event : batch.events) sendings.push_back({0, &event});
  sort_by_id(sendings);
  std::vector<std::uint32_t> order;
  for (const auto& sending : sendings) order.push_back(sending.event->index);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{1, 0, 2}));
}

}  // namespace
}  // namespace raceway::wire::test

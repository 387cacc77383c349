// A body of POST /events: its three shapes, both formats mixed, and what is told of events that cannot be kept.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "wire/batch.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::json;
using Ids = std::vector<std::string>;

/// A JSON array of texts that may be no JSON.
std::string array_of(const std::vector<std::string>& texts) {
  std::string array = "[";
  for (const auto& text : texts) {
    if (array.size() > 1) array += ',';
    array += text;
  }
  return array + ']';
}

TEST(Body, IsWrappedAnArrayOrOneEvent) {
  const auto sdk = sdk_event("s").dump();
  const auto documented = documented_event("d").dump();
  EXPECT_EQ(ids_of(read_batch("{\"events\":[" + sdk + "," + documented + "]}")), Ids({"s", "d"}));
  EXPECT_EQ(ids_of(read_batch("[" + documented + "," + sdk + "]")), Ids({"d", "s"}));
  EXPECT_EQ(ids_of(read_batch(sdk)), Ids({"s"}));
  EXPECT_EQ(ids_of(read_batch(documented)), Ids({"d"}));
  EXPECT_EQ(ids_of(read_batch(" \n [ " + sdk + " ] \t\r\n")), Ids({"s"}));
}

TEST(Body, MayHaveOtherKeysBesideEvents) {
  const auto event = sdk_event("s").dump();
  EXPECT_EQ(ids_of(read_batch(R"({"sdk":{"events":[1]},"events":[)" + event + R"(],"sent_at":[{}],"x":null})")),
            Ids({"s"}));
  EXPECT_EQ(ids_of(read_batch(R"({"\u0000":1,"\ud800":"\udc00","events":[)" + event + R"(]})")), Ids({"s"}));
  EXPECT_EQ(ids_of(read_batch(R"({"\u0065vents":[)" + event + R"(]})")), Ids({"s"})) << "a key may be escaped";
}

TEST(Body, OfTwoLikeKeysTheLastOneStands) {
  const auto body = R"({"events":[)" + sdk_event("first").dump() + "," + sdk_event("bad", "").dump() +
                    R"(],"events":[)" + documented_event("second").dump() + "]}";
  const auto batch = read_batch(body);
  EXPECT_EQ(batch.count, 1U);
  EXPECT_EQ(ids_of(batch), Ids({"second"}));
  EXPECT_EQ(batch.events[0].index, 0U);
  EXPECT_TRUE(batch.rejected.empty());
  EXPECT_TRUE(body_error(R"({"events":[)" + sdk_event("first").dump() + R"(],"events":null})"));
}

TEST(Body, WithoutAnEventIsRefused) {
  for (const auto* body : {"{}", "[]", "{\"events\":[]}", "{\"events\":{}}", "{\"events\":null}", "{\"event\":[]}",
                           "null", "true", "1", "\"events\"", " [ ] ", R"({"a":{"id":"x"}})", "[] "}) {
    const auto error = body_error(body);
    ASSERT_TRUE(error) << body;
    EXPECT_NE(error->find("holds no event"), std::string::npos) << body << ": " << *error;
  }
}

TEST(Body, ThatIsNoJsonIsRefusedWhereverItBreaks) {
  const auto event = sdk_event("s").dump();
  const std::vector<std::string> bodies = {
      std::string(),
      std::string("   "),
      std::string("hello"),
      "{\"events\":[" + event,
      "{\"events\":[" + event + "]",
      "{\"events\":[" + event + ",]}",
      "{\"events\":[" + event + "]}}",
      "{\"events\":[" + event + "]} x",
      "{\"events\":[" + event + "],}",
      "{\"events\":[" + event + "],\"a\":tru}",
      "[" + event + event + "]",
      "[" + event + "}",
      event + event,
      event + ",",
      R"({"a":[1,}],"events":[)" + event + "]}",
      "[" + event + R"(,{"id":"x","kind":"\u0000","b":[1,]}])",  // behind something that only spoils its event
      "[" + event + R"(,{"id":"x","kind":"\ud800","b":"\x"}])",  //
      "[" + event + R"(,{"id":"x","kind":1e999999,"b":01}])",    //
      R"([{"id":"\u0000","a" 1}])",
      R"([{"\u0000" "id"}])",
      "{\"id\":\"\xFF\"}"};
  for (const auto& body : bodies) {
    const auto error = body_error(body);
    ASSERT_TRUE(error) << body;
    EXPECT_NE(error->find("not JSON"), std::string::npos) << body << ": " << *error;
  }
}

TEST(Body, CutShortAnywhereIsRefused) {
  const auto bodies = {wrapped({sdk_event("é"), documented_event("d")}),
                       json({sdk_event("a"), documented_event("😀")}).dump(1), documented_event("x\n\"y").dump(),
                       std::string(R"([{"id":"\u0000","n":1e9999,"s":"\ud800","a":[{},[]]},{"id":"x","b":true}])")};
  for (const auto& body : bodies) {
    ASSERT_FALSE(body_error(body)) << body;
    for (std::size_t length = 0; length < body.size(); ++length) {
      // In memory of its own, so that a checker of addresses sees every byte read too much.
      const std::vector<char> cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_TRUE(body_error({cut.data(), cut.size()})) << body.substr(0, length);
    }
  }
}

TEST(Body, OfRecordedTrafficCutShortIsRefused) {
  const auto body = recorded_bodies().at("python/0001.json");
  ASSERT_FALSE(body_error(body));
  for (std::size_t length = 0; length + 1 < body.size(); length += 1 + length / 300) {
    ASSERT_TRUE(body_error(std::string_view(body).substr(0, length))) << length;
  }
}

TEST(Body, WithAMillionLevelsIsReadWithoutHarm) {
  const std::string open(1'000'000, '[');
  const std::string close(1'000'000, ']');
  EXPECT_TRUE(body_error(open));
  EXPECT_TRUE(body_error(open + close + "]"));
  const auto body = "[" + sdk_event("before").dump() + R"(,{"x":)" + open + close + R"(,"id":"deep"},)" + open + close +
                    "," + sdk_event("after").dump() + "]";
  const auto batch = read_batch(body);
  EXPECT_EQ(ids_of(batch), Ids({"before", "after"}));
  ASSERT_EQ(batch.rejected.count(), 2U);
  EXPECT_EQ(batch.rejected.told()[0].id, "deep");
  EXPECT_NE(batch.rejected.told()[0].reason.find("128"), std::string::npos);
}

TEST(BadEvents, DoNotFailTheirNeighbours) {
  const auto good = sdk_event("good").dump();
  for (const std::string bad : {"1", "null", "\"id\"", "[]", "{}", "{\"id\":1}", "{\"id\":null}", R"({"id":"b"})",
                                R"({"event_id":"b"})", R"({"trace_id":"b"})", R"({"id":"b","x":"\u0000"})",
                                R"({"id":"\ud800"})", R"({"id":"b","x":1e999999})", R"({"\u0000":1})"}) {
    const auto body = array_of({bad, good, bad});
    const auto batch = read_batch(body);
    EXPECT_EQ(batch.count, 3U) << bad;
    ASSERT_EQ(ids_of(batch), Ids({"good"})) << bad;
    EXPECT_EQ(batch.events[0].index, 1U) << bad;
    ASSERT_EQ(batch.rejected.count(), 2U) << bad;
    EXPECT_EQ(batch.rejected.told()[0].index, 0U) << bad;
    EXPECT_EQ(batch.rejected.told()[1].index, 2U) << bad;
    EXPECT_EQ(batch.rejected.told()[0].reason, batch.rejected.told()[1].reason) << bad;
    EXPECT_FALSE(batch.rejected.told()[0].reason.empty()) << bad;
  }
}

TEST(BadEvents, AreNamedByTheirId) {
  const auto id_of = [](const std::string& event) {
    const auto batch = read_batch("[" + event + "]");
    return batch.rejected.empty() ? "(kept)" : batch.rejected.told().front().id;
  };
  EXPECT_EQ(id_of(R"({"id":"a"})"), "a");
  EXPECT_EQ(id_of(R"({"event_id":"a"})"), "a");
  EXPECT_EQ(id_of(R"({"id":"a\u00e9"})"), "aé");
  EXPECT_EQ(id_of(R"({"x":"\u0000","id":"a\u00e9"})"), "aé");
  EXPECT_EQ(id_of(R"({"id":"a","x":"\u0000"})"), "a");
  EXPECT_EQ(id_of(R"({"x":["\u0000",{"id":"inner"}],"i\u0064":"a","\u0000":0})"), "a");
  EXPECT_EQ(id_of(R"({"id":"\u0000"})"), "");
  EXPECT_EQ(id_of(R"({"id":7})"), "");
  EXPECT_EQ(id_of(R"({"id":["\u0000"]})"), "");
  EXPECT_EQ(id_of(R"(["\u0000"])"), "");
  EXPECT_EQ(id_of(R"({"id":"a","id":"b"})"), "b") << "of equal keys the last one stands";
  EXPECT_EQ(id_of(R"({"x":"\u0000","id":"a","id":"b"})"), "b");
  for (const auto* events :
       {R"({"event_id":"e","id":"i"})", R"({"id":"i","event_id":"e"})", R"({"event_id":"e","id":"i","x":"\u0000"})",
        R"({"id":"i","event_id":"e","x":"\u0000"})"}) {
    EXPECT_EQ(id_of(events), "e") << events;
  }
}

TEST(BadEvents, AreToldWhichFieldIsWrong) {
  const auto with = [](json event, const std::string& field, const json& value) {
    event[field] = value;
    return reason_of(event);
  };
  const auto without = [](json event, const std::string& field) {
    event.erase(field);
    return reason_of(event);
  };
  const std::string long_text(256, 'x');
  for (const auto& [event, id] : {std::pair(sdk_event("s"), "id"), std::pair(documented_event("d"), "event_id")}) {
    EXPECT_EQ(reason_of(event), "");
    for (const std::string field : {"trace_id", "timestamp", "kind"}) {
      EXPECT_EQ(without(event, field), field + " is missing");
      EXPECT_EQ(with(event, field, nullptr), field + " is missing");
    }
    for (const std::string& field : {std::string(id), std::string("trace_id")}) {
      EXPECT_EQ(with(event, field, 7), field + " is 7, not a string");
      EXPECT_EQ(with(event, field, ""), field + " is empty");
      EXPECT_EQ(with(event, field, long_text), field + " has 256 characters; at most 255 are kept");
      EXPECT_EQ(with(event, field, long_text.substr(1)), "");
    }
    EXPECT_EQ(with(event, "timestamp", 7), "timestamp is 7, not a string");
    EXPECT_EQ(with(event, "metadata", json::array()), "metadata is not an object");
    EXPECT_NE(with(event, "kind", std::string(51, 'k')), "");
    EXPECT_NE(with(event, "kind", 7), "");
  }
  EXPECT_EQ(reason_of(json{{"trace_id", "t"}}), "the event has neither id nor event_id");
  EXPECT_NE(with(sdk_event("s"), "kind", {{"A", json::object()}, {"B", json::object()}}), "");
  EXPECT_NE(with(sdk_event("s"), "kind", json::object()), "");
  EXPECT_NE(with(sdk_event("s"), "kind", {{"A", 1}}), "");
  EXPECT_NE(with(sdk_event("s"), "kind", {{std::string(51, 'k'), json::object()}}), "");
  EXPECT_EQ(with(sdk_event("s"), "kind", {{"漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢", json::object()}}), "");
  EXPECT_NE(with(sdk_event("s"), "lock_set", {{"a", 1}}), "");
  EXPECT_NE(with(sdk_event("s"), "parent_id", 7), "");
  EXPECT_NE(with(sdk_event("s"), "kind", {{"A", {{"duration_ms", 1e39}}}}), "");
  EXPECT_NE(with(documented_event("d"), "duration_ms", 1e39), "");
  EXPECT_NE(with(documented_event("d"), "duration_ms", "1"), "");
  EXPECT_NE(with(documented_event("d"), "location", 7), "");
}

TEST(BadEvents, WithABadClockAreToldComponentAndCounter) {
  for (const auto* counter : {"-1", "0.5", "18446744073709551616", "\"1\"", "null", "[1]", "{}", "true", "1e30"}) {
    for (const auto& clock :
         {"{\"api#1\":" + std::string(counter) + "}", "[[\"api#1\"," + std::string(counter) + "]]"}) {
      for (const auto& [event, field] :
           {std::pair(sdk_event("s"), "causality_vector"), std::pair(documented_event("d"), "vector_clock")}) {
        auto text = event.dump();
        text.insert(text.size() - 1, ",\"" + std::string(field) + "\":" + clock);
        const auto reason = reason_of_text(text);
        EXPECT_TRUE(reason.starts_with(field)) << clock << ": " << reason;
        EXPECT_NE(reason.find("api#1"), std::string::npos) << clock << ": " << reason;
      }
    }
  }
  for (const auto* clock : {"[1]", "[[\"a\"]]", "[[\"a\",1,2]]", "[[1,\"a\"]]", "[{\"a\":1}]", "\"a\"", "7", "true"}) {
    auto text = documented_event("d").dump();
    text.insert(text.size() - 1, ",\"vector_clock\":" + std::string(clock));
    EXPECT_TRUE(reason_of_text(text).starts_with("vector_clock")) << clock;
  }
}

TEST(BadEvents, GiveReasonsThatAreAlwaysValidText) {
  std::string text;
  for (int i = 0; i < 80; ++i) text += "é";
  for (const std::string prefix : {"", "x"}) {
    for (const std::string field :
         {"id", "trace_id", "timestamp", "kind", "metadata", "parent_id", "lock_set", "causality_vector"}) {
      for (const json& value : {json(prefix + text), json({{prefix + text, 1}}), json({{prefix + text, -1}}),
                                json({prefix + text}), json({{{prefix + text, 1}, 1}})}) {
        auto event = sdk_event("s");
        event[field] = value;
        // A strict writer throws where its text is no UTF-8.
        EXPECT_NO_THROW(json(reason_of(event)).dump()) << event.dump();
      }
    }
  }
}

TEST(Body, WithVeryManyFieldsIsReadInATimeThatGrowsWithItsSize) {
  std::string fields;
  for (int i = 0; i < 300'000; ++i) fields += ",\"f" + std::to_string(i) + "\":0";
  const std::string both = R"(,"metadata":{"m":0)" + fields + "}" + fields;
  const auto start = std::chrono::steady_clock::now();
  for (auto text : {sdk_event("s").dump(), documented_event("d").dump()}) {
    text.insert(text.size() - 1, both);
    EXPECT_EQ(reason_of_text(text), "");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

RC_GTEST_PROP(Body, NamesEveryIndexOnce, ()) {
  Dice dice;
  std::vector<std::string> events;
  Ids good;
  for (int count = dice.between(1, 12); count > 0; --count) {
    const auto id = "e" + std::to_string(events.size());
    if (dice.chance(60)) {
      events.push_back((dice.chance(50) ? sdk_event(id) : documented_event(id)).dump());
      good.push_back(id);
    } else {
      events.push_back(dice.chance(50) ? dice.one_of<std::string>({R"({"id":"\u0000"})", "1", R"([["\ud800"]])"})
                                       : json({{"x", dice.value(2)}}).dump());
    }
  }
  const auto array = array_of(events);
  const auto body = dice.chance(50) ? array : "{\"events\":" + array + "}";

  const auto batch = read_batch(body);
  RC_ASSERT(batch.count == events.size());
  RC_ASSERT(ids_of(batch) == good);
  std::set<std::uint32_t> indexes;
  for (const auto& event : batch.events) {
    RC_ASSERT(indexes.insert(event.index).second);
    RC_ASSERT(event.event_id == "e" + std::to_string(event.index));
  }
  for (const auto& rejection : batch.rejected.told()) RC_ASSERT(indexes.insert(rejection.index).second);
  RC_ASSERT(indexes.size() == batch.count);
  RC_ASSERT(*indexes.rbegin() + 1 == batch.count);
}

TEST(Body, IsReadByManyThreadsAtOnce) {
  const auto bodies = recorded_bodies();
  std::vector<std::thread> threads;
  std::vector<std::size_t> counts(4);
  for (auto& count : counts) {
    threads.emplace_back([&] {
      for (const auto& [name, body] : bodies) count += read_batch(body).events.size();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto count : counts) EXPECT_EQ(count, 915U + 381U + 993U);
}

}  // namespace
}  // namespace raceway::wire::test

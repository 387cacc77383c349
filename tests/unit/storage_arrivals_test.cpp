#include <gtest/gtest.h>

#include "storage/arrivals.hpp"

namespace raceway::server::storage {
namespace {

using Ids = std::vector<std::string>;

TEST(Arrivals, AreNotedOnceSomebodyAsks) {
  Arrivals arrivals;
  arrivals.note({R"({"trace_id":"before"})"});
  EXPECT_EQ(arrivals.since(0), Ids{});
  arrivals.note({R"([{"trace_id" : "a","event_id":"1"},{"event_id":"2","trace_id":
"a"},{"trace_id":"b"}])",
                 R"({"trace_id":"a"})"});
  EXPECT_EQ(arrivals.since(0), (Ids{"a", "b"})) << "what came last first, each once";
}

TEST(Arrivals, DoNotStumbleOverWhatIsNoId) {
  Arrivals arrivals;
  arrivals.since(0);
  for (const std::string_view body : {R"("trace_id")", R"("trace_id":)", R"("trace_id":")", R"("trace_id":"a)",
                                      R"("trace_id":7)", R"("trace_id":"a\"b")", R"("trace_id":"")", ""})
    arrivals.note({body});
  EXPECT_EQ(arrivals.since(0), Ids{});
}

TEST(Arrivals, AreBounded) {
  Arrivals arrivals;
  arrivals.since(0);
  std::string body;
  for (int i = 0; i < 20'000; ++i) body += R"({"trace_id":")" + std::to_string(i) + "\"}";
  arrivals.note({body});
  const auto ids = arrivals.since(0);
  EXPECT_EQ(ids.size(), 16'384U);
  EXPECT_EQ(ids.front(), "19999");
}

}  // namespace
}  // namespace raceway::server::storage

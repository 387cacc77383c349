#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage {
namespace {

using testing::HasSubstr;

TEST(ByteBudget, GivesWhatItHasAndTakesItBack) {
  ByteBudget budget(100);
  {
    auto first = budget.hold();
    first.grow(60);
    auto second = budget.hold();
    second.grow(40);
    EXPECT_EQ(budget.in_use(), 100U);
    second.shrink(10);
    EXPECT_EQ(budget.in_use(), 90U);
    second.set(5);
    first.set(95);
    EXPECT_EQ(budget.in_use(), 100U);
  }
  EXPECT_EQ(budget.in_use(), 0U);
}

TEST(ByteBudget, RefusesWhatItHasNotAndForgetsNothing) {
  ByteBudget budget(100);
  auto first = budget.hold();
  first.grow(60);
  auto second = budget.hold();
  second.grow(30);
  EXPECT_THROW(second.grow(11), Unavailable);
  EXPECT_EQ(second.bytes(), 30U);
  EXPECT_EQ(budget.in_use(), 90U);
  EXPECT_EQ(budget.refusals(), 1U);
  second.grow(10);
  EXPECT_THROW(first.grow(ByteBudget::unlimited), Unavailable);
  EXPECT_EQ(budget.in_use(), 100U);
}

TEST(ByteBudget, SaysWhetherComingAgainHelps) {
  ByteBudget budget(100);
  auto other = budget.hold();
  other.grow(60);
  auto hold = budget.hold();
  const auto why = [&](std::size_t bytes) -> std::string {
    try {
      hold.grow(bytes);
    } catch (const Unavailable& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(why(50), HasSubstr("at the moment"));
  EXPECT_THAT(why(101), HasSubstr("this alone"));
  EXPECT_THAT(why(101), HasSubstr("server.max_inflight_bytes"));
}

TEST(ByteBudget, KeepsAnEighthForThoseWhoAskForLittle) {
  constexpr std::size_t most = 16 * ByteBudget::small;
  ByteBudget budget(most);
  auto large = budget.hold();
  large.grow(most - most / 8);
  EXPECT_THROW(large.grow(1), Unavailable);
  auto other = budget.hold();
  EXPECT_THROW(other.grow(ByteBudget::small + 1), Unavailable);
  other.grow(ByteBudget::small);
  EXPECT_THROW(other.grow(1), Unavailable) << "it is not small any more";
  auto third = budget.hold();
  third.grow(ByteBudget::small);
  EXPECT_EQ(budget.in_use(), most);
  auto fourth = budget.hold();
  EXPECT_THROW(fourth.grow(1), Unavailable);
}

TEST(ByteBudget, FollowsAHoldThatMoves) {
  ByteBudget budget(100);
  auto hold = budget.hold();
  hold.grow(70);
  {
    const auto taker = std::move(hold);
    EXPECT_EQ(taker.bytes(), 70U);
    EXPECT_EQ(budget.in_use(), 70U);
  }
  EXPECT_EQ(budget.in_use(), 0U);
  ByteBudget::Hold of_none;
  of_none.grow(1000);
  EXPECT_EQ(of_none.bytes(), 0U);
}

TEST(ByteBudget, IsNeverPassedByManyAtOnce) {
  ByteBudget budget(1000);
  std::vector<std::thread> threads;
  std::atomic<bool> passed{false};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        auto hold = budget.hold();
        try {
          hold.grow(300);
          if (budget.in_use() < 300) passed = true;
        } catch (const Unavailable&) {
          EXPECT_EQ(hold.bytes(), 0U);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(passed);
  EXPECT_EQ(budget.in_use(), 0U);
}

}  // namespace
}  // namespace raceway::server::storage

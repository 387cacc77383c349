#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "observability/logging.hpp"
#include "observability/request_id.hpp"

namespace raceway::server::observability {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

/// One line as it would stand on stderr.
std::string line(const config::Logging& logging, std::string_view message,
                 spdlog::level::level_enum level = spdlog::level::info) {
  std::ostringstream out;
  spdlog::logger logger("http", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger.set_formatter(make_formatter(logging));
  logger.set_level(spdlog::level::trace);
  logger.log(level, spdlog::string_view_t(message.data(), message.size()));
  return out.str();
}

constexpr config::Logging text{};
constexpr config::Logging json{.format = config::LogFormat::json};

TEST(LogLine, OfTextHasTimeLevelAndMessage) {
  EXPECT_THAT(line(text, "listening", spdlog::level::warn),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warn  listening\n"));
}

TEST(LogLine, OfJsonIsAnObjectWithTheSame) {
  const auto object = nlohmann::json::parse(line(json, R"(a "quoted" \ path)", spdlog::level::err));
  EXPECT_EQ(object.at("level"), "error");
  EXPECT_EQ(object.at("message"), R"(a "quoted" \ path)");
  EXPECT_THAT(object.at("time").get<std::string>(), MatchesRegex("[0-9]{4}-[0-9-]+T[0-9:.]+Z"));
  EXPECT_EQ(object.size(), 3U);
}

TEST(LogLine, NamesTheModuleOnDemand) {
  EXPECT_THAT(line({.include_modules = true}, "m"), HasSubstr("[http] m"));
  EXPECT_THAT(line(text, "m"), Not(HasSubstr("http")));
  const auto object = nlohmann::json::parse(line({.format = config::LogFormat::json, .include_modules = true}, "m"));
  EXPECT_EQ(object.at("module"), "http");
}

TEST(LogLine, CarriesTheIdOfTheInnermostRequestOfItsThread) {
  EXPECT_THAT(line(text, "m"), EndsWith(" m\n"));
  const RequestScope outer("outer");
  {
    const RequestScope inner("inner");
    EXPECT_THAT(line(text, "m"), EndsWith(" m (request inner)\n"));
    std::string elsewhere;
    std::thread([&] { elsewhere = line(text, "m"); }).join();
    EXPECT_THAT(elsewhere, EndsWith(" m\n"));
  }
  EXPECT_EQ(nlohmann::json::parse(line(json, "m")).at("request_id"), "outer");
}

TEST(LogLine, StaysOneLineWhateverAClientSends) {
  const std::string hostile = "a\nforged line\r\x1b[2J\x7f" + std::string(1, '\0') + "é";
  EXPECT_THAT(line(text, hostile), EndsWith("a\\u000aforged line\\u000d\\u001b[2J\\u007f\\u0000é\n"));
  const std::string unseen = "\u009b31m\u202e\u2066\u200b\u2028\U000e0041";
  EXPECT_THAT(line(text, unseen), EndsWith("\\u009b31m\\u202e\\u2066\\u200b\\u2028\\udb40\\udc41\n"));
  EXPECT_EQ(nlohmann::json::parse(line(json, hostile)).at("message"), hostile);
}

TEST(LogLine, ReplacesWhatIsNotUtf8) {
  for (const char* broken : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const auto object = nlohmann::json::parse(line(json, std::string("<") + broken + ">"));
    EXPECT_THAT(object.at("message").get<std::string>(), testing::StartsWith("<\xEF\xBF\xBD")) << broken;
  }
  EXPECT_EQ(nlohmann::json::parse(line(json, "é€😀")).at("message"), "é€😀");
}

class StartedLogging : public testing::Test {
 protected:
  void TearDown() override { spdlog::set_default_logger(before_); }
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(StartedLogging, WritesToStandardErrorFromTheChosenLevelOn) {
  testing::internal::CaptureStderr();
  start_logging({.level = config::LogLevel::warn, .include_modules = true});
  spdlog::info("hidden");
  spdlog::warn("from the default logger");
  module_logger("ingest")->info("hidden");
  module_logger("ingest")->error("from a module");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, HasSubstr("warn  [raceway] from the default logger\n"));
  EXPECT_THAT(written, HasSubstr("error [ingest] from a module\n"));
  EXPECT_THAT(written, Not(HasSubstr("hidden")));
}

TEST_F(StartedLogging, CanBeOff) {
  testing::internal::CaptureStderr();
  start_logging({.level = config::LogLevel::off});
  spdlog::critical("unheard");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(RequestId, IsFreshEachTimeFromEveryThread) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < 1000; ++i) ids.push_back(new_request_id());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> distinct;
  for (const auto& ids : made) distinct.insert(ids.begin(), ids.end());
  EXPECT_EQ(distinct.size(), 4000U);
  EXPECT_THAT(*distinct.begin(), MatchesRegex("[0-9a-f]{24}"));
}

TEST(RequestId, OfAClientIsKeptWhereItIsHarmless) {
  EXPECT_EQ(accept_request_id("Order-17_a.b"), "Order-17_a.b");
  EXPECT_EQ(accept_request_id(std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\nb"), std::string("é")}) {
    EXPECT_THAT(accept_request_id(bad), MatchesRegex("[0-9a-f]{24}")) << bad;
  }
}

}  // namespace
}  // namespace raceway::server::observability

#include <gmock/gmock.h>

#include "config_support.hpp"

namespace raceway::server::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigLoad : public ConfigTest {};

TEST_F(ConfigLoad, WithoutAnySourceTheDefaultsHold) {
  const LoadedConfig loaded = load_environment({});
  EXPECT_EQ(loaded.config.server.host, "127.0.0.1");
  EXPECT_EQ(loaded.config.server.port, 8080);
  EXPECT_EQ(loaded.config.storage.backend, Backend::memory);
  EXPECT_EQ(loaded.config.engine.batch_size, 1000U);
  EXPECT_EQ(loaded.config.engine.ack, Ack::durable);
  EXPECT_EQ(loaded.config.logging.level, LogLevel::info);
  EXPECT_THAT(loaded.origin, IsEmpty());
  EXPECT_THAT(loaded.file.string(), IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST_F(ConfigLoad, EveryTypeOfValueIsReadFromTheFile) {
  const Config config = load_text(R"(
[server]
port = 0
auth_enabled = true
api_keys = ["one", "two"]
keep_alive_seconds = 5
max_body_bytes = 1_024
[storage]
backend = "supabase"
[storage.postgres]
connection_string = "postgresql://raceway@localhost/raceway"
auto_migrate = false
[engine]
flush_interval_ms = 250
ack = "buffered"
[logging]
format = "json"
)")
                            .config;
  EXPECT_EQ(config.server.port, 0);
  EXPECT_TRUE(config.server.auth_enabled);
  EXPECT_THAT(config.server.api_keys, ElementsAre("one", "two"));
  EXPECT_EQ(config.server.keep_alive, std::chrono::seconds(5));
  EXPECT_EQ(config.server.max_body_bytes, 1024U);
  EXPECT_EQ(config.storage.backend, Backend::supabase);
  EXPECT_EQ(config.storage.postgres.connection_string, "postgresql://raceway@localhost/raceway");
  EXPECT_FALSE(config.storage.postgres.auto_migrate);
  EXPECT_EQ(config.engine.flush_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(config.engine.ack, Ack::buffered);
  EXPECT_EQ(config.logging.format, LogFormat::json);
}

TEST_F(ConfigLoad, EveryTypeOfValueIsReadFromTheEnvironment) {
  const Config config = load_environment({{"RACEWAY_SERVER_PORT", "9000"},
                                          {"RACEWAY_SERVER_CORS_ENABLED", "FALSE"},
                                          {"RACEWAY_SERVER_AUTH_ENABLED", "1"},
                                          {"RACEWAY_SERVER_API_KEYS", "one, two"},
                                          {"RACEWAY_SERVER_CORS_ORIGINS", ""},
                                          {"RACEWAY_STORAGE_BACKEND", "postgres"},
                                          {"RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING", "host=db dbname=raceway\n"},
                                          {"RACEWAY_SERVER_DRAIN_TIMEOUT_SECONDS", "7"},
                                          {"RACEWAY_SERVER_DRAIN_SECONDS", "3600"},
                                          {"RACEWAY_LOGGING_LEVEL", "Warn"}})
                            .config;
  EXPECT_EQ(config.server.port, 9000);
  EXPECT_FALSE(config.server.cors_enabled);
  EXPECT_TRUE(config.server.auth_enabled);
  EXPECT_THAT(config.server.api_keys, ElementsAre("one", "two"));
  EXPECT_THAT(config.server.cors_origins, IsEmpty());
  EXPECT_EQ(config.storage.backend, Backend::postgres);
  EXPECT_EQ(config.storage.postgres.connection_string, "host=db dbname=raceway");
  EXPECT_EQ(config.server.drain_timeout, std::chrono::seconds(7));
  EXPECT_EQ(config.server.drain, std::chrono::hours(1));
  EXPECT_EQ(config.logging.level, LogLevel::warn);
}

TEST_F(ConfigLoad, TheCommandLineWinsOverTheEnvironmentOverTheFileOverTheDefault) {
  const auto file = write("[server]\nport = 1\nrate_limit_rpm = 11\nthreads = 21\n");
  const LoadedConfig loaded =
      load({.file = file,
            .environment = {{"RACEWAY_SERVER_PORT", "2"}, {"RACEWAY_SERVER_RATE_LIMIT_RPM", "12"}},
            .overrides = {{"server.port", "3", "--port"}}});
  EXPECT_EQ(loaded.config.server.port, 3);
  EXPECT_EQ(loaded.config.server.rate_limit_rpm, 12U);
  EXPECT_EQ(loaded.config.server.threads, 21U);
  EXPECT_EQ(loaded.config.server.max_connections, Config().server.max_connections);
  EXPECT_EQ(loaded.origin.at("server.port"), "--port");
  EXPECT_EQ(loaded.origin.at("server.rate_limit_rpm"), "RACEWAY_SERVER_RATE_LIMIT_RPM");
  EXPECT_EQ(loaded.origin.at("server.threads"), file.string() + ":4");
  EXPECT_FALSE(loaded.origin.contains("server.max_connections"));
}

TEST_F(ConfigLoad, TheFileIsTheNamedOneElseThatOfTheEnvironmentElseTheOneAtHand) {
  const auto named = write("[server]\nport = 1\n", "named.toml");
  const auto from_environment = write("[server]\nport = 2\n", "environment.toml");
  const auto at_hand = write("[server]\nport = 3\n");
  const std::map<std::string, std::string> environment{{"RACEWAY_CONFIG", from_environment.string()}};
  const auto port = [&](const Sources& sources) { return load(sources).config.server.port; };
  EXPECT_EQ(port({.file = named, .environment = environment, .overrides = {}, .default_file = at_hand}), 1);
  EXPECT_EQ(port({.file = {}, .environment = environment, .overrides = {}, .default_file = at_hand}), 2);
  EXPECT_EQ(port({.file = {}, .environment = {}, .overrides = {}, .default_file = at_hand}), 3);
  EXPECT_EQ(port({.file = {}, .environment = {{"RACEWAY_CONFIG", ""}}, .overrides = {}, .default_file = at_hand}), 3);
}

TEST_F(ConfigLoad, VariablesOfSdksAndClientsAreLeftAlone) {
  EXPECT_NO_THROW(load_environment({{"RACEWAY_URL", "http://localhost:8080"},
                                    {"RACEWAY_KEY", "k"},
                                    {"RACEWAY_API_KEY", "k"},
                                    {"RACEWAY_SERVICE_NAME", "shop"},
                                    {"RACEWAY_DEBUG", "true"},
                                    {"PATH", "/bin"}}));
}

TEST_F(ConfigLoad, AFileOfTheOtherRacewayLoadsUnchanged) {
  const LoadedConfig loaded = load_text(R"(
[server]
host = "127.0.0.1"
port = 8080
verbose = false
cors_enabled = true
cors_origins = ["*"]
rate_limit_enabled = false
rate_limit_rpm = 1000
auth_enabled = false
[storage]
backend = "memory"
[storage.postgres]
max_connections = 10
min_connections = 2
connection_timeout_seconds = 30
auto_migrate = true
[engine]
buffer_size = 10000
batch_size = 100
flush_interval_ms = 100
[race_detection]
enabled = true
[anomaly_detection]
enabled = true
[distributed_tracing]
enabled = true
[logging]
level = "info"
include_modules = false
[development]
cors_allow_all = false
)");
  EXPECT_EQ(loaded.config.engine.buffer_size, 10000U);
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST_F(ConfigLoad, VerboseLowersTheLogLevelToDebugAndNeverRaisesIt) {
  const LoadedConfig verbose = load_text("[server]\nverbose = true\n[logging]\nlevel = \"info\"\n");
  EXPECT_EQ(verbose.config.logging.level, LogLevel::debug);
  EXPECT_THAT(verbose.origin.at("logging.level"), HasSubstr("server.verbose"));
  EXPECT_EQ(load_text("[server]\nverbose = true\n[logging]\nlevel = \"trace\"\n").config.logging.level,
            LogLevel::trace);
}

TEST_F(ConfigLoad, TrustingForwardedForIsToTrustOneProxy) {
  EXPECT_THAT(load_text("[server]\ntrust_forwarded_for = true\n").config.server.trusted_proxies, ElementsAre("1"));
  EXPECT_THAT(
      load_text("[server]\ntrust_forwarded_for = true\ntrusted_proxies = [\"2\"]\n").config.server.trusted_proxies,
      ElementsAre("2"));
  EXPECT_THAT(load_environment({}).config.server.trusted_proxies, IsEmpty());
}

TEST_F(ConfigLoad, CorsAllowAllOpensTheOriginsButDoesNotSwitchCorsOn) {
  const Config config = load_text(
                            "[server]\ncors_enabled = false\ncors_origins = "
                            "[\"https://a.example\"]\n[development]\ncors_allow_all = true\n")
                            .config;
  EXPECT_THAT(config.server.cors_origins, ElementsAre("*"));
  EXPECT_FALSE(config.server.cors_enabled);
}

TEST_F(ConfigLoad, ASwitchThatHasNoEffectSaysSo) {
  const auto warnings = load_text("[race_detection]\nenabled = false\n").warnings;
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr(":2: race_detection.enabled: accepted for compatibility; has no effect"));
}

TEST_F(ConfigLoad, AnOpenDoorWithoutKeysIsWarnedOf) {
  EXPECT_THAT(load_environment({{"RACEWAY_SERVER_HOST", "0.0.0.0"}}).warnings,
              ElementsAre(HasSubstr("set server.auth_enabled")));
  EXPECT_THAT(load_environment({{"RACEWAY_SERVER_HOST", "::1"}}).warnings, IsEmpty());
  EXPECT_THAT(load_environment({{"RACEWAY_SERVER_HOST", "0.0.0.0"},
                                {"RACEWAY_SERVER_AUTH_ENABLED", "true"},
                                {"RACEWAY_SERVER_API_KEYS", "k"}})
                  .warnings,
              IsEmpty());
}

}  // namespace
}  // namespace raceway::server::config

#include <gmock/gmock.h>

#include <sstream>

#include "config/keys.hpp"
#include "config_support.hpp"

namespace raceway::server::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string effective(const LoadedConfig& loaded) {
  std::ostringstream out;
  print_effective(out, loaded);
  return out.str();
}

void expect_equal(const Config& left, const Config& right) {
  for (const Key& key : keys()) EXPECT_EQ(key.get(left), key.get(right)) << key.path;
}

/// Another value than the default, in range.
Value changed(const Key& key) {
  const Value value = key.get(Config());
  if (const auto* flag = std::get_if<bool>(&value)) return !*flag;
  if (key.path == "storage.memory.max_bytes") return std::int64_t{1} << 30;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number + 1;
  if (key.type == Type::choice) return std::string(key.choices.back());
  if (key.path == "storage.postgres.connection_string") return std::string("host='a \"b\"' dbname=\\\\x");
  if (key.path == "server.base_path") return std::string("/raceway");
  if (key.path == "server.cors_origins") return std::vector<std::string>{"https://a.example", "null"};
  if (key.path == "server.trusted_proxies") return std::vector<std::string>{"10.0.0.0/8", "::1"};
  if (key.type == Type::list) return std::vector<std::string>{"a\"b\\c", "d"};
  return std::string("name-with-\"quotes\"-and-\\-and-é");
}

class ConfigPrint : public ConfigTest {};

TEST_F(ConfigPrint, TheDefaultsLoadAgain) {
  const std::string text = effective(load_environment({}));
  const LoadedConfig again = load_text(text);
  expect_equal(again.config, Config());
  for (const Key& key : keys()) EXPECT_TRUE(again.origin.contains(key.path)) << key.path;
}

TEST_F(ConfigPrint, EveryOtherValueLoadsAgainOnceTheSecretsAreGiven) {
  LoadedConfig loaded;
  for (const Key& key : keys()) key.set(loaded.config, changed(key));
  loaded.config.development.cors_allow_all = false;  // would replace cors_origins
  loaded.config.server.verbose = false;              // would replace logging.level
  const LoadedConfig again = load_text(
      effective(loaded),
      {{"RACEWAY_SERVER_API_KEYS", R"(a"b\c,d)"}, {"RACEWAY_SERVER_UI_PASSWORD", loaded.config.server.ui_password}});
  expect_equal(again.config, loaded.config);
}

TEST_F(ConfigPrint, EachValueNamesItsOrigin) {
  const std::string text = effective(load_text("[server]\nport = 9000\n", {{"RACEWAY_LOGGING_LEVEL", "warn"}}));
  EXPECT_THAT(text, HasSubstr("port = 9000  # " + (directory_ / "raceway.toml").string() + ":2\n"));
  EXPECT_THAT(text, HasSubstr("level = \"warn\"  # RACEWAY_LOGGING_LEVEL\n"));
  EXPECT_THAT(text, HasSubstr("host = \"127.0.0.1\"  # default\n"));
}

TEST_F(ConfigPrint, SecretsAreMaskedAndTheirLinesNeverTakenForValues) {
  const std::string text = effective(load_environment(
      {{"RACEWAY_SERVER_API_KEYS", "hunter2,swordfish"},
       {"RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING", "postgresql://raceway:hunter2@db.example:5432/raceway"}}));
  EXPECT_THAT(text, HasSubstr("# api_keys = [\"***\", \"***\"]  # RACEWAY_SERVER_API_KEYS\n"));
  EXPECT_THAT(text, HasSubstr("# connection_string = \"postgresql://raceway:***@db.example:5432/raceway\"  # "));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, Not(HasSubstr("swordfish")));
  EXPECT_THAT(load_text(text).config.server.api_keys, IsEmpty());
}

TEST_F(ConfigPrint, AConnectionStringWithoutAPasswordIsShownAsItIs) {
  const std::string text =
      effective(load_environment({{"RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING", "host=db user=raceway"}}));
  EXPECT_THAT(text, HasSubstr("\nconnection_string = \"host=db user=raceway\"  # "));
}

TEST_F(ConfigPrint, AFileNameWithALineBreakDoesNotBreakOutOfItsComment) {
  const auto file = write("[server]\nport = 9000\n", "a\nport = 1 #.toml");
  const std::string text = effective(load({.file = file, .environment = {}, .overrides = {}}));
  EXPECT_EQ(load_text(text).config.server.port, 9000);
}

TEST(ConfigExample, IsWhatTheTableOfKeysSays) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../server/raceway.example.toml");
  ASSERT_TRUE(file);
  std::stringstream shipped;
  shipped << file.rdbuf();
  std::ostringstream printed;
  print_example(printed);
  EXPECT_EQ(shipped.str(), printed.str()) << "renew it: build/raceway config --example > server/raceway.example.toml";
}

TEST_F(ConfigPrint, TheExampleSetsEveryKeyToItsTrueDefault) {
  std::ostringstream printed;
  print_example(printed);
  const LoadedConfig loaded = load_text(printed.str());
  expect_equal(loaded.config, Config());
  for (const Key& key : keys()) EXPECT_TRUE(loaded.origin.contains(key.path)) << key.path;
}

TEST(ConfigKeys, AreDistinctAndEachStandsInAKnownSection) {
  std::map<std::string, std::string_view> variables;
  for (const Key& key : keys()) {
    EXPECT_TRUE(is_section(key.section())) << key.path;
    EXPECT_TRUE(variables.emplace(key.variable(), key.path).second) << key.path << " and " << variables[key.variable()];
    EXPECT_TRUE(!key.meaning.empty() || !key.effective) << key.path;
  }
}

TEST(ConfigKeys, EachReachesAFieldOfItsOwn) {
  for (const Key& key : keys()) {
    Config config;
    key.set(config, changed(key));
    for (const Key& other : keys()) {
      EXPECT_EQ(other.get(config), other.path == key.path ? changed(key) : other.get(Config()))
          << key.path << " reaches " << other.path;
    }
  }
}

}  // namespace
}  // namespace raceway::server::config

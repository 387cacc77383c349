#include <gmock/gmock.h>

#include <vector>

#include "command_line.hpp"

namespace raceway::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "raceway");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLineOf, NothingIsHelp) {
  const CommandLine line = parse({});
  EXPECT_EQ(line.command, Command::help);
  for (const char* word :
       {"serve", "migrate", "config", "--config", "RACEWAY_CONFIG", "RACEWAY_SERVER_PORT", "Examples"}) {
    EXPECT_THAT(line.text, HasSubstr(word));
  }
}

TEST(CommandLineOf, EachCommandHasItsHelpWithVariablesAndAnExample) {
  for (const char* command : {"serve", "migrate", "config"}) {
    for (const char* flag : {"--help", "-h"}) {
      const CommandLine line = parse({command, flag});
      EXPECT_EQ(line.command, Command::help);
      EXPECT_THAT(line.text, HasSubstr(std::string("Usage: raceway ") + command));
      EXPECT_THAT(line.text, HasSubstr("RACEWAY_"));
      EXPECT_THAT(line.text, HasSubstr("\nExamples:\n  raceway ")) << "to be copied as they stand";
    }
  }
}

TEST(CommandLineOf, VersionSaysWhichRacewayThisIs) {
  const CommandLine line = parse({"--version"});
  EXPECT_EQ(line.command, Command::version);
  EXPECT_EQ(line.text, "raceway " RACEWAY_VERSION "\n");
}

TEST(CommandLineOf, ServeTakesHostPortAndVerbose) {
  const CommandLine line = parse({"serve", "--host", "0.0.0.0", "--port=9000", "-v"});
  EXPECT_EQ(line.command, Command::serve);
  EXPECT_EQ(line.text, "");
  const config::Config config =
      config::load({.file = {}, .environment = {}, .overrides = line.overrides, .default_file = "/nowhere"}).config;
  EXPECT_EQ(config.server.host, "0.0.0.0");
  EXPECT_EQ(config.server.port, 9000);
  EXPECT_TRUE(config.server.verbose);
}

TEST(CommandLineOf, TheFileMayBeNamedBeforeAndBehindTheCommand) {
  EXPECT_EQ(parse({"--config", "a.toml", "serve"}).config_file, "a.toml");
  EXPECT_EQ(parse({"-c", "a.toml", "migrate"}).config_file, "a.toml");
  EXPECT_EQ(parse({"serve", "--config", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parse({"config", "--check", "-c", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parse({"serve"}).config_file, std::nullopt);
}

TEST(CommandLineOf, ConfigPrintsChecksOrShowsAnExample) {
  EXPECT_EQ(parse({"config"}).command, Command::config);
  EXPECT_FALSE(parse({"config"}).check);
  EXPECT_TRUE(parse({"config", "--check"}).check);
  EXPECT_TRUE(parse({"config", "--example"}).example);
}

TEST(CommandLineOf, WhatMakesNoSenseIsRefusedWithAWayOn) {
  const std::vector<std::vector<const char*>> senseless{
      {"srve"},     {"serve", "--prot", "1"}, {"serve", "extra"},         {"serve", "migrate"},
      {"--config"}, {"serve", "--port"},      {"migrate", "--port", "1"}, {"config", "--check", "--example"}};
  for (const auto& arguments : senseless) {
    try {
      parse(arguments);
      ADD_FAILURE() << "accepted: " << arguments.back();
    } catch (const config::UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("raceway --help")) << arguments.back();
    }
  }
}

TEST(CommandLineOf, AValueIsNotJudgedHereButWithTheRestOfTheConfiguration) {
  const CommandLine line = parse({"serve", "--port", "http"});
  ASSERT_EQ(line.overrides.size(), 1U);
  EXPECT_EQ(line.overrides[0].key, "server.port");
  EXPECT_EQ(line.overrides[0].text, "http");
  EXPECT_EQ(line.overrides[0].option, "--port");
}

}  // namespace
}  // namespace raceway::server

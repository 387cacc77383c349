#include <fmt/format.h>
#include <gmock/gmock.h>

#include "config/keys.hpp"
#include "config_support.hpp"

namespace raceway::server::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ConfigProblems : public ConfigTest {};

TEST_F(ConfigProblems, AnUnknownKeyIsNamedWithFileLineAndALikelyMeaning) {
  EXPECT_THAT(problems_of("[server]\nprot = 8080\n"),
              ElementsAre(R"(raceway.toml:2: server.prot: unknown key; did you mean "port"?)"));
  EXPECT_THAT(problems_of("[storage]\nport = 1\n"),
              ElementsAre(R"(raceway.toml:2: storage.port: unknown key; did you mean "port" in [server]?)"));
  EXPECT_THAT(problems_of("[server]\nzzzzzz = 1\n"), ElementsAre("raceway.toml:2: server.zzzzzz: unknown key"));
}

TEST_F(ConfigProblems, AnUnknownSectionIsNamedOnceAndNotKeyByKey) {
  EXPECT_THAT(problems_of("[storage.postgress]\na = 1\nb = 2\n"),
              ElementsAre(R"(raceway.toml:1: storage.postgress: unknown section; did you mean "postgres"?)"));
  EXPECT_THAT(problems_of("\n[sever]\nport = 1\n"),
              ElementsAre(R"(raceway.toml:2: sever: unknown section; did you mean "server"?)"));
}

TEST_F(ConfigProblems, AWrongTypeIsRefusedAndNothingIsConverted) {
  EXPECT_THAT(problems_of("[server]\nport = \"8080\"\n"),
              ElementsAre(R"(raceway.toml:2: server.port: must be a whole number from 0 to 65535, not "8080")"));
  EXPECT_THAT(problems_of("[server]\nport = 8080.0\n"), ElementsAre(HasSubstr("must be a whole number")));
  EXPECT_THAT(problems_of("[server]\ncors_enabled = 1\n"),
              ElementsAre("raceway.toml:2: server.cors_enabled: must be true or false, not 1"));
  EXPECT_THAT(problems_of("[server]\ncors_origins = \"*\"\n"), ElementsAre(HasSubstr("must be a list of strings")));
  EXPECT_THAT(problems_of("[server]\ncors_origins = [\"*\", 1]\n"),
              ElementsAre(HasSubstr("must be a list of strings")));
  EXPECT_THAT(problems_of("server = 1\n"), ElementsAre("raceway.toml:1: server: is a section; write [server], once"));
  EXPECT_THAT(problems_of("[[server]]\n"), ElementsAre("raceway.toml:1: server: is a section; write [server], once"));
  EXPECT_THAT(problems_of("[server.port]\n"), ElementsAre(HasSubstr("server.port: must be a whole number")));
}

TEST_F(ConfigProblems, EveryNumberIsHeldToItsRangeAtBothEnds) {
  for (const Key& key : keys()) {
    if (key.type != Type::integer) continue;
    const auto of = [&](std::int64_t value) {
      const std::string table = "[" + std::string(key.section()) + "]\n" + std::string(key.name()) + " = ";
      return problems_of(table + std::to_string(value) + "\n");
    };
    const auto out_of_range =
        testing::Contains(HasSubstr(": " + std::string(key.path) + ": must be a whole number from"));
    EXPECT_THAT(of(key.min - 1), out_of_range) << key.path;
    EXPECT_THAT(of(key.max + 1), out_of_range) << key.path;
    EXPECT_THAT(of(key.min), Not(out_of_range)) << key.path;
    EXPECT_THAT(of(key.max), Not(out_of_range)) << key.path;
  }
}

TEST_F(ConfigProblems, TheEndsOfARangeArriveUnharmedInTheConfiguration) {
  for (const Key& key : keys()) {
    if (key.type != Type::integer) continue;
    for (const std::int64_t value : {key.min, key.max}) {
      Config config;
      key.set(config, value);
      EXPECT_EQ(key.get(config), Value(value)) << key.path;
    }
  }
}

TEST_F(ConfigProblems, AChoiceNamesWhatThereIsToChoose) {
  EXPECT_THAT(
      problems_of("[storage]\nbackend = \"mysql\"\n"),
      ElementsAre(R"(raceway.toml:2: storage.backend: must be "memory", "postgres" or "supabase", not "mysql")"));
}

TEST_F(ConfigProblems, AllAreReportedAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(problems_of("[server]\nprot = 1\nhost = 5\n[engine]\nbatch_size = 0\n[alpha]\n",
                          {{"RACEWAY_SERVER_PORT", "http"}}),
              ElementsAre(StartsWith("raceway.toml:2: server.prot"), StartsWith("raceway.toml:3: server.host"),
                          StartsWith("raceway.toml:5: engine.batch_size"), StartsWith("raceway.toml:6: alpha"),
                          StartsWith("RACEWAY_SERVER_PORT: must be")));
}

TEST_F(ConfigProblems, AnUnknownVariableOfAKnownSectionStopsTheStart) {
  EXPECT_THAT(problems_of("", {{"RACEWAY_SERVER_PROT", "1"}}),
              ElementsAre("RACEWAY_SERVER_PROT: unknown variable; did you mean RACEWAY_SERVER_PORT?"));
}

TEST_F(ConfigProblems, AVariableThatIsNoNumberIsNotReadAsOne) {
  for (const char* text : {"", " ", "80a", "8.5", "-1", "0x50", "99999999999999999999"}) {
    EXPECT_THAT(problems_of("", {{"RACEWAY_SERVER_PORT", text}}), ElementsAre(HasSubstr("must be a whole number")))
        << text;
  }
}

TEST_F(ConfigProblems, AnOptionIsReportedByItsName) {
  EXPECT_THAT(problems({.file = write(""), .environment = {}, .overrides = {{"server.port", "99999", "--port"}}}),
              ElementsAre("--port: must be a whole number from 0 to 65535, not 99999"));
}

TEST_F(ConfigProblems, BrokenTomlIsReportedWithItsLine) {
  EXPECT_THAT(problems_of("[server]\n\nhost = \n"), ElementsAre(StartsWith("raceway.toml:3: not TOML: ")));
  EXPECT_THAT(problems_of("[server]\nport = 1\n[server]\n"), ElementsAre(StartsWith("raceway.toml:3: not TOML: ")));
  EXPECT_THAT(problems_of("[server]\nhost = \"\xff\"\n"), ElementsAre(StartsWith("raceway.toml:2: not TOML: ")));
}

TEST_F(ConfigProblems, AFileThatCannotBeParsedIsNotBlamedForWhatItMayHold) {
  EXPECT_THAT(problems_of("[server]\napi_keys = [\"k\"]\noops\n", {{"RACEWAY_SERVER_AUTH_ENABLED", "true"}}),
              ElementsAre(HasSubstr("not TOML")));
}

TEST_F(ConfigProblems, AFileThatIsNamedHasToExist) {
  const auto missing = directory_ / "missing.toml";
  EXPECT_THAT(problems({.file = missing, .environment = {}, .overrides = {}}),
              ElementsAre("missing.toml: cannot be read: No such file or directory"));
  EXPECT_THAT(problems({.file = {}, .environment = {{"RACEWAY_CONFIG", missing.string()}}, .overrides = {}}),
              ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(problems({.file = directory_, .environment = {}, .overrides = {}}),
              ElementsAre(HasSubstr("is a directory")));
}

TEST_F(ConfigProblems, KeysAreDemandedWhereTheyAreAskedFor) {
  EXPECT_THAT(
      problems_of("[server]\nauth_enabled = true\n"),
      ElementsAre(AllOf(StartsWith("raceway.toml:2: server.auth_enabled"), HasSubstr("RACEWAY_SERVER_API_KEYS"))));
  EXPECT_THAT(problems_of("[server]\nauth_enabled = true\n", {{"RACEWAY_SERVER_API_KEYS", "k"}}), IsEmpty());
}

TEST_F(ConfigProblems, AKeyThatNoHeaderCanCarryIsRefusedWithoutShowingIt) {
  for (const char* key : {"\" hunter2\"", "\"hunter2 x\"", "\"hunter2\\n\"", "\"hunter2é\"", "\"\""}) {
    const auto found = problems_of(std::string("[server]\napi_keys = [") + key + "]\n");
    EXPECT_THAT(found, ElementsAre(AllOf(StartsWith("raceway.toml:2: server.api_keys"), Not(HasSubstr("hunter2")))))
        << key;
  }
}

TEST_F(ConfigProblems, PostgresNeedsAConnectionString) {
  EXPECT_THAT(problems_of("[storage]\nbackend = \"postgres\"\n"),
              ElementsAre("raceway.toml:2: storage.backend: \"postgres\" needs storage.postgres.connection_string or "
                          "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING"));
  EXPECT_THAT(problems_of("[storage]\nbackend = \"supabase\"\n"), ElementsAre(HasSubstr("\"supabase\" needs")));
}

TEST_F(ConfigProblems, LimitsThatContradictEachOtherAreNamedWhereTheyWereSet) {
  EXPECT_THAT(problems_of("[storage.postgres]\nmin_connections = 5\nmax_connections = 4\n"),
              ElementsAre("raceway.toml:2: storage.postgres.min_connections: 5 is more than "
                          "storage.postgres.max_connections = 4"));
  EXPECT_THAT(problems_of("[storage.postgres]\nmax_connections = 1\n"),
              ElementsAre("raceway.toml:2: storage.postgres.max_connections: 1 is less than "
                          "storage.postgres.min_connections = 2 (the default)"));
  EXPECT_THAT(problems_of("[engine]\nbuffer_size = 10\nbatch_size = 10\n"), IsEmpty());
  EXPECT_THAT(problems_of("[engine]\nbatch_size = 11\nbuffer_size = 10\n"),
              ElementsAre("raceway.toml:2: engine.batch_size: 11 is more than engine.buffer_size = 10"));
}

TEST_F(ConfigProblems, AValueThatIsAlreadyRefusedIsNotBlamedTwice) {
  EXPECT_THAT(problems_of("[storage]\nbackend = \"postgres\"\n[storage.postgres]\nconnection_string = 5\n"),
              ElementsAre(HasSubstr("connection_string: must be a string")));
}

TEST_F(ConfigProblems, AnOriginHasNoPath) {
  EXPECT_THAT(problems_of("[server]\ncors_origins = [\"https://a.example/\"]\n"),
              ElementsAre(HasSubstr("\"https://a.example/\" is not an origin")));
  EXPECT_THAT(problems_of("[server]\ncors_origins = [\"localhost\"]\n"), ElementsAre(HasSubstr("is not an origin")));
  EXPECT_THAT(problems_of("[server]\ncors_origins = [\"http://localhost:3000\", \"https://a.example\"]\n"), IsEmpty());
}

TEST_F(ConfigProblems, AnOriginMayHaveAnyPort) {
  EXPECT_THAT(problems_of("[server]\ncors_origins = [\"http://localhost:*\"]\n"), IsEmpty());
  for (const char* origin : {"http://*:80", "http://:*", "localhost:*", "http://a:*/"})
    EXPECT_THAT(problems_of(fmt::format("[server]\ncors_origins = [\"{}\"]\n", origin)),
                ElementsAre(HasSubstr("is not an origin")))
        << origin;
}

TEST_F(ConfigProblems, AnAllowedHostIsANameAlone) {
  EXPECT_THAT(problems_of("[server]\nallowed_hosts = [\"raceway.example\", \"raceway\"]\n"), IsEmpty());
  for (const char* name : {"http://raceway.example", "raceway.example:8080", "*.example"})
    EXPECT_THAT(problems_of(fmt::format("[server]\nallowed_hosts = [\"{}\"]\n", name)),
                ElementsAre(HasSubstr("is not a name")))
        << name;
}

TEST_F(ConfigProblems, TheBasePathIsAPlainPrefix) {
  for (const char* good : {"", "/raceway", "/tools/raceway-2.0"})
    EXPECT_THAT(problems_of(fmt::format("[server]\nbase_path = \"{}\"\n", good)), IsEmpty()) << good;
  for (const char* bad : {"raceway", "/", "/raceway/", "//evil.example", "/a b", "/a'b", "/a<b"})
    EXPECT_THAT(problems_of(fmt::format("[server]\nbase_path = \"{}\"\n", bad)),
                ElementsAre(HasSubstr("is no prefix of paths")))
        << bad;
}

TEST_F(ConfigProblems, ProxiesAreAddressesOrNetworksOrANumber) {
  for (const char* good : {R"("2")", R"("10.0.0.0/8", "::1")", ""})
    EXPECT_THAT(problems_of(fmt::format("[server]\ntrusted_proxies = [{}]\n", good)), IsEmpty()) << good;
  for (const char* bad : {R"("0")", R"("1", "10.0.0.1")", R"("proxy")", R"("10.0.0.0/33")"})
    EXPECT_THAT(problems_of(fmt::format("[server]\ntrusted_proxies = [{}]\n", bad)),
                Contains(HasSubstr("is neither an address")))
        << bad;
}

TEST_F(ConfigProblems, AHostIsNotEmpty) {
  EXPECT_THAT(problems_of("[server]\nhost = \"\"\n"), ElementsAre(HasSubstr("server.host: must be an address")));
}

TEST_F(ConfigProblems, AVariableInTheFileIsNotSilentlyTakenForAKeyThatAnyoneCanGuess) {
  EXPECT_THAT(problems_of("[server]\nauth_enabled = true\napi_keys = [\"${RACEWAY_API_KEY}\"]\n"),
              ElementsAre("raceway.toml:3: server.api_keys: ${...} is not replaced in this file; set "
                          "RACEWAY_SERVER_API_KEYS instead"));
}

TEST_F(ConfigProblems, NoneShowsAPassword) {
  const auto expect_silence = [](const std::vector<std::string>& found) {
    ASSERT_THAT(found, Not(IsEmpty()));
    for (const std::string& problem : found) {
      EXPECT_THAT(problem, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("8675309"))));
    }
  };
  for (const char* value :
       {"hunter2", "[\"hunter2\", 3]", "postgresql://u:hunter2@h/db", "\"postgresql://u:p@hunter2@h/db\"",
        "\"password=x hunter2\"", "\"postgresql://u:p/hunter2@h/db\"", "8675309867530986753098675309"}) {
    expect_silence(problems_of(std::string("[storage.postgres]\nconnection_string = ") + value + "\n"));
  }
  expect_silence(problems_of("[server]\napi_keys = [8675309867530986753098675309]\n"));
  expect_silence(problems_of("", {{"RACEWAY_SERVER_API_KEYS", "hunter2,,x"}}));
}

}  // namespace
}  // namespace raceway::server::config

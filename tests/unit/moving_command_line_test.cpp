// The options of export and import, and what they name.
#include <gmock/gmock.h>

#include "command_line.hpp"
#include "config/endpoint.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving::test {
namespace {

using config::find_endpoint;
using config::UsageError;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "raceway");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string error_of(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ExportAndImport, HaveTheirHelp) {
  for (const char* command : {"export", "import"}) {
    const auto line = parse({command, "--help"});
    EXPECT_EQ(line.command, Command::help);
    EXPECT_THAT(line.text, HasSubstr(std::string("Usage: raceway ") + command));
    for (const char* word : {"--api-key", "--format", "RACEWAY_API_KEY", "Examples", "Exits with"}) {
      EXPECT_THAT(line.text, HasSubstr(word)) << command;
    }
  }
}

TEST(Export, TakesItsOptions) {
  const auto line = parse(
      {"export", "--format", "shiviz", "--from", "http://h:1", "--trace", "a", "--trace", "b", "-o", "f", "--gzip"});
  EXPECT_EQ(line.command, Command::export_events);
  EXPECT_EQ(line.exporting.format, Format::shiviz);
  EXPECT_EQ(line.exporting.from, "http://h:1");
  EXPECT_THAT(line.exporting.selection.traces, ElementsAre("a", "b"));
  EXPECT_EQ(line.exporting.output, "f");
  EXPECT_TRUE(line.exporting.gzip);
  const auto filtered = parse({"export", "--service", "s", "--since", "2026-01-01T00:00:00Z"});
  EXPECT_EQ(filtered.exporting.selection.service, "s");
  EXPECT_EQ(filtered.exporting.selection.since, wire::read_timestamp("2026-01-01T00:00:00Z").micros);
  EXPECT_EQ(filtered.exporting.format, Format::ndjson);
}

TEST(Import, TakesTheOrderOfDates) {
  EXPECT_EQ(parse({"import", "f"}).importing.date_order, DateOrder::unstated);
  EXPECT_EQ(parse({"import", "f", "--date-order", "mdy"}).importing.date_order, DateOrder::month_first);
  EXPECT_EQ(parse({"import", "f", "--date-order", "dmy"}).importing.date_order, DateOrder::day_first);
  EXPECT_THAT(error_of({"import", "f", "--date-order", "ymd"}), HasSubstr("\"ymd\" is neither mdy nor dmy"));
}

TEST(AnArgumentThatIsNotExpected, IsNamedWhereItIsNoSecret) {
  EXPECT_THAT(error_of({"export", "--wrong", "value"}), HasSubstr("--wrong (not shown)"));
  EXPECT_THAT(error_of({"export", "--api-keys=secret"}), HasSubstr("This argument was not expected: --api-keys\n"));
  EXPECT_THAT(error_of({"nothing"}), HasSubstr("expected: nothing\n"));
  EXPECT_THAT(error_of({"import", "f", "postgresql://u:secret@h/db"}), HasSubstr("expected: (not shown)\n"));
}

TEST(Import, TakesItsOptions) {
  const auto line = parse(
      {"import", "-", "--to", "dbname=x", "--format", "json", "--jobs", "3", "--batch-size", "7", "--give-up", "5"});
  EXPECT_EQ(line.command, Command::import_events);
  EXPECT_EQ(line.importing.file, "-");
  EXPECT_EQ(line.importing.to, "dbname=x");
  EXPECT_EQ(line.importing.format, Format::json);
  EXPECT_EQ(line.importing.jobs, 3U);
  EXPECT_EQ(line.importing.batch_size, 7U);
  EXPECT_EQ(line.importing.give_up, std::chrono::seconds(5));
}

TEST(ExportAndImport, RefuseWhatMakesNoSense) {
  EXPECT_THAT(error_of({"export", "--wrong"}), HasSubstr("--wrong"));
  EXPECT_THAT(error_of({"import"}), HasSubstr("file is required"));
  EXPECT_THAT(error_of({"import", "a", "b"}), HasSubstr("b"));
  EXPECT_THAT(error_of({"export", "--format", "auto"}), HasSubstr("none of json, ndjson, shiviz or otlp"));
  EXPECT_THAT(error_of({"import", "a", "--format", "0"}), HasSubstr("\"0\" is none of"));
  EXPECT_THAT(error_of({"export", "--since", "yesterday"}), HasSubstr("--since"));
  EXPECT_THAT(error_of({"export", "--trace", "a", "--service", "b"}), HasSubstr("excludes"));
  EXPECT_THAT(error_of({"import", "a", "--jobs", "0"}), HasSubstr("--jobs"));
}

TEST(AnEndpoint, IsAServerByItsUrl) {
  const auto endpoint = find_endpoint("https://host:8080/base/", "key", {});
  EXPECT_TRUE(endpoint.is_server);
  EXPECT_EQ(endpoint.origin, "https://host:8080");
  EXPECT_EQ(endpoint.base_path, "/base");
  EXPECT_EQ(endpoint.api_key, "key");
}

TEST(AnEndpoint, IsADatabaseByItsConnectionString) {
  for (const char* given : {"postgresql://u:secret@h/db", "host=h password=secret"}) {
    const auto endpoint = find_endpoint(given, "", {});
    EXPECT_FALSE(endpoint.is_server);
    EXPECT_EQ(endpoint.postgres.connection_string, given);
    EXPECT_THAT(endpoint.shown, Not(HasSubstr("secret")));
  }
}

TEST(AnEndpoint, ThatIsNeitherIsRefusedWithoutShowingIt) {
  for (const char* given : {"htp://secret", "secret", "http://", "http://u:secret@h", "http://h/?k=secret"}) {
    try {
      find_endpoint(given, "", {});
      FAIL() << given;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    }
  }
}

TEST(AnEndpoint, IsTheConfiguredOneWhereNoneIsGiven) {
  config::Config config;
  config.server.host = "0.0.0.0";
  config.server.port = 9000;
  config.server.api_keys = {"first", "second"};
  EXPECT_EQ(find_endpoint("", "", config).origin, "http://127.0.0.1:9000");
  EXPECT_EQ(find_endpoint("", "", config).api_key, "");
  config.server.auth_enabled = true;
  EXPECT_EQ(find_endpoint("", "", config).api_key, "first");
  EXPECT_EQ(find_endpoint("", "own", config).api_key, "own");
  EXPECT_EQ(find_endpoint("http://elsewhere", "", config).api_key, "") << "a key goes to its own server only";
  config.storage.backend = config::Backend::postgres;
  config.storage.postgres.connection_string = "dbname=x";
  EXPECT_FALSE(find_endpoint("", "", config).is_server);
}

}  // namespace
}  // namespace raceway::server::moving::test

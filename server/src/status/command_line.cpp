#include "status/command_line.hpp"

#include <CLI/CLI.hpp>
#include <string>

namespace raceway::server::status {
namespace {

constexpr const char* footer =
    R"(Exits with 0; 2 where nothing answers, or the server cannot say (its database is away).

Environment: RACEWAY_API_KEY; RACEWAY_CONFIG and RACEWAY_SECTION_KEY where --url is not given; NO_COLOR

Examples:
  raceway status
  raceway status --url http://10.0.0.5:8080 --watch 2
  raceway status --json)";

constexpr unsigned longest_pause = 86'400;

}  // namespace

CLI::App* add_status(CLI::App& app, Options& options) {
  CLI::App* const command = app.add_subcommand("status", "Say how a running server is doing");
  command->footer(footer)->fallthrough();
  command->add_option("--url", options.url, "The server [the one that listens as configured]")->type_name("URL");
  command->add_option("--api-key", options.api_key, "Its API key; better in $RACEWAY_API_KEY, which nobody else sees")
      ->envname("RACEWAY_API_KEY")
      ->type_name("KEY");
  command->add_flag("--json", options.json, "As JSON; with --watch a line each time");
  command
      ->add_option_function<unsigned>(
          "--watch", [&options](unsigned seconds) { options.watch = std::chrono::seconds(seconds); },
          "Again and again, so many seconds apart, with rates; until Ctrl-C")
      ->check(CLI::Range(1U, longest_pause))
      ->type_name("SECONDS");
  return command;
}

}  // namespace raceway::server::status

#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "doctor/command_line.hpp"
#include "moving/command_line.hpp"
#include "postgres/command_line.hpp"
#include "races/command_line.hpp"
#include "status/command_line.hpp"

namespace raceway::server {
namespace {

constexpr const char* overview_footer =
    R"(Configuration: the defaults, then a TOML file, then the environment, then the options; the later wins.
  The file:        --config FILE, else $RACEWAY_CONFIG, else ./raceway.toml where there is one
  The environment: RACEWAY_SECTION_KEY for each key, e.g. RACEWAY_SERVER_PORT=9000,
                   RACEWAY_STORAGE_BACKEND=postgres, RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING=postgresql://...
  `raceway config --example` prints a file with every key, `raceway config` what is in force.

Examples:
  raceway serve
  raceway --config raceway.toml serve --port 9000
  raceway serve --help)";

constexpr const char* serve_footer =
    R"(Stops on SIGTERM or SIGINT after answering what it has accepted; a second signal stops at once.

Environment: RACEWAY_SERVER_HOST, RACEWAY_SERVER_PORT, RACEWAY_SERVER_API_KEYS=key1,key2,
  RACEWAY_STORAGE_BACKEND=memory|postgres|supabase, RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING, ...;
  `raceway config` names every key.

Examples:
  raceway serve
  raceway serve --host 0.0.0.0 --port 0
  RACEWAY_STORAGE_BACKEND=postgres \
  RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING=postgresql://raceway@localhost/raceway raceway serve)";

constexpr const char* config_footer =
    R"(Exits with 1 and names every problem with file, line and key if the configuration cannot be used.

Environment: RACEWAY_CONFIG, RACEWAY_SECTION_KEY for each key

Examples:
  raceway config --example > raceway.toml
  raceway --config raceway.toml config --check)";

/// Help as it is written here, whichever version of the library prints it: newer ones would lay out its paragraphs
/// anew, examples too, which are there to be copied.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return CLI::Formatter::make_help(app, std::move(name), mode);
    return app->get_description() + "\n" + make_usage(app, name) + make_positionals(app) + make_groups(app, mode) +
           make_subcommands(app, mode) + "\n" + app->get_footer() + "\n";
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    const auto usage = CLI::Formatter::make_usage(app, std::move(name));
    const auto begin = usage.find_first_not_of('\n');
    const auto line = usage.substr(begin, usage.find_last_not_of('\n') + 1 - begin);
    return (line.starts_with("Usage:") ? "" : "Usage: ") + line + "\n";
  }
};

/// The names of options stay in one place: an error in the value is reported under them.
CLI::Option* add_override(CLI::App& command, const std::string& option, const std::string& key, const std::string& help,
                          std::vector<config::Override>& overrides) {
  const auto remember = [=, &overrides](const std::string& text) { overrides.push_back({key, text, option}); };
  return command.add_option_function<std::string>(option, remember, help);
}

CLI::App* add_serve(CLI::App& app, CommandLine& result) {
  CLI::App* const serve = app.add_subcommand("serve", "Take events over HTTP and answer questions about them");
  serve->footer(serve_footer)->fallthrough();
  add_override(*serve, "--host", "server.host", "Address to listen on [server.host]", result.overrides)
      ->type_name("HOST");
  add_override(*serve, "--port", "server.port", "Port to listen on; 0 takes any free one [server.port]",
               result.overrides)
      ->type_name("PORT");
  const auto be_verbose = [&] { result.overrides.push_back({"server.verbose", "true", "--verbose"}); };
  serve->add_flag_callback("-v,--verbose", be_verbose, "Log at level debug [server.verbose]");
  return serve;
}

CLI::App* add_config(CLI::App& app, CommandLine& result) {
  CLI::App* const config = app.add_subcommand("config", "Print the configuration in force, secrets masked");
  config->footer(config_footer)->fallthrough();
  config->add_flag("--check", result.check, "Only check it: print \"ok\" or every problem");
  config->add_flag("--example", result.example, "Print a file with every key, its meaning and its default");
  config->require_option(0, 1);
  return config;
}

constexpr const char* help_hint = "\n`raceway --help` shows the commands and options";

/// Which arguments were not expected. Only what is surely no secret is told: names of options, and plain words that
/// stand behind none.
std::string unexpected(const std::vector<std::string>& arguments) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyz-";
  std::string text = arguments.size() == 1 ? "This argument was not expected:" : "These arguments were not expected:";
  bool behind_option = false;
  for (const auto& argument : arguments) {
    const bool is_option = argument.starts_with('-');
    const bool is_told = is_option || (!behind_option && argument.find_first_not_of(plain) == std::string::npos);
    text += ' ' + (is_told ? argument.substr(0, argument.find('=')) : "(not shown)");
    behind_option = is_option;
  }
  return text;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine result;
  CLI::App app("Raceway keeps the events of concurrent programs and answers what happened before what.", "raceway");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(overview_footer);
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "raceway " RACEWAY_VERSION, "Print the version and exit");
  std::string file;
  CLI::Option* const config_file =
      app.add_option("-c,--config", file, "The configuration file [$RACEWAY_CONFIG, ./raceway.toml]")
          ->type_name("FILE");
  CLI::App* const serve = add_serve(app, result);
  CLI::App* const migrate = postgres::add_migrate(app, result.migrate);
  CLI::App* const cleanup = postgres::add_cleanup(app, result.cleanup);
  CLI::App* const config = add_config(app, result);
  CLI::App* const exporting = moving::add_export(app, result.exporting);
  CLI::App* const importing = moving::add_import(app, result.importing);
  CLI::App* const doctor = doctor::add_doctor(app, result.doctor);
  CLI::App* const status = status::add_status(app, result.status);
  CLI::App* const races = races::add_races(app, result.races);
  CLI::App* const explain = races::add_explain(app, result.explain);

  try {
    app.parse(argc, argv);
    if (*serve) result.command = Command::serve;
    if (*migrate) result.command = Command::migrate;
    if (*cleanup) result.command = Command::cleanup;
    if (*config) result.command = Command::config;
    if (*exporting) result.command = Command::export_events;
    if (*importing) result.command = Command::import_events;
    if (*doctor) result.command = Command::doctor;
    if (*status) result.command = Command::status;
    if (*races) result.command = Command::races;
    if (*explain) result.command = Command::explain;
  } catch (const CLI::CallForVersion& version) {
    result.command = Command::version;
    result.text = std::string(version.what()) + '\n';
  } catch (const CLI::CallForHelp&) {
    result.command = Command::help;
  } catch (const CLI::ExtrasError&) {
    throw config::UsageError(unexpected(app.remaining(true)) + help_hint);
  } catch (const CLI::ParseError& error) {
    throw config::UsageError(error.what() + std::string(help_hint));
  }
  if (*config_file) result.config_file = file;
  if (result.command == Command::help) result.text = app.help();  // of the command, where one was named
  return result;
}

}  // namespace raceway::server

#include "doctor/command_line.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "doctor/examination.hpp"

namespace raceway::server::doctor {
namespace {

constexpr const char* footer =
    R"(Looks, and changes nothing. Each finding that is not ok comes with what mends it: statements for psql, lines of
raceway.toml, or a command. With the backend postgres it examines the database, its settings by the memory of its
machine, and this machine; with memory what that backend needs.

Exits with 0 where all is well, 1 where there are warnings, 2 where there are errors.

Environment: RACEWAY_CONFIG and RACEWAY_SECTION_KEY; NO_COLOR

Examples:
  raceway doctor
  raceway --config raceway.toml doctor --memory 16GB
  raceway doctor --json)";

}  // namespace

CLI::App* add_doctor(CLI::App& app, Options& options) {
  CLI::App* const command = app.add_subcommand("doctor", "Say what is wrong with the set-up, and how to mend it");
  command->footer(footer)->fallthrough();
  command->add_flag("--json", options.json, "The findings as JSON");
  command
      ->add_option_function<std::string>(
          "--memory",
          [&options](const std::string& text) {
            options.memory = read_bytes(text);
            if (options.memory.value_or(0) == 0)
              throw CLI::ValidationError("--memory", text + " is no size such as 16GB");
          },
          "Memory of PostgreSQL's machine [this one's, where it runs here; else as its settings look]")
      ->type_name("SIZE");
  return command;
}

}  // namespace raceway::server::doctor

// The command line: which command, which options. Decides nothing, touches no file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "doctor/options.hpp"
#include "moving/options.hpp"
#include "postgres/options.hpp"
#include "races/options.hpp"
#include "status/options.hpp"

namespace raceway::server {

enum class Command {
  help,
  version,
  serve,
  migrate,
  cleanup,
  config,
  export_events,
  import_events,
  doctor,
  status,
  races,
  explain
};

struct CommandLine {
  Command command = Command::help;
  std::optional<std::filesystem::path> config_file;  ///< --config
  std::vector<config::Override> overrides;           ///< from --host, --port
  bool check = false;                                ///< config --check
  bool example = false;                              ///< config --example
  postgres::MigrateOptions migrate;
  postgres::CleanupOptions cleanup;
  moving::ExportOptions exporting;
  moving::ImportOptions importing;
  doctor::Options doctor;
  status::Options status;
  races::RacesOptions races;
  races::ExplainOptions explain;
  std::string text;  ///< for help and version: what to print on stdout
};

/// Without a command it is Command::help. Throws config::UsageError.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace raceway::server

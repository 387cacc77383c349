// The command line: which command, which options. Decides nothing, touches no file.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "moving/options.hpp"

namespace raceway::server::config {

enum class Command { help, version, serve, migrate, config, export_events, import_events };

struct CommandLine {
  Command command = Command::help;
  std::optional<std::filesystem::path> config_file;  ///< --config
  std::vector<Override> overrides;                   ///< from --host, --port
  bool check = false;                                ///< config --check
  bool example = false;                              ///< config --example
  moving::ExportOptions exporting;
  moving::ImportOptions importing;
  std::string text;  ///< for help and version: what to print on stdout
};

/// The command line makes no sense; what() says why and where help is. Exit with 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Without a command it is Command::help. Throws UsageError.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace raceway::server::config

// The command line: which command, which options. Decides nothing, touches no file.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "doctor/options.hpp"
#include "moving/options.hpp"
#include "status/options.hpp"

namespace raceway::server::config {

enum class Command { help, version, serve, migrate, cleanup, config, export_events, import_events, doctor, status };

/// What `raceway cleanup` was asked to remove; PostgreSQL says what each may be, and what is wrong with it.
struct CleanupOptions {
  std::optional<std::string> older_than;  ///< an interval as PostgreSQL writes it
  std::optional<std::string> max_traces;
  std::optional<std::string> max_bytes;
  std::optional<std::string> by;  ///< created_at or end_time
  std::string batch_size = "1000";
  bool dry_run = false;
};

struct CommandLine {
  Command command = Command::help;
  std::optional<std::filesystem::path> config_file;  ///< --config
  std::vector<Override> overrides;                   ///< from --host, --port
  bool check = false;                                ///< config --check
  bool example = false;                              ///< config --example
  std::optional<std::string> partition_by;           ///< migrate --partition-by
  std::optional<std::string> edition;                ///< migrate --edition: extension or portable
  bool print_portable = false;                       ///< migrate --print-portable
  CleanupOptions cleanup;
  moving::ExportOptions exporting;
  moving::ImportOptions importing;
  doctor::Options doctor;
  status::Options status;
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

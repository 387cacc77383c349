// raceway: serve | migrate | cleanup | export | import | races | explain | status | doctor | config
#include <exception>
#include <iostream>

#include "command_line.hpp"
#include "config/config.hpp"
#include "doctor/doctor.hpp"
#include "moving/moving.hpp"
#include "observability/logging.hpp"
#include "postgres/cleanup.hpp"
#include "postgres/portable_sql.hpp"
#include "postgres/setup.hpp"
#include "races/races.hpp"
#include "serve.hpp"
#include "status/status.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server {
namespace {

using terminal::for_terminal;

config::Sources sources_of(const CommandLine& line) {
  config::Sources sources;
  sources.file = line.config_file;
  sources.environment = config::process_environment();
  sources.overrides = line.overrides;
  return sources;
}

const config::Storage& database_of(const config::LoadedConfig& loaded, const char* what) {
  if (loaded.config.storage.backend == config::Backend::memory) {
    throw std::runtime_error(std::string("nothing to ") + what + ": [storage] backend is \"memory\"");
  }
  return loaded.config.storage;
}

std::optional<postgres::Edition> wanted_edition(const CommandLine& line) {
  using postgres::Edition;
  if (!line.migrate.edition) return std::nullopt;
  return *line.migrate.edition == name_of(Edition::portable) ? Edition::portable : Edition::extension;
}

int migrate(const CommandLine& line, const config::LoadedConfig& loaded) {
  const auto& database = database_of(loaded, "migrate");
  std::cout << for_terminal(postgres::migrate(database, line.migrate.partition_by, wanted_edition(line)).description)
            << '\n';
  return 0;
}

int cleanup(const CommandLine& line, const config::LoadedConfig& loaded) {
  const auto& database = database_of(loaded, "clean up").postgres;
  const auto tell = [](const std::string& notice) { std::cerr << for_terminal(notice); };
  std::cout << for_terminal(postgres::cleanup(database, line.cleanup, tell)) << '\n';
  return 0;
}

int show_config(const CommandLine& line, const config::LoadedConfig& loaded) {
  if (line.check) {
    std::cout << "ok\n";
  } else {
    config::print_effective(std::cout, loaded);
  }
  return 0;
}

bool reads_events(Command command) {
  return command == Command::export_events || command == Command::import_events || command == Command::races ||
         command == Command::explain;
}

/// Where it could not be done it is 2: 1 says that some events were not moved, or that there are races.
int read_events(const CommandLine& line, const config::Config& config) {
  try {
    if (line.command == Command::races) return races::find(line.races, config);
    if (line.command == Command::explain) return races::explain(line.explain, config);
    if (line.command == Command::export_events) return moving::export_events(line.exporting, config);
    return moving::import_events(line.importing, config);
  } catch (const std::exception& error) {
    std::cerr << "raceway: " << for_terminal(error.what()) << '\n';
    return 2;
  }
}

int run(const CommandLine& line) {
  if (line.command == Command::help || line.command == Command::version) {
    std::cout << line.text;
    return 0;
  }
  if (line.command == Command::config && line.example) {
    config::print_example(std::cout);
    return 0;
  }
  if (line.command == Command::migrate && line.migrate.print_portable) {
    std::cout << postgres::portable_sql;
    return 0;
  }
  if (line.command == Command::doctor) return doctor::run(sources_of(line), line.doctor);
  const auto loaded = config::load(sources_of(line));
  if (line.command == Command::config) return show_config(line, loaded);
  if (line.command == Command::status) return status::run(line.status, loaded.config);
  observability::start_logging(loaded.config.logging);
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (reads_events(line.command)) return read_events(line, loaded.config);
  if (line.command == Command::migrate) return migrate(line, loaded);
  return line.command == Command::cleanup ? cleanup(line, loaded) : serve(loaded);
}

}  // namespace
}  // namespace raceway::server

int main(int argc, char** argv) {
  using namespace raceway::server;
  using terminal::for_terminal;
  try {
    return run(parse_command_line(argc, argv));
  } catch (const config::UsageError& error) {
    std::cerr << for_terminal(error.what()) << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "raceway: " << for_terminal(error.what()) << '\n';
    return 1;
  }
}

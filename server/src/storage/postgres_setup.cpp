#include "storage/postgres_setup.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <thread>

namespace raceway::server::storage {
namespace {

constexpr const char* by_hand = "CREATE EXTENSION raceway; SELECT raceway.migrate();";

bool is_transient(const DatabaseError& error) {
  const auto& state = error.sqlstate();
  if (state.empty()) {
    // libpq gives no SQLSTATE for a failed connection; only the server's own words tell a refusal from an absence.
    const std::string message = error.what();
    return message.find("FATAL:") == std::string::npos || message.find("starting up") != std::string::npos ||
           message.find("shutting down") != std::string::npos || message.find("too many clients") != std::string::npos;
  }
  return state.starts_with("08") || state.starts_with("57P");
}

bool has_extension(PgConnection& connection) {
  return connection.run("SELECT FROM pg_catalog.pg_extension WHERE extname = 'raceway'").rows() > 0;
}

void create_extension(PgConnection& connection) {
  try {
    connection.run("CREATE EXTENSION IF NOT EXISTS raceway");
  } catch (const DatabaseError& error) {
    // Another server, starting at the same time, may have been faster.
    if (has_extension(connection)) return;
    const bool not_installed = error.sqlstate() == "58P01" || error.sqlstate() == "0A000";
    const std::string mend = not_installed
                                 ? "Install it on the database's machine: make install PG_CONFIG=/path/to/pg_config"
                                 : std::string("Run as the owner of the database, in it: ") + by_hand;
    throw SetupError(std::string("cannot create the extension raceway: ") + error.what() + "\n" + mend);
  }
}

std::string migrate_tables(PgConnection& connection, const std::optional<std::string>& partition_by) {
  try {
    return std::string(
        connection.run("SELECT raceway.migrate(partition_by => $1::text)", {PgParameter::optional_text(partition_by)})
            .text(0, 0));
  } catch (const DatabaseError& error) {
    throw SetupError(std::string("cannot migrate the tables: ") + error.what() +
                     "\nRun as the owner of the schema raceway: SELECT raceway.migrate();");
  }
}

}  // namespace

PgConnection connect(const config::Postgres& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.connection_timeout;
  bool told = false;
  while (true) {
    try {
      return {options.connection_string, options.connection_timeout};
    } catch (const DatabaseError& error) {
      if (!is_transient(error) || std::chrono::steady_clock::now() >= deadline) {
        throw SetupError(std::string("cannot connect to the database: ") + error.what() +
                         "\nCheck [storage.postgres] connection_string.");
      }
      if (!told) spdlog::warn("waiting for the database: {}", error.what());
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
}

std::string migrate(const config::Postgres& options, const std::optional<std::string>& partition_by) {
  auto connection = connect(options);
  if (!has_extension(connection)) create_extension(connection);
  return migrate_tables(connection, partition_by);
}

std::string prepare(const config::Postgres& options) {
  if (options.auto_migrate) return migrate(options);
  auto connection = connect(options);
  const std::string mend = std::string("\nauto_migrate is off. Run in the database: ") + by_hand;
  if (!has_extension(connection)) throw SetupError("the extension raceway is not in the database" + mend);
  try {
    const auto version = connection.run("SELECT max(version)::bigint FROM raceway.schema_migrations").int64(0, 0);
    return "schema version " + std::to_string(version);
  } catch (const DatabaseError& error) {
    throw SetupError(std::string("the tables are not ready: ") + error.what() + mend);
  }
}

}  // namespace raceway::server::storage

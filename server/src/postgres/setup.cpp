#include "postgres/setup.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "postgres/portable_sql.hpp"

namespace raceway::server::postgres {
namespace {

constexpr const char* by_hand = "CREATE EXTENSION raceway; SELECT raceway.migrate();";

constexpr const char* how_to_install =
    "\nInstall it on the database's machine: make install PG_CONFIG=/path/to/pg_config";

bool is_transient(const DatabaseError& error) {
  const auto& state = error.sqlstate();
  if (state.empty()) {
    // libpq gives no SQLSTATE for a failed connection; only the server's own words tell a refusal from an absence.
    const std::string message = error.what();
    // A certificate that is not trusted, and a server without TLS where it is asked for, do not come right by
    // themselves.
    for (const char* lasting : {"certificate", "SSL was required"}) {
      if (message.find(lasting) != std::string::npos) return false;
    }
    return message.find("FATAL:") == std::string::npos || message.find("starting up") != std::string::npos ||
           message.find("shutting down") != std::string::npos || message.find("too many clients") != std::string::npos;
  }
  return state.starts_with("08") || state.starts_with("57P");
}

/// What is in the database; nothing where there is no code yet.
std::optional<Edition> find_edition(PgConnection& connection) {
  const auto found = connection.run(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
      " WHERE n.nspname = 'raceway' AND p.proname = 'portable_version')::int::bigint,"
      " (SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = 'raceway')");
  if (found.int64(0, 0) != 0) return Edition::portable;
  if (found.int64(0, 1) != 0) return Edition::extension;
  return std::nullopt;
}

/// False where the database's machine does not have it.
bool create_extension(PgConnection& connection) {
  try {
    connection.run("CREATE EXTENSION IF NOT EXISTS raceway");
  } catch (const DatabaseError& error) {
    // Another server, starting at the same time, may have been faster.
    if (find_edition(connection) == Edition::extension) return true;
    // The catalog of what is available does not know every place where an extension is found: it is tried.
    if (error.sqlstate() == "58P01" || error.sqlstate() == "0A000") return false;
    throw SetupError(std::string("cannot create the extension raceway: ") + error.what() +
                     "\nRun as the owner of the database, in it: " + by_hand);
  }
  return true;
}

void run_portable(PgConnection& connection, const std::string& before) {
  try {
    connection.run_script(before + std::string(portable_sql));
  } catch (const DatabaseError& error) {
    throw SetupError(std::string("cannot apply the portable edition: ") + error.what() +
                     "\nRun as the owner of the database: raceway migrate --print-portable | psql -1 ...");
  }
}

/// Applies our text of the portable edition where the database has another one of no newer version. Where pg_tle keeps
/// it, it is pg_tle's to upgrade.
void refresh_portable(PgConnection& connection) {
  const auto differs = connection.run(
      "SELECT FROM raceway.portable_version() here WHERE (here.version, here.build) IS DISTINCT FROM ($1::text, "
      "$2::text)"
      " AND pg_catalog.string_to_array(here.version, '.')::int[] <= pg_catalog.string_to_array($1::text, '.')::int[]"
      " AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'raceway')",
      {PgParameter::text(RACEWAY_VERSION), PgParameter::text(portable_build)});
  if (differs.rows() > 0) run_portable(connection, {});
}

void move_to(PgConnection& connection, Edition wanted) {
  if (wanted == Edition::portable) return run_portable(connection, "DROP EXTENSION raceway;\n");
  try {
    connection.run_script("SELECT raceway.drop_portable(); CREATE EXTENSION raceway;");
  } catch (const DatabaseError& error) {
    throw SetupError(std::string("cannot move to the extension: ") + error.what() + "; nothing was changed" +
                     how_to_install);
  }
}

/// Brings the code where it is missing, and answers which it is.
Edition bring_code(PgConnection& connection, const config::Storage& storage, std::optional<Edition> wanted) {
  const auto found = find_edition(connection);
  if (found && wanted && *found != *wanted) {
    move_to(connection, *wanted);
    return *wanted;
  }
  if (found == Edition::extension) return *found;
  if (found == Edition::portable) {
    refresh_portable(connection);
    return *found;
  }
  const auto preferred = storage.backend == config::Backend::supabase ? Edition::portable : Edition::extension;
  if (wanted.value_or(preferred) == Edition::extension) {
    if (create_extension(connection)) return Edition::extension;
    if (wanted) throw SetupError("the extension raceway is not to be had here" + std::string(how_to_install));
  }
  run_portable(connection, {});
  return Edition::portable;
}

std::string described(Edition edition) {
  return edition == Edition::extension ? "the extension" : "the portable edition";
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

/// Of the portable edition the server reads the bodies itself.
std::optional<std::uint64_t> read_largest_body(PgConnection& connection, Edition edition) {
  if (edition == Edition::portable) return std::nullopt;
  // The setting is there once a function of the library was called.
  const auto setting = connection.run(
      "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('raceway.max_body_bytes', true))"
      " WHERE raceway.vclock_size('{}') = 0");
  if (setting.rows() == 0 || setting.is_null(0, 0)) return std::nullopt;
  return static_cast<std::uint64_t>(setting.int64(0, 0));
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

const char* name_of(Edition edition) {
  return edition == Edition::extension ? "extension" : "portable";
}

Prepared migrate(const config::Storage& storage, const std::optional<std::string>& partition_by,
                 std::optional<Edition> wanted) {
  auto connection = connect(storage.postgres);
  const auto edition = bring_code(connection, storage, wanted);
  const auto done = migrate_tables(connection, partition_by);
  return {edition, described(edition) + ", " + done, read_largest_body(connection, edition)};
}

Prepared prepare(const config::Storage& storage) {
  if (storage.postgres.auto_migrate) return migrate(storage);
  auto connection = connect(storage.postgres);
  const std::string mend = std::string("\nauto_migrate is off. Run `raceway migrate`, or in the database: ") + by_hand;
  const auto edition = find_edition(connection);
  if (!edition) throw SetupError("there is no schema raceway with its code in the database" + mend);
  try {
    const auto version = connection.run("SELECT max(version)::bigint FROM raceway.schema_migrations").int64(0, 0);
    return {*edition, described(*edition) + ", schema version " + std::to_string(version),
            read_largest_body(connection, *edition)};
  } catch (const DatabaseError& error) {
    throw SetupError(std::string("the tables are not ready: ") + error.what() + mend);
  }
}

}  // namespace raceway::server::postgres

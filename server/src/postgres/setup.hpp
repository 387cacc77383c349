// Getting a database ready: its code, as extension or as portable edition, and its tables.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "config/config.hpp"
#include "postgres/connection.hpp"

namespace raceway::server::postgres {

/// The database cannot be used as it is. what() says why and what to run by hand.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The code that a database has in its schema raceway: the extension, with functions in C++, or the portable edition,
/// in SQL and PL/pgSQL only.
enum class Edition { extension, portable };

/// "extension" or "portable".
const char* name_of(Edition edition);

/// A database that is ready.
struct Prepared {
  Edition edition = Edition::extension;
  std::string description;  ///< what it has, and what was done, for people
  /// The largest body that it takes now; nothing where it is not to blame for a limit.
  std::optional<std::uint64_t> largest_body = std::nullopt;
};

/// Brings the code where it is missing, and the tables, or upgrades them. What code is there already stays; else it is
/// the extension for the backend "postgres" where the database's machine has it, else the portable edition.
/// `wanted` moves to an edition, whatever is there; no row is touched. Waits up to connection_timeout for a database
/// that is not up yet. `partition_by` as raceway.migrate() takes it. Throws SetupError.
Prepared migrate(const config::Storage& storage, const std::optional<std::string>& partition_by = {},
                 std::optional<Edition> wanted = {});

/// Connects; waits as migrate() does. Throws SetupError.
PgConnection connect(const config::Postgres& options);

/// With auto_migrate the same; without, only looks whether code and tables are there. Throws SetupError.
Prepared prepare(const config::Storage& storage);

}  // namespace raceway::server::postgres

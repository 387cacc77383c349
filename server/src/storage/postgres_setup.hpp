// Getting a database ready: the extension and its tables.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "config/config.hpp"
#include "storage/pg_connection.hpp"

namespace raceway::server::storage {

/// The database cannot be used as it is. what() says why and what to run by hand.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Creates the extension where it is missing, and the tables, or upgrades them. Answers what was done, for people.
/// Waits up to connection_timeout for a database that is not up yet. `partition_by` as raceway.migrate() takes it.
/// Throws SetupError.
std::string migrate(const config::Postgres& options, const std::optional<std::string>& partition_by = {});

/// Connects; waits as migrate() does. Throws SetupError.
PgConnection connect(const config::Postgres& options);

/// With auto_migrate the same; without, only looks whether extension and tables are there. Throws SetupError.
std::string prepare(const config::Postgres& options);

}  // namespace raceway::server::storage

// Retention in PostgreSQL, asked for from outside: the work is the database's.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "postgres/options.hpp"

namespace raceway::server::postgres {

/// Runs raceway.cleanup() to its end. `tell` gets its progress, a line at a time with its newline. Answers what was
/// removed, for people. Throws SetupError without a connection, DatabaseError with what the database said.
std::string cleanup(const config::Postgres& database, const CleanupOptions& options,
                    const std::function<void(const std::string&)>& tell);

}  // namespace raceway::server::postgres

// Opens a connection in bounded time, whatever the name server and the hosts do.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "storage/interrupt.hpp"
#include "storage/pg_connection.hpp"

namespace raceway::server::storage {

/// Connects within `timeout` all in all; of several hosts in the connection string each gets its share of it. Throws
/// DatabaseError, also when `interrupt` is raised meanwhile.
std::unique_ptr<PgConnection> connect_within(const std::string& connection_string, std::chrono::milliseconds timeout,
                                             const Interrupt& interrupt);

}  // namespace raceway::server::storage

// Opens a connection in bounded time, whatever the name server and the hosts do.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "postgres/connection.hpp"
#include "postgres/interrupt.hpp"

namespace raceway::server::postgres {

/// Connects within `timeout` all in all; of several hosts in the connection string each gets its share of it. Throws
/// DatabaseError, also when `interrupt` is raised meanwhile.
std::unique_ptr<PgConnection> connect_within(const std::string& connection_string, std::chrono::milliseconds timeout,
                                             const Interrupt& interrupt);

}  // namespace raceway::server::postgres

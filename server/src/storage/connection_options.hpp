// What stands in a connection string of PostgreSQL, as libpq reads it.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace raceway::server::storage {

/// libpq's list of all options, which ends with one without a keyword; val is null where none is given.
using ConnectionOptions = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Null where libpq refuses the string. Why is not told: its words may quote a part of the password.
ConnectionOptions parse_connection_string(const std::string& connection_string);

/// What is given for a keyword; empty where nothing is. `options` may be null.
std::string option_value(const ConnectionOptions& options, std::string_view keyword);

}  // namespace raceway::server::storage

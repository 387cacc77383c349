// A connection string of PostgreSQL: what stands in it, as libpq reads it, and how it is shown without its passwords.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace raceway::server::config {

/// libpq's list of all options, which ends with one without a keyword; val is null where none is given.
using ConnectionOptions = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Null where libpq refuses the string. Why is not told: its words may quote a part of the password.
ConnectionOptions parse_connection_string(const std::string& connection_string);

/// What is given for a keyword; empty where nothing is. `options` may be null.
std::string option_value(const ConnectionOptions& options, std::string_view keyword);

/// What stands in place of a secret.
inline constexpr std::string_view mask = "***";

/// A libpq connection string (URI or key=value) with its passwords masked and all else as it was. Where it cannot be
/// told for sure where a password ends - not a connection string, an unescaped '@' or '/' in a password - the whole is
/// masked. Empty stays empty.
std::string redact_connection_string(std::string_view connection_string);

/// Whether libpq can parse it and no character of a password spills into the host or database name.
bool is_connection_string(std::string_view text);

}  // namespace raceway::server::config

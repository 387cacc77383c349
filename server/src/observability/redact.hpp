// Keeps passwords out of what people read.
#pragma once

#include <string>
#include <string_view>

namespace raceway::server::observability {

/// What stands in place of a secret.
inline constexpr std::string_view mask = "***";

/// A libpq connection string (URI or key=value) with its passwords masked and all else as it was. Where it cannot be
/// told for sure where a password ends - not a connection string, an unescaped '@' or '/' in a password - the whole is
/// masked. Empty stays empty.
std::string redact_connection_string(std::string_view connection_string);

/// Whether libpq can parse it and no character of a password spills into the host or database name.
bool is_connection_string(std::string_view text);

}  // namespace raceway::server::observability

// The portable edition: the code of the database in SQL and PL/pgSQL only, as the build joins it from sql/.
#pragma once

#include <string_view>

namespace raceway::server::postgres {

/// The whole of it: several statements, to be sent as one in one transaction.
extern const std::string_view portable_sql;

/// The digest of it that raceway.portable_version() answers.
extern const std::string_view portable_build;

}  // namespace raceway::server::postgres

// Events written straight into PostgreSQL, in one of several ways.
#pragma once

#include <string>
#include <vector>

#include "outcome.hpp"

namespace raceway::bench {

enum class Way {
  copy,      ///< COPY BINARY, one a body; the traces' rows are copied before, timed apart
  unnest,    ///< one INSERT .. SELECT unnest .. ON CONFLICT for the traces and the events of a body
  ingest,    ///< raceway.ingest(bytea) with the body as it is
  portable,  ///< as the server writes into the portable edition: reads the body, and sends its events as columns
};

/// Sends the bodies of each connection one after the other, each in its own transaction; everything is encoded before
/// the time counts, but for what the server does itself. `ingest_function` is of SQL, as raceway.ingest. The tables
/// must be there. Throws std::runtime_error with what the database said.
Outcome load_by_sql(const std::string& connection_string, Way way, const std::string& ingest_function,
                    const std::vector<std::vector<std::string>>& bodies_by_connection);

}  // namespace raceway::bench

// Writing into the portable edition, which has no reader of bodies that is fast enough: they are read here, and their
// events go to raceway.ingest_rows() as columns. What is stored and what is answered is what raceway.ingest() would.
#pragma once

#include <string_view>
#include <vector>

#include "postgres/connection.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

/// Stores the bodies in one statement, one transaction. Throws DatabaseError, and wire::BodyError where a body is none.
std::vector<storage::IngestResult> ingest_portably(PgConnection& connection,
                                                   const std::vector<std::string_view>& bodies);

}  // namespace raceway::server::postgres

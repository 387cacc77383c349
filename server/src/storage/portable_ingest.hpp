// Writing into the portable edition, which has no reader of bodies that is fast enough: they are read here, and their
// events go to raceway.ingest_rows() as columns. What is stored and what is answered is what raceway.ingest() would.
#pragma once

#include <string_view>
#include <vector>

#include "storage/pg_connection.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage {

/// Stores the bodies in one statement, one transaction. Throws DatabaseError, and wire::BodyError where a body is none.
std::vector<IngestResult> ingest_portably(PgConnection& connection, const std::vector<std::string_view>& bodies);

}  // namespace raceway::server::storage

// The memory that bodies are read into, in a context of PostgreSQL's.
#pragma once

#include <memory_resource>

#include "postgres/boundary.hpp"

namespace raceway::postgres {

/// Takes from the memory context "raceway reading", which lives as long as the session: so it is seen in
/// pg_backend_memory_contexts. While nothing is taken it keeps 2 MB at most. Throws std::bad_alloc.
std::pmr::memory_resource& reading_memory();

}  // namespace raceway::postgres

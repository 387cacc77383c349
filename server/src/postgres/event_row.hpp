// Events as they are read from the database.
#pragma once

#include "postgres/connection.hpp"
#include "wire/event.hpp"

namespace raceway::server::postgres {

/// What is to be selected of raceway.events AS e for read_event().
inline constexpr const char* event_columns =
    "e.event_id, e.trace_id, e.kind, e.\"timestamp\", e.duration_ms, e.location, e.vector_clock::text, "
    "e.metadata::text";

/// A row of those columns; refers to the result.
wire::Row read_event(const PgResult& result, int row);

}  // namespace raceway::server::postgres

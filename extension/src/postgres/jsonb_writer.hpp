// Trees of the wire layer written as PostgreSQL's jsonb, without a way through text. See jsonb_clock.hpp for the form.
// These functions raise, and throw; nothing has a destructor on the way: they stand inside pg_call().
#pragma once

#include <string>

#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::postgres {

/// Appends an object as a jsonb, varlena header and all; `out` must stand at a multiple of four. The bytes are those
/// that jsonb_in makes of the same text. Throws SqlError where it is larger than a jsonb can be.
void append_jsonb(std::string& out, const wire::Json& object);

/// The same for an event's clock.
void append_jsonb_clock(std::string& out, const wire::Event& event);

}  // namespace raceway::postgres

// Trees of the wire layer written as PostgreSQL's jsonb, without a way through text. See jsonb_clock.hpp for the form.
#pragma once

#include <cstddef>
#include <string>

#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::postgres {

/// What a jsonb takes is at most so many times the text that it is read from, and a bit.
inline constexpr std::size_t most_growth_to_jsonb = 6;

inline constexpr const char* too_large_for_jsonb = "an event is too large for a jsonb value";

/// Whether append_jsonb() can write it. Takes as long.
bool fits_jsonb(const wire::Json& object);

/// Appends an object as a jsonb, varlena header and all; `out` must stand at a multiple of four. The bytes are those
/// that jsonb_in makes of the same text. Throws SqlError where it is larger than a jsonb can be; ends when it is
/// interrupted.
void append_jsonb(std::string& out, const wire::Json& object);

/// The same for an event's clock.
void append_jsonb_clock(std::string& out, const wire::Event& event);

}  // namespace raceway::postgres

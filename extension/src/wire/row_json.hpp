// The JSON texts of a row.
#pragma once

#include <string_view>

#include "wire/arena.hpp"
#include "wire/json.hpp"

namespace raceway::wire {

/// A text of a row as an object; what is another kind of JSON (put there by hand) counts as an empty one.
/// Throws std::invalid_argument where it is not JSON.
Json read_row_object(std::string_view text, Arena& arena);

/// What of the event's time is finer than the column: 0 to 999 nanoseconds.
int nanos_in(const Json& metadata);

}  // namespace raceway::wire

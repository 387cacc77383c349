// What an event says beside its ids: a second sending of it is a duplicate only where it says the same.
#pragma once

#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::wire {

/// As PostgreSQL's jsonb has it: 1.0 is 1, and texts are equal by their bytes.
bool equal_values(const Json& a, const Json& b);

/// Whether two events, both of MetadataForm::whole, have equal values in every column but the ids. What only their
/// texts tell apart is none: the order of keys, the zone of a time.
bool equal_contents(const Event& a, const Event& b);

}  // namespace raceway::wire

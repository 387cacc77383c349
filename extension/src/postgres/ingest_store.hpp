// Storing events in the tables through SPI: one statement for a whole batch, exact trace roll-ups, in an order of locks
// that no two batches can deadlock on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "postgres/boundary.hpp"
#include "wire/event.hpp"

namespace raceway::postgres {

/// What became of an event that was offered to the tables.
struct StoreOutcome {
  enum class Kind { stored, stands_already, refused };
  Kind kind = Kind::refused;
  std::string text;  ///< stands_already: the trace it stands under; refused: the database's reason
};

/// Offers `events`, sorted by event_id and each id once, to the tables; answers in their order. Where the database
/// refuses the batch for what is in it (a constraint, a trigger), it is split until the refused events stand alone.
/// Other errors (no table, no privilege, a deadlock, no space) are thrown and leave nothing stored.
/// SPI must be connected.
std::vector<StoreOutcome> store_events(std::span<const wire::Event* const> events);

}  // namespace raceway::postgres

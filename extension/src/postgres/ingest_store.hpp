// Storing events in the tables with exact trace roll-ups, by the fastest way that the tables allow, in an order of
// locks that no two batches can deadlock on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/ingest_layout.hpp"
#include "wire/event.hpp"
#include "wire/sendings.hpp"

namespace raceway::postgres {

using wire::EventIdentity;
using wire::StoreOutcome;

/// How a batch is written. The end state is the same.
enum class IngestWay : int {
  automatic,  ///< direct where it is allowed, checking where the batch seems to have been sent before, else spi
  direct,     ///< below the executor; duplicates are noticed when the keys are written
  checking,   ///< below the executor; duplicates are looked for before anything is written
  spi,        ///< by one SQL statement
};

/// The way as SQL spells it: the settings of raceway.ingest_way, and ingest's answer.
const char* name_of(IngestWay way);

/// raceway.ingest_way: `automatic` unless somebody wants to compare the ways. Where the tables do not allow a direct
/// way, it is spi all the same.
extern int wanted_ingest_way;

/// Offers `events`, each once (EventIdentity), to the tables, in this order where the way allows it; answers in the
/// same order. Where the database refuses the batch for what is in it (a constraint, a trigger), it is split until the
/// refused events stand alone. Other errors (no table, no privilege, a deadlock, no space) are thrown and leave nothing
/// stored. SPI must be connected. `way` is set to the way by which the events went in, or were found: the last that was
/// tried.
std::vector<StoreOutcome> store_events(std::span<const wire::Event* const> events, const DirectLayout& layout,
                                       IngestWay& way);

}  // namespace raceway::postgres

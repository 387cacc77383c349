// Storing events below the executor: the fast way of ingest. See ingest_layout.hpp for when it is allowed.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/ingest_layout.hpp"
#include "postgres/ingest_store.hpp"
#include "wire/event.hpp"

namespace raceway::postgres {

/// Whether some of the events stand in the table already, judged by a few of them: a batch that is sent again is not to
/// be written first and taken back then.
bool looks_sent_before(std::span<const wire::Event* const> events, const DirectLayout& layout);

/// As store_events() for one part that succeeds or throws as a whole. With `check_first` each id is looked for before
/// anything is written. Nothing where others write the same rows at this moment (KeyOutcome::contested).
/// SPI must be connected; a subtransaction must be open around it, to be rolled back where there are no outcomes.
std::optional<std::vector<StoreOutcome>> store_directly(std::span<const wire::Event* const> events,
                                                        const DirectLayout& layout, bool check_first);

}  // namespace raceway::postgres

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

/// A table that events go into: `events` itself or one of its partitions.
struct DirectTarget {
  Oid table;
  std::vector<std::size_t> places;  ///< of its events, ascending
};

/// Which event goes into which table. Answers an obstacle as DirectLayout has it, null where there is none.
const char* find_targets(std::span<const wire::Event* const> events, const DirectLayout& layout,
                         std::vector<DirectTarget>& targets);

/// Whether some of the events stand in the tables already, judged by a few of them: a batch that is sent again is not
/// to be written first and taken back then.
bool looks_sent_before(std::span<const wire::Event* const> events, const std::vector<DirectTarget>& targets);

/// As store_events() for one part that succeeds or throws as a whole. With `check_first` each id is looked for before
/// anything is written. Nothing where others write the same rows at this moment (KeyOutcome::contested).
/// SPI must be connected; a subtransaction must be open around it, to be rolled back where there are no outcomes.
std::optional<std::vector<StoreOutcome>> store_directly(std::span<const wire::Event* const> events,
                                                        const DirectLayout& layout,
                                                        const std::vector<DirectTarget>& targets, bool check_first);

}  // namespace raceway::postgres

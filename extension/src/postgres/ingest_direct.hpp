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

/// As store_events() for a batch that succeeds or throws as a whole, by the way `direct` or `checking`; `automatic` is
/// set to one of them, by a look whether some of the events stand already: a batch that is sent again is not to be
/// written first and taken back then. Nothing where others write the same rows at this moment (KeyOutcome::contested).
/// SPI must be connected; a subtransaction must be open around it, to be rolled back where there are no outcomes.
///
/// Others are waited for in one order, that of store_by_spi(): events by their identity, and while none of ours is
/// written; then traces by their ids.
std::optional<std::vector<StoreOutcome>> store_directly(std::span<const wire::Event* const> events,
                                                        const DirectLayout& layout,
                                                        const std::vector<DirectTarget>& targets, IngestWay& way);

}  // namespace raceway::postgres

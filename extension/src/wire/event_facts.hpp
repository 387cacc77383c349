// What the analysis wants to know of an event, read from its row.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "causality/event_table.hpp"
#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::wire {

class Arena;

/// Refers to the row's texts and to memory of its own.
struct ReadFacts {
  causality::EventFacts facts;             ///< but for id, parent and links, which the caller numbers
  std::string_view parent_id;              ///< empty: none
  std::vector<std::string_view> link_ids;  ///< of events that a span's links lead to
  Json metadata;                           ///< an object
  std::vector<std::string_view> locks;
  std::shared_ptr<Arena> memory;
};

/// Throws std::invalid_argument where a text of the row is not JSON.
ReadFacts read_facts(const Row& row);

}  // namespace raceway::wire

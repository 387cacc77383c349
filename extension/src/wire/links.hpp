// What ties an event to others: its parent, its time to the nanosecond, its clock.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "causality/clock.hpp"
#include "wire/event.hpp"

namespace raceway::wire {

class Arena;

/// Refers to the row's texts and to memory of its own.
struct Links {
  std::string_view parent_id;  ///< empty: none
  int timestamp_nanos = 0;
  std::span<const causality::Component> clock;
  std::shared_ptr<Arena> memory;
};

/// Throws std::invalid_argument where a text of the row is not JSON.
Links read_links(const Row& row);

}  // namespace raceway::wire

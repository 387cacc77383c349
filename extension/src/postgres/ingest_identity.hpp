// What tells events apart.
#pragma once

#include <utility>

#include "wire/event.hpp"

namespace raceway::postgres {

/// The id; where the table is partitioned by time, the key holds the time, and so does the identity.
struct EventIdentity {
  bool with_time = false;

  bool same(const wire::Event& a, const wire::Event& b) const {
    return a.event_id == b.event_id && (!with_time || a.timestamp == b.timestamp);
  }
  /// In this order batches wait for each other.
  bool before(const wire::Event& a, const wire::Event& b) const {
    const auto by_id = a.event_id <=> b.event_id;
    return by_id != 0 ? by_id < 0 : with_time && a.timestamp < b.timestamp;
  }
};

}  // namespace raceway::postgres

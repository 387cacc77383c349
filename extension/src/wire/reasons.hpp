// Reasons for a rejection that only a store can give; one wording for every store.
#pragma once

#include <string>
#include <string_view>

namespace raceway::wire {

/// The event's id stands already, under another trace.
inline std::string reason_other_trace(std::string_view trace_id) {
  return "event_id is already stored under trace " + std::string(trace_id);
}

}  // namespace raceway::wire

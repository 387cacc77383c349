// What the API shows of a trace: its events in causal order, and what follows from them.
#pragma once

#include <string>
#include <vector>

#include "storage/storage.hpp"

namespace raceway::server::analysis {

/// The events in causal order: a parent before its children, a clock before the clocks it happened before.
void sort_causally(std::vector<storage::StoredEvent>& events);

/// Appends the events as a JSON array in the SDK's form, in the order given.
void append_events(std::string& out, const std::vector<storage::StoredEvent>& events);

/// The answer to GET /api/traces/:id for the events of a trace, of which there is at least one. The fields that
/// analysis fills are there, and empty.
std::string trace_json(std::vector<storage::StoredEvent> events);

}  // namespace raceway::server::analysis

// What the API shows of a trace: its events in causal order, and what follows from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::analysis {

/// The places of the events in causal order: a parent before its children, a clock before the clocks it happened
/// before. What ordering takes meanwhile is of `budget`; throws Unavailable where it has not so much.
std::vector<std::uint32_t> causal_order(storage::TraceEvents& events, storage::ByteBudget& budget);

/// What stands around the events, each in the SDK's form and an element of an array, in the answer to GET
/// /api/traces/:id. The fields that analysis fills are there, and empty.
std::string trace_begin(std::string_view trace_id);
std::string_view trace_end();

}  // namespace raceway::server::analysis

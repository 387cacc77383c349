// Reading traces of a storage as rows that own their texts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/storage.hpp"

namespace raceway::wire::test {

using StoredEvents = std::vector<server::storage::StoredEvent>;

StoredEvents rows_of(server::storage::TraceEvents& events);

std::optional<StoredEvents> read_trace(server::storage::Storage& storage, const std::string& trace_id);

void read_each_trace(server::storage::Storage& storage, const server::storage::TraceFilter& filter,
                     const std::function<void(std::uint64_t)>& begin,
                     const std::function<bool(const server::storage::TraceSummary&, StoredEvents)>& visit);

}  // namespace raceway::wire::test

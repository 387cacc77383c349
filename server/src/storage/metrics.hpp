// What /metrics shows of where events are kept.
#pragma once

#include "observability/families.hpp"
#include "storage/byte_budget.hpp"
#include "storage/database_watch.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage {

void append_metrics(observability::Families& families, const ByteBudget& budget);

/// Never asks the database. `watch` is null where there is none.
void append_metrics(observability::Families& families, Storage& storage, const DatabaseWatch* watch);

}  // namespace raceway::server::storage

// What a row that is to be written says, beside the one that stands under its key.
#pragma once

#include <string>

#include "postgres/boundary.hpp"
#include "postgres/direct_table.hpp"

namespace raceway::postgres {

/// Why the event of a row is no duplicate of the one in the slot; empty where it is one. Both are of a table that may
/// be written directly.
std::string other_contents(TupleTableSlot* standing, const DirectRow& row);

}  // namespace raceway::postgres

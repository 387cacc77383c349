// Numbers as PostgreSQL's numeric, made by its own functions.
#pragma once

#include <string_view>

#include "causality/clock_algebra.hpp"
#include "postgres/boundary.hpp"

extern "C" {
#include "utils/numeric.h"
}

namespace raceway::postgres {

/// Palloc'd; raises.
Numeric numeric_of(causality::CounterSum value);

/// The same of a number in plain notation ("-12.50", as the wire layer gives numbers); its scale is kept.
Numeric numeric_of(std::string_view plain);

}  // namespace raceway::postgres

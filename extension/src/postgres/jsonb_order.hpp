// How two clocks in jsonb stand to each other. Queries ask it of every pair of rows, so it is read here as fast as it
// can be: no cursor, no exception, nothing allocated, no call into PostgreSQL.
#pragma once

#include <optional>

#include "causality/order.hpp"
#include "postgres/jsonb_clock.hpp"

namespace raceway::postgres {

/// How `a` stands to `b`; nothing where one of them is no clock. All of both is read, not only what decides: whether a
/// clock is valid must not depend on what it is compared to.
std::optional<causality::Order> order_of(const JsonbView& a, const JsonbView& b) noexcept;

}  // namespace raceway::postgres

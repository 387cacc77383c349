// Counters in PostgreSQL's numeric, read and written in its stored form without a call into PostgreSQL.
//
// The form (utils/adt/numeric.c describes it; its structs are private): a varlena header, then either the short form,
// one word of sign, scale and weight, or the long one, a word of sign and scale and a word of weight; then digits of
// base 10000, most significant first, no zeros on either end. The value is the sum of digit[i] * 10000^(weight - i).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "causality/clock_algebra.hpp"
#include "postgres/boundary.hpp"

namespace raceway::postgres {

/// The value of a whole number from 0 to 2^64-1 (1.0 and 1e3 are whole), nothing for any other numeric.
/// `numeric` needs no alignment.
std::optional<causality::Counter> read_counter(const char* numeric) noexcept;

/// The most bytes that write_numeric() needs for a counter, and for a sum.
inline constexpr std::size_t counter_numeric_size = VARHDRSZ + sizeof(std::uint16_t) + 5 * sizeof(std::int16_t);
inline constexpr std::size_t sum_numeric_size = VARHDRSZ + sizeof(std::uint16_t) + 10 * sizeof(std::int16_t);

/// Writes `value` as a numeric, varlena header and all; answers how many bytes. `to` needs no alignment.
std::size_t write_numeric(char* to, causality::CounterSum value) noexcept;

/// `value` as a numeric Datum in palloc'd memory. Raises.
Datum numeric_datum(causality::CounterSum value);

}  // namespace raceway::postgres

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

namespace detail {
/// The four-byte header of a varlena of `size` bytes, and back.
inline std::uint32_t varlena_header(std::size_t size) noexcept {
  varattrib_4b varlena;
  SET_VARSIZE_4B(&varlena, size);
  return varlena.va_4byte.va_header;
}
inline std::size_t varlena_size(std::uint32_t header) noexcept {
  varattrib_4b varlena;
  varlena.va_4byte.va_header = header;
  return VARSIZE_4B(&varlena);
}

std::optional<causality::Counter> read_any_counter(const char* numeric) noexcept;
}  // namespace detail

/// The value of a whole number from 0 to 2^64-1 (1.0 and 1e3 are whole), nothing for any other numeric.
/// `numeric` needs no alignment.
inline std::optional<causality::Counter> read_counter(const char* numeric) noexcept {
  // Nearly all counters have one digit, are below 10000 that is: 8 bytes, with no sign, scale or weight in the header.
  struct OneDigit {
    std::uint32_t varlena;
    std::uint16_t form;
    std::uint16_t digit;
  };
  constexpr std::uint16_t plain_short_form = 0x8000;
  if (!VARATT_IS_1B(numeric)) {
    OneDigit found;
    std::memcpy(&found.varlena, numeric, sizeof found.varlena);
    if (found.varlena == detail::varlena_header(sizeof(OneDigit))) {
      std::memcpy(&found, numeric, sizeof found);
      if (found.form == plain_short_form) return found.digit;
    }
  }
  return detail::read_any_counter(numeric);
}

/// The most bytes that write_numeric() needs for a counter, and for a sum.
inline constexpr std::size_t counter_numeric_size = VARHDRSZ + sizeof(std::uint16_t) + 5 * sizeof(std::int16_t);
inline constexpr std::size_t sum_numeric_size = VARHDRSZ + sizeof(std::uint16_t) + 10 * sizeof(std::int16_t);

/// Writes `value` as a numeric, varlena header and all; answers how many bytes. `to` needs no alignment.
std::size_t write_numeric(char* to, causality::CounterSum value) noexcept;

/// `value` as a numeric Datum in palloc'd memory. Raises.
Datum numeric_datum(causality::CounterSum value);

}  // namespace raceway::postgres

// Counters in PostgreSQL's numeric, read in its stored form without a call into PostgreSQL: comparing clocks is mostly
// that. native_formats.hpp finds out whether the form is the known one; where it is not, PostgreSQL's functions read
// it.
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
inline std::uint16_t word_at(const char* at) noexcept {
  std::uint16_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

constexpr unsigned numeric_base = 10000;
constexpr std::uint16_t numeric_short_form = 0x8000;  // of weight 0, with no sign and no scale
extern std::uint16_t small_counter_form;              // the same, where the form is known
constexpr std::size_t one_digit_size = VARHDRSZ + 2 * sizeof(std::uint16_t);

/// False where it is no counter.
bool read_any_counter(const char* numeric, causality::Counter& counter) noexcept;
}  // namespace detail

/// Whether a numeric of `size` bytes is a counter of one digit or two, nothing noted in its header. Nearly all counters
/// are, and take 8 or 10 bytes. `numeric` needs no alignment.
inline bool is_small_counter(const char* numeric, std::size_t size) noexcept {
  constexpr std::size_t digit_size = sizeof(std::uint16_t);
  const std::size_t more = size - detail::one_digit_size;
  // Two digits have the weight 1, one has the weight 0. No other numeric of these sizes has the same word there.
  return (more & ~digit_size) == 0 &&
         detail::word_at(numeric + VARHDRSZ) == detail::small_counter_form + more / digit_size;
}

/// The value of a small counter.
inline std::uint32_t small_counter(const char* numeric, std::size_t size) noexcept {
  const std::uint32_t last = detail::word_at(numeric + size - sizeof(std::uint16_t));
  const std::uint32_t before = detail::word_at(numeric + size - 2 * sizeof(std::uint16_t));
  // Before a single digit stands no digit. (No branch: which counters are large is nothing the processor can guess.)
  const auto digits_before = static_cast<std::uint32_t>(size - detail::one_digit_size) / sizeof(std::uint16_t);
  return before * (digits_before * detail::numeric_base) + last;
}

/// A number that small counters of the same size can be compared by. It takes less than their values.
inline std::uint32_t small_counter_rank(const char* numeric, std::size_t size) noexcept {
  const std::uint32_t last = detail::word_at(numeric + size - sizeof(std::uint16_t));
  const std::uint32_t before = detail::word_at(numeric + size - 2 * sizeof(std::uint16_t));
  return before << 16 | last;
}

/// The value of a whole number from 0 to 2^64-1 (1.0 and 1e3 are whole) in a numeric of `size` bytes; false for any
/// other numeric. `numeric` needs no alignment.
inline bool read_counter(const char* numeric, std::size_t size, causality::Counter& counter) noexcept {
  if (!is_small_counter(numeric, size)) return detail::read_any_counter(numeric, counter);
  counter = small_counter(numeric, size);
  return true;
}

/// The same of a numeric whose size only its header says.
inline std::optional<causality::Counter> read_counter(const char* numeric) noexcept {
  causality::Counter counter = 0;
  if (!detail::read_any_counter(numeric, counter)) return std::nullopt;
  return counter;
}

/// Whether the form is read as it is known here, or by PostgreSQL's functions.
void read_numeric_form(bool is_known);

}  // namespace raceway::postgres

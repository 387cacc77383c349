// Numbers of JSON text in the one notation both backends keep: plain decimal, as PostgreSQL's numeric prints them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace raceway::wire {

/// Digits before or after the point beyond which a number is not kept: 1e400000000 must not become half a gigabyte.
/// Every value of a 64-bit float fits.
inline constexpr std::size_t max_number_digits = 1000;

enum class NumberNotation { invalid, plain, needs_rewriting };

/// Whether `token` is a JSON number, and if so whether it stands in plain notation already.
NumberNotation classify_number(std::string_view token);

/// A JSON number in plain notation: 1.50e1 is 15.0, 1e2 is 100, -0 is 0, 1E-7 is 0.0000001.
/// Nothing where it has more than max_number_digits before or after the point.
std::optional<std::string> plain_number(std::string_view token);

/// How many bytes plain_number() has.
std::optional<std::size_t> plain_number_size(std::string_view token);

/// The value of a plain number as a whole number from 0 to 2^64-1; nothing where it is none.
/// A fraction of zeros is whole: 5.0 is 5.
std::optional<std::uint64_t> whole_number(std::string_view plain);

}  // namespace raceway::wire

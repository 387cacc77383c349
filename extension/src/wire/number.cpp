#include "wire/number.hpp"

#include <algorithm>
#include <charconv>

namespace raceway::wire {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The parts of a JSON number; `valid` is false where it is none.
struct Parts {
  bool valid = false;
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::string_view exponent;  // with its sign
};

std::string_view take_digits(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && is_digit(rest[length])) ++length;
  const auto digits = rest.substr(0, length);
  rest.remove_prefix(length);
  return digits;
}

bool take(std::string_view& rest, char a, char b) {
  if (rest.empty() || (rest.front() != a && rest.front() != b)) return false;
  rest.remove_prefix(1);
  return true;
}

Parts split(std::string_view token) {
  Parts parts;
  parts.negative = take(token, '-', '-');
  parts.whole = take_digits(token);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole.front() == '0')) return parts;
  if (take(token, '.', '.')) {
    parts.fraction = take_digits(token);
    if (parts.fraction.empty()) return parts;
  }
  if (take(token, 'e', 'E')) {
    const char* sign = token.data();
    take(token, '+', '-');
    const auto digits = take_digits(token);
    if (digits.empty()) return parts;
    parts.exponent = {sign, static_cast<std::size_t>(digits.data() + digits.size() - sign)};
  }
  parts.valid = token.empty();
  return parts;
}

bool only_zeros(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

/// The exponent, or where it is further from 0 than `limit`, the limit.
long exponent_of(std::string_view text, long limit) {
  if (text.empty()) return 0;
  const bool negative = text.front() == '-';
  if (text.front() == '+') text.remove_prefix(1);
  long exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc{}) return negative ? -limit : limit;
  return std::clamp(exponent, -limit, limit);
}

/// Whether `token` is a number that needs no second look: digits, and perhaps a point and more of them.
bool is_simple(std::string_view token) {
  const char* at = token.data();
  const char* const end = at + token.size();
  if (token.empty() || token.size() > max_number_digits || !is_digit(*at)) return false;
  if (*at == '0' && token.size() > 1 && at[1] != '.') return false;
  while (at != end && is_digit(*at)) ++at;
  if (at == end) return true;
  if (*at++ != '.' || at == end) return false;
  while (at != end && is_digit(*at)) ++at;
  return at == end;
}

}  // namespace

NumberNotation classify_number(std::string_view token) {
  if (is_simple(token)) return NumberNotation::plain;
  const Parts parts = split(token);
  if (!parts.valid) return NumberNotation::invalid;
  const bool negative_zero = parts.negative && only_zeros(parts.whole) && only_zeros(parts.fraction);
  const bool long_digits = parts.whole.size() > max_number_digits || parts.fraction.size() > max_number_digits;
  return parts.exponent.empty() && !negative_zero && !long_digits ? NumberNotation::plain
                                                                  : NumberNotation::needs_rewriting;
}

std::optional<std::string> plain_number(std::string_view token) {
  const Parts parts = split(token);
  // An exponent beyond this has a zero digit or too many of them, however long the number is written.
  const auto limit = static_cast<long>(token.size() + max_number_digits + 1);
  const long exponent = exponent_of(parts.exponent, limit);

  std::string digits = std::string(parts.whole) + std::string(parts.fraction);
  // Where the point stands in `digits`, and how many digits are to be shown after it.
  const long point = static_cast<long>(parts.whole.size()) + exponent;
  const long scale = std::max(0L, static_cast<long>(parts.fraction.size()) - exponent);
  const bool zero = only_zeros(digits);

  std::string whole = point > 0 ? digits.substr(0, std::min(digits.size(), static_cast<std::size_t>(point))) : "";
  if (point > static_cast<long>(digits.size()) && !zero)
    whole.append(static_cast<std::size_t>(point) - whole.size(), '0');
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";

  std::string fraction = point < 0 ? std::string(static_cast<std::size_t>(-point), '0') : "";
  if (point < static_cast<long>(digits.size()))
    fraction += digits.substr(static_cast<std::size_t>(std::max(0L, point)));
  fraction.resize(static_cast<std::size_t>(scale), '0');

  if (whole.size() > max_number_digits || fraction.size() > max_number_digits) return std::nullopt;
  std::string plain = parts.negative && !zero ? "-" + whole : whole;
  if (!fraction.empty()) plain += "." + fraction;
  return plain;
}

std::optional<std::uint64_t> whole_number(std::string_view plain) {
  const auto point = plain.find('.');
  if (point != std::string_view::npos) {
    if (!only_zeros(plain.substr(point + 1))) return std::nullopt;
    plain = plain.substr(0, point);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error != std::errc{} || end != plain.data() + plain.size()) return std::nullopt;
  return value;
}

}  // namespace raceway::wire

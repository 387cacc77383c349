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

/// Of all digits, whole and fraction.
long count_leading_zeros(const Parts& parts) {
  const auto in_whole = std::min(parts.whole.find_first_not_of('0'), parts.whole.size());
  if (in_whole < parts.whole.size()) return static_cast<long>(in_whole);
  return static_cast<long>(in_whole + std::min(parts.fraction.find_first_not_of('0'), parts.fraction.size()));
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

namespace {

/// A number as it stands in plain notation. Its digits, of which there may be as many as a body has bytes, are looked
/// at where they stand.
class Plain {
 public:
  explicit Plain(std::string_view token) : parts_(split(token)) {
    // An exponent beyond this has a zero digit or too many of them, however long the number is written.
    const auto limit = static_cast<long>(token.size() + max_number_digits + 1);
    const long exponent = exponent_of(parts_.exponent, limit);
    whole_ = static_cast<long>(parts_.whole.size());
    size_ = whole_ + static_cast<long>(parts_.fraction.size());
    first_ = count_leading_zeros(parts_);
    point_ = whole_ + exponent;
    scale_ = std::max(0L, static_cast<long>(parts_.fraction.size()) - exponent);
  }

  /// Whether it has no more digits than are kept.
  bool is_kept() const {
    constexpr auto most = static_cast<long>(max_number_digits);
    return scale_ <= most && (is_zero() || point_ - first_ <= most);
  }
  std::size_t size() const {
    const long whole = has_whole() ? point_ - first_ : 1;
    return static_cast<std::size_t>(whole + (scale_ > 0 ? 1 + scale_ : 0)) + (is_negative() ? 1 : 0);
  }
  std::string text() const {
    std::string plain = is_negative() ? "-" : "";
    if (!has_whole()) plain += '0';
    for (long at = first_; has_whole() && at < point_; ++at) plain += digit(at);
    if (scale_ > 0) plain += '.';
    for (long at = point_; at < point_ + scale_; ++at) plain += digit(at);
    return plain;
  }

 private:
  bool is_zero() const { return first_ == size_; }
  bool is_negative() const { return parts_.negative && !is_zero(); }
  bool has_whole() const { return !is_zero() && point_ > first_; }
  char digit(long at) const {
    if (at < 0 || at >= size_) return '0';
    return at < whole_ ? parts_.whole[static_cast<std::size_t>(at)]
                       : parts_.fraction[static_cast<std::size_t>(at - whole_)];
  }

  Parts parts_;
  long whole_;  // digits before the point as it was written
  long size_;   // all digits
  long first_;  // that is not zero, or the end of them
  long point_;  // among the digits
  long scale_;  // digits that are shown behind the point
};

}  // namespace

std::optional<std::string> plain_number(std::string_view token) {
  const Plain plain(token);
  return plain.is_kept() ? std::optional(plain.text()) : std::nullopt;
}

std::optional<std::size_t> plain_number_size(std::string_view token) {
  const Plain plain(token);
  return plain.is_kept() ? std::optional(plain.size()) : std::nullopt;
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

#include "postgres/numeric_text.hpp"

#include <array>
#include <cstdint>
#include <span>

#include "postgres/boundary.hpp"
#include "wire/number.hpp"

namespace raceway::postgres {
namespace {

constexpr std::size_t digits_in_group = 4;  // a digit of base 10000
constexpr std::size_t most_groups = 2 * (wire::max_number_digits / digits_in_group + 1);

constexpr std::uint16_t short_form = 0x8000;
constexpr std::uint16_t short_negative = 0x2000;
constexpr int short_scale_shift = 7;
constexpr std::size_t short_scale_max = 0x3F;
constexpr std::uint16_t short_weight_negative = 0x0040;
constexpr std::uint16_t short_weight_mask = 0x003F;
constexpr int short_weight_max = 63;
constexpr int short_weight_min = -64;
constexpr std::uint16_t long_negative = 0x4000;

/// The groups of a number, their count, and the power of 10000 of the first.
struct Groups {
  std::array<std::int16_t, most_groups> digits;
  std::size_t count = 0;
  int weight = 0;

  void add(std::string_view text, std::size_t missing_in_front, std::size_t missing_behind) {
    int value = 0;
    for (std::size_t at = 0; at < digits_in_group; ++at) {
      const bool given = at >= missing_in_front && at < digits_in_group - missing_behind;
      value = value * 10 + (given ? text[at - missing_in_front] - '0' : 0);
    }
    digits[count++] = static_cast<std::int16_t>(value);
  }
};

Groups group(std::string_view whole, std::string_view fraction) {
  Groups groups;
  const std::size_t first = whole.size() % digits_in_group;
  if (first != 0) groups.add(whole.substr(0, first), digits_in_group - first, 0);
  for (std::size_t at = first; at < whole.size(); at += digits_in_group) groups.add(whole.substr(at), 0, 0);
  groups.weight = static_cast<int>(groups.count) - 1;
  for (std::size_t at = 0; at < fraction.size(); at += digits_in_group) {
    const auto rest = fraction.substr(at);
    groups.add(rest, 0, rest.size() < digits_in_group ? digits_in_group - rest.size() : 0);
  }
  return groups;
}

template <class T>
void append_raw(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

void append_numeric(std::string& out, std::string_view plain) {
  bool negative = plain.starts_with('-');
  if (negative) plain.remove_prefix(1);
  const auto point = plain.find('.');
  const auto fraction = point == std::string_view::npos ? std::string_view{} : plain.substr(point + 1);
  Groups groups = group(plain.substr(0, point), fraction);

  std::span<const std::int16_t> digits(groups.digits.data(), groups.count);
  while (!digits.empty() && digits.front() == 0) {
    digits = digits.subspan(1);
    --groups.weight;
  }
  while (!digits.empty() && digits.back() == 0) digits = digits.first(digits.size() - 1);
  if (digits.empty()) {
    groups.weight = 0;
    negative = false;
  }

  const bool is_short =
      fraction.size() <= short_scale_max && groups.weight <= short_weight_max && groups.weight >= short_weight_min;
  const std::size_t header = is_short ? sizeof(std::uint16_t) : 2 * sizeof(std::uint16_t);
  std::uint32_t length = 0;
  SET_VARSIZE(&length, sizeof length + header + digits.size_bytes());
  append_raw(out, length);
  const auto scale = static_cast<std::uint16_t>(fraction.size());
  const auto weight = static_cast<std::int16_t>(groups.weight);
  if (is_short) {
    const int word = short_form | (negative ? short_negative : 0) | scale << short_scale_shift |
                     (weight < 0 ? short_weight_negative : 0) | (weight & short_weight_mask);
    append_raw(out, static_cast<std::uint16_t>(word));
  } else {
    append_raw(out, static_cast<std::uint16_t>((negative ? long_negative : 0) | scale));
    append_raw(out, weight);
  }
  out.append(reinterpret_cast<const char*>(digits.data()), digits.size_bytes());
}

}  // namespace raceway::postgres

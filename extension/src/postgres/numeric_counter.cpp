#include "postgres/numeric_counter.hpp"

#include <charconv>
#include <string_view>

extern "C" {
#include "utils/numeric.h"
}

namespace raceway::postgres {
namespace {

using causality::Counter;
using Word = std::uint16_t;

constexpr auto base = detail::numeric_base;
constexpr int largest_counter_weight = 4;  // 10000^5 > 2^64

constexpr Word form_mask = 0xC000;
constexpr Word negative_long_form = 0x4000;
constexpr Word special_form = 0xC000;  // NaN, infinities
constexpr Word short_negative = 0x2000;
constexpr Word short_weight_sign = 0x0040;
constexpr Word short_weight_mask = 0x003F;

struct Parts {
  bool finite;
  bool negative;
  int weight;
  int digit_count;
  const char* digits;

  unsigned digit(int place) const noexcept {
    return place < digit_count ? detail::word_at(digits + static_cast<std::size_t>(place) * sizeof(Word)) : 0;
  }
};

/// What is inside of a varlena at any address.
struct Varlena {
  const char* data;
  std::size_t size;
};

Varlena varlena_at(const char* at) noexcept {
  if (VARATT_IS_1B(at)) return {VARDATA_1B(at), VARSIZE_1B(at) - VARHDRSZ_SHORT};
  varattrib_4b header;
  std::memcpy(&header.va_4byte.va_header, at, sizeof header.va_4byte.va_header);
  return {at + VARHDRSZ, VARSIZE_4B(&header) - VARHDRSZ};
}

Parts parts_of(const char* numeric) noexcept {
  const Varlena varlena = varlena_at(numeric);
  const char* const body = varlena.data;
  const int size = static_cast<int>(varlena.size);
  const Word header = detail::word_at(body);
  const int word_size = sizeof(Word);
  if ((header & detail::numeric_short_form) == 0) {
    const auto weight = static_cast<std::int16_t>(detail::word_at(body + word_size));
    return {true, (header & form_mask) == negative_long_form, weight, size / word_size - 2, body + 2 * word_size};
  }
  const int low = header & short_weight_mask;
  const int weight = (header & short_weight_sign) != 0 ? low - (short_weight_mask + 1) : low;
  return {(header & form_mask) != special_form, (header & short_negative) != 0, weight, size / word_size - 1,
          body + word_size};
}

/// By PostgreSQL's own functions, whatever the form is. Raises; allocates.
bool read_by_functions(const char* numeric, Counter& counter) {
  const Varlena varlena = varlena_at(numeric);
  auto* const aligned = static_cast<char*>(palloc(varlena.size + VARHDRSZ));
  SET_VARSIZE(aligned, varlena.size + VARHDRSZ);
  std::memcpy(aligned + VARHDRSZ, varlena.data, varlena.size);
  auto* const number = reinterpret_cast<Numeric>(aligned);
  counter = 0;
  if (numeric_is_nan(number) || numeric_is_inf(number)) return false;
  const std::string_view digits = numeric_normalize(number);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), counter);
  return error == std::errc() && stop == digits.data() + digits.size();
}

}  // namespace

std::uint16_t detail::small_counter_form = detail::numeric_short_form;

void read_numeric_form(bool is_known) {
  // No numeric begins with the other one.
  detail::small_counter_form = is_known ? detail::numeric_short_form : 0xFFF0;
}

bool detail::read_any_counter(const char* numeric, Counter& counter) noexcept {
  if (small_counter_form != numeric_short_form) return read_by_functions(numeric, counter);
  const Parts parts = parts_of(numeric);
  counter = 0;
  if (!parts.finite) return false;
  if (parts.digit_count == 0) return true;
  const bool has_fraction = parts.digit_count > parts.weight + 1;
  if (parts.negative || has_fraction || parts.weight > largest_counter_weight) return false;
  for (int place = 0; place <= parts.weight && place < largest_counter_weight; ++place) {
    counter = counter * base + parts.digit(place);
  }
  if (parts.weight < largest_counter_weight) return true;
  return !__builtin_mul_overflow(counter, Counter{base}, &counter) &&
         !__builtin_add_overflow(counter, Counter{parts.digit(largest_counter_weight)}, &counter);
}

}  // namespace raceway::postgres

#include "postgres/numeric_counter.hpp"

#include <limits>

namespace raceway::postgres {
namespace {

using causality::Counter;
using causality::CounterSum;
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

Parts parts_of(const char* numeric) noexcept {
  const char* body = nullptr;
  int size = 0;
  if (VARATT_IS_1B(numeric)) {
    body = VARDATA_1B(numeric);
    size = VARSIZE_1B(numeric) - VARHDRSZ_SHORT;
  } else {
    std::uint32_t header;
    std::memcpy(&header, numeric, sizeof header);
    body = numeric + VARHDRSZ;
    size = static_cast<int>(detail::varlena_size(header)) - VARHDRSZ;
  }
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

/// Writes digits that are handed over one after the other, the most significant first, as a numeric.
template <class Digit>
std::size_t write_digits(char* to, int count, int weight, Digit digit) noexcept {
  const std::size_t size = VARHDRSZ + sizeof(Word) * (1 + static_cast<std::size_t>(count));
  const std::uint32_t varlena_header = detail::varlena_header(size);
  std::memcpy(to, &varlena_header, sizeof varlena_header);
  const auto header = static_cast<Word>(detail::numeric_short_form | weight);
  to += VARHDRSZ;
  std::memcpy(to, &header, sizeof header);
  for (int at = 0; at < count; ++at) {
    to += sizeof(Word);
    const auto d = static_cast<Word>(digit(at));
    std::memcpy(to, &d, sizeof(Word));
  }
  return size;
}

}  // namespace

bool detail::read_any_counter(const char* numeric, Counter& counter) noexcept {
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

std::size_t write_numeric(char* to, CounterSum value) noexcept {
  if (value < base * base) {
    const auto small = static_cast<std::uint32_t>(value);
    const std::uint32_t pair[] = {small / base, small % base};
    if (pair[1] != 0) {
      return pair[0] == 0 ? write_digits(to, 1, 0, [&](int) { return pair[1]; })
                          : write_digits(to, 2, 1, [&](int at) { return pair[at]; });
    }
  }
  constexpr int most_digits = 10;
  Word digits[most_digits];  // most significant last
  int count = 0;
  int skipped = 0;  // zeros at the least significant end, which are not stored
  const auto add = [&](Word digit) {
    if (digit == 0 && count == 0) {
      ++skipped;
    } else {
      digits[count++] = digit;
    }
  };
  for (; value > std::numeric_limits<Counter>::max(); value /= base) add(static_cast<Word>(value % base));
  // Dividing what fits into a register takes a fraction of the time.
  for (auto rest = static_cast<Counter>(value); rest > 0; rest /= base) add(static_cast<Word>(rest % base));
  const int weight = count == 0 ? 0 : count + skipped - 1;
  return write_digits(to, count, weight, [&](int at) { return digits[count - 1 - at]; });
}

Datum numeric_datum(CounterSum value) {
  auto* const numeric = static_cast<char*>(palloc(sum_numeric_size));
  write_numeric(numeric, value);
  return PointerGetDatum(numeric);
}

}  // namespace raceway::postgres

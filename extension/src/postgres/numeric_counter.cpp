#include "postgres/numeric_counter.hpp"

#include <limits>

namespace raceway::postgres {
namespace {

using causality::Counter;
using causality::CounterSum;
using Word = std::uint16_t;

constexpr unsigned base = 10000;
constexpr int largest_counter_weight = 4;  // 10000^5 > 2^64

constexpr Word form_mask = 0xC000;
constexpr Word negative_long_form = 0x4000;
constexpr Word short_form = 0x8000;
constexpr Word special_form = 0xC000;  // NaN, infinities
constexpr Word short_negative = 0x2000;
constexpr Word short_weight_sign = 0x0040;
constexpr Word short_weight_mask = 0x003F;

Word word_at(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

struct Parts {
  bool finite;
  bool negative;
  int weight;
  int digit_count;
  const char* digits;

  unsigned digit(int place) const noexcept {
    return place < digit_count ? word_at(digits + static_cast<std::size_t>(place) * sizeof(Word)) : 0;
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
  const Word header = word_at(body);
  const int word_size = sizeof(Word);
  if ((header & short_form) == 0) {
    const auto weight = static_cast<std::int16_t>(word_at(body + word_size));
    return {true, (header & form_mask) == negative_long_form, weight, size / word_size - 2, body + 2 * word_size};
  }
  const int low = header & short_weight_mask;
  const int weight = (header & short_weight_sign) != 0 ? low - (short_weight_mask + 1) : low;
  return {(header & form_mask) != special_form, (header & short_negative) != 0, weight, size / word_size - 1,
          body + word_size};
}

}  // namespace

std::optional<Counter> detail::read_any_counter(const char* numeric) noexcept {
  const Parts parts = parts_of(numeric);
  if (!parts.finite) return std::nullopt;
  if (parts.digit_count == 0) return 0;
  const bool has_fraction = parts.digit_count > parts.weight + 1;
  if (parts.negative || has_fraction || parts.weight > largest_counter_weight) return std::nullopt;
  CounterSum value = 0;
  for (int place = 0; place <= parts.weight; ++place) value = value * base + parts.digit(place);
  if (value > std::numeric_limits<Counter>::max()) return std::nullopt;
  return static_cast<Counter>(value);
}

std::size_t write_numeric(char* to, CounterSum value) noexcept {
  constexpr int most_digits = 10;
  Word digits[most_digits];  // most significant last
  int count = 0;
  int skipped = 0;  // zeros at the least significant end, which are not stored
  for (; value > 0; value /= base) {
    const auto digit = static_cast<Word>(value % base);
    if (digit == 0 && count == 0) {
      ++skipped;
    } else {
      digits[count++] = digit;
    }
  }
  const int weight = count == 0 ? 0 : count + skipped - 1;
  const std::size_t size = VARHDRSZ + sizeof(Word) * (1 + static_cast<std::size_t>(count));
  const std::uint32_t varlena_header = detail::varlena_header(size);
  std::memcpy(to, &varlena_header, sizeof varlena_header);
  const auto header = static_cast<Word>(short_form | weight);
  char* at = to + VARHDRSZ;
  std::memcpy(at, &header, sizeof header);
  while (count > 0) {
    at += sizeof(Word);
    std::memcpy(at, &digits[--count], sizeof(Word));
  }
  return size;
}

Datum numeric_datum(CounterSum value) {
  auto* const numeric = static_cast<char*>(palloc(sum_numeric_size));
  write_numeric(numeric, value);
  return PointerGetDatum(numeric);
}

}  // namespace raceway::postgres

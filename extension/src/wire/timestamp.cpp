#include "wire/timestamp.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "wire/bytes.hpp"
#include "wire/errors.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t first_year = 0;
constexpr std::int64_t last_year = 294'276;  // the last that PostgreSQL's timestamp holds

/// Days from 2000-03-01 to a date of the proleptic Gregorian calendar. Years are counted from March, so that the leap
/// day ends them (the method of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
constexpr std::int64_t days_from_march_2000(std::int64_t year, int month, int day) {
  const std::int64_t y = year - (month <= 2 ? 1 : 0) - 2000;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
}

constexpr std::int64_t epoch = days_from_march_2000(2000, 1, 1);
constexpr Micros first_moment = (days_from_march_2000(first_year, 1, 1) - epoch) * seconds_per_day * micros_per_second;
constexpr Micros end_of_time =
    (days_from_march_2000(last_year + 1, 1, 1) - epoch) * seconds_per_day * micros_per_second;

struct Date {
  std::int64_t year;
  int month;
  int day;
};

constexpr Date date_of(std::int64_t days_since_march_2000) {
  const std::int64_t z = days_since_march_2000;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t day_of_era = z - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {2000 + year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

constexpr bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in(std::int64_t year, int month) {
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days.at(static_cast<std::size_t>(month - 1));
}

[[noreturn]] void fail(std::string_view text, const char* problem) {
  throw EventError("timestamp \"" + std::string(first_characters(text, 60)) + "\" " + problem);
}

/// Walks over the text of a timestamp.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), rest_(text) {}

  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void step() { rest_.remove_prefix(1); }
  bool accept(char c) {
    if (peek() != c) return false;
    step();
    return true;
  }
  void expect(char c) {
    if (!accept(c)) malformed();
  }
  bool at_digit() const { return peek() >= '0' && peek() <= '9'; }
  int digit() {
    if (!at_digit()) malformed();
    const int value = peek() - '0';
    step();
    return value;
  }
  /// Two digits, from `low` to `high`.
  int two_digits(int low, int high) {
    const int tens = digit();
    const int value = tens * 10 + digit();
    if (value < low || value > high) fail(text_, "has a part out of range");
    return value;
  }
  [[noreturn]] void malformed() const { fail(text_, "is not a time like 2024-01-01T12:00:00.123456Z"); }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  std::string_view rest_;
};

std::int64_t read_year(Scanner& scan) {
  const bool signed_year = scan.accept('+');
  std::int64_t year = 0;
  int digits = 0;
  for (; scan.at_digit() && digits < 7; ++digits) year = year * 10 + scan.digit();
  if (digits < 4 || (signed_year && digits < 5)) scan.malformed();
  if (year > last_year) fail(scan.text(), "is out of range (years 0000 to 294276)");
  return year;
}

std::int64_t read_nanos(Scanner& scan) {
  if (!scan.accept('.') && !scan.accept(',')) return 0;
  std::int64_t nanos = scan.digit();
  int digits = 1;
  for (; scan.at_digit(); ++digits) {
    const int digit = scan.digit();
    if (digits < 9) nanos = nanos * 10 + digit;
  }
  for (; digits < 9; ++digits) nanos *= 10;
  return nanos;
}

std::int64_t read_zone_seconds(Scanner& scan) {
  if (scan.accept('Z') || scan.accept('z')) return 0;
  if (scan.done()) fail(scan.text(), "has no zone; add Z or an offset like +00:00");
  const int sign = scan.accept('-') ? -1 : 1;
  if (sign == 1) scan.expect('+');
  const int hours = scan.two_digits(0, 23);
  int minutes = 0;
  if (scan.accept(':') || scan.at_digit()) minutes = scan.two_digits(0, 59);
  return sign * (hours * 3'600 + minutes * 60);
}

/// The moment that a valid date and time of day stand for.
std::int64_t seconds_since_epoch(std::int64_t year, int month, int day, int hour, int minute, int second) {
  const std::int64_t days = days_from_march_2000(year, month, day) - epoch;
  return days * seconds_per_day + hour * 3'600 + minute * 60 + second;
}

/// The value of two digits; larger than any part of a time where they are none.
int pair_at(const char* text) {
  const auto tens = static_cast<unsigned char>(text[0] - '0');
  const auto ones = static_cast<unsigned char>(text[1] - '0');
  return tens > 9 || ones > 9 ? 1'000 : tens * 10 + ones;
}

constexpr std::size_t minute_size = 17;
constexpr std::size_t second_size = 19;

/// Reads `2024-01-01T12:00:`, the beginning of nearly every time. Nothing where it is another form or wrong.
std::optional<Micros> read_usual_minute(const char* c) {
  if (c[4] != '-' || c[7] != '-' || c[10] != 'T' || c[13] != ':' || c[16] != ':') return std::nullopt;
  const int century = pair_at(c);
  const int year_of_century = pair_at(c + 2);
  const int month = pair_at(c + 5);
  const int day = pair_at(c + 8);
  const int hour = pair_at(c + 11);
  const int minute = pair_at(c + 14);
  if (century > 99 || year_of_century > 99 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59) {
    return std::nullopt;
  }
  const std::int64_t year = century * 100 + year_of_century;
  if (day > days_in(year, month)) return std::nullopt;
  return seconds_since_epoch(year, month, day, hour, minute, 0) * micros_per_second;
}

/// Reads what follows a minute in the usual form: `00.123456Z` or with +00:00, up to nine digits of fraction.
std::optional<Timestamp> read_usual_rest(Micros minute, std::string_view text) {
  const char* const c = text.data();
  const int second = pair_at(c + minute_size);
  if (second > 59) return std::nullopt;
  std::size_t at = second_size;
  std::int64_t nanos = 0;
  if (c[at] == '.') {
    std::size_t digits = 0;
    for (++at; at < text.size() && c[at] >= '0' && c[at] <= '9'; ++at, ++digits) {
      if (digits == 9) return std::nullopt;
      nanos = nanos * 10 + (c[at] - '0');
    }
    if (digits == 0) return std::nullopt;
    constexpr std::array<std::int64_t, 10> scale = {1'000'000'000, 100'000'000, 10'000'000, 1'000'000, 100'000,
                                                    10'000,        1'000,       100,        10,        1};
    nanos *= scale[digits];
  }
  constexpr std::string_view utc = "+00:00";
  const std::size_t left = text.size() - at;
  const bool is_utc = left == 1 ? c[at] == 'Z' : left == utc.size() && equal_bytes(c + at, utc.data(), utc.size());
  if (!is_utc) return std::nullopt;
  return Timestamp{minute + second * micros_per_second + nanos / 1'000, static_cast<int>(nanos % 1'000)};
}

std::optional<Timestamp> read_usual_form(std::string_view text) {
  if (text.size() <= second_size) return std::nullopt;
  const auto minute = read_usual_minute(text.data());
  return minute ? read_usual_rest(*minute, text) : std::nullopt;
}

}  // namespace

Micros micros_of(std::chrono::system_clock::time_point time) {
  return unix_epoch + std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

Timestamp read_timestamp(std::string_view text) {
  if (const auto time = read_usual_form(text)) return *time;
  Scanner scan(text);
  const std::int64_t year = read_year(scan);
  scan.expect('-');
  const int month = scan.two_digits(1, 12);
  scan.expect('-');
  const int day = scan.two_digits(1, days_in(year, month));
  if (!scan.accept('T') && !scan.accept('t') && !scan.accept(' ')) scan.malformed();
  const int hour = scan.two_digits(0, 23);
  scan.expect(':');
  const int minute = scan.two_digits(0, 59);
  scan.expect(':');
  const int second = scan.two_digits(0, 60);
  const std::int64_t nanos = read_nanos(scan);
  const std::int64_t zone = read_zone_seconds(scan);
  if (!scan.done()) scan.malformed();

  const std::int64_t seconds = seconds_since_epoch(year, month, day, hour, minute, second) - zone;
  // The zone can carry the last day beyond what the multiplication holds: check in seconds.
  if (seconds < first_moment / micros_per_second || seconds >= end_of_time / micros_per_second) {
    fail(text, "is out of range (years 0000 to 294276 in UTC)");
  }
  return {seconds * micros_per_second + nanos / 1'000, static_cast<int>(nanos % 1'000)};
}

Timestamp TimestampReader::read(std::string_view text) {
  if (text.size() > second_size) {
    if (!equal_bytes(text.data(), minute_.data(), minute_size)) {
      const auto minute = read_usual_minute(text.data());
      if (!minute) return read_timestamp(text);
      std::copy_n(text.data(), minute_size, minute_.data());
      minute_micros_ = *minute;
    }
    if (const auto time = read_usual_rest(minute_micros_, text)) return *time;
  }
  return read_timestamp(text);
}

void append_timestamp(std::string& out, Timestamp time, std::string_view zone) {
  std::int64_t seconds = time.micros / micros_per_second;
  std::int64_t micros = time.micros % micros_per_second;
  if (micros < 0) {
    micros += micros_per_second;
    --seconds;
  }
  std::int64_t days = seconds / seconds_per_day;
  std::int64_t second_of_day = seconds % seconds_per_day;
  if (second_of_day < 0) {
    second_of_day += seconds_per_day;
    --days;
  }
  const Date date = date_of(days + epoch);

  std::array<char, 64> buffer{};
  const auto print = [&](const char* format, auto... values) {
    const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
    out.append(buffer.data(), static_cast<std::size_t>(length));
  };
  print(date.year > 9999 ? "+%lld-%02d-%02dT%02d:%02d:%02d" : "%04lld-%02d-%02dT%02d:%02d:%02d",
        static_cast<long long>(date.year), date.month, date.day, static_cast<int>(second_of_day / 3'600),
        static_cast<int>(second_of_day / 60 % 60), static_cast<int>(second_of_day % 60));
  if (time.nanos != 0) {
    print(".%06d%03d", static_cast<int>(micros), time.nanos);
  } else if (micros % 1'000 != 0) {
    print(".%06d", static_cast<int>(micros));
  } else if (micros != 0) {
    print(".%03d", static_cast<int>(micros / 1'000));
  }
  out += zone;
}

}  // namespace raceway::wire

#include "moving/shiviz_date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "wire/errors.hpp"
#include "wire/text.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {

const char* const known_date_forms =
    "2014-10-13 14:37:20.543, 2014-10-13T14:37:20+02:00, 20141013T143720Z, 2014/10/13 14:37:20, 10/13/2014 2:37:20 PM, "
    "13.10.2014 14:37:20, 13 Oct 2014 14:37:20 +0200, Mon Oct 13 14:37:20 2014, 13/Oct/2014:14:37:20 +0000, a day "
    "alone, and seconds, milli-, micro- or nanoseconds since 1970";

namespace {

constexpr std::size_t longest_shown = 60;
constexpr int nanos_digits = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Reads one date from its beginning to its end.
class DateReader {
 public:
  DateReader(std::string_view given, DateOrder order) : given_(given), rest_(given), order_(order) {}

  std::string read();

 private:
  struct Number {
    int value = 0;
    int digits = 0;
  };

  void read_day();
  void read_day_of_numbers();
  void read_three_numbers(Number first);
  void read_slashes(int first, int second);
  void read_named_day(int day);
  void read_month_first();
  void read_year();
  void read_day_time();
  void read_half();
  void read_zone();
  std::optional<std::string> read_epoch() const;
  std::string in_utc(std::string_view text) const;

  bool accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail_unknown();
  }
  bool skip_blanks() {
    const auto blanks = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    rest_.remove_prefix(blanks);
    return blanks > 0;
  }
  bool at_day_time() const { return at_digit() && rest_.size() > 2 && (rest_[1] == ':' || rest_[2] == ':'); }
  bool at_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  Number number(int most_digits);
  int number(int fewest_digits, int most_digits);
  /// The letters that stand next, in lower case.
  std::string word() const;
  bool accept_month();
  void accept_weekday();
  [[noreturn]] void fail(const std::string& what) const {
    throw DateError("the date \"" + std::string(wire::first_characters(given_, longest_shown)) + "\" " + what);
  }
  [[noreturn]] void fail_unknown() const {
    fail(std::string("is in none of the forms that are read: ") + known_date_forms);
  }

  const std::string_view given_;
  std::string_view rest_;
  const DateOrder order_;
  int year_ = -1;
  int month_ = 0;
  int day_ = 0;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  bool has_time_ = false;
  std::string fraction_;
  std::string zone_ = "Z";
};

DateReader::Number DateReader::number(int most_digits) {
  Number number;
  for (; number.digits < most_digits && at_digit(); ++number.digits) {
    number.value = number.value * 10 + (rest_.front() - '0');
    rest_.remove_prefix(1);
  }
  if (number.digits == 0 || at_digit()) fail_unknown();
  return number;
}

int DateReader::number(int fewest_digits, int most_digits) {
  const auto found = number(most_digits);
  if (found.digits < fewest_digits) fail_unknown();
  return found.value;
}

std::string DateReader::word() const {
  std::string word;
  for (const char c : rest_) {
    if (lower(c) < 'a' || lower(c) > 'z') break;
    word += lower(c);
  }
  return word;
}

/// Accepts a name, or its first letters, three at least.
std::optional<int> place_among(std::string_view word, auto& names) {
  for (std::size_t at = 0; at < names.size(); ++at) {
    if (word.size() >= 3 && names[at].starts_with(word)) return static_cast<int>(at);
  }
  return std::nullopt;
}

bool DateReader::accept_month() {
  static constexpr std::array<std::string_view, 12> months = {"january",   "february", "march",    "april",
                                                              "may",       "june",     "july",     "august",
                                                              "september", "october",  "november", "december"};
  const auto name = word();
  const auto place = place_among(name, months);
  if (!place) return false;
  month_ = *place + 1;
  rest_.remove_prefix(name.size());
  return true;
}

void DateReader::accept_weekday() {
  static constexpr std::array<std::string_view, 7> days = {"monday", "tuesday",  "wednesday", "thursday",
                                                           "friday", "saturday", "sunday"};
  const auto name = word();
  if (!place_among(name, days)) return;
  rest_.remove_prefix(name.size());
  accept(',');
  skip_blanks();
}

void DateReader::read_day() {
  accept_weekday();
  if (accept_month()) {
    read_month_first();
  } else {
    read_day_of_numbers();
  }
}

void DateReader::read_day_of_numbers() {
  const auto first = number(8);
  if (first.digits == 8) {
    if (!rest_.starts_with('T')) fail_unknown();
    year_ = first.value / 10'000;
    month_ = first.value / 100 % 100;
    day_ = first.value % 100;
  } else if (first.digits == 4 || rest_.starts_with('/') || rest_.starts_with('.') || rest_.starts_with('-')) {
    read_three_numbers(first);
  } else {
    skip_blanks();
    read_named_day(first.value);
  }
}

/// The year stands first or last; between points the day stands before the month.
void DateReader::read_three_numbers(Number first) {
  const char separator = rest_.empty() ? '\0' : rest_.front();
  if (first.digits == 4) {
    if (separator != '-' && separator != '/') fail_unknown();
    rest_.remove_prefix(1);
    year_ = first.value;
    month_ = number(1, 2);
    expect(separator);
    day_ = number(1, 2);
    return;
  }
  rest_.remove_prefix(1);
  if (!at_digit()) {
    day_ = first.value;
    if (separator == '.' || !accept_month()) fail_unknown();
    expect(separator);
    year_ = number(4, 4);
    return;
  }
  const int second = number(1, 2);
  if (first.digits > 2 || separator == '-') fail_unknown();
  expect(separator);
  year_ = number(4, 4);
  if (separator == '/') {
    read_slashes(first.value, second);
  } else {
    day_ = first.value;
    month_ = second;
  }
}

void DateReader::read_slashes(int first, int second) {
  const bool is_open = first <= 12 && second <= 12 && first != second;
  if (order_ == DateOrder::unstated && is_open) {
    fail("may begin with its month or with its day; say --date-order mdy or --date-order dmy");
  }
  const bool is_day_first = order_ == DateOrder::day_first || (order_ == DateOrder::unstated && first > 12);
  day_ = is_day_first ? first : second;
  month_ = is_day_first ? second : first;
  if (month_ > 12 && order_ != DateOrder::unstated) {
    fail(std::string("has no such month where it begins with its ") + (is_day_first ? "day" : "month") +
         ", as --date-order says");
  }
}

/// `Oct 2014` behind the day.
void DateReader::read_named_day(int day) {
  day_ = day;
  if (!accept_month()) fail_unknown();
  accept('.');
  accept(',');
  skip_blanks();
  read_year();
}

/// `13, 2014` behind the month, or `13 14:37:20 2014`.
void DateReader::read_month_first() {
  accept('.');
  skip_blanks();
  day_ = number(1, 2);
  accept(',');
  skip_blanks();
  if (at_day_time()) {
    read_day_time();
    skip_blanks();
    if (!rest_.empty() && !at_digit()) read_zone();
    skip_blanks();
  }
  read_year();
}

void DateReader::read_year() {
  if (rest_.empty() || at_day_time()) fail("has no year, as those of syslog; only dates with a year are read");
  year_ = number(4, 4);
}

void DateReader::read_day_time() {
  has_time_ = true;
  const auto hour = number(6);
  if (hour.digits == 6) {
    hour_ = hour.value / 10'000;
    minute_ = hour.value / 100 % 100;
    second_ = hour.value % 100;
  } else {
    if (hour.digits > 2) fail_unknown();
    hour_ = hour.value;
    expect(':');
    minute_ = number(2, 2);
    if (accept(':')) second_ = number(2, 2);
  }
  if (accept('.') || accept(',')) {
    while (at_digit()) {
      fraction_ += rest_.front();
      rest_.remove_prefix(1);
    }
    if (fraction_.empty() || fraction_.size() > nanos_digits) fail_unknown();
  }
  read_half();
}

void DateReader::read_half() {
  const auto before = rest_;
  skip_blanks();
  const auto half = word();
  if (half != "am" && half != "pm") {
    rest_ = before;
    return;
  }
  rest_.remove_prefix(half.size());
  if (hour_ < 1 || hour_ > 12) fail("has an hour that no clock of twelve hours shows");
  hour_ = hour_ % 12 + (half == "pm" ? 12 : 0);
}

void DateReader::read_zone() {
  const auto name = word();
  if (name == "z" || name == "utc" || name == "gmt") {
    rest_.remove_prefix(name.size());
    if (!rest_.starts_with('+') && !rest_.starts_with('-')) return;
  } else if (!name.empty()) {
    fail("names its zone; of names only UTC, GMT and Z are read, else offsets such as +02:00");
  }
  const char sign = rest_.empty() ? '\0' : rest_.front();
  if (sign != '+' && sign != '-') fail_unknown();
  rest_.remove_prefix(1);
  auto hours = number(4);
  int minutes = 0;
  if (hours.digits == 4) {
    minutes = hours.value % 100;
    hours.value /= 100;
  } else if (hours.digits != 2) {
    fail_unknown();
  } else if (accept(':')) {
    minutes = number(2, 2);
  }
  zone_ = fmt::format("{}{:02}:{:02}", sign, hours.value, minutes);
}

/// A number alone counts from 1970, in units that its digits tell.
std::optional<std::string> DateReader::read_epoch() const {
  const auto point = std::min(given_.find_first_of(".,"), given_.size());
  auto digits = std::string(given_.substr(0, point));
  const auto fraction = given_.substr(std::min(point + 1, given_.size()));
  if (digits.empty() || !std::ranges::all_of(digits, is_digit) || !std::ranges::all_of(fraction, is_digit)) return {};
  if (point < given_.size() && fraction.empty()) return {};
  constexpr std::array<std::pair<std::size_t, std::size_t>, 4> units = {{{10, 0}, {13, 3}, {16, 6}, {19, 9}}};
  for (const auto& [most, smaller_by] : units) {
    if (digits.size() != most && digits.size() + 1 != most) continue;
    const auto whole = digits.size() - smaller_by;
    auto nanos = digits.substr(whole) + std::string(fraction);
    nanos.resize(nanos_digits, '0');
    std::string time;
    const auto nano = std::stoll(nanos);
    wire::append_timestamp(time,
                           {wire::unix_epoch + std::stoll(digits.substr(0, whole)) * 1'000'000 + nano / 1'000,
                            static_cast<int>(nano % 1'000)},
                           "Z");
    return time;
  }
  fail("is a number of " + std::to_string(digits.size()) + " digits; counted from 1970, seconds have 9 or 10, " +
       "milliseconds 12 or 13, microseconds 15 or 16, nanoseconds 18 or 19");
}

std::string DateReader::in_utc(std::string_view text) const {
  try {
    std::string time;
    wire::append_timestamp(time, wire::read_timestamp(text), "Z");
    return time;
  } catch (const wire::EventError&) {
    fail("has a part out of range");
  }
}

std::string DateReader::read() {
  if (given_.starts_with('+')) return in_utc(given_);  // years beyond 9999
  if (const auto epoch = read_epoch()) return *epoch;
  read_day();
  if (!has_time_ && !rest_.empty()) {
    const bool is_apart = accept('T') || accept('t') || accept(':') || (accept(',') && skip_blanks()) || skip_blanks();
    if (!is_apart) fail_unknown();
    read_day_time();
  }
  skip_blanks();
  if (!rest_.empty()) read_zone();
  skip_blanks();
  if (rest_.starts_with('(') && rest_.find(')') == rest_.size() - 1) rest_ = {};  // the zone's name again
  if (!rest_.empty()) fail_unknown();
  return in_utc(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}{}", year_, month_, day_, hour_, minute_, second_,
                            fraction_.empty() ? "" : ".", fraction_, zone_));
}

}  // namespace

std::string read_log_date(std::string_view given, DateOrder order) {
  constexpr const char* blanks = " \t";
  const auto begin = std::min(given.find_first_not_of(blanks), given.size());
  given.remove_prefix(begin);
  given = given.substr(0, given.find_last_not_of(blanks) + 1);
  return DateReader(given, order).read();
}

}  // namespace raceway::server::moving

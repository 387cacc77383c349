// Times on the wire: RFC 3339, read and written.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "wire/event.hpp"

namespace raceway::wire {

struct Timestamp {
  Micros micros = 0;
  int nanos = 0;  ///< 0 to 999, what is finer than a microsecond
};

/// 1970-01-01.
inline constexpr Micros unix_epoch = -946'684'800'000'000;

/// Cut to the microsecond.
Micros micros_of(std::chrono::system_clock::time_point time);

/// Reads `2024-01-01T12:00:00.123456789+02:00`: 'T', 't' or a space between; any number of fraction digits, those
/// beyond nanoseconds dropped; a zone is required ('Z', '+hh:mm', '+hhmm', '+hh'); years 0000 to 294276, beyond 9999
/// also with a '+'; second 60 is the next minute's first. Throws EventError with the reason.
Timestamp read_timestamp(std::string_view text);

/// Reads times one after the other, as read_timestamp() does: of those in one minute only what differs.
class TimestampReader {
 public:
  Timestamp read(std::string_view text);

 private:
  static constexpr std::size_t minute_size = 17;

  std::array<char, minute_size> minute_{};  // "2024-01-01T12:00:", empty before the first
  Micros minute_micros_ = 0;
};

/// Appends a time as `2024-01-01T12:00:00.123456` and `zone` ("Z" or "+00:00") with 0, 3, 6 or 9 digits of fraction,
/// the shortest that is exact.
void append_timestamp(std::string& out, Timestamp time, std::string_view zone);

}  // namespace raceway::wire

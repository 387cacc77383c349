// Dates as logs write them.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace raceway::server::moving {

/// What stands first in `05/06/2014`.
enum class DateOrder { unstated, month_first, day_first };

/// A date that cannot be read, or not surely. what() names it and says what can be done.
class DateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The forms that are read, for people.
extern const char* const known_date_forms;

/// A log's date as RFC 3339 in UTC, to the nanosecond. What has no zone is taken for UTC, a day alone for its first
/// moment. Throws DateError, also for a date with slashes that `order` leaves open: `05/06/2014`, but not `10/13/2014`.
///
/// Days are `2014-10-13`, `2014/10/13`, `20141013` (only before a 'T'), `10/13/2014` or `13/10/2014`, `13.10.2014`, and
/// with the month's name `13/Oct/2014`, `13-Oct-2014`, `13 Oct 2014`, `Oct 13, 2014` and `Mon Oct 13 14:37:20 UTC
/// 2014`; a day of the week may stand before them. Times of the day are `14:37`, `14:37:20`, with 1 to 9 digits behind
/// a point or a comma, and `2:37:20 PM`. Zones are `Z`, `UTC`, `GMT`, `+02:00`, `+0200` and `+02`. A number counts from
/// 1970: seconds with 9 or 10 digits, milliseconds with 12 or 13, microseconds with 15 or 16, nanoseconds with 18
/// or 19.
std::string read_log_date(std::string_view given, DateOrder order = DateOrder::unstated);

}  // namespace raceway::server::moving

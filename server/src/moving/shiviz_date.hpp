// Dates as logs write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace raceway::server::moving {

/// A log's date as RFC 3339: RFC 3339 itself, `2013-05-24 23:28:00,637` and `5/27/2013 10:53:39 AM`, taken for UTC
/// where there is no zone. Nothing where it is in no such form.
std::optional<std::string> read_log_date(std::string_view given);

}  // namespace raceway::server::moving

// What a server said of itself, for people.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "status/metrics.hpp"
#include "terminal/terminal.hpp"

namespace raceway::server::status {

/// "3 d 4 h", "5 min 2 s".
std::string shown_duration(std::uint64_t seconds);

/// "1,234,567".
std::string shown_count(std::uint64_t count);

/// Events a second between two answers that are `seconds` apart; nothing where the second server is not the first one
/// (it was restarted), or events went meanwhile.
std::optional<double> rate_between(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                                   double seconds);

/// `data` is that of GET /status, `metrics` what GET /metrics had. What it holds beyond what is known here is shown as
/// it is named. Ends with a newline.
std::string view(const std::string& url, const nlohmann::ordered_json& data, const Metrics& metrics,
                 std::optional<double> rate, const terminal::Style& style);

}  // namespace raceway::server::status

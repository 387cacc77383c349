#include "moving/shiviz_date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

bool is_time(const std::string& text) {
  try {
    wire::read_timestamp(text);
    return true;
  } catch (const wire::EventError&) {
    return false;
  }
}

/// Month, day, year, and a clock of twelve hours.
std::optional<std::string> read_american(const std::string& text) {
  int month = 0;
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  char half = 0;
  if (std::sscanf(text.c_str(), "%2d/%2d/%4d %2d:%2d:%2d %cM", &month, &day, &year, &hour, &minute, &second, &half) !=
      7) {
    return std::nullopt;
  }
  hour = hour % 12 + (half == 'P' ? 12 : 0);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", year, month, day, hour, minute, second);
}

}  // namespace

std::optional<std::string> read_log_date(std::string_view given) {
  std::string text(given);
  if (is_time(text)) return text;
  if (auto american = read_american(text); american && is_time(*american)) return american;
  std::replace(text.begin(), text.end(), ',', '.');
  text += 'Z';
  if (is_time(text)) return text;
  return std::nullopt;
}

}  // namespace raceway::server::moving

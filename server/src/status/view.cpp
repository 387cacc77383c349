#include "status/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "terminal/for_terminal.hpp"

namespace raceway::server::status {
namespace {

using Json = nlohmann::ordered_json;
using terminal::Colour;
using terminal::painted;

constexpr std::size_t name_width = 10;

/// A whole number, 0 where it is none.
std::uint64_t count_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text_in(const Json& json, const char* name, const char* otherwise) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

std::string shown_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> names = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t at = 0;
  while (size >= 1024 && at + 1 < names.size()) {
    size /= 1024;
    ++at;
  }
  return fmt::format("{:.{}f} {}", size, at == 0 ? 0 : 1, names[at]);
}

std::string line(std::string_view name, const std::string& text, const terminal::Style& style) {
  const auto shown = terminal::line_for_terminal(name);
  const auto width = std::max(name_width, shown.size() + 1);
  return painted(style, Colour::bold, fmt::format("{:<{}}", shown, width)) +
         terminal::wrapped(terminal::line_for_terminal(text), style.width, width) + '\n';
}

std::string bar(double part, const terminal::Style& style) {
  const std::size_t width = std::min<std::size_t>(30, style.width / 3);
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width));
  constexpr double nearly_full = 0.95;
  const std::string text = "[" + std::string(full, '=') + std::string(width - full, ' ') + "]";
  return painted(style, part < nearly_full ? Colour::green : Colour::yellow, text);
}

/// The memory backend: how full it is, what bounds it, what went for that.
std::string memory_lines(const Json& memory, const terminal::Style& style) {
  const auto bytes = count_in(memory, "bytes");
  const auto max_bytes = count_in(memory, "max_bytes");
  std::string lines;
  std::string fill = shown_size(bytes);
  if (max_bytes > 0) {
    const double part = static_cast<double>(bytes) / static_cast<double>(max_bytes);
    fill += fmt::format(" of {}  {:.0f} %", shown_size(max_bytes), part * 100);
    lines += painted(style, Colour::bold, fmt::format("{:<{}}", "memory", name_width)) + fill + "  " +
             bar(part, style) + '\n';
  } else {
    lines += line("memory", fill, style);
  }
  std::string limits = max_bytes > 0 ? shown_size(max_bytes) : "";
  const auto also = [&](const std::string& limit) { limits += (limits.empty() ? "" : ", ") + limit; };
  if (const auto traces = count_in(memory, "max_traces"); traces > 0) also(shown_count(traces) + " traces");
  if (const auto age = count_in(memory, "max_age_seconds"); age > 0)
    also(shown_duration(age) + " since the last event");
  lines += line("limits", limits.empty() ? "none" : limits, style);
  std::string evicted = fmt::format("{} traces, {} events", shown_count(count_in(memory, "evicted_traces")),
                                    shown_count(count_in(memory, "evicted_events")));
  if (const auto by = memory.find("evicted_by"); by != memory.end() && by->is_object()) {
    std::string parts;
    for (const auto& [name, counts] : by->items()) {
      if (!counts.is_object() || count_in(counts, "traces") == 0) continue;
      parts += fmt::format("{}{}: {}", parts.empty() ? "" : ", ", name, shown_count(count_in(counts, "traces")));
    }
    if (!parts.empty()) evicted += " (traces by " + parts + ")";
  }
  return lines + line("evicted", evicted, style);
}

/// "in_use 3, waiting 0".
std::string plain(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_object()) return json.dump();
  std::string text;
  for (const auto& [name, value] : json.items()) {
    if (value.is_null()) continue;
    text += (text.empty() ? "" : ", ") + name + " " + (value.is_object() ? "(" + plain(value) + ")" : plain(value));
  }
  return text;
}

bool is_known(const std::string& name) {
  constexpr std::array<std::string_view, 7> known = {"version", "uptime_seconds", "events_captured", "traces_active",
                                                     "memory",  "warmup",         "backend"};
  return std::ranges::find(known, name) != known.end();
}

}  // namespace

std::string shown_duration(std::uint64_t seconds) {
  constexpr std::uint64_t minute = 60;
  constexpr std::uint64_t hour = 3600;
  constexpr std::uint64_t day = 86'400;
  if (seconds < minute) return fmt::format("{} s", seconds);
  if (seconds < hour) return fmt::format("{} min {} s", seconds / minute, seconds % minute);
  if (seconds < day) return fmt::format("{} h {} min", seconds / hour, seconds % hour / minute);
  return fmt::format("{} d {} h", seconds / day, seconds % day / hour);
}

std::string shown_count(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  constexpr std::size_t group = 3;
  std::string grouped;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % group == 0) grouped += ',';
    grouped += digits[at];
  }
  return grouped;
}

std::optional<double> rate_between(const Json& before, const Json& now, double seconds) {
  const auto was = count_in(before, "events_captured");
  const auto is = count_in(now, "events_captured");
  const bool restarted = count_in(now, "uptime_seconds") < count_in(before, "uptime_seconds");
  if (restarted || is < was || seconds <= 0) return std::nullopt;
  return static_cast<double>(is - was) / seconds;
}

std::string view(const std::string& url, const Json& data, const Metrics& metrics, std::optional<double> rate,
                 const terminal::Style& style) {
  const auto memory = data.find("memory");
  const bool in_memory = memory != data.end() && memory->is_object();
  const auto version = terminal::line_for_terminal(text_in(data, "version", ""));
  std::string text = painted(style, Colour::bold, "Raceway " + version) + " at " + terminal::line_for_terminal(url) +
                     ", up " + shown_duration(count_in(data, "uptime_seconds")) + '\n';
  text += line("backend", text_in(data, "backend", in_memory ? "memory" : "postgres"), style);
  text += line("events", shown_count(count_in(data, "events_captured")), style);
  text += line("traces", shown_count(count_in(data, "traces_active")), style);
  if (rate)
    text +=
        line("rate", fmt::format("{} events/s", shown_count(static_cast<std::uint64_t>(std::llround(*rate)))), style);
  if (in_memory) text += memory_lines(*memory, style);
  for (const auto& [name, shown] : metric_lines(metrics)) text += line(name, shown, style);
  for (const auto& [name, value] : data.items()) {
    if (!is_known(name) && !value.is_null()) text += line(name, plain(value), style);
  }
  return text;
}

}  // namespace raceway::server::status

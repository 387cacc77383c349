#include "status/metrics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "status/view.hpp"

namespace raceway::server::status {
namespace {

std::string count(double value) {
  return std::isfinite(value) && value >= 0 ? shown_count(static_cast<std::uint64_t>(std::llround(value))) : "?";
}

/// `state="in_use",pool="main"` as "in_use main".
std::string label_values(std::string_view labels) {
  std::string values;
  for (std::size_t from = labels.find('"'); from != std::string_view::npos; from = labels.find('"', from)) {
    const auto to = labels.find('"', from + 1);
    if (to == std::string_view::npos) break;
    values += std::string(values.empty() ? "" : " ") + std::string(labels.substr(from + 1, to - from - 1));
    from = to + 1;
  }
  return values;
}

}  // namespace

Metrics::Metrics(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto name_end = line.find_first_of("{ ");
    if (line.starts_with('#') || name_end == std::string_view::npos || name_end == 0) continue;
    std::string labels;
    auto value_at = name_end;
    if (line[name_end] == '{') {
      const auto close = line.rfind('}');
      if (close == std::string_view::npos) continue;
      labels = line.substr(name_end + 1, close - name_end - 1);
      value_at = close + 1;
    }
    const std::string number(line.substr(value_at));
    char* rest = nullptr;
    const double value = std::strtod(number.c_str(), &rest);
    if (rest != number.c_str()) samples_[std::string(line.substr(0, name_end))].emplace_back(labels, value);
  }
}

std::optional<double> Metrics::value(std::string_view name) const {
  const auto found = samples_.find(name);
  if (found == samples_.end()) return std::nullopt;
  double sum = 0;
  for (const auto& [labels, value] : found->second) sum += value;
  return sum;
}

std::string Metrics::by_label(std::string_view name) const {
  const auto found = samples_.find(name);
  if (found == samples_.end()) return "";
  std::string text;
  for (const auto& [labels, value] : found->second) {
    const auto values = label_values(labels);
    text += (text.empty() ? "" : ", ") + (values.empty() ? "" : values + " ") + count(value);
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> metric_lines(const Metrics& metrics) {
  std::vector<std::pair<std::string, std::string>> lines;
  if (const auto reachable = metrics.value("raceway_database_reachable")) {
    lines.emplace_back("database", *reachable > 0 ? "reachable" : "away");
  }
  if (const auto waiting = metrics.value("raceway_ingest_buffer_events")) {
    const auto limit = metrics.value("raceway_ingest_buffer_limit_events");
    lines.emplace_back("buffer", count(*waiting) + (limit ? " of " + count(*limit) : "") + " events");
  }
  if (auto pool = metrics.by_label("raceway_database_pool_connections"); !pool.empty()) {
    if (const auto most = metrics.value("raceway_database_pool_max_connections")) pool += " of " + count(*most);
    if (const auto waiting = metrics.value("raceway_database_pool_waiting")) pool += ", waiting " + count(*waiting);
    lines.emplace_back("pool", pool);
  }
  if (const auto stored = metrics.value("raceway_events_stored_total")) {
    lines.emplace_back("ingest", fmt::format("{} stored, {} duplicates, {} rejected since the start", count(*stored),
                                             count(metrics.value("raceway_events_duplicate_total").value_or(0)),
                                             count(metrics.value("raceway_events_rejected_total").value_or(0))));
  }
  return lines;
}

}  // namespace raceway::server::status

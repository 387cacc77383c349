// Durations that are far from those of the same operation in other traces.
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "analysis/event_details.hpp"
#include "analysis/global_report.hpp"
#include "analysis/json.hpp"
#include "analysis/operations.hpp"
#include "wire/arena.hpp"
#include "wire/row_json.hpp"

namespace raceway::server::analysis {
namespace {

constexpr std::uint64_t fewest_samples = 5;

struct Verdict {
  std::string_view severity;
  double sigma;
};

/// The HTTP contract's: by standard deviations, or where there is none by a fifth more or less.
std::optional<Verdict> judge(const DurationSums& baseline, double micros) {
  constexpr double minor = 1.5;
  constexpr double warning = 3;
  constexpr double critical = 5;
  constexpr double tolerated = 20;  // percent
  const double mean = baseline.mean_micros();
  if (baseline.count < fewest_samples || mean == 0) return std::nullopt;
  const double deviation = baseline.deviation_micros();
  double sigma = 0;
  if (deviation == 0) {
    const double percent = 100 * std::abs(micros - mean) / mean;
    if (percent <= tolerated) return std::nullopt;
    sigma = percent / 10;
  } else {
    sigma = std::abs(micros - mean) / deviation;
  }
  if (sigma <= minor) return std::nullopt;
  return Verdict{sigma > critical ? "Critical" : sigma > warning ? "Warning" : "Minor", sigma};
}

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

using Key = std::pair<std::string, std::string>;  // service, operation

std::map<Key, DurationSums> baselines(const RolledUp& rolled_up, std::string_view but_trace) {
  std::map<Key, DurationSums> sums;
  for (const auto* trace : rolled_up.traces) {
    if (trace->state.trace_id == but_trace) continue;
    for (const auto& operation : trace->digest.operations) {
      sums[{std::string(rolled_up.names[operation.service]), std::string(rolled_up.names[operation.name])}].add(
          operation.durations);
    }
  }
  return sums;
}

}  // namespace

Anomalies find_anomalies(const RolledUp& rolled_up, TraceAnalysis& trace, std::string_view trace_id) {
  struct Found {
    Verdict verdict;
    double actual;
    const DurationSums* baseline;
    std::string operation;
  };
  const auto sums = baselines(rolled_up, trace_id);
  const auto& events = trace.events();
  std::vector<std::uint32_t> event_at(events.size());
  for (std::uint32_t event = 0; event < events.size(); ++event) event_at[events[event].place] = event;
  std::map<std::uint32_t, Found> found;  // by place in the order
  std::uint32_t at = 0;
  if (!sums.empty()) {
    trace.rows().each([&](const wire::Row& row) {
      const std::uint32_t event = event_at[at++];
      const auto nanos = events[event].duration_nanos;
      if (nanos < 0) return true;
      wire::Arena arena;
      const auto metadata = wire::read_row_object(row.metadata, arena);
      std::string operation = operation_of(row, metadata);
      const auto sum = sums.find({std::string(events.names()[events.origin(event).service]), operation});
      if (sum == sums.end()) return true;
      const std::int64_t whole = nanos / nanos_in_a_microsecond;
      const auto micros = static_cast<double>(whole);
      if (const auto verdict = judge(sum->second, micros))
        found.try_emplace(trace.happened().place(event), Found{*verdict, micros, &sum->second, std::move(operation)});
      return true;
    });
  }
  std::vector<std::uint32_t> shown;
  for (const auto& [place, anomaly] : found) shown.push_back(trace.happened().order()[place]);
  const auto details = read_details(trace, shown);
  std::string json = "[";
  std::size_t number = 0;
  for (const auto& [place, anomaly] : found) {
    const EventDetails& event = details[number++];
    const double actual = anomaly.actual / micros_in_a_millisecond;
    const double expected = anomaly.baseline->mean_micros() / micros_in_a_millisecond;
    json += json.back() == '[' ? "{" : ",{";
    append_text(json, "event_id", event.id);
    append_text(json, "event_kind", anomaly.operation);
    append_text(json, "severity", anomaly.verdict.severity);
    append_real(json, "actual_duration_ms", actual);
    append_real(json, "expected_duration_ms", expected);
    append_real(json, "std_dev_from_mean", anomaly.verdict.sigma);
    append_text(json, "description",
                anomaly.operation + " took " + fixed(actual, 2) + "ms (expected " + fixed(expected, 2) + "ms ± " +
                    fixed(anomaly.baseline->deviation_micros() / micros_in_a_millisecond, 2) + "ms, " +
                    fixed(anomaly.verdict.sigma, 1) + "σ from mean)");
    append_text(json, "location", event.location);
    append_time(json, "timestamp", event.time, "Z");
    json += '}';
  }
  return {found.size(), json + ']'};
}

}  // namespace raceway::server::analysis

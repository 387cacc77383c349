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

/// What an operation of a service takes in all traces but one.
class Baselines {
 public:
  Baselines(const RolledUp& rolled_up, std::string_view but_trace) : rolled_up_(rolled_up) {
    const auto own = rolled_up.by_id.find(but_trace);
    if (own == rolled_up.by_id.end()) return;
    for (const auto& operation : own->second->digest.operations)
      own_.emplace(std::pair(operation.service, operation.name), operation.durations);
  }

  DurationSums of(std::string_view service, std::string_view operation) const {
    const auto key = std::pair(rolled_up_.names.find(service), rolled_up_.names.find(operation));
    const bool is_known = (key.first != 0 || service.empty()) && key.second != 0;
    const auto all = rolled_up_.durations.find(key);
    if (!is_known || all == rolled_up_.durations.end()) return {};
    DurationSums others = all->second;
    if (const auto own = own_.find(key); own != own_.end()) others.take_out(own->second);
    return others;
  }

 private:
  const RolledUp& rolled_up_;
  DurationsByOperation own_;
};

}  // namespace

bool tells_durations(const TraceAnalysis& trace) {
  for (std::uint32_t event = 0; event < trace.events().size(); ++event) {
    if (trace.events()[event].duration_nanos >= 0) return true;
  }
  return false;
}

Anomalies find_anomalies(const RolledUp& rolled_up, TraceAnalysis& trace, std::string_view trace_id) {
  struct Found {
    Verdict verdict;
    double actual;
    DurationSums baseline;
    std::string operation;
  };
  const Baselines baselines(rolled_up, trace_id);
  const auto& events = trace.events();
  std::vector<std::uint32_t> event_at(events.size());
  for (std::uint32_t event = 0; event < events.size(); ++event) event_at[events[event].place] = event;
  std::map<std::uint32_t, Found> found;  // by place in the order
  std::uint32_t at = 0;
  trace.rows().each([&](const wire::Row& row) {
    const std::uint32_t event = event_at[at++];
    const auto nanos = events[event].duration_nanos;
    if (nanos < 0) return true;
    wire::Arena arena;
    std::string operation = operation_of(row, wire::read_row_object(row.metadata, arena));
    const auto baseline = baselines.of(events.names()[events.origin(event).service], operation);
    const std::int64_t whole = nanos / nanos_in_a_microsecond;
    const auto micros = static_cast<double>(whole);
    if (const auto verdict = judge(baseline, micros))
      found.try_emplace(trace.happened().place(event), Found{*verdict, micros, baseline, std::move(operation)});
    return true;
  });
  std::vector<std::uint32_t> shown;
  for (const auto& [place, anomaly] : found) shown.push_back(trace.happened().order()[place]);
  const auto details = read_details(trace, shown);
  std::string json = "[";
  std::size_t number = 0;
  for (const auto& [place, anomaly] : found) {
    const EventDetails& event = details[number++];
    const double actual = anomaly.actual / micros_in_a_millisecond;
    const double expected = anomaly.baseline.mean_micros() / micros_in_a_millisecond;
    json += json.back() == '[' ? "{" : ",{";
    append_text(json, "event_id", event.id);
    append_text(json, "event_kind", anomaly.operation);
    append_text(json, "severity", anomaly.verdict.severity);
    append_real(json, "actual_duration_ms", actual);
    append_real(json, "expected_duration_ms", expected);
    append_real(json, "std_dev_from_mean", anomaly.verdict.sigma);
    append_text(json, "description",
                anomaly.operation + " took " + fixed(actual, 2) + "ms (expected " + fixed(expected, 2) + "ms ± " +
                    fixed(anomaly.baseline.deviation_micros() / micros_in_a_millisecond, 2) + "ms, " +
                    fixed(anomaly.verdict.sigma, 1) + "σ from mean)");
    append_text(json, "location", event.location);
    append_time(json, "timestamp", event.time, "Z");
    json += '}';
  }
  return {found.size(), json + ']'};
}

}  // namespace raceway::server::analysis

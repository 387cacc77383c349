// Puts figures into the form of prometheus-cpp.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "observability/histogram.hpp"

namespace raceway::server::observability {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;

/// How many of the unit in which durations are counted make one of that in which they are shown.
inline constexpr double microseconds = 1e6;

template <class Number>
double number(const Number& value) {
  return static_cast<double>(value);
}

inline prometheus::MetricFamily& append_family(Families& families, std::string name, std::string help,
                                               prometheus::MetricType type) {
  families.push_back({std::move(name), std::move(help), type, {}});
  return families.back();
}

inline void add_counter(prometheus::MetricFamily& family, double value, Labels labels = {}) {
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

inline void add_gauge(prometheus::MetricFamily& family, double value, Labels labels = {}) {
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

inline void append_counter(Families& families, std::string name, std::string help, double value) {
  add_counter(append_family(families, std::move(name), std::move(help), prometheus::MetricType::Counter), value);
}

inline void append_gauge(Families& families, std::string name, std::string help, double value) {
  add_gauge(append_family(families, std::move(name), std::move(help), prometheus::MetricType::Gauge), value);
}

/// `per_unit`: how many of the histogram's units make one of the family's: 1e6 for microseconds shown in seconds.
template <std::size_t N>
void add_histogram(prometheus::MetricFamily& family, const HistogramReading<N>& reading, double per_unit,
                   Labels labels = {}) {
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < N; ++at) {
    count += reading.counts[at];
    metric.histogram.bucket.push_back({count, static_cast<double>(reading.bounds[at]) / per_unit});
  }
  metric.histogram.sample_count = count + reading.counts[N];
  metric.histogram.sample_sum = static_cast<double>(reading.sum) / per_unit;
}

}  // namespace raceway::server::observability

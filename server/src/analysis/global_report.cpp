#include "analysis/global_report.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "analysis/event_details.hpp"
#include "analysis/json.hpp"

namespace raceway::server::analysis {
namespace {

constexpr std::size_t most_hot = 10;

void append_micros(std::string& json, std::string_view name, double micros) {
  append_real(json, name, micros / micros_in_a_millisecond);
}

struct CallTotals {
  std::uint64_t calls = 0;
  std::uint64_t traces = 0;
};

using CallsByKind = std::map<std::tuple<std::string_view, std::string_view, causality::CallKind>, std::uint64_t>;

/// Between two services, by names; calls of unknown callers and within a service are left out.
CallsByKind calls_by_kind(const RolledUp& rolled_up) {
  CallsByKind totals;
  for (const auto* trace : rolled_up.traces) {
    for (const auto& call : trace->digest.calls) {
      if (call.from == 0 || call.from == call.to) continue;
      totals[{rolled_up.names[call.from], rolled_up.names[call.to], call.kind}] += call.count;
    }
  }
  return totals;
}

/// The same without the kind, most calls first.
std::vector<std::tuple<std::string_view, std::string_view, CallTotals>> service_calls(const RolledUp& rolled_up) {
  std::map<std::pair<std::string_view, std::string_view>, CallTotals> totals;
  for (const auto* trace : rolled_up.traces) {
    std::set<std::pair<std::string_view, std::string_view>> in_trace;
    for (const auto& call : trace->digest.calls) {
      if (call.from == 0 || call.from == call.to) continue;
      const auto key = std::pair(rolled_up.names[call.from], rolled_up.names[call.to]);
      totals[key].calls += call.count;
      if (in_trace.insert(key).second) ++totals[key].traces;
    }
  }
  std::vector<std::tuple<std::string_view, std::string_view, CallTotals>> sorted;
  for (const auto& [services, each] : totals) sorted.emplace_back(services.first, services.second, each);
  std::ranges::stable_sort(sorted, std::greater<>(), [](const auto& each) { return std::get<2>(each).calls; });
  return sorted;
}

}  // namespace

void append_as_of(std::string& json, const RolledUp& rolled_up) {
  append_count(json, "pending_traces", rolled_up.pending);
  append_time(json, "as_of", {wire::micros_of(rolled_up.as_of), 0}, "Z");
}

std::string hotspots_json(const RolledUp& rolled_up) {
  struct Hot {
    std::uint64_t accesses = 0;
    std::uint64_t traces = 0;
    std::set<std::string_view> services;
  };
  std::map<std::string_view, Hot> variables;
  for (const auto* trace : rolled_up.traces) {
    for (const auto& variable : trace->digest.variables) {
      auto& hot = variables[rolled_up.names[variable.name]];
      hot.accesses += variable.accesses.total();
      ++hot.traces;
      for (const auto service : variable.services) hot.services.insert(rolled_up.names[service]);
    }
  }
  std::vector<std::pair<std::string_view, Hot>> sorted(variables.begin(), variables.end());
  std::ranges::stable_sort(sorted, std::greater<>(), [](const auto& each) { return each.second.accesses; });
  if (sorted.size() > most_hot) sorted.resize(most_hot);
  std::string json = "{";
  append_list(json, "top_variables", sorted, [&](const auto& each) {
    append_text(json, "variable", each.first);
    append_count(json, "access_count", each.second.accesses);
    append_count(json, "trace_count", each.second.traces);
    append_texts(json, "services", each.second.services);
  });
  auto calls = service_calls(rolled_up);
  if (calls.size() > most_hot) calls.resize(most_hot);
  append_list(json, "top_service_calls", calls, [&](const auto& each) {
    append_text(json, "from_service", std::get<0>(each));
    append_text(json, "to_service", std::get<1>(each));
    append_count(json, "call_count", std::get<2>(each).calls);
  });
  append_count(json, "pending_traces", rolled_up.pending);
  return json + '}';
}

std::string edges_json(const RolledUp& rolled_up) {
  const auto totals = calls_by_kind(rolled_up);
  std::vector<std::pair<CallsByKind::key_type, std::uint64_t>> sorted(totals.begin(), totals.end());
  std::ranges::stable_sort(sorted, std::greater<>(), [](const auto& each) { return each.second; });
  std::string json = "{";
  append_count(json, "total_edges", sorted.size());
  append_list(json, "edges", sorted, [&](const auto& each) {
    append_text(json, "from_service", std::get<0>(each.first));
    append_text(json, "to_service", std::get<1>(each.first));
    append_text(json, "link_type", name_of(std::get<2>(each.first)));
    append_count(json, "call_count", each.second);
  });
  append_count(json, "pending_traces", rolled_up.pending);
  return json + '}';
}

std::string services_health_json(const RolledUp& rolled_up, std::chrono::minutes window) {
  constexpr std::int64_t micros_in_a_minute = 60'000'000;
  constexpr std::int64_t healthy = 5;
  constexpr std::int64_t aging = 30;
  struct Health {
    std::uint64_t traces = 0;
    std::uint64_t events = 0;
    std::int64_t last_seen = std::numeric_limits<std::int64_t>::min();
  };
  const wire::Micros now = wire::micros_of(rolled_up.as_of);
  // Whole minutes, so that windows as long as they like do not run over.
  const auto minutes_since = [&](wire::Micros time) {
    return time >= now ? 0
                       : static_cast<std::int64_t>(
                             (static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(time)) / micros_in_a_minute);
  };
  std::map<std::string_view, Health> services;
  for (const auto* trace : rolled_up.traces) {
    if (minutes_since(trace->state.last_timestamp) >= window.count()) continue;
    for (const auto& service : trace->digest.services) {
      if (service.name == 0) continue;
      auto& health = services[rolled_up.names[service.name]];
      ++health.traces;
      health.events += service.events;
      health.last_seen = std::max(health.last_seen, service.last_seen);
    }
  }
  std::string json = "[";
  for (const auto& [name, health] : services) {
    const std::int64_t minutes = minutes_since(health.last_seen);
    json += json.back() == '[' ? "{" : ",{";
    append_text(json, "name", name);
    append_text(json, "status", minutes < healthy ? "healthy" : minutes < aging ? "warning" : "critical");
    append_count(json, "trace_count", health.traces);
    append_time(json, "last_activity", {health.last_seen, 0}, "+00:00");
    append_real(json, "avg_events_per_trace", static_cast<double>(health.events) / static_cast<double>(health.traces));
    append_count(json, "minutes_since_last_activity", static_cast<std::uint64_t>(minutes));
    json += '}';
  }
  return json + ']';
}

std::string service_dependencies_json(const RolledUp& rolled_up, std::string_view service) {
  const auto calls = service_calls(rolled_up);
  std::string json = "{";
  append_text(json, "service_name", service);
  const auto append_some = [&](std::string_view name, auto own, auto other) {
    std::vector<std::tuple<std::string_view, std::string_view, CallTotals>> some;
    std::ranges::copy_if(calls, std::back_inserter(some), [&](const auto& each) { return own(each) == service; });
    append_list(json, name, some, [&](const auto& each) {
      append_text(json, "to", other(each));
      append_count(json, "total_calls", std::get<2>(each).calls);
      append_count(json, "trace_count", std::get<2>(each).traces);
    });
  };
  const auto from = [](const auto& each) { return std::get<0>(each); };
  const auto to = [](const auto& each) { return std::get<1>(each); };
  append_some("calls_to", from, to);
  append_some("called_by", to, from);
  append_count(json, "pending_traces", rolled_up.pending);
  return json + '}';
}

namespace {

/// What all traces took.
struct Performance {
  std::vector<std::pair<std::uint64_t, const DigestedTrace*>> latencies = {};  // micros
  std::map<std::string_view, std::pair<std::uint64_t, DurationSums>> kinds = {};
  std::map<std::string_view, std::pair<std::uint64_t, DurationSums>> services = {};
  std::uint64_t events = 0;
  DurationSums latency = {};
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
};

Performance performance_of(const RolledUp& rolled_up) {
  Performance all;
  auto& [latencies, kinds, services, events, latency, first, last] = all;
  for (const auto* trace : rolled_up.traces) {
    const auto& state = trace->state;
    const auto micros =
        static_cast<std::uint64_t>(state.last_timestamp) - static_cast<std::uint64_t>(state.first_timestamp);
    latencies.emplace_back(micros, trace);
    latency.count += 1;
    latency.sum += micros;
    events += state.event_count;
    first = std::min(first, state.first_timestamp);
    last = std::max(last, state.last_timestamp);
    for (const auto& kind : trace->digest.kinds) {
      auto& total = kinds[rolled_up.names[kind.name]];
      total.first += kind.count;
      total.second.add(kind.durations);
    }
    for (const auto& service : trace->digest.services) {
      auto& total = services[rolled_up.names[service.name]];
      total.first += service.events;
      total.second.add(service.durations);
    }
  }
  std::ranges::stable_sort(latencies, std::greater<>(), [](const auto& each) { return each.first; });
  return all;
}

}  // namespace

std::string performance_json(const RolledUp& rolled_up, std::uint64_t limit) {
  const Performance all = performance_of(rolled_up);
  const auto& latencies = all.latencies;
  // Nearest rank: a value that is there, and no interpolation. The list falls.
  const auto percentile = [&](double fraction) {
    if (latencies.empty()) return 0.0;
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(latencies.size())));
    return static_cast<double>(latencies[latencies.size() - std::max<std::size_t>(rank, 1)].first);
  };
  std::string json = R"({"trace_latency":{)";
  append_micros(json, "avg_ms", all.latency.mean_micros());
  append_micros(json, "p50_ms", percentile(0.50));
  append_micros(json, "p95_ms", percentile(0.95));
  append_micros(json, "p99_ms", percentile(0.99));
  const std::size_t slowest = std::min<std::size_t>(latencies.size(), limit);
  append_list(json, "slowest_traces", std::span(latencies).first(slowest), [&](const auto& each) {
    append_text(json, "trace_id", each.second->state.trace_id);
    append_micros(json, "duration_ms", static_cast<double>(each.first));
    std::set<std::string_view> of_trace;
    for (const auto& service : each.second->digest.services) {
      if (service.name != 0) of_trace.insert(rolled_up.names[service.name]);
    }
    append_texts(json, "services", of_trace);
  });
  const auto append_averages = [&](std::string_view list, std::string_view key, std::string_view count,
                                   const auto& totals) {
    append_list(json, list, totals, [&](const auto& each) {
      append_text(json, key, each.first);
      append_count(json, count, each.second.first);
      append_micros(json, "avg_duration_ms", each.second.second.mean_micros());
    });
  };
  json += R"(},"event_performance":{)";
  append_averages("by_type", "type", "count", all.kinds);
  json += '}';
  append_averages("service_latency", "service", "event_count", all.services);
  constexpr double micros_in_a_second = 1e6;
  const double seconds =
      all.last > all.first ? (static_cast<double>(all.last) - static_cast<double>(all.first)) / micros_in_a_second : 0;
  json += R"(,"throughput":{)";
  append_real(json, "events_per_second", seconds == 0 ? 0 : static_cast<double>(all.events) / seconds);
  append_real(json, "traces_per_second", seconds == 0 ? 0 : static_cast<double>(latencies.size()) / seconds);
  append_real(json, "time_range_seconds", seconds);
  json += '}';
  append_count(json, "pending_traces", rolled_up.pending);
  return json + '}';
}

}  // namespace raceway::server::analysis

#include "storage/metrics.hpp"

#include <array>
#include <cstddef>

namespace raceway::server::storage {
namespace {

using observability::add_counter;
using observability::add_gauge;
using observability::append_counter;
using observability::append_family;
using observability::append_gauge;
using observability::Families;
using observability::number;
using prometheus::MetricType;

void append_database(Families& families, const DatabaseUse& use, bool reachable) {
  append_gauge(families, "raceway_database_reachable", "1 where the database answers, else 0.", reachable ? 1 : 0);
  auto& connections = append_family(families, "raceway_database_pool_connections",
                                    "Connections to the database, by what they do.", MetricType::Gauge);
  add_gauge(connections, use.in_use, {{"state", "in_use"}});
  add_gauge(connections, use.idle, {{"state", "idle"}});
  append_gauge(families, "raceway_database_pool_max_connections", "How many there may be.", use.max);
  append_gauge(families, "raceway_database_pool_waiting", "Who waits for one.", use.waiting);
  append_counter(families, "raceway_database_pool_timeouts_total", "Waits for one that were given up.",
                 number(use.timeouts));
}

void append_memory(Families& families, Storage& storage, const Fullness& fullness) {
  const auto totals = storage.totals();
  append_gauge(families, "raceway_memory_bytes", "Bytes that the events in memory take.", number(fullness.bytes));
  append_gauge(families, "raceway_memory_max_bytes", "How many they may; 0: any number.",
               number(fullness.limits.max_bytes));
  append_gauge(families, "raceway_memory_events", "Events in memory.", number(totals.events));
  append_gauge(families, "raceway_memory_traces", "Traces in memory.", number(totals.traces));
  append_gauge(families, "raceway_memory_max_traces", "How many there may be; 0: any number.",
               number(fullness.limits.max_traces));
  auto& traces = append_family(families, "raceway_memory_evicted_traces_total",
                               "Traces that went, by the limit that was reached.", MetricType::Counter);
  for (std::size_t by = 0; by < memory_limits; ++by)
    add_counter(traces, number(fullness.evicted[by].traces), {{"limit", names_of_memory_limits[by]}});
  auto& events = append_family(families, "raceway_memory_evicted_events_total", "Events that went with them.",
                               MetricType::Counter);
  for (std::size_t by = 0; by < memory_limits; ++by)
    add_counter(events, number(fullness.evicted[by].events), {{"limit", names_of_memory_limits[by]}});
}

}  // namespace

void append_metrics(Families& families, const ByteBudget& budget) {
  append_gauge(families, "raceway_inflight_bytes", "Bytes that requests hold: bodies, reads of traces, answers.",
               number(budget.in_use()));
  append_gauge(families, "raceway_inflight_max_bytes", "How many they may (server.max_inflight_bytes).",
               number(budget.most()));
  append_counter(families, "raceway_inflight_refusals_total", "Requests for which there were not enough left (503).",
                 number(budget.refusals()));
}

void append_metrics(Families& families, Storage& storage, const DatabaseWatch* watch) {
  const auto use = storage.database_use();
  if (use && watch != nullptr) append_database(families, *use, watch->reachable());
  if (const auto fullness = storage.fullness()) append_memory(families, storage, *fullness);
}

}  // namespace raceway::server::storage

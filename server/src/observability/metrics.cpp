#include "observability/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <array>
#include <cstddef>
#include <locale>
#include <sstream>
#include <string_view>

#include "observability/families.hpp"
#include "observability/process_figures.hpp"

namespace raceway::server::observability {
namespace {

using prometheus::MetricType;

constexpr double microseconds = 1e6;

template <class Number>
double number(const Number& value) {
  return static_cast<double>(value);
}

std::string owned(std::string_view text) {
  return std::string(text);
}

void append_requests(Families& families, const RequestFigures::Reading& reading) {
  auto& requests =
      append_family(families, "raceway_http_requests_total",
                    "Requests that were answered, by route, method and class of status.", MetricType::Counter);
  for (const auto& route : reading.routes) {
    for (std::size_t method = 0; method < route.requests.size(); ++method) {
      for (std::size_t status = 0; status < route.requests[method].size(); ++status) {
        const auto count = route.requests[method][status];
        if (count == 0) continue;
        add_counter(requests, number(count),
                    {{"method", owned(RequestFigures::methods[method])},
                     {"route", route.name},
                     {"status", owned(RequestFigures::statuses[status])}});
      }
    }
  }
  auto& durations = append_family(families, "raceway_http_request_duration_seconds",
                                  "From the first byte of a request to the last of its answer.", MetricType::Histogram);
  for (const auto& route : reading.routes)
    add_histogram(durations, route.durations, microseconds, {{"route", route.name}});
  append_counter(families, "raceway_http_received_bytes_total", "Bytes of request bodies, decompressed.",
                 number(reading.received_bytes));
  append_counter(families, "raceway_http_sent_bytes_total", "Bytes of answers.", number(reading.sent_bytes));
}

void append_connections(Families& families, const http::Counters& http) {
  append_gauge(families, "raceway_http_connections", "Open connections of clients.", number(http.connections));
  append_counter(families, "raceway_http_connections_accepted_total", "Connections that were accepted.",
                 number(http.connections_accepted));
  append_counter(families, "raceway_http_connections_refused_total", "Connections beyond server.max_connections.",
                 number(http.connections_refused));
  append_counter(families, "raceway_http_requests_refused_total",
                 "Requests answered with 503 because too many ran or waited.", number(http.requests_refused));
  append_counter(families, "raceway_http_request_timeouts_total", "Requests that did not arrive in time.",
                 number(http.timeouts));
  append_gauge(families, "raceway_http_requests_running", "Requests that are being worked on.",
               number(http.requests_running));
  append_gauge(families, "raceway_http_requests_queued", "Requests that wait for a thread.",
               number(http.requests_queued));
}

void append_events(Families& families, const ingest::Figures& figures) {
  append_counter(families, "raceway_events_stored_total", "Events that were stored.", number(figures.stored.load()));
  append_counter(families, "raceway_events_duplicate_total", "Events that were there already.",
                 number(figures.duplicates.load()));
  auto& rejected = append_family(families, "raceway_events_rejected_total", "Events that were rejected, by reason.",
                                 MetricType::Counter);
  for (std::size_t at = 0; at < figures.rejected.size(); ++at)
    add_counter(rejected, number(figures.rejected[at].load()), {{"reason", owned(ingest::reject_classes[at])}});
  append_counter(families, "raceway_events_lost_total", "Events that were acknowledged and could not be stored.",
                 number(figures.lost.load()));
}

void append_batches(Families& families, const ingest::Figures& figures, const ingest::Depth& depth) {
  append_gauge(families, "raceway_ingest_buffer_events", "Events that wait or are being written.",
               number(depth.buffered));
  append_gauge(families, "raceway_ingest_queued_events", "Those of them that wait.", number(depth.queued));
  append_gauge(families, "raceway_ingest_buffer_limit_events", "How many may (engine.buffer_size).",
               number(depth.limit));
  append_gauge(families, "raceway_ingest_writers", "Threads that write.", depth.writers);
  append_gauge(families, "raceway_ingest_writers_busy", "Those of them that are writing.", depth.busy_writers);
  append_counter(families, "raceway_ingest_bodies_refused_total",
                 "Bodies answered with 503 because the buffer was full or the server was stopping.",
                 number(figures.refused.load()));
  append_counter(families, "raceway_ingest_flush_failures_total", "Tries to write a batch that the database refused.",
                 number(figures.failures.load()));
  add_histogram(append_family(families, "raceway_ingest_batch_events", "Events of a batch.", MetricType::Histogram),
                figures.batches.read(), 1);
  add_histogram(append_family(families, "raceway_ingest_flush_duration_seconds", "How long writing a batch took.",
                              MetricType::Histogram),
                figures.flushes.read(), microseconds);
}

void append_database(Families& families, const storage::DatabaseUse& use, bool reachable) {
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

void append_memory(Families& families, storage::Storage& storage, const storage::Fullness& fullness) {
  constexpr std::array<const char*, storage::memory_limits> limits{"bytes", "traces", "age"};
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
  for (std::size_t by = 0; by < limits.size(); ++by)
    add_counter(traces, number(fullness.evicted[by].traces), {{"limit", limits[by]}});
  auto& events = append_family(families, "raceway_memory_evicted_events_total", "Events that went with them.",
                               MetricType::Counter);
  for (std::size_t by = 0; by < limits.size(); ++by)
    add_counter(events, number(fullness.evicted[by].events), {{"limit", limits[by]}});
}

}  // namespace

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  Families families;
  add_gauge(append_family(families, "raceway_build_info", "1; its labels say what runs.", MetricType::Gauge), 1,
            {{"backend", sources_.backend}, {"version", RACEWAY_VERSION}});
  append_requests(families, sources_.requests.read());
  append_connections(families, sources_.http());
  append_events(families, sources_.ingestor.figures());
  const auto depth = sources_.ingestor.depth();
  if (depth.limit > 0) append_batches(families, sources_.ingestor.figures(), depth);
  const auto use = sources_.storage.database_use();
  if (use && sources_.database != nullptr) append_database(families, *use, sources_.database->reachable());
  if (const auto fullness = sources_.storage.fullness()) append_memory(families, sources_.storage, *fullness);
  append_process_figures(families);
  return families;
}

std::string Metrics::text() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  prometheus::TextSerializer().Serialize(out, Collect());
  return out.str();
}

}  // namespace raceway::server::observability

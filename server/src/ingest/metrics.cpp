#include "ingest/metrics.hpp"

#include <cstddef>
#include <string>

namespace raceway::server::ingest {
namespace {

using observability::add_counter;
using observability::add_histogram;
using observability::append_counter;
using observability::append_family;
using observability::append_gauge;
using observability::Families;
using observability::microseconds;
using observability::number;
using prometheus::MetricType;

void append_events(Families& families, const Figures& figures) {
  append_counter(families, "raceway_events_stored_total", "Events that were stored.", number(figures.stored.load()));
  append_counter(families, "raceway_events_duplicate_total", "Events that were there already.",
                 number(figures.duplicates.load()));
  auto& rejected = append_family(families, "raceway_events_rejected_total", "Events that were rejected, by reason.",
                                 MetricType::Counter);
  for (std::size_t at = 0; at < figures.rejected.size(); ++at)
    add_counter(rejected, number(figures.rejected[at].load()), {{"reason", std::string(reject_classes[at])}});
  append_counter(families, "raceway_events_lost_total", "Events that were acknowledged and could not be stored.",
                 number(figures.lost.load()));
}

void append_batches(Families& families, const Figures& figures, const Depth& depth) {
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

}  // namespace

void append_metrics(Families& families, const Ingestor& ingestor) {
  append_events(families, ingestor.figures());
  const auto depth = ingestor.depth();
  if (depth.limit > 0) append_batches(families, ingestor.figures(), depth);
}

}  // namespace raceway::server::ingest

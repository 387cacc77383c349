#include "storage/memory_storage.hpp"

#include <algorithm>
#include <mutex>

#include "wire/reasons.hpp"

namespace raceway::server::storage {
namespace {

std::string clock_text(const wire::Event& event) {
  std::string text;
  if (!event.has_clock) return text;
  char separator = '{';
  for (const auto& [name, counter] : event.clock) {
    text += separator;
    wire::append_json_string(text, name);
    text += ':' + std::to_string(counter);
    separator = ',';
  }
  return text.empty() ? "{}" : text + '}';
}

StoredEvent to_stored(const wire::Event& event) {
  StoredEvent stored;
  stored.event_id = event.event_id;
  stored.trace_id = event.trace_id;
  stored.kind = event.kind;
  stored.timestamp = event.timestamp;
  stored.duration_ms = event.duration_ms;
  if (event.location) stored.location = std::string(*event.location);
  stored.vector_clock = clock_text(event);
  wire::append_json(stored.metadata, event.metadata);
  return stored;
}

}  // namespace

bool MemoryStorage::Trace::passes(const TraceFilter& filter) const {
  return events.size() >= filter.min_events && (!filter.service || events_by_service.contains(*filter.service)) &&
         (!filter.from || last_timestamp >= *filter.from) && (!filter.to || first_timestamp <= *filter.to);
}

TraceSummary MemoryStorage::Trace::summary() const {
  TraceSummary summary{trace_id, events.size(), first_timestamp, last_timestamp, {}};
  for (const auto& [service, count] : events_by_service) summary.services.push_back(service);
  return summary;
}

std::vector<IngestResult> MemoryStorage::ingest(const std::vector<std::string_view>& bodies) {
  std::vector<wire::Batch> batches;
  batches.reserve(bodies.size());
  for (const auto body : bodies) batches.push_back(wire::read_batch(body));
  std::vector<IngestResult> results;
  results.reserve(batches.size());
  const std::unique_lock lock(mutex_);
  for (auto& batch : batches) results.push_back(store(batch));
  return results;
}

IngestResult MemoryStorage::store(wire::Batch& batch) {
  IngestResult result;
  result.rejected = std::move(batch.rejected);
  for (const auto& event : batch.events) {
    const auto known = trace_of_event_.find(event.event_id);
    if (known == trace_of_event_.end()) {
      append(event);
      ++result.stored;
    } else if (known->second->trace_id == event.trace_id) {
      ++result.duplicates;
    } else {
      const auto reason = wire::reason_other_trace(known->second->trace_id);
      result.rejected.push_back({event.index, std::string(event.event_id), reason});
    }
  }
  std::sort(result.rejected.begin(), result.rejected.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  return result;
}

void MemoryStorage::append(const wire::Event& event) {
  auto found = traces_.find(event.trace_id);
  if (found == traces_.end()) {
    auto created = std::make_unique<Trace>();
    created->trace_id = event.trace_id;
    created->first_timestamp = created->last_timestamp = event.timestamp;
    const std::string_view key = created->trace_id;
    found = traces_.emplace(key, std::move(created)).first;
  }
  Trace& trace = *found->second;
  trace.events.push_back(to_stored(event));
  trace_of_event_.emplace(trace.events.back().event_id, &trace);
  trace.first_timestamp = std::min(trace.first_timestamp, event.timestamp);
  trace.last_timestamp = std::max(trace.last_timestamp, event.timestamp);
  if (!event.service_name) return;
  const auto service = trace.events_by_service.find(*event.service_name);
  if (service != trace.events_by_service.end()) {
    ++service->second;
  } else {
    trace.events_by_service.emplace(*event.service_name, 1);
  }
}

Totals MemoryStorage::totals() {
  const std::shared_lock lock(mutex_);
  return {trace_of_event_.size(), traces_.size()};
}

std::vector<const MemoryStorage::Trace*> MemoryStorage::select(const TraceFilter& filter) const {
  std::vector<const Trace*> selected;
  for (const auto& [id, trace] : traces_) {
    if (trace->passes(filter)) selected.push_back(trace.get());
  }
  std::sort(selected.begin(), selected.end(), [](const Trace* a, const Trace* b) {
    if (a->last_timestamp != b->last_timestamp) return a->last_timestamp > b->last_timestamp;
    return a->trace_id < b->trace_id;
  });
  return selected;
}

TracePage MemoryStorage::list_traces(const TraceFilter& filter, std::uint64_t page, std::uint64_t page_size) {
  const std::shared_lock lock(mutex_);
  const auto selected = select(filter);
  TracePage result{selected.size(), {}};
  const auto pages_before = page - 1;
  if (pages_before > selected.size() / page_size) return result;
  const auto from = pages_before * page_size;
  for (auto at = from; at < std::min<std::uint64_t>(from + page_size, selected.size()); ++at) {
    result.traces.push_back(selected[at]->summary());
  }
  return result;
}

std::optional<std::vector<StoredEvent>> MemoryStorage::trace(const std::string& trace_id) {
  const std::shared_lock lock(mutex_);
  const auto found = traces_.find(trace_id);
  if (found == traces_.end()) return std::nullopt;
  const auto& events = found->second->events;
  return std::vector<StoredEvent>(events.begin(), events.end());
}

void MemoryStorage::each_trace(const TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                               const std::function<bool(const TraceSummary&, std::vector<StoredEvent>)>& visit) {
  // Summaries are taken at one moment; events are only appended, so the first event_count of a trace are that moment's.
  std::vector<std::pair<const Trace*, TraceSummary>> snapshot;
  {
    const std::shared_lock lock(mutex_);
    for (const auto* trace : select(filter)) snapshot.emplace_back(trace, trace->summary());
  }
  begin(snapshot.size());
  for (const auto& [trace, summary] : snapshot) {
    std::vector<StoredEvent> events;
    {
      const std::shared_lock lock(mutex_);
      const auto end = trace->events.begin() + static_cast<std::ptrdiff_t>(summary.event_count);
      events.assign(trace->events.begin(), end);
    }
    if (!visit(summary, std::move(events))) return;
  }
}

std::vector<ServiceSummary> MemoryStorage::services() {
  std::map<std::string, ServiceSummary, std::less<>> by_name;
  const std::shared_lock lock(mutex_);
  for (const auto& [id, trace] : traces_) {
    for (const auto& [name, count] : trace->events_by_service) {
      auto& service = by_name[name];
      service.name = name;
      service.event_count += count;
      ++service.trace_count;
    }
  }
  std::vector<ServiceSummary> services;
  for (auto& [name, service] : by_name) services.push_back(std::move(service));
  return services;
}

}  // namespace raceway::server::storage

#include "memory/memory_storage.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <span>

#include "memory/ingest.hpp"
#include "memory/packed_events.hpp"
#include "memory/store.hpp"

namespace raceway::server::memory {

struct MemoryStorage::Listing {
  std::uint64_t total = 0;
  std::vector<ListedTrace> traces;  // newest first
};

MemoryStorage::MemoryStorage(const storage::MemoryLimits& limits, const storage::Intake& intake)
    : intake_(intake), store_(std::make_unique<Store>(limits)) {}
MemoryStorage::~MemoryStorage() = default;

std::vector<storage::IngestResult> MemoryStorage::ingest(const std::vector<std::string_view>& bodies) {
  storage::BodyReading reading(intake_);
  std::vector<wire::Batch> batches;
  batches.reserve(bodies.size());
  for (const auto body : bodies) batches.push_back(reading.read(body, wire::MetadataForm::apart));
  std::vector<storage::IngestResult> results;
  results.reserve(batches.size());
  for (auto& batch : batches) results.push_back(memory::ingest(*store_, batch));
  return results;
}

storage::Totals MemoryStorage::totals() {
  storage::Totals totals;
  for (const Shard& shard : store_->shards) {
    const std::shared_lock lock(shard.mutex);
    totals.events += shard.event_count;
    totals.traces += shard.trace_count;
  }
  return totals;
}

/// The newest traces that pass, `limit` at most, each shard as of one moment.
MemoryStorage::Listing MemoryStorage::list(const storage::TraceFilter& filter, std::size_t limit,
                                           const std::optional<storage::TracePlace>& behind) const {
  Listing listing;
  Selection selection{nullptr, filter, behind};
  PinnedService service;
  if (filter.service) {
    service = store_->services.find(*filter.service);
    if (service.get() == nullptr) return listing;
    selection.service = service.get();
  }
  for (std::uint32_t number = 0; number < shard_count; ++number) {
    Shard& shard = store_->shards[number];
    {
      const std::shared_lock lock(shard.mutex);
      if (shard.recency.up_to_date()) {
        listing.total += shard.list(selection, limit, number, listing.traces);
        continue;
      }
    }
    const std::unique_lock lock(shard.mutex);
    shard.recency.oldest_first(shard.traces);
    shard.publish_bytes(store_->shard_bytes);
    listing.total += shard.list(selection, limit, number, listing.traces);
  }
  const auto newer = [](const ListedTrace& a, const ListedTrace& b) {
    return a.last != b.last ? a.last > b.last : before(a.id, b.id);
  };
  const std::size_t kept = std::min(limit, listing.traces.size());
  const auto end = listing.traces.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(listing.traces.begin(), end, listing.traces.end(), newer);
  listing.traces.erase(end, listing.traces.end());
  return listing;
}

namespace {

/// Those of the listed traces that are still there, each as of a moment of its own.
template <class Visit>
void each_still(const Store& store, std::span<const ListedTrace> listed, Visit visit) {
  for (const ListedTrace& each : listed) {
    const Shard& shard = store.shards[each.shard];
    const std::shared_lock lock(shard.mutex);
    if (const Trace* const trace = shard.traces.still(each.number, each.generation)) visit(*trace);
  }
}

}  // namespace

storage::TracePage MemoryStorage::list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                              std::uint64_t page_size) {
  const std::uint64_t pages_before = page - 1;
  const bool beyond_counting = page > std::numeric_limits<std::uint64_t>::max() / page_size;
  const auto listing = list(filter, beyond_counting ? 0 : page * page_size);
  storage::TracePage result{listing.total, {}};
  if (beyond_counting) return result;
  const auto before = std::min<std::uint64_t>(pages_before * page_size, listing.traces.size());
  each_still(*store_, std::span(listing.traces).subspan(before),
             [&](const Trace& trace) { result.traces.push_back(trace.summary()); });
  return result;
}

std::vector<storage::TraceState> MemoryStorage::traces_behind(const std::optional<storage::TracePlace>& place,
                                                              std::uint64_t most) {
  std::vector<storage::TraceState> states;
  each_still(*store_, list({}, most, place).traces, [&](const Trace& trace) {
    states.push_back({trace.id.text(), trace.events, trace.first, trace.last});
  });
  return states;
}

std::unique_ptr<PackedEvents> MemoryStorage::packed(const std::string& trace_id) const {
  const Id id = store_->ids.make(trace_id);
  const Shard& shard = store_->shard_of(id);
  auto hold = intake_.budget->hold();
  const auto as_of = std::chrono::system_clock::now();
  PackedTrace packed;
  {
    const std::shared_lock lock(shard.mutex);
    const std::uint32_t number = shard.traces.find(id);
    if (number == none) return nullptr;
    packed = shard.pack(shard.traces[number], hold);
  }
  return std::make_unique<PackedEvents>(std::move(packed), as_of, std::move(hold));
}

std::unique_ptr<storage::TraceEvents> MemoryStorage::trace(const std::string& trace_id) {
  return packed(trace_id);
}

std::vector<storage::TraceSummary> MemoryStorage::summaries(const std::vector<std::string>& trace_ids) {
  std::vector<storage::TraceSummary> summaries;
  for (const std::string& trace_id : trace_ids) {
    const Id id = store_->ids.make(trace_id);
    const Shard& shard = store_->shard_of(id);
    const std::shared_lock lock(shard.mutex);
    const std::uint32_t number = shard.traces.find(id);
    if (number != none) summaries.push_back(shard.traces[number].summary());
  }
  return summaries;
}

bool MemoryStorage::traces_of(const std::vector<std::string>& trace_ids, const VisitTrace& visit) {
  for (const std::string& id : trace_ids) {
    const auto events = packed(id);
    if (events != nullptr && !visit(events->summary(), *events)) return false;
  }
  return true;
}

void MemoryStorage::each_trace(const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                               const VisitTrace& visit) {
  const auto listing = list(filter, std::numeric_limits<std::size_t>::max());
  auto listed_hold = intake_.budget->hold();
  listed_hold.grow(listing.traces.capacity() * sizeof(ListedTrace));
  begin(listing.traces.size());
  for (const ListedTrace& listed : listing.traces) {
    auto hold = intake_.budget->hold();
    const auto as_of = std::chrono::system_clock::now();
    PackedTrace packed;
    {
      const Shard& shard = store_->shards[listed.shard];
      const std::shared_lock lock(shard.mutex);
      const Trace* const trace = shard.traces.still(listed.number, listed.generation);
      if (trace == nullptr) continue;
      packed = shard.pack(*trace, hold);
    }
    PackedEvents events(std::move(packed), as_of, std::move(hold));
    if (!visit(events.summary(), events)) return;
  }
}

std::vector<storage::ServiceSummary> MemoryStorage::services() {
  return store_->services.summaries();
}

std::optional<storage::Fullness> MemoryStorage::fullness() {
  storage::Fullness fullness{store_->bytes(), store_->retention.limits(), {}};
  for (std::size_t by = 0; by < storage::memory_limits; ++by) {
    fullness.evicted[by] = store_->retention.evicted(static_cast<storage::MemoryLimit>(by));
  }
  return fullness;
}

void MemoryStorage::keep_limits() {
  store_->retention.catch_up(*store_);
}

void MemoryStorage::give_back_pages() {
  const std::uint64_t most = store_->retention.limits().max_bytes;
  const GrowthTime changes = store_->clock.last();
  if (most == 0 || store_->bytes() < most / 2 || changes == given_back_at_) return;
  malloc_trim(0);
  given_back_at_ = changes;
}

MemoryUsage MemoryStorage::usage() const {
  MemoryUsage usage;
  for (const Shard& shard : store_->shards) {
    const std::shared_lock lock(shard.mutex);
    usage.records += shard.bytes_of_records();
    usage.traces += shard.bytes_of_traces();
  }
  usage.index = store_->index.bytes();
  usage.shared =
      heap_bytes(store_.get()) + store_->services.bytes() + store_->dictionaries.bytes() + store_->segments.bytes();
  return usage;
}

}  // namespace raceway::server::memory

#include "memory/ingest.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>

#include "memory/bytes.hpp"
#include "memory/record.hpp"
#include "memory/trace_writer.hpp"
#include "wire/reasons.hpp"

namespace raceway::server::memory {
namespace {

using Offered = std::vector<OfferedEvent*>;
using Outcome = TraceWriter::Outcome;

constexpr std::string_view too_large =
    "its trace takes as much of the store as one may (three quarters of storage.memory.max_bytes), or all that is left";

/// One body on its way in.
class Ingest {
 public:
  Ingest(Store& store, wire::Batch& batch) : store_(store) {
    result_.rejected = std::move(batch.rejected);
    prepare(batch);
  }

  storage::IngestResult run() {
    if (ids_repeat_across_traces()) {
      // Rare; the order of the body decides which one stands.
      for (auto& event : events_) store({&event});
    } else {
      store(by_trace());
    }
    result_.rejected.sort();
    return std::move(result_);
  }

 private:
  void prepare(const wire::Batch& batch);
  Service* pin(std::string_view service);
  bool ids_repeat_across_traces() const;
  Offered by_trace();
  void store(Offered events);
  Offered offer(const Offered& events);
  Offered::const_iterator offer_trace(Offered::const_iterator next, Offered::const_iterator end, Offered& unclear);
  bool is_free(OfferedEvent& event);
  void settle(const OfferedEvent& event, Outcome outcome, const std::string& reason);

  Store& store_;
  std::vector<PinnedService> services_;
  std::vector<OfferedEvent> events_;
  Comparison comparison_;
  storage::IngestResult result_;
};

void Ingest::prepare(const wire::Batch& batch) {
  events_.reserve(batch.events.size());
  const OfferedEvent* before = nullptr;
  for (const wire::Event& event : batch.events) {
    const Id id = store_.ids.make(event.event_id);
    store_.index.prefetch(id);
    Service* service = nullptr;
    if (event.service_name) {
      const bool same_service = before != nullptr && before->event->service_name &&
                                same_bytes(*before->event->service_name, *event.service_name);
      service = same_service ? before->service : pin(*event.service_name);
    }
    if (before != nullptr && same_bytes(before->trace_id.text, event.trace_id)) {
      before = &events_.emplace_back(id, before->trace_id, event, service);
    } else {
      before = &events_.emplace_back(id, store_.ids.make(event.trace_id), event, service);
      store_.shard_of(before->trace_id).traces.prefetch(before->trace_id);
    }
  }
}

Service* Ingest::pin(std::string_view service) {
  return services_.emplace_back(store_.services.get(service)).get();
}

bool Ingest::ids_repeat_across_traces() const {
  if (events_.size() < 2) return false;
  const std::size_t mask = std::bit_ceil(events_.size() * 2) - 1;
  std::vector<std::uint32_t> places(mask + 1);  // of an event in events_, plus 1
  for (std::size_t event = 0; event < events_.size(); ++event) {
    const Id& id = events_[event].id;
    std::size_t at = id.hash & mask;
    for (; places[at] != 0; at = (at + 1) & mask) {
      const OfferedEvent& other = events_[places[at] - 1];
      if (other.id.hash == id.hash && other.id.text == id.text) {
        if (other.trace_id.text != events_[event].trace_id.text) return true;
        break;
      }
    }
    places[at] = static_cast<std::uint32_t>(event + 1);
  }
  return false;
}

/// The events shard by shard, in each trace by trace, in each in the body's order.
Offered Ingest::by_trace() {
  struct Run {  // of events that come one after the other
    std::uint64_t trace_hash;
    std::uint32_t begin;
    std::uint32_t end;
  };
  std::vector<Run> runs;
  for (std::uint32_t at = 0; at < events_.size(); ++at) {
    const std::uint64_t hash = events_[at].trace_id.hash;
    if (runs.empty() || runs.back().trace_hash != hash) runs.push_back({hash, at, at});
    runs.back().end = at + 1;
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return a.trace_hash != b.trace_hash ? a.trace_hash < b.trace_hash : a.begin < b.begin;
  });
  Offered sorted;
  sorted.reserve(events_.size());
  for (const Run& run : runs) {
    for (std::uint32_t at = run.begin; at < run.end; ++at) sorted.push_back(&events_[at]);
  }
  return sorted;
}

void Ingest::store(Offered events) {
  while (!events.empty()) {
    Offered unclear = offer(events);
    std::erase_if(unclear, [this](OfferedEvent* event) { return !is_free(*event); });
    events = std::move(unclear);
  }
}

/// Answers those that are unclear.
Offered Ingest::offer(const Offered& events) {
  Offered unclear;
  for (auto next = events.begin(); next != events.end();) {
    const Id& trace_id = (*next)->trace_id;
    next = offer_trace(next, events.end(), unclear);
    store_.retention.make_room(store_, trace_id);
  }
  return unclear;
}

/// Offers the events of the first one's trace; answers where the next trace begins.
Offered::const_iterator Ingest::offer_trace(Offered::const_iterator next, Offered::const_iterator end,
                                            Offered& unclear) {
  thread_local RecordWriter records;
  const Id& trace_id = (*next)->trace_id;
  const std::unique_lock lock(store_.shard_of(trace_id).mutex);
  TraceWriter writer(store_, trace_id, records, comparison_);
  for (; next != end && same_bytes((*next)->trace_id.text, trace_id.text); ++next) {
    const Outcome outcome = writer.offer(**next);
    if (outcome == Outcome::unclear) {
      unclear.push_back(*next);
    } else {
      settle(**next, outcome, writer.reason());
    }
  }
  writer.commit();
  return next;
}

/// Looks, with one shard locked at a time, at every place that the id's hash leads to. Settles an event that is there.
bool Ingest::is_free(OfferedEvent& event) {
  std::vector<std::uint32_t> places;
  const std::uint64_t as_of = store_.chunks_given_back;
  {
    auto& part = store_.index.part(event.id);
    const std::scoped_lock lock(part.mutex);
    part.locators.any_of(table_hash(event.id), [&](std::uint32_t place) {
      places.push_back(place);
      return false;
    });
  }
  event.cleared.clear();
  event.cleared_as_of = as_of;
  for (const auto place : places) {
    const Locator locator = Locator::of(place);
    const Shard& shard = store_.shards[locator.shard];
    const std::shared_lock lock(shard.mutex);
    if (holds(shard.records(locator.chunk), event.id) && !shard.trace_of(locator.chunk).evicted) {
      const Trace& trace = shard.trace_of(locator.chunk);
      const std::string reason =
          trace.id.is(event.trace_id)
              ? comparison_.other_contents(*event.event, event.id, shard.records(locator.chunk), *trace.dictionary)
              : wire::reason_other_trace(trace.id.text());
      settle(event, reason.empty() ? Outcome::duplicate : Outcome::other, reason);
      return false;
    }
    if (locator.shard != part_of(event.trace_id)) event.cleared.push_back(place);
  }
  return true;
}

void Ingest::settle(const OfferedEvent& event, Outcome outcome, const std::string& reason) {
  if (outcome == Outcome::stored) {
    ++result_.stored;
  } else if (outcome == Outcome::duplicate) {
    ++result_.duplicates;
  } else {
    result_.rejected.add({event.event->index, std::string(event.event->event_id),
                          outcome == Outcome::too_large ? std::string(too_large) : reason});
  }
}

}  // namespace

storage::IngestResult ingest(Store& store, wire::Batch& batch) {
  return Ingest(store, batch).run();
}

}  // namespace raceway::server::memory

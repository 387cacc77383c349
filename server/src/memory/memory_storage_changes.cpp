#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string_view>

#include "memory/memory_storage.hpp"
#include "memory/packed_events.hpp"
#include "memory/store.hpp"

namespace raceway::server::memory {
namespace {

/// A trace that grew, as it was found.
struct Grown {
  GrowthTime time;
  std::uint32_t shard;
  std::uint32_t number;
  std::uint32_t generation;
};

}  // namespace

storage::Changes MemoryStorage::changes(std::optional<std::int64_t> since, std::size_t most) {
  storage::Changes changes;
  // Whatever grew up to then did so under the lock of its shard, which is taken later.
  changes.as_of = store_->clock.last();
  if (!since) return changes;
  std::vector<Grown> grown;
  for (std::uint32_t at = 0; at < shard_count; ++at) {
    const Shard& shard = store_->shards[at];
    const std::shared_lock lock(shard.mutex);
    std::size_t found = 0;
    for (std::uint32_t number = shard.growth.newest(); number != none && found <= most; ++found) {
      const Trace& trace = shard.traces[number];
      if (trace.grew <= *since) break;
      grown.push_back({trace.grew, at, number, trace.generation});
      number = trace.older;
    }
  }
  changes.more = grown.size() > most;
  std::ranges::sort(grown, std::ranges::greater{}, &Grown::time);
  if (changes.more) grown.resize(most);
  for (const Grown& each : grown) {
    const Shard& shard = store_->shards[each.shard];
    const std::shared_lock lock(shard.mutex);
    if (const Trace* const trace = shard.traces.still(each.number, each.generation))
      changes.traces.push_back(trace->summary());
  }
  std::ranges::sort(changes.traces, [](const auto& a, const auto& b) {
    return a.last_timestamp != b.last_timestamp ? a.last_timestamp > b.last_timestamp : a.trace_id < b.trace_id;
  });
  return changes;
}

std::vector<storage::StoredEvent> MemoryStorage::events_of(const std::string& trace_id,
                                                           const std::vector<std::string>& event_ids) {
  std::vector<storage::StoredEvent> found;
  const std::set<std::string_view> wanted(event_ids.begin(), event_ids.end());
  const auto events = packed(trace_id);
  if (events == nullptr) return found;
  events->each([&](const wire::Row& row) {
    if (wanted.contains(row.event_id)) found.push_back(storage::StoredEvent::of(row));
    return found.size() < wanted.size();
  });
  return found;
}

}  // namespace raceway::server::memory

#include "memory/retention.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "memory/record.hpp"
#include "memory/store.hpp"

namespace raceway::server::memory {
namespace {

// One part in so many of max_bytes is kept free, for what requests bring at once and for holes in the heap; by as much
// max_traces may be passed for a moment.
constexpr std::uint64_t reserve = 32;

constexpr GrowthTime never = std::numeric_limits<GrowthTime>::max();

// With these a shard is locked for some tenths of a millisecond.
constexpr int chunks_in_a_step = 16;
// What one request does for others, where the store is not far over its limits.
constexpr int steps_of_a_request = 64;

GrowthTime now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

/// Takes a chunk's events out of the index. Some at a time twice, so that the memory of the index can come while the
/// others are read.
void take_out_of_index(Store& store, std::string_view records, Locator locator) noexcept {
  std::array<Id, 32> ids;
  for (ByteReader from(records); !from.done();) {
    std::size_t count = 0;
    for (; count < ids.size() && !from.done(); ++count) {
      from.byte();  // flags
      ByteReader record(from.counted());
      ids[count].hash = store.ids.hash_of(record.bytes(sizeof(IdBytes)));
      store.index.prefetch(ids[count]);
    }
    for (const Id& id : std::span(ids).first(count)) {
      auto& part = store.index.part(id);
      const std::scoped_lock lock(part.mutex);
      store.index.erase(part, id, locator);
    }
  }
}

/// The shard with the trace that has not grown for longest.
std::uint32_t oldest_shard(const Store& store) {
  const auto oldest = std::min_element(store.shards.begin(), store.shards.end(),
                                       [](const Shard& a, const Shard& b) { return a.oldest() < b.oldest(); });
  return static_cast<std::uint32_t>(oldest - store.shards.begin());
}

}  // namespace

GrowthTime GrowthClock::next() {
  const GrowthTime wanted = now();
  GrowthTime last = last_.load(std::memory_order_relaxed);
  while (!last_.compare_exchange_weak(last, std::max(wanted, last + 1), std::memory_order_relaxed)) continue;
  return std::max(wanted, last + 1);
}

void GrowthClock::pass(GrowthTime time) {
  GrowthTime last = last_;
  while (last < time && !last_.compare_exchange_weak(last, time)) continue;
}

storage::EvictionCounts Retention::evicted(storage::MemoryLimit by) const {
  const Counts& counts = evicted_[static_cast<std::size_t>(by)];
  return {counts.traces, counts.events};
}

bool Retention::over_bytes(const Store& store) const {
  return limits_.max_bytes != 0 && store.bytes() > limits_.max_bytes - limits_.max_bytes / reserve;
}

bool Retention::full_of(const Store& store, GrowthTime grew) const {
  return over_bytes(store) && !giving_back_ && store.shards[oldest_shard(store)].oldest() >= grew;
}

std::optional<storage::MemoryLimit> Retention::over(const Store& store) const {
  if (over_bytes(store)) return storage::MemoryLimit::bytes;
  if (limits_.max_traces != 0 && store.traces > limits_.max_traces) return storage::MemoryLimit::traces;
  return std::nullopt;
}

std::optional<storage::MemoryLimit> Retention::over_or_old(const Store& store) const {
  if (const auto limit = over(store)) return limit;
  if (limits_.max_age.count() == 0) return std::nullopt;
  const GrowthTime oldest = store.shards[oldest_shard(store)].oldest();
  const GrowthTime age = std::chrono::duration_cast<std::chrono::microseconds>(limits_.max_age).count();
  return oldest != never && oldest < now() - age ? std::optional(storage::MemoryLimit::age) : std::nullopt;
}

bool Retention::far_over(const Store& store) const {
  return (limits_.max_bytes != 0 && store.bytes() > limits_.max_bytes) ||
         (limits_.max_traces != 0 && store.traces > limits_.max_traces + limits_.max_traces / reserve);
}

void Retention::make_room_now(Store& store, const Id& at_hand) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    // Another one is at it. Who brings more than it can take away waits.
    if (!far_over(store)) return;
    lock.lock();
  }
  for (int steps = 0; steps < steps_of_a_request || far_over(store); ++steps) {
    if (!step(store, over(store), &at_hand)) return;
  }
}

void Retention::catch_up(Store& store) {
  for (bool more = true; more;) {
    // Let go of each time: a request that waits for room goes first.
    const std::scoped_lock lock(mutex_);
    more = step(store, over_or_old(store), nullptr);
  }
}

void Retention::evict(Store& store, std::uint32_t shard, std::uint32_t number) {
  const std::scoped_lock lock(mutex_);
  while (leaving_) give_back(store);
  {
    const std::unique_lock shard_lock(store.shards[shard].mutex);
    take_out(store, shard, number);
  }
  while (leaving_) give_back(store);
}

/// Answers whether there may be more to do.
bool Retention::step(Store& store, std::optional<storage::MemoryLimit> limit, const Id* at_hand) {
  if (!leaving_ && (!limit || !take_out_oldest(store, *limit, at_hand))) return false;
  give_back(store);
  return true;
}

/// From now on the trace is not there for anyone. Answers whether there was one. The last one does not go for its
/// bytes: it gets no more events instead.
bool Retention::take_out_oldest(Store& store, storage::MemoryLimit limit, const Id* at_hand) {
  if (limit == storage::MemoryLimit::bytes && store.traces <= 1) return false;
  const std::uint32_t at = oldest_shard(store);
  Shard& shard = store.shards[at];
  const std::unique_lock lock(shard.mutex);
  const std::uint32_t number = shard.growth.oldest();
  if (number == none || (at_hand != nullptr && shard.traces[number].id.is(*at_hand))) return false;
  Counts& counts = evicted_[static_cast<std::size_t>(limit)];
  ++counts.traces;
  counts.events += shard.traces[number].events;
  take_out(store, at, number);
  return true;
}

/// Needs the shard's mutex.
void Retention::take_out(Store& store, std::uint32_t at, std::uint32_t number) {
  Shard& shard = store.shards[at];
  Trace& trace = shard.traces[number];
  shard.growth.remove(shard.traces, number);
  shard.note_oldest();
  shard.traces.hide(number, store.ids.hash_of(view(trace.id.bytes)));
  trace.evicted = true;
  shard.recency.forget(shard.traces, number);
  trace.services.each(
      [&](const ServiceCounts::Count& count) { store.services.take_off(*count.service, count.events); });
  shard.loose_bytes -= trace.services.bytes();
  trace.services = ServiceCounts();
  --shard.trace_count;
  --store.traces;
  shard.event_count -= trace.events;
  shard.publish_bytes(store.shard_bytes);
  leaving_ = Leaving{at, number};
  giving_back_ = true;
}

/// Gives back some chunks of the trace that leaves, and with the last one the trace.
void Retention::give_back(Store& store) {
  bool dictionary_goes = false;
  {
    Shard& shard = store.shards[leaving_->shard];
    const std::unique_lock lock(shard.mutex);
    Trace& trace = shard.traces[leaving_->number];
    ++store.chunks_given_back;
    for (int left = chunks_in_a_step; left > 0 && trace.newest_chunk != none; --left) {
      const std::uint32_t chunk = trace.newest_chunk;
      take_out_of_index(store, shard.records(chunk), {leaving_->shard, chunk});
      trace.newest_chunk = shard.older(chunk);
      shard.drop_chunk(chunk);
    }
    if (trace.newest_chunk == none) {
      dictionary_goes = trace.dictionary.use_count() == 1;
      trace.dictionary.reset();
      if (!trace.in_order) shard.traces.drop(leaving_->number);
      leaving_.reset();
      giving_back_ = false;
    }
    shard.publish_bytes(store.shard_bytes);
  }
  if (dictionary_goes) store.dictionaries.sweep();
}

}  // namespace raceway::server::memory

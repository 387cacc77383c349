#include "memory/shard.hpp"

#include <algorithm>
#include <stdexcept>

namespace raceway::server::memory {

bool Selection::has(const Trace& trace) const {
  return trace.events >= filter.min_events && (service == nullptr || trace.services.has(*service)) &&
         (!filter.from || trace.last >= *filter.from) && (!filter.to || trace.first <= *filter.to);
}

std::uint32_t Shard::add_chunk(std::uint32_t trace, std::uint32_t older) {
  if (free_chunk_ != none) {
    const std::uint32_t chunk = free_chunk_;
    free_chunk_ = chunks_[chunk].older;
    chunks_[chunk].trace = trace;
    chunks_[chunk].older = older;
    return chunk;
  }
  if (chunks_.size() == max_chunks) throw std::length_error("the memory store has no number left for another chunk");
  if (chunks_.size() == chunks_.capacity()) {
    const std::size_t before = heap_bytes(chunks_.data());
    chunks_.reserve(std::max<std::size_t>(16, chunks_.capacity() + chunks_.capacity() / 4));
    chunk_table_bytes_ += heap_bytes(chunks_.data()) - before;
  }
  chunks_.push_back({trace, older, {}});
  return static_cast<std::uint32_t>(chunks_.size() - 1);
}

void Shard::drop_chunk(std::uint32_t chunk) noexcept {
  segments_.drop(chunks_[chunk].block);
  chunks_[chunk].block = {};
  chunks_[chunk].trace = none;
  chunks_[chunk].older = free_chunk_;
  free_chunk_ = chunk;
  tidy();
}

void Shard::tidy() noexcept {
  segments_.tidy([this](std::uint32_t chunk, Segments::Place place) { chunks_[chunk].block = place; });
}

void Shard::append(std::uint32_t chunk, std::string_view records) {
  auto& block = chunks_[chunk].block;
  // What has grown once may grow again.
  const std::size_t after = segments_.bytes(block).size() + records.size();
  segments_.append(block, chunk, records, after >= full_chunk ? after : after + after / 4);
  traces[chunks_[chunk].trace].bytes += records.size();
  tidy();
}

std::string_view Shard::records(std::uint32_t chunk) const {
  return chunk < chunks_.size() ? segments_.bytes(chunks_[chunk].block) : std::string_view{};
}

void Shard::publish_bytes(std::atomic<std::size_t>& total) noexcept {
  const std::size_t now = bytes_of_records() + bytes_of_traces();
  if (now != published_bytes_) total.fetch_add(now - published_bytes_, std::memory_order_relaxed);
  published_bytes_ = now;
}

void Shard::note_oldest() noexcept {
  const bool empty = growth.oldest() == none;
  const GrowthTime now = empty ? std::numeric_limits<GrowthTime>::max() : traces[growth.oldest()].grew;
  if (now != oldest()) oldest_.store(now, std::memory_order_relaxed);
}

PackedTrace Shard::pack(const Trace& trace, storage::ByteBudget::Hold& hold) const {
  std::size_t count = 0;
  for (std::uint32_t at = trace.newest_chunk; at != none; at = chunks_[at].older) ++count;
  PackedTrace packed;
  hold.grow(trace.bytes + count * sizeof(std::uint64_t));
  packed.summary = trace.summary();
  packed.dictionary = trace.dictionary;
  packed.bytes.resize(trace.bytes);
  packed.ends.resize(count);
  // They are linked from the newest to the oldest, so they are put in from the back.
  std::size_t end = trace.bytes;
  for (std::uint32_t at = trace.newest_chunk; at != none; at = chunks_[at].older) {
    const std::string_view chunk = records(at);
    packed.ends[--count] = end;
    end -= chunk.size();
    chunk.copy(packed.bytes.data() + end, chunk.size());
  }
  return packed;
}

std::uint64_t Shard::list(const Selection& selection, std::size_t limit, std::uint32_t shard_number,
                          std::vector<ListedTrace>& out) const {
  auto places = recency.oldest_first();
  if (selection.behind) {
    const auto is_behind = [&](const Recency::Place& place) {
      if (place.last != selection.behind->last_timestamp) return place.last < selection.behind->last_timestamp;
      return traces[place.trace].id.text() > selection.behind->trace_id;
    };
    places = places.first(static_cast<std::size_t>(std::ranges::partition_point(places, is_behind) - places.begin()));
  }
  const bool all = selection.all();
  std::uint64_t count = all ? places.size() : 0;
  std::size_t taken = 0;
  for (std::size_t left = places.size(); left > 0; --left) {
    if (all && taken == limit) break;
    const auto& place = places[left - 1];
    const Trace& trace = traces[place.trace];
    if (!all && !selection.has(trace)) continue;
    if (!all) ++count;
    if (taken == limit) continue;
    out.push_back({place.last, trace.id.copy(), shard_number, place.trace, trace.generation});
    ++taken;
  }
  return count;
}

}  // namespace raceway::server::memory

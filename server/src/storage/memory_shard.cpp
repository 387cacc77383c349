#include "storage/memory_shard.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "storage/memory_record_reader.hpp"

namespace raceway::server::storage::memory {
namespace {

using Size = std::uint32_t;

Size size_in(const char* block) {
  Size size = 0;
  if (block != nullptr) std::memcpy(&size, block, sizeof size);
  return size;
}

}  // namespace

std::vector<StoredEvent> PackedTrace::events() const {
  std::vector<StoredEvent> events;
  events.reserve(summary.event_count);
  for (const auto& chunk : chunks) {
    for (RecordReader reader(chunk, *dictionary); !reader.done();) events.push_back(reader.next(summary.trace_id));
  }
  return events;
}

bool Selection::has(const Trace& trace) const {
  return trace.events >= filter.min_events && (service == nullptr || trace.services.has(*service)) &&
         (!filter.from || trace.last >= *filter.from) && (!filter.to || trace.first <= *filter.to);
}

std::uint32_t Shard::add_chunk(std::uint32_t trace, std::uint32_t older) {
  if (chunks_.size() == max_chunks) throw std::length_error("the memory store has no number left for another chunk");
  if (chunks_.size() == chunks_.capacity()) {
    chunks_.reserve(std::max<std::size_t>(16, chunks_.capacity() + chunks_.capacity() / 4));
  }
  chunks_.push_back({trace, older, nullptr});
  return static_cast<std::uint32_t>(chunks_.size() - 1);
}

void Shard::append(std::uint32_t chunk, std::string_view records) {
  auto& block = chunks_[chunk].block;
  const std::size_t before = size_in(block.get());
  const std::size_t after = before + records.size();
  if (after > std::numeric_limits<Size>::max()) throw std::length_error("a chunk of the memory store is full");
  chunk_bytes_ -= heap_bytes(block.get());
  char* const moved = static_cast<char*>(std::realloc(block.get(), sizeof(Size) + after));
  if (moved == nullptr) {
    chunk_bytes_ += heap_bytes(block.get());
    throw std::bad_alloc();
  }
  static_cast<void>(block.release());
  block.reset(moved);
  chunk_bytes_ += heap_bytes(moved);
  const auto size = static_cast<Size>(after);
  std::memcpy(moved, &size, sizeof size);
  std::memcpy(moved + sizeof size + before, records.data(), records.size());
}

std::string_view Shard::records(std::uint32_t chunk) const {
  const char* const block = chunk < chunks_.size() ? chunks_[chunk].block.get() : nullptr;
  return block == nullptr ? std::string_view{} : std::string_view(block + sizeof(Size), size_in(block));
}

PackedTrace Shard::pack(const Trace& trace) const {
  PackedTrace packed;
  packed.summary = trace.summary();
  packed.dictionary = trace.dictionary;
  for (std::uint32_t at = trace.newest_chunk; at != none; at = chunks_[at].older) {
    packed.chunks.emplace_back(records(at));
  }
  std::reverse(packed.chunks.begin(), packed.chunks.end());
  return packed;
}

std::uint64_t Shard::list(const Selection& selection, std::size_t limit, std::uint32_t shard_number,
                          std::vector<ListedTrace>& out) const {
  const auto places = recency.oldest_first();
  const bool all = selection.all();
  std::uint64_t count = all ? places.size() : 0;
  std::size_t taken = 0;
  for (auto at = places.rbegin(); at != places.rend(); ++at) {
    if (all && taken == limit) break;
    const Trace& trace = traces[at->trace];
    if (!all && !selection.has(trace)) continue;
    if (!all) ++count;
    if (taken == limit) continue;
    out.push_back({at->last, trace.id.copy(), shard_number, at->trace});
    ++taken;
  }
  return count;
}

}  // namespace raceway::server::storage::memory

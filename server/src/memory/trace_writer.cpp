#include "memory/trace_writer.hpp"

#include <algorithm>
#include <limits>
#include <mutex>

#include "wire/reasons.hpp"

namespace raceway::server::memory {
namespace {

constexpr auto earliest = std::numeric_limits<wire::Micros>::min();
constexpr auto latest = std::numeric_limits<wire::Micros>::max();

}  // namespace

TraceWriter::TraceWriter(Store& store, const Id& trace_id, RecordWriter& records, Comparison& comparison)
    : store_(store),
      trace_id_(trace_id),
      records_(records),
      comparison_(comparison),
      shard_(store.shard_of(trace_id)),
      trace_(shard_.traces.find(trace_id)),
      first_(latest),
      last_(earliest) {
  records_.clear();
}

TraceWriter::~TraceWriter() {
  roll_back();
  records_.clear();
}

TraceWriter::Outcome TraceWriter::offer(const OfferedEvent& offered) {
  if (records_.chunk_size() >= Shard::full_chunk) commit();
  if (claimed_.size() == claimed_.capacity()) claimed_.reserve(std::max<std::size_t>(16, claimed_.size() * 2));
  const Outcome outcome = claim(offered);
  if (outcome == Outcome::stored) write(offered);
  if (outcome != Outcome::duplicate) return outcome;
  reason_ = other_contents(offered);
  return reason_.empty() ? Outcome::duplicate : Outcome::other;
}

TraceWriter::Outcome TraceWriter::claim(const OfferedEvent& offered) {
  auto& part = store_.index.part(offered.id);
  const std::scoped_lock lock(part.mutex);
  Outcome outcome = Outcome::stored;
  elsewhere_.clear();
  part.locators.any_of(table_hash(offered.id),
                       [&](std::uint32_t locator) { return looks_like(offered, locator, outcome); });
  if (outcome != Outcome::stored) return outcome;
  if (elsewhere_ != offered.cleared) return Outcome::unclear;
  if (!elsewhere_.empty() && offered.cleared_as_of != store_.chunks_given_back) return Outcome::unclear;
  if (is_too_large()) return Outcome::too_large;
  if (chunk_ == none) open();
  store_.index.insert(part, offered.id, Locator{part_of(trace_id_), chunk_});
  claimed_.push_back(&offered);
  return Outcome::stored;
}

/// Whether the record at a place that the hash leads to is this event's, and in which trace; as far as this shard.
bool TraceWriter::looks_like(const OfferedEvent& offered, std::uint32_t packed_locator, Outcome& outcome) {
  const Locator locator = Locator::of(packed_locator);
  if (locator.shard != part_of(trace_id_)) {
    elsewhere_.push_back(packed_locator);
    return false;
  }
  const bool is_there = holds(shard_.records(locator.chunk), offered.id) ||
                        (locator.chunk == chunk_ && holds(records_.fresh(), offered.id));
  if (!is_there) return false;
  const Trace& trace = shard_.trace_of(locator.chunk);
  if (trace.evicted) return false;
  outcome = trace.id.is(trace_id_) ? Outcome::duplicate : Outcome::other;
  if (outcome == Outcome::other) reason_ = wire::reason_other_trace(trace.id.text());
  standing_in_ = locator.chunk;
  return true;
}

/// What the event says else than its record in the chunk standing_in_.
std::string TraceWriter::other_contents(const OfferedEvent& offered) const {
  const Dictionary& dictionary = *shard_.trace_of(standing_in_).dictionary;
  const std::string_view records = shard_.records(standing_in_);
  if (standing_in_ != chunk_) return comparison_.other_contents(*offered.event, offered.id, records, dictionary);
  const std::string all = std::string(records).append(records_.fresh());
  return comparison_.other_contents(*offered.event, offered.id, all, dictionary);
}

bool TraceWriter::is_too_large() const {
  const std::uint64_t most = store_.retention.most_of_a_trace();
  if (most == 0) return false;
  if (trace_ == none) return records_.fresh().size() >= most;
  const Trace& trace = shard_.traces[trace_];
  return trace.bytes + records_.fresh().size() >= most ||
         (trace.events > 0 && store_.retention.full_of(store_, trace.grew));
}

/// Takes up the trace's newest chunk, or begins one.
void TraceWriter::open() {
  if (trace_ == none) {
    trace_ = shard_.traces.add(trace_id_, store_.dictionaries.current());
    new_trace_ = true;
  }
  Trace& trace = shard_.traces[trace_];
  std::uint32_t chunk = trace.newest_chunk;
  if (chunk == none || shard_.records(chunk).size() >= Shard::full_chunk) {
    chunk = shard_.add_chunk(trace_, chunk);
    new_chunk_ = true;
  }
  chunk_ = chunk;
  records_.start(*trace.dictionary, shard_.records(chunk));
}

void TraceWriter::write(const OfferedEvent& offered) {
  records_.append(*offered.event, offered.id);
  first_ = std::min(first_, offered.event->timestamp);
  last_ = std::max(last_, offered.event->timestamp);
  if (offered.service == nullptr) return;
  if (services_.empty() || services_.back().first != offered.service) services_.emplace_back(offered.service, 0);
  ++services_.back().second;
}

void TraceWriter::commit() {
  if (claimed_.empty()) return;
  Trace& trace = shard_.traces[trace_];
  // First what can fail, and would do no harm alone.
  shard_.recency.prepare();
  for (const auto& [service, events] : services_) {
    const std::size_t bytes_before = trace.services.bytes();
    trace.services.prepare(*service);
    shard_.loose_bytes += trace.services.bytes() - bytes_before;
  }
  if (new_trace_) shard_.traces.publish(trace_, trace_id_);
  shard_.append(chunk_, records_.fresh());
  publish();
  shard_.publish_bytes(store_.shard_bytes);
}

void TraceWriter::publish() {
  Trace& trace = shard_.traces[trace_];
  if (new_trace_) {
    ++shard_.trace_count;
    ++store_.traces;
  }
  if (last_ > trace.last || new_trace_) shard_.recency.note(trace, trace_);
  shard_.growth.grew(shard_.traces, trace_, store_.clock.next());
  shard_.note_oldest();
  trace.newest_chunk = chunk_;
  trace.first = std::min(trace.first, first_);
  trace.last = std::max(trace.last, last_);
  trace.events += claimed_.size();
  shard_.event_count += claimed_.size();
  for (const auto& [service, events] : services_) trace.services.add(*service, events);
  new_trace_ = new_chunk_ = false;
  claimed_.clear();
  services_.clear();
  first_ = latest;
  last_ = earliest;
  chunk_ = none;
  records_.clear();
}

void TraceWriter::roll_back() noexcept {
  for (const OfferedEvent* offered : claimed_) {
    auto& part = store_.index.part(offered->id);
    const std::scoped_lock lock(part.mutex);
    store_.index.erase(part, offered->id, Locator{part_of(trace_id_), chunk_});
  }
  if (new_chunk_) {
    ++store_.chunks_given_back;
    shard_.drop_chunk(chunk_);
  }
  if (new_trace_) {
    shard_.loose_bytes -= shard_.traces[trace_].services.bytes();
    shard_.traces.hide(trace_, trace_id_.hash);
    shard_.traces.drop(trace_);
  }
  if (new_chunk_ || new_trace_ || !claimed_.empty()) shard_.publish_bytes(store_.shard_bytes);
}

}  // namespace raceway::server::memory

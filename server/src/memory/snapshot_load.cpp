// The memory store out of a file.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "memory/bytes.hpp"
#include "memory/frames.hpp"
#include "memory/record.hpp"
#include "memory/record_reader.hpp"
#include "memory/snapshot.hpp"

namespace raceway::server::memory {
namespace {

/// What a file has of a dictionary.
struct SavedDictionary {
  std::map<std::uint32_t, std::string_view> texts;
  std::shared_ptr<Dictionary> restored;
  std::uint32_t usable = 0;  // so many of its texts are there without a gap
};

/// What a file has of a trace. Its chunks come as they stand in frames, oldest first.
struct SavedTrace {
  GrowthTime grew = 0;
  std::uint64_t dictionary = 0;
  std::uint32_t texts = 0;
  std::uint64_t events = 0;
  std::uint64_t chunks = 0;
  std::uint64_t chunks_read = 0;
  std::string_view summary;
  std::size_t place = 0;  ///< of its frame in the file
  std::vector<std::string_view> pieces;
};

/// An event's id as it stands in a record.
Id id_in(const IdMaker& ids, std::uint8_t flags, std::string_view record) {
  ByteReader from(record);
  const std::string_view bytes = from.bytes(sizeof(IdBytes));
  if ((flags & text_id) != 0) return ids.make(from.counted());
  Id id;
  id.is_uuid = true;
  std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  id.hash = ids.hash_of(bytes);
  return id;
}

/// A chunk and the ids of its events, whose texts are in it.
struct Chunk {
  std::string records;
  std::vector<Id> ids;
};

/// The bytes that stand for an id's text are another process's: they are made anew.
Chunk take_chunk(const IdMaker& ids, std::string_view saved) {
  Chunk chunk{std::string(saved), {}};
  for (ByteReader from(chunk.records); !from.done();) {
    const std::uint8_t flags = from.byte();
    const std::string_view record = from.counted();
    const Id& id = chunk.ids.emplace_back(id_in(ids, flags, record));
    const auto place = static_cast<std::size_t>(record.data() - chunk.records.data());
    std::copy(id.bytes.begin(), id.bytes.end(), chunk.records.begin() + static_cast<std::ptrdiff_t>(place));
  }
  return chunk;
}

class Loader {
 public:
  Loader(Store& store, std::string_view file) : store_(store), file_(file) {}

  LoadReport run();

 private:
  void read(const Frame& frame);
  std::size_t place_of(std::string_view payload) const {
    return static_cast<std::size_t>(payload.data() - file_.data());
  }
  void read_texts(ByteReader from);
  void read_trace(ByteReader from, std::string_view payload);
  void read_chunks(ByteReader from);
  std::shared_ptr<Dictionary> dictionary_of(const SavedTrace& trace);
  bool restore(const SavedTrace& saved);
  bool restore_whole(const SavedTrace& saved);
  void make_way(const Id& trace_id, const std::vector<Chunk>& chunks);
  void make_way(const Id& event_id);
  void put(const Id& trace_id, const SavedTrace& saved, ByteReader summary, const std::vector<Chunk>& chunks,
           std::shared_ptr<Dictionary> dictionary);
  void put_services(Shard& shard, Trace& trace, ByteReader& from);

  Store& store_;
  std::string_view file_;
  LoadReport report_;
  bool ended_ = false;
  std::uint64_t frames_ = 0;
  std::unordered_map<std::uint64_t, SavedDictionary> dictionaries_;
  std::unordered_map<std::uint64_t, SavedTrace> traces_;  // by their names in the file
};

LoadReport Loader::run() {
  FrameReader frames(file_);
  for (; const auto frame = frames.next(); ++frames_) {
    try {
      read(*frame);
    } catch (const DamagedBytes& error) {
      report_.damage.push_back(fmt::format("what begins at byte {}: {}", place_of(frame->payload), error.what()));
    }
  }
  const std::string_view any_version = frame_magic.substr(0, frame_magic.size() - 1);
  if (frames_ == 0 && file_.starts_with(any_version) && !file_.starts_with(frame_magic)) {
    throw std::runtime_error("is of a form that this Raceway does not know; a newer one may");
  }
  report_.damage.insert(report_.damage.begin(), frames.damage().begin(), frames.damage().end());
  if (!ended_ && report_.damage.empty()) report_.damage.push_back(fmt::format("it ends at byte {}", file_.size()));

  std::vector<const SavedTrace*> oldest_first;
  for (const auto& [name, trace] : traces_) oldest_first.push_back(&trace);
  std::sort(oldest_first.begin(), oldest_first.end(), [](const auto* a, const auto* b) { return a->grew < b->grew; });
  for (const SavedTrace* trace : oldest_first) {
    if (restore(*trace)) {
      ++report_.traces;
      report_.events += trace->events;
      store_.retention.make_room(store_, store_.ids.make(ByteReader(trace->summary).counted()));
    } else {
      ++report_.lost_traces;
    }
  }
  store_.retention.catch_up(store_);
  return report_;
}

void Loader::read(const Frame& frame) {
  ByteReader from(frame.payload);
  switch (frame.type) {
    case FrameType::dictionary:
      return read_texts(from);
    case FrameType::trace:
      return read_trace(from, frame.payload);
    case FrameType::chunks:
      return read_chunks(from);
    case FrameType::dropped:
      traces_.erase(from.varint());
      return;
    case FrameType::end:
      ended_ = true;
  }
}

void Loader::read_texts(ByteReader from) {
  SavedDictionary& dictionary = dictionaries_[from.varint()];
  auto number = static_cast<std::uint32_t>(from.varint());
  for (std::uint64_t left = from.varint(); left > 0; --left) dictionary.texts[number++] = from.counted();
}

void Loader::read_trace(ByteReader from, std::string_view payload) {
  SavedTrace& trace = traces_[from.varint()];
  trace.dictionary = from.varint();
  trace.texts = static_cast<std::uint32_t>(from.varint());
  trace.place = place_of(payload);
  trace.summary = payload.substr(payload.size() - from.left());
  from.counted();  // the id
  trace.grew = std::max<GrowthTime>(1, static_cast<GrowthTime>(from.varint()));
  from.varint();  // the first and the last time
  from.varint();
  trace.events = from.varint();
  for (std::uint64_t services = from.varint(); services > 0; --services) {
    from.counted();
    from.varint();
  }
  trace.chunks = from.varint();
  trace.chunks_read = from.varint();
  trace.pieces.push_back(from.bytes(from.left()));
}

void Loader::read_chunks(ByteReader from) {
  const auto trace = traces_.find(from.varint());
  if (trace == traces_.end()) return;  // what it begins with is damaged
  trace->second.chunks_read += from.varint();
  trace->second.pieces.push_back(from.bytes(from.left()));
}

/// nullptr where a text is missing that the trace may need.
std::shared_ptr<Dictionary> Loader::dictionary_of(const SavedTrace& trace) {
  SavedDictionary& saved = dictionaries_[trace.dictionary];
  if (!saved.restored) {
    std::vector<std::string> texts;
    for (const auto& [number, text] : saved.texts) {
      if (number != texts.size()) break;
      if (number == Dictionary::max_texts || text.size() > Dictionary::longest_text) break;
      texts.emplace_back(text);
    }
    saved.usable = static_cast<std::uint32_t>(texts.size());
    saved.restored = store_.dictionaries.restore(texts);
  }
  return trace.texts <= saved.usable ? saved.restored : nullptr;
}

/// Answers whether all of the trace is there.
bool Loader::restore(const SavedTrace& saved) {
  try {
    return restore_whole(saved);
  } catch (const DamagedBytes& error) {
    report_.damage.push_back(fmt::format("the trace that begins at byte {}: {}", saved.place, error.what()));
    return false;
  }
}

void check_text(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) throw DamagedBytes("a text is no UTF-8");
}

/// Whether what the summary says is so, and each event can be read: nothing that is put in is looked at so again.
/// Throws DamagedBytes where not.
void check(const SavedTrace& saved, const std::vector<Chunk>& chunks, const Dictionary& dictionary) {
  ByteReader summary(saved.summary);
  const std::string trace_id(summary.counted());
  summary.varint();  // when it grew
  const wire::Micros first = unzigzag(summary.varint());
  const wire::Micros last = unzigzag(summary.varint());
  summary.varint();  // how many events
  check_text(trace_id);
  std::uint64_t of_services = 0;
  for (std::uint64_t left = summary.varint(); left > 0; --left) {
    check_text(summary.counted());
    of_services += std::min(summary.varint(), saved.events + 1);
    if (of_services > saved.events) throw DamagedBytes("its services have more events than there are");
  }
  std::vector<std::string_view> ids;
  wire::Micros earliest = std::numeric_limits<wire::Micros>::max();
  wire::Micros latest = std::numeric_limits<wire::Micros>::min();
  for (const Chunk& chunk : chunks) {
    if (chunk.ids.empty()) throw DamagedBytes("a chunk holds no event");
    for (const Id& id : chunk.ids) ids.push_back(view(id.bytes));
    for (RecordReader reader(chunk.records, dictionary); !reader.done();) {
      const auto event = reader.next(trace_id);
      earliest = std::min(earliest, event.timestamp);
      latest = std::max(latest, event.timestamp);
      check_text(event.event_id);
      check_text(event.kind);
      check_text(event.vector_clock);
      check_text(event.metadata);
      if (event.location) check_text(*event.location);
    }
  }
  if (ids.size() != saved.events) throw DamagedBytes("it holds another number of events than it says");
  if (ids.empty() || earliest != first || latest != last) throw DamagedBytes("its times are others than it says");
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) throw DamagedBytes("it holds an event twice");
}

bool Loader::restore_whole(const SavedTrace& saved) {
  if (saved.chunks_read != saved.chunks) return false;
  auto dictionary = dictionary_of(saved);
  if (!dictionary) return false;
  ByteReader summary(saved.summary);
  const Id trace_id = store_.ids.make(summary.counted());
  std::vector<Chunk> chunks;
  for (const std::string_view piece : saved.pieces) {
    for (ByteReader from(piece); !from.done();) chunks.push_back(take_chunk(store_.ids, from.counted()));
  }
  check(saved, chunks, *dictionary);
  make_way(trace_id, chunks);
  put(trace_id, saved, summary, chunks, std::move(dictionary));
  return true;
}

/// A trace that has this one's id, or the id of one of its events, grew earlier. It was saved, then evicted, and what
/// is in the way now came after that.
void Loader::make_way(const Id& trace_id, const std::vector<Chunk>& chunks) {
  const std::uint32_t other = store_.shard_of(trace_id).traces.find(trace_id);
  if (other != none) store_.retention.evict(store_, part_of(trace_id), other);
  for (const Chunk& chunk : chunks) {
    for (const Id& id : chunk.ids) make_way(id);
  }
}

void Loader::make_way(const Id& event_id) {
  std::vector<Locator> places;
  store_.index.part(event_id).locators.any_of(table_hash(event_id), [&](std::uint32_t place) {
    places.push_back(Locator::of(place));
    return false;
  });
  for (const Locator& place : places) {
    const Shard& shard = store_.shards[place.shard];
    if (!holds(shard.records(place.chunk), event_id)) continue;
    store_.retention.evict(store_, place.shard, shard.number_of(place.chunk));
    return;
  }
}

/// As the writer of a trace does it. No other thread is there yet; the locks are taken for those who check them.
void Loader::put(const Id& trace_id, const SavedTrace& saved, ByteReader summary, const std::vector<Chunk>& chunks,
                 std::shared_ptr<Dictionary> dictionary) {
  Shard& shard = store_.shard_of(trace_id);
  const std::unique_lock lock(shard.mutex);
  const std::uint32_t number = shard.traces.add(trace_id, std::move(dictionary));
  Trace& trace = shard.traces[number];
  for (const Chunk& chunk : chunks) {
    const std::uint32_t at = shard.add_chunk(number, trace.newest_chunk);
    shard.append(at, chunk.records);
    trace.newest_chunk = at;
    for (const Id& id : chunk.ids) {
      auto& part = store_.index.part(id);
      const std::scoped_lock part_lock(part.mutex);
      store_.index.insert(part, id, Locator{part_of(trace_id), at});
    }
    shard.event_count += chunk.ids.size();
  }
  summary.varint();  // when it grew
  trace.first = unzigzag(summary.varint());
  trace.last = unzigzag(summary.varint());
  trace.events = summary.varint();
  put_services(shard, trace, summary);
  shard.traces.publish(number, trace_id);
  shard.recency.prepare();
  shard.recency.note(trace, number);
  shard.growth.grew(shard.traces, number, saved.grew);
  shard.note_oldest();
  store_.clock.pass(saved.grew);
  ++shard.trace_count;
  ++store_.traces;
  shard.publish_bytes(store_.shard_bytes);
}

void Loader::put_services(Shard& shard, Trace& trace, ByteReader& from) {
  for (std::uint64_t left = from.varint(); left > 0; --left) {
    const auto service = store_.services.get(from.counted());
    const std::size_t bytes_before = trace.services.bytes();
    trace.services.prepare(*service.get());
    shard.loose_bytes += trace.services.bytes() - bytes_before;
    trace.services.add(*service.get(), from.varint());
  }
}

}  // namespace

LoadReport load_snapshot(Store& store, std::string_view file) {
  return Loader(store, file).run();
}

}  // namespace raceway::server::memory

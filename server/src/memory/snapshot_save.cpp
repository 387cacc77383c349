// The memory store into a file.
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "memory/bytes.hpp"
#include "memory/frames.hpp"
#include "memory/snapshot.hpp"

namespace raceway::server::memory {
namespace {

// So much is copied while a shard is locked, and is a frame.
constexpr std::size_t piece = std::size_t{128} << 10U;

class Saver {
 public:
  Saver(Store& store, const std::filesystem::path& path) : store_(store), file_(path) {}

  SaveReport run() {
    for (Shard& shard : store_.shards) {
      for (const Listed& listed : list(shard)) save(shard, listed);
    }
    for (auto& [serial, dictionary] : dictionaries_) put_texts(dictionary, 0, dictionary.written);
    ByteBuffer totals;
    totals.put_varint(report_.traces);
    totals.put_varint(report_.events);
    file_.put(FrameType::end, totals.view());
    file_.finish();
    report_.bytes = file_.size();
    return report_;
  }

 private:
  struct Listed {
    std::uint32_t number;
    std::uint32_t generation;
  };
  /// A trace as it was when its saving began.
  struct Begun {
    Listed listed;
    std::uint64_t events = 0;
    std::vector<std::uint32_t> chunks;  // the newest first; the last one is next
    std::size_t size_of_newest = 0;     // it may have grown since
    std::size_t newest = 0;
  };
  struct Written {
    std::uint64_t name;
    std::shared_ptr<const Dictionary> dictionary;
    std::uint32_t written = 0;  // so many texts
  };

  static std::vector<Listed> list(const Shard& shard);
  void save(const Shard& shard, const Listed& listed);
  bool begin(const Shard& shard, Begun& begun, std::shared_ptr<const Dictionary>& dictionary);
  bool go_on(const Shard& shard, Begun& begun);
  static void put_summary(ByteBuffer& out, const Trace& trace);
  static void put_chunks(ByteBuffer& out, const Shard& shard, Begun& begun);
  Written& know(const std::shared_ptr<const Dictionary>& dictionary);
  void put_texts(const Written& dictionary, std::uint32_t from, std::uint32_t to);

  Store& store_;
  FrameFile file_;
  SaveReport report_;
  std::uint64_t next_name_ = 0;  // of a trace in the file
  std::map<std::uint64_t, Written> dictionaries_;
  ByteBuffer summary_;
  ByteBuffer chunks_;
  ByteBuffer frame_;
};

std::vector<Saver::Listed> Saver::list(const Shard& shard) {
  std::vector<Listed> listed;
  const std::shared_lock lock(shard.mutex);
  listed.reserve(shard.trace_count);
  for (auto at = shard.growth.oldest(); at != none; at = shard.traces[at].newer) {
    listed.push_back({at, shard.traces[at].generation});
  }
  return listed;
}

void Saver::save(const Shard& shard, const Listed& listed) {
  Begun begun{listed, 0, {}, 0, 0};
  std::shared_ptr<const Dictionary> dictionary;
  if (!begin(shard, begun, dictionary)) return;
  // Asked after the records were copied: it has all that they refer to.
  Written& known = know(dictionary);
  const std::uint32_t texts = dictionary->count();
  put_texts(known, known.written, texts);
  known.written = texts;

  const std::uint64_t name = next_name_++;
  frame_.clear();
  frame_.put_varint(name);
  frame_.put_varint(known.name);
  frame_.put_varint(texts);
  frame_.put(summary_.view());
  frame_.put(chunks_.view());
  file_.put(FrameType::trace, frame_.view());
  while (!begun.chunks.empty()) {
    frame_.clear();
    frame_.put_varint(name);
    const bool is_there = go_on(shard, begun);
    file_.put(is_there ? FrameType::chunks : FrameType::dropped, frame_.view());
    if (!is_there) return;
  }
  ++report_.traces;
  report_.events += begun.events;
}

/// Appends the next chunks to the frame where the trace is still there; answers whether it is.
bool Saver::go_on(const Shard& shard, Begun& begun) {
  const std::shared_lock lock(shard.mutex);
  if (shard.traces.still(begun.listed.number, begun.listed.generation) == nullptr) return false;
  put_chunks(frame_, shard, begun);
  return true;
}

/// Notes what a trace consists of now and copies its summary and its oldest chunks. Answers whether it is still there.
bool Saver::begin(const Shard& shard, Begun& begun, std::shared_ptr<const Dictionary>& dictionary) {
  const std::shared_lock lock(shard.mutex);
  const Trace* const trace = shard.traces.still(begun.listed.number, begun.listed.generation);
  if (trace == nullptr) return false;
  for (auto at = trace->newest_chunk; at != none; at = shard.older(at)) begun.chunks.push_back(at);
  begun.newest = begun.chunks.front();
  begun.size_of_newest = shard.records(trace->newest_chunk).size();
  begun.events = trace->events;
  dictionary = trace->dictionary;
  summary_.clear();
  put_summary(summary_, *trace);
  summary_.put_varint(begun.chunks.size());
  chunks_.clear();
  put_chunks(chunks_, shard, begun);
  return true;
}

void Saver::put_summary(ByteBuffer& out, const Trace& trace) {
  out.put_counted(trace.id.text());
  out.put_varint(static_cast<std::uint64_t>(trace.grew));
  out.put_varint(zigzag(trace.first));
  out.put_varint(zigzag(trace.last));
  out.put_varint(trace.events);
  std::uint64_t services = 0;
  trace.services.each([&](const ServiceCounts::Count&) { ++services; });
  out.put_varint(services);
  trace.services.each([&](const ServiceCounts::Count& count) {
    out.put_counted(count.service->name);
    out.put_varint(count.events);
  });
}

/// The next chunks, oldest first, as many as are a piece, one at least.
void Saver::put_chunks(ByteBuffer& out, const Shard& shard, Begun& begun) {
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < begun.chunks.size() && (count == 0 || bytes < piece); ++count) {
    bytes += shard.records(begun.chunks[begun.chunks.size() - 1 - count]).size();
  }
  out.put_varint(count);
  for (; count > 0; --count) {
    const std::uint32_t chunk = begun.chunks.back();
    begun.chunks.pop_back();
    const std::string_view records = shard.records(chunk);
    out.put_counted(chunk == begun.newest ? records.substr(0, begun.size_of_newest) : records);
  }
}

Saver::Written& Saver::know(const std::shared_ptr<const Dictionary>& dictionary) {
  const auto [entry, is_new] = dictionaries_.try_emplace(dictionary->serial());
  if (is_new) entry->second = {dictionaries_.size(), dictionary, 0};
  return entry->second;
}

void Saver::put_texts(const Written& dictionary, std::uint32_t from, std::uint32_t to) {
  while (from < to) {
    std::size_t bytes = 0;
    std::uint32_t end = from;
    for (; end < to && bytes < piece; ++end) bytes += dictionary.dictionary->text(end).size();
    frame_.clear();
    frame_.put_varint(dictionary.name);
    frame_.put_varint(from);
    frame_.put_varint(end - from);
    for (; from < end; ++from) frame_.put_counted(dictionary.dictionary->text(from));
    file_.put(FrameType::dictionary, frame_.view());
  }
}

}  // namespace

SaveReport save_snapshot(Store& store, const std::filesystem::path& path) {
  return Saver(store, path).run();
}

}  // namespace raceway::server::memory

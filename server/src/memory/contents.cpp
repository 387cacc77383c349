#include "memory/contents.hpp"

#include <stdexcept>

#include "causality/clock.hpp"
#include "memory/record_reader.hpp"
#include "wire/arena.hpp"
#include "wire/contents.hpp"
#include "wire/reasons.hpp"
#include "wire/row_json.hpp"

namespace raceway::server::memory {
namespace {

/// The whole metadata as text, of either MetadataForm.
std::string metadata_text(const wire::Event& event) {
  std::string json;
  auto own = event.metadata.as_object();
  auto shared = event.context;
  while (!own.empty() || !shared.empty()) {
    const bool shared_first =
        own.empty() || (!shared.empty() && causality::compare_names(shared.front().key(), own.front().key()) < 0);
    auto& from = shared_first ? shared : own;
    json += json.empty() ? '{' : ',';
    wire::append_json_string(json, from.front().key());
    json += ':';
    wire::append_json(json, from.front().value);
    from = from.subspan(1);
  }
  return json.empty() ? "{}" : json + '}';
}

std::string clock_text(const wire::Event& event) {
  std::string json;
  if (event.has_clock) wire::append_json_clock(json, event.clock);
  return json;
}

/// Mostly they are equal to the letter. What a damaged snapshot brought may say what no event can say.
bool equal_objects(std::string_view sent, std::string_view standing) {
  if (sent == standing) return true;
  wire::Arena arena;
  try {
    return wire::equal_values(wire::read_row_object(sent, arena), wire::read_row_object(standing, arena));
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace

std::string Comparison::other_contents(const wire::Event& event, const Id& id, std::string_view chunk,
                                       const Dictionary& dictionary) {
  RecordReader reader(chunk, dictionary);
  if (!reader.find(id)) throw DamagedBytes("a record is not where it was found");
  const std::string clock = clock_text(event);
  const std::string metadata = metadata_text(event);
  const std::size_t most_of_the_same =
      2 * (clock.size() + metadata.size() + event.kind.size() + event.location.value_or("").size()) + 1024;
  if (reader.next_size() > most_of_the_same) {
    if (reader.next_size() > left_for_names_) return wire::OtherContents::reason_without_names();
    left_for_names_ -= reader.next_size();
  }
  const storage::StoredEvent standing = reader.next(std::string(event.trace_id));
  wire::OtherContents other;
  other.note("kind", event.kind != standing.kind);
  other.note("timestamp", event.timestamp != standing.timestamp);
  other.note("duration_ms", event.duration_ms != standing.duration_ms);
  other.note("location", event.location != standing.location);
  other.note("vector_clock", clock != standing.vector_clock);
  other.note("metadata", !equal_objects(metadata, standing.metadata));
  return other.reason();
}

}  // namespace raceway::server::memory

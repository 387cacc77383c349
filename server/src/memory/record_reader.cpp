#include "memory/record_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "causality/clock.hpp"

namespace raceway::server::memory {
namespace {

/// The members of one of the two parts of a metadata, with the next key in view.
class Members {
 public:
  explicit Members(ShapeReader reader) : reader_(std::move(reader)) { step(); }
  bool done() const { return done_; }
  std::string_view key() const { return key_; }

  void append(std::string& out, const KnownValues& known) {
    wire::append_json_string(out, key_);
    out += ':';
    reader_.append_value(out, known);
    step();
  }

 private:
  void step() {
    done_ = reader_.done();
    if (!done_) key_ = reader_.next_key();
  }

  ShapeReader reader_;
  std::string_view key_;
  bool done_ = false;
};

std::string id_text_of(const RecordHead& head) {
  if ((head.flags & text_id) != 0) return std::string(head.id_text);
  std::string uuid;
  append_uuid(uuid, head.id.data());
  return uuid;
}

}  // namespace

ShapeReader read_context(std::string_view definition, const Dictionary& dictionary) {
  ByteReader from(definition);
  std::string unused;  // a shape is never kept as hexadecimal digits
  const std::string_view shape = definition.empty() ? std::string_view{} : read_text(from, dictionary, unused);
  return {shape, from, dictionary};
}

void read_names(std::string_view definition, const Dictionary& dictionary, ClockNames& names) {
  ByteReader from(definition);
  const std::uint64_t first = from.varint();
  names.as_sent = (first & names_as_sent) != 0;
  if (first >> 1U > from.left()) throw DamagedBytes("a clock has too many names");
  names.names.resize(first >> 1U);
  std::string buffer;
  for (auto& name : names.names) name = read_text(from, dictionary, buffer);
}

/// What the records behind it need of it, but for its id.
void RecordReader::step_over(const RecordHead& head) {
  at_ = head.next;
  time_ = step_time(time_, head.time_step);
  if (!head.context.bytes.empty()) context_ = head.context.bytes;
  if (!head.clock.bytes.empty()) clock_ = head.clock.bytes;
}

bool RecordReader::find(const Id& id) {
  RecordHead before;
  while (!done()) {
    const RecordHead head = read_head(chunk_, at_);
    if (is_record_of(head, id)) {
      previous_id_.clear();
      if (!before.id.empty()) wire::append_json_string(previous_id_, id_text_of(before));
      return true;
    }
    step_over(head);
    before = head;
  }
  return false;
}

std::size_t RecordReader::next_size() const {
  const RecordHead head = read_head(chunk_, at_);
  const bool has_context = !head.context.bytes.empty();
  const bool has_clock = !head.clock.bytes.empty();
  return head.rest.left() + (has_context ? head.context.bytes : context_).size() +
         (has_clock ? head.clock.bytes : clock_).size();
}

storage::StoredEvent RecordReader::next(const std::string& trace_id) {
  const RecordHead head = read_head(chunk_, at_);
  step_over(head);
  storage::StoredEvent event;
  event.trace_id = trace_id;
  event.event_id = id_text_of(head);
  event.timestamp = time_;

  ByteReader from = head.rest;
  if ((head.flags & has_clock) != 0) event.vector_clock = read_clock(from);
  std::string buffer;
  ByteReader shape(read_text(from, dictionary_, buffer));
  event.kind = shape.counted();
  if ((head.flags & has_location) != 0) {
    std::string of_location;
    event.location = read_text(from, dictionary_, of_location);
  }
  if ((head.flags & has_duration) != 0) {
    std::memcpy(&event.duration_ms.emplace(), from.bytes(sizeof(float)).data(), sizeof(float));
  }
  event.metadata = read_metadata(head, shape.bytes(shape.left()), from);

  previous_id_.clear();
  wire::append_json_string(previous_id_, event.event_id);
  return event;
}

std::string RecordReader::read_metadata(const RecordHead& head, std::string_view shape, ByteReader values) const {
  Members own(ShapeReader(shape, values, dictionary_));
  Members shared(read_context((head.flags & has_context) != 0 ? context_ : std::string_view{}, dictionary_));
  const KnownValues known{previous_id_, clock_as_sent_};
  std::string json = "{";
  while (!own.done() || !shared.done()) {
    if (json.size() > 1) json += ',';
    const bool shared_first = own.done() || (!shared.done() && causality::compare_names(shared.key(), own.key()) < 0);
    (shared_first ? shared : own).append(json, known);
  }
  return json += '}';
}

/// The clock as an object; and as sent, where that is another order.
std::string RecordReader::read_clock(ByteReader& from) {
  if (names_of_ != clock_.data()) read_names(clock_, dictionary_, names_);
  names_of_ = clock_.data();
  std::vector<std::pair<std::string_view, std::uint64_t>> components;
  components.reserve(names_.names.size());
  for (const auto& name : names_.names) components.emplace_back(name, from.varint());
  if (names_.as_sent) {
    clock_as_sent_ = "[";
    for (const auto& [name, counter] : components) {
      clock_as_sent_ += clock_as_sent_.size() > 1 ? ",[" : "[";
      wire::append_json_string(clock_as_sent_, name);
      clock_as_sent_ += ',' + std::to_string(counter) + ']';
    }
    clock_as_sent_ += ']';
    std::sort(components.begin(), components.end(),
              [](const auto& a, const auto& b) { return causality::compare_names(a.first, b.first) < 0; });
  }
  std::string json = "{";
  for (const auto& [name, counter] : components) {
    if (json.size() > 1) json += ',';
    wire::append_json_string(json, name);
    json += ':' + std::to_string(counter);
  }
  return json += '}';
}

}  // namespace raceway::server::memory

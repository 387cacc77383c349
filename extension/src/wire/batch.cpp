#include "wire/batch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "wire/arena.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/jaeger_json.hpp"
#include "wire/json_reader.hpp"
#include "wire/known_events.hpp"
#include "wire/otlp_json.hpp"
#include "wire/otlp_protobuf.hpp"
#include "wire/span_batch.hpp"
#include "wire/span_json.hpp"
#include "wire/text.hpp"
#include "wire/tree_reader.hpp"
#include "wire/zipkin_json.hpp"

namespace raceway::wire {

/// An arena, with an allowance of its own where none was given.
class Batch::Memory {
 public:
  Memory() : arena(own_) {}
  explicit Memory(Allowance& allowance) : arena(allowance) {}

 private:
  Allowance own_;

 public:
  Arena arena;
};

Batch::Batch() : memory(std::make_unique<Memory>()), events(memory->arena.allowance().source()) {}
Batch::Batch(Allowance& allowance) : memory(std::make_unique<Memory>(allowance)), events(allowance.source()) {}
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
Batch::~Batch() = default;

namespace {

/// An id to name a rejected event by, from its tree.
std::string id_in(const Json& tree) {
  for (const auto name : {fields::event_id, fields::id}) {
    const Json* id = tree.find(name);
    if (id != nullptr && id->is(Json::Type::string)) return std::string(first_characters(id->text(), max_id_length));
  }
  return {};
}

/// Whether a field is missing that every event has.
bool lacks_field(const Json& tree) {
  constexpr std::array names = {fields::trace_id, fields::timestamp, fields::kind};
  return std::any_of(names.begin(), names.end(), [&](auto name) { return find_value(tree, name) == nullptr; });
}

/// The id of the event that stands next, an object of which there is no tree.
std::string find_id(JsonReader& reader) {
  std::string event_id;
  std::string id;
  reader.expect('{', "an object is expected");
  if (reader.accept('}')) return id;
  do {
    const auto key = reader.read_key();
    const bool is_id = key == fields::id || key == fields::event_id;
    if (is_id && reader.peek() == '"') {
      reader.read_short_string(key == fields::id ? id : event_id, max_id_length);
    } else {
      reader.skip_value();
    }
  } while (reader.accept(','));
  reader.expect('}', "',' or '}' is expected");
  return event_id.empty() ? id : event_id;
}

/// Reads one body into a batch.
class BodyReader {
 public:
  BodyReader(std::string_view body, const Reading& reading, Arena& arena, Batch& batch)
      : window_(reading.window),
        most_events_(reading.most_events),
        arena_(arena),
        allowance_(arena.allowance()),
        batch_(batch),
        trees_(body, reading.window, arena),
        reader_(trees_.reader()),
        known_(trees_.scan(), reading.form, arena_) {
    trees_.pay_for(std::min(body.size(), paid_in_advance));
    // A row takes about one and a half times its text.
    arena_.expect(body.size() + body.size() / 2);
    beginning_ = arena_.mark();
  }

  void read() {
    const std::size_t place = reader_.place();
    if (reader_.peek() == '[') {
      const bool is_of_spans = is_zipkin_spans(reader_, place);
      reader_.move_to(place);
      is_of_spans ? read_spans(read_zipkin_spans) : read_array_of_events();
    } else if (reader_.peek() == '{') {
      read_object();
    } else {
      reader_.skip_value();
    }
    reader_.expect_end();
  }

 private:
  void read_array_of_events();
  void read_object();
  bool read_known(std::size_t place);
  void read_any(std::size_t place);
  bool add_event(std::uint32_t index, const Json& tree);
  void reject(std::uint32_t index, std::string_view reason, const Json& tree);
  void reject_unread(std::uint32_t index, std::string_view reason, std::size_t place);
  void read_spans(void (*read_format)(TreeReader&, SpanBatch&));
  bool read_spans_under(std::string_view key, std::size_t object);
  void forget();

  /// So much that a first chunk of memory is had at once.
  static constexpr std::size_t paid_in_advance = std::size_t{256} << 10U;

  const std::size_t window_;
  const std::size_t most_events_;
  Arena& arena_;
  Allowance& allowance_;
  Batch& batch_;
  TreeReader trees_;
  JsonReader& reader_;
  KnownEvents known_;
  Arena::Mark beginning_;
};

/// Reads the event there where its layout is known and nothing in it is unusual; answers whether it did.
bool BodyReader::read_known(std::size_t place) {
  allowance_.steps(16);
  Event& event = batch_.events.emplace_back();
  const auto end = known_.read(place, window_, event);
  if (!end) {
    batch_.events.pop_back();
    return false;
  }
  event.index = static_cast<std::uint32_t>(batch_.count++);
  trees_.pay_for(*end);
  allowance_.lower_limit(sizeof(Event));
  reader_.move_to(*end);
  return true;
}

/// Reads any next event, and learns its layout for those that follow.
void BodyReader::read_any(std::size_t place) {
  const auto index = static_cast<std::uint32_t>(batch_.count++);
  if (reader_.peek() != '{') {
    reader_.skip_value();
    return reject(index, "the event is not an object", {});
  }
  const Arena::Mark before = arena_.mark();
  const std::size_t limit = allowance_.limit();
  Json tree;
  const std::string problem = trees_.read(place, tree);
  const std::size_t end = reader_.place();
  trees_.pay_for(end);
  if (!problem.empty()) reject_unread(index, problem, place);
  if (!problem.empty() || !add_event(index, tree)) {
    // Whether another event is taken does not depend on what is not.
    arena_.release(before);
    return allowance_.set_limit(limit);
  }
  allowance_.lower_limit(sizeof(Event));
  reader_.move_to(place);
  known_.learn(reader_);
  reader_.move_to(end);
}

/// Answers whether the event can be kept.
bool BodyReader::add_event(std::uint32_t index, const Json& tree) {
  const bool is_documented = tree.find(fields::event_id) != nullptr;
  if (!is_documented && tree.find(fields::id) == nullptr) {
    reject(index, "the event has neither id nor event_id", tree);
    return false;
  }
  // Nobody is told why: that is not worth an exception for each of very many.
  if (!batch_.rejected.would_tell(index) && lacks_field(tree)) {
    batch_.rejected.add_untold();
    return false;
  }
  try {
    const Event event = is_documented ? read_documented_event(tree, arena_) : read_sdk_event(tree, arena_);
    batch_.events.emplace_back() = event;
    batch_.events.back().index = index;
    return true;
  } catch (const EventError& error) {
    reject(index, error.what(), tree);
  } catch (const OverAllowance&) {
    reject(index, too_many_values, tree);
  }
  return false;
}

void BodyReader::reject(std::uint32_t index, std::string_view reason, const Json& tree) {
  if (!batch_.rejected.would_tell(index)) return batch_.rejected.add_untold();
  batch_.rejected.add({index, id_in(tree), std::string(reason)});
}

/// Of an event without a tree, which begins there.
void BodyReader::reject_unread(std::uint32_t index, std::string_view reason, std::size_t place) {
  if (!batch_.rejected.would_tell(index)) return batch_.rejected.add_untold();
  const std::size_t end = reader_.place();
  reader_.move_to(place);
  batch_.rejected.add({index, find_id(reader_), std::string(reason)});
  reader_.move_to(end);
}

void BodyReader::read_array_of_events() {
  reader_.expect('[', "an array of events is expected");
  forget();  // of equal keys the last one stands
  if (reader_.accept(']')) return;
  do {
    const std::size_t place = reader_.place();
    if (batch_.count == most_events_) {
      throw TooManyEvents("the body holds more than " + std::to_string(most_events_) + " events");
    }
    if (!read_known(place)) read_any(place);
  } while (reader_.accept(','));
  reader_.expect(']', "',' or ']' is expected");
}

void BodyReader::forget() {
  if (batch_.count == 0) return;
  batch_.count = 0;
  batch_.events.clear();
  batch_.rejected = {};
  known_.forget_events_before();
  arena_.release(beginning_);
}

void BodyReader::read_spans(void (*read_format)(TreeReader&, SpanBatch&)) {
  forget();
  batch_.of_spans = true;
  SpanBatch spans(arena_, batch_, most_events_);
  read_format(trees_, spans);
}

/// Reads the value of the key where it holds spans and the object that began at `object` is no event; answers whether.
bool BodyReader::read_spans_under(std::string_view key, std::size_t object) {
  if (key == otlp_spans_field) {
    read_spans(read_otlp_json);
    return true;
  }
  if (key != "data") return false;
  const std::size_t place = reader_.place();
  bool holds_traces = is_jaeger_traces(reader_, place);
  if (holds_traces) {
    reader_.move_to(object);
    holds_traces = !has_member(reader_, fields::trace_id);
  }
  reader_.move_to(place);
  if (holds_traces) read_spans(read_jaeger_traces);
  return holds_traces;
}

/// What the names of an object's members say of it.
struct Looks {
  bool like_event = false;
  bool like_trace = false;  ///< of Jaeger
  bool has_spans = false;
  bool in_snake_case = false;  ///< as OTLP's JSON is not

  void note(std::string_view key, char value) {
    like_event |= key == fields::id || key == fields::event_id || key == fields::trace_id;
    like_trace |= key == "traceID";
    has_spans |= key == "spans" && value == '[';
    in_snake_case |= key == "resource_spans";
  }
};

/// Reads an object that wraps events or spans, or is a bare event or trace.
void BodyReader::read_object() {
  const std::size_t place = reader_.place();
  if (read_known(place)) return;
  bool wraps = false;
  Looks looks;
  reader_.expect('{', "an object is expected");
  if (!reader_.accept('}')) {
    do {
      const auto key = reader_.read_key();
      looks.note(key, reader_.peek());
      if (key == "events") {
        wraps = reader_.peek() == '[';
        if (wraps) {
          read_array_of_events();
          continue;
        }
        forget();
      } else if (!looks.like_event && read_spans_under(key, place)) {
        continue;
      }
      reader_.skip_value();
    } while (reader_.accept(','));
    reader_.expect('}', "',' or '}' is expected");
  }
  if (wraps || batch_.of_spans) return;
  reader_.move_to(place);
  if (looks.like_event) return read_any(place);
  if (looks.like_trace && looks.has_spans) return read_spans(read_jaeger_trace);
  if (looks.in_snake_case) {
    throw BodyError("the body has resource_spans: the names of OTLP's JSON are in lowerCamelCase, resourceSpans");
  }
  reader_.skip_value();
}

}  // namespace

Batch read_batch(std::string_view body, const Reading& reading) {
  Batch batch = reading.allowance != nullptr ? Batch(*reading.allowance) : Batch();
  Arena& arena = batch.memory->arena;
  if (reading.allowance == nullptr) arena.allowance().set_limit(memory_of_any_body);
  if (is_otlp_protobuf(body)) {
    batch.of_spans = true;
    SpanBatch spans(arena, batch, reading.most_events);
    read_otlp_protobuf(body, spans);
  } else {
    BodyReader(body, reading, arena, batch).read();
  }
  if (batch.count == 0 && !batch.of_spans) {
    throw BodyError("the body holds no event; send {\"events\":[...]}, an array of events, or one event");
  }
  return batch;
}

}  // namespace raceway::wire

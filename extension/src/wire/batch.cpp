#include "wire/batch.hpp"

#include <algorithm>
#include <optional>

#include "wire/arena.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_scanner.hpp"
#include "wire/known_events.hpp"

namespace raceway::wire {

class Batch::Memory : public Arena {};

Batch::Batch() : memory(std::make_unique<Memory>()) {}
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
Batch::~Batch() = default;

namespace {

constexpr std::size_t largest_expected = std::size_t{1} << 20U;

Event read_event(const Json& tree, Arena& arena) {
  if (!tree.is(Json::Type::object)) throw EventError("the event is not an object");
  if (tree.find(fields::event_id) != nullptr) return read_documented_event(tree, arena);
  if (tree.find(fields::id) != nullptr) return read_sdk_event(tree, arena);
  throw EventError("the event has neither id nor event_id");
}

/// An id to name a rejected event by, from its tree.
std::string id_in(const Json& tree) {
  for (const auto name : {fields::event_id, fields::id}) {
    const Json* id = tree.find(name);
    if (id != nullptr && id->is(Json::Type::string)) return std::string(id->text);
  }
  return {};
}

/// Reads a key and its ':'; a key that no text can hold reads as empty, which is no field's name.
std::string_view read_any_key(JsonReader& reader) {
  const auto place = reader.tell();
  try {
    return reader.read_key();
  } catch (const EventError&) {
    reader.seek(place);
    reader.skip_value();
    reader.expect(':', "':' is expected");
    return {};
  }
}

/// The id of an event of which no tree could be built: walks its members, checking what it steps over.
std::string find_id(JsonReader& reader) {
  std::string event_id;
  std::string id;
  if (reader.peek() != '{') {
    reader.skip_value();
    return id;
  }
  reader.accept('{');
  if (reader.accept('}')) return id;
  do {
    const auto key = read_any_key(reader);
    const auto place = reader.tell();
    const bool wanted = (key == fields::id || key == fields::event_id) && reader.peek() == '"';
    if (wanted) {
      try {
        (key == fields::id ? id : event_id) = reader.read_string();
        continue;
      } catch (const EventError&) {
        reader.seek(place);
      }
    }
    reader.skip_value();
  } while (reader.accept(','));
  reader.expect('}', "',' or '}' is expected");
  return event_id.empty() ? id : event_id;
}

/// Reads one body into a batch.
class BodyReader {
 public:
  BodyReader(std::string_view body, MetadataForm form, Batch& batch)
      : body_(body), batch_(batch), known_(body, form, *batch.memory) {}

  void read() {
    if (read_ahead()) return;
    JsonReader reader(body_, *batch_.memory);
    if (reader.peek() == '[') {
      read_array_of_events(reader);
    } else if (reader.peek() == '{') {
      read_object(reader);
    } else {
      reader.skip_value();
    }
    reader.expect_end();
  }

 private:
  bool read_ahead();
  void read_array_of_events(JsonReader& reader);
  void read_object(JsonReader& reader);
  void read_one(JsonReader& reader);
  bool read_known(JsonReader& reader);
  void read_any(JsonReader& reader);
  std::optional<std::size_t> read_known_at(std::size_t place);
  void forget();

  std::string_view body_;
  Batch& batch_;
  KnownEvents known_;

  // The array of events whose beginning is read, and where to go on in it; 0: no such.
  std::size_t array_ = 0;
  std::size_t rest_of_array_ = 0;
};

/// Reads known events as far as they come one after the other in a body of the usual form, `{"events":[...]}` or
/// `[...]`; such a body needs no index. Answers whether it was read to its end.
bool BodyReader::read_ahead() {
  JsonScanner scan(body_, *batch_.memory);
  if (scan.accept('{')) {
    scan.skip_space();
    std::string_view key;
    if (scan.peek() != '"' || !scan.read_string(key) || key != "events" || !scan.accept(':')) return false;
    if (!scan.accept('[')) return false;
  } else if (!scan.accept('[')) {
    return false;
  }
  const std::size_t array = scan.place();
  do {
    scan.skip_space();
    const auto end = read_known_at(scan.place());
    if (!end) return false;
    scan.move_to(*end);
    array_ = array;
    rest_of_array_ = *end;
  } while (scan.accept(','));
  if (!scan.accept(']')) return false;
  const bool is_wrapped = body_[body_.find_first_not_of(" \n\t\r")] == '{';
  if (is_wrapped && !scan.accept('}')) return false;
  scan.skip_space();
  return scan.left() == 0;
}

/// Reads the event there where its layout is known and nothing in it is unusual; answers where it ends.
std::optional<std::size_t> BodyReader::read_known_at(std::size_t place) {
  Event& event = batch_.events.emplace_back();
  const auto end = known_.read(place, event);
  if (end) {
    event.index = static_cast<std::uint32_t>(batch_.count++);
  } else {
    batch_.events.pop_back();
  }
  return end;
}

bool BodyReader::read_known(JsonReader& reader) {
  const auto end = read_known_at(reader.place());
  if (end) reader.move_to(*end);
  return end.has_value();
}

/// Reads any next event, and learns its layout for those that follow.
void BodyReader::read_any(JsonReader& reader) {
  const auto index = static_cast<std::uint32_t>(batch_.count++);
  const auto place = reader.tell();
  Json tree;
  try {
    tree = reader.read_value();
  } catch (const EventError& error) {
    reader.seek(place);
    batch_.rejected.push_back({index, find_id(reader), error.what()});
    return;
  }
  try {
    Event event = read_event(tree, *batch_.memory);
    event.index = index;
    batch_.events.push_back(event);
  } catch (const EventError& error) {
    batch_.rejected.push_back({index, id_in(tree), error.what()});
    return;
  }
  const auto end = reader.tell();
  reader.seek(place);
  known_.learn(reader);
  reader.seek(end);
}

void BodyReader::read_one(JsonReader& reader) {
  if (!read_known(reader)) read_any(reader);
}

void BodyReader::read_array_of_events(JsonReader& reader) {
  const std::size_t array = reader.place() + 1;
  reader.expect('[', "an array of events is expected");
  if (array == array_) {
    reader.move_to(rest_of_array_);
  } else {
    forget();
    if (reader.accept(']')) return;
    read_one(reader);
  }
  while (reader.accept(',')) read_one(reader);
  reader.expect(']', "',' or ']' is expected");
}

void BodyReader::forget() {
  batch_.count = 0;
  batch_.events.clear();
  batch_.rejected.clear();
}

/// Reads an object that is either the wrapping `{"events":[...]}` or a bare event.
void BodyReader::read_object(JsonReader& reader) {
  if (batch_.count == 0 && read_known(reader)) return;
  const auto place = reader.tell();
  bool wraps = false;
  bool looks_like_event = false;
  reader.expect('{', "an object is expected");
  if (!reader.accept('}')) {
    do {
      const auto key = read_any_key(reader);
      if (key == "events") {
        wraps = reader.peek() == '[';
        if (wraps) {
          read_array_of_events(reader);
          continue;
        }
        forget();  // of equal keys the last one stands
      }
      looks_like_event |= key == fields::id || key == fields::event_id || key == fields::trace_id;
      reader.skip_value();
    } while (reader.accept(','));
    reader.expect('}', "',' or '}' is expected");
  }
  if (wraps || !looks_like_event) return;
  reader.seek(place);
  read_any(reader);
}

}  // namespace

Batch read_batch(std::string_view body, MetadataForm form) {
  Batch batch;
  // A row takes about one and a half times its text; a common event has some 500 bytes.
  batch.memory->expect(std::min(body.size() + body.size() / 2, largest_expected));
  batch.events.reserve(std::min(body.size(), largest_expected) / 512 + 1);
  BodyReader(body, form, batch).read();
  if (batch.count == 0) {
    throw BodyError("the body holds no event; send {\"events\":[...]}, an array of events, or one event");
  }
  return batch;
}

}  // namespace raceway::wire

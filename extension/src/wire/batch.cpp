#include "wire/batch.hpp"

#include <algorithm>

#include "wire/arena.hpp"
#include "wire/event_layouts.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/json_reader.hpp"

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

void forget(Batch& batch) {
  batch.count = 0;
  batch.events.clear();
  batch.rejected.clear();
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

/// Reads the next event where its layout is known and nothing in it is unusual; answers whether it did.
bool read_known(JsonReader& reader, Batch& batch) {
  Event& event = batch.events.emplace_back();
  if (!EventLayouts::of_this_thread().read(reader, *batch.memory, event)) {
    batch.events.pop_back();
    return false;
  }
  event.index = static_cast<std::uint32_t>(batch.count++);
  return true;
}

/// Reads any next event, and learns its layout for those that follow.
void read_any(JsonReader& reader, Batch& batch) {
  const auto index = static_cast<std::uint32_t>(batch.count++);
  const auto place = reader.tell();
  Json tree;
  try {
    tree = reader.read_value();
  } catch (const EventError& error) {
    reader.seek(place);
    batch.rejected.push_back({index, find_id(reader), error.what()});
    return;
  }
  try {
    Event event = read_event(tree, *batch.memory);
    event.index = index;
    batch.events.push_back(event);
  } catch (const EventError& error) {
    batch.rejected.push_back({index, id_in(tree), error.what()});
    return;
  }
  EventLayouts::of_this_thread().learn(reader, place);
}

void read_one(JsonReader& reader, Batch& batch) {
  if (!read_known(reader, batch)) read_any(reader, batch);
}

void read_array_of_events(JsonReader& reader, Batch& batch) {
  reader.expect('[', "an array of events is expected");
  if (reader.accept(']')) return;
  do {
    read_one(reader, batch);
  } while (reader.accept(','));
  reader.expect(']', "',' or ']' is expected");
}

/// Reads an object that is either the wrapping `{"events":[...]}` or a bare event.
void read_object(JsonReader& reader, Batch& batch) {
  if (read_known(reader, batch)) return;
  const auto place = reader.tell();
  bool wraps = false;
  bool looks_like_event = false;
  reader.expect('{', "an object is expected");
  if (!reader.accept('}')) {
    do {
      const auto key = read_any_key(reader);
      if (key == "events") {
        forget(batch);  // of equal keys the last one stands
        wraps = reader.peek() == '[';
        if (wraps) {
          read_array_of_events(reader, batch);
          continue;
        }
      }
      looks_like_event |= key == fields::id || key == fields::event_id || key == fields::trace_id;
      reader.skip_value();
    } while (reader.accept(','));
    reader.expect('}', "',' or '}' is expected");
  }
  if (wraps || !looks_like_event) return;
  reader.seek(place);
  read_any(reader, batch);
}

}  // namespace

Batch read_batch(std::string_view body) {
  Batch batch;
  JsonReader reader(body, *batch.memory);
  // A row takes about one and a half times its text; a common event has some 500 bytes.
  batch.memory->expect(std::min(body.size() + body.size() / 2, largest_expected));
  batch.events.reserve(std::min(body.size(), largest_expected) / 512 + 1);
  if (reader.peek() == '[') {
    read_array_of_events(reader, batch);
  } else if (reader.peek() == '{') {
    read_object(reader, batch);
  } else {
    reader.skip_value();
  }
  reader.expect_end();
  if (batch.count == 0) {
    throw BodyError("the body holds no event; send {\"events\":[...]}, an array of events, or one event");
  }
  return batch;
}

}  // namespace raceway::wire

#include "moving/event_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "wire/arena.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/json_reader.hpp"
#include "wire/row_json.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

using wire::Json;
namespace fields = wire::fields;

void append_key(std::string& out, std::string_view name) {
  out += ",\"";
  out += name;
  out += "\":";
}

/// The shortest text that names the column's value.
void append_duration(std::string& out, std::optional<float> duration_ms) {
  if (!duration_ms || !std::isfinite(*duration_ms)) return;
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *duration_ms).ptr;
  append_key(out, fields::duration_ms);
  out.append(digits.data(), end);
}

/// Everything before the clock.
void append_beginning(std::string& out, const wire::Row& row, int nanos) {
  out += "{\"event_id\":";
  wire::append_json_string(out, row.event_id);
  append_key(out, fields::trace_id);
  wire::append_json_string(out, row.trace_id);
  append_key(out, fields::kind);
  wire::append_json_string(out, row.kind);
  append_key(out, fields::timestamp);
  out += '"';
  wire::append_timestamp(out, {row.timestamp, nanos}, "Z");
  out += '"';
  append_duration(out, row.duration_ms);
  if (row.location) {
    append_key(out, fields::location);
    wire::append_json_string(out, *row.location);
  }
}

bool is_empty_text(const Json& value) {
  return value.is(Json::Type::string) && value.text().empty();
}

/// Whether the SDK's form was filled up: no SDK leaves its environment empty.
bool is_filled_up(const Json& metadata) {
  const Json* environment = metadata.find(fields::environment);
  return environment != nullptr && is_empty_text(*environment);
}

/// Whether a member is what the form is filled up with.
bool is_filler(std::string_view key, const Json& value) {
  if (key == fields::thread_id || key == fields::environment) return is_empty_text(value);
  if (key == fields::process_id) return value.is(Json::Type::number) && value.text() == "0";
  if (key == fields::tags) return value.is(Json::Type::object) && value.count() == 0;
  return key == fields::duration_ns && value.is(Json::Type::null);
}

void append_api_metadata(std::string& out, const Json& metadata, const Json* parent, const Unsaid& unsaid) {
  const bool filled_up = is_filled_up(metadata);
  char separator = '{';
  for (const auto& member : metadata.as_object()) {
    const auto key = member.key();
    const Json& value = member.value;
    if (filled_up && is_filler(key, value)) continue;
    if (unsaid.no_service && key == fields::service_name && is_empty_text(value)) continue;
    out += separator;
    wire::append_json_string(out, key);
    out += ':';
    wire::append_json(out, key == fields::parent_id && parent != nullptr ? *parent : value);
    separator = ',';
  }
  out += separator == '{' ? "{}" : "}";
}

std::string_view text_of(const Json& event, std::string_view name) {
  const Json* value = event.find(name);
  return value != nullptr && value->is(Json::Type::string) ? value->text() : std::string_view();
}

}  // namespace

void append_row(std::string& out, const wire::Row& row) {
  int nanos = 0;
  if (row.metadata.find(fields::timestamp_nanos) != std::string_view::npos) {
    wire::Arena arena;
    nanos = wire::nanos_in(wire::read_row_object(row.metadata, arena));
  }
  append_beginning(out, row, nanos);
  // What is no object was put there by hand; an import would refuse it.
  if (row.vector_clock.starts_with('{')) {
    append_key(out, fields::vector_clock);
    out += row.vector_clock;
  }
  append_key(out, fields::metadata);
  out += row.metadata.starts_with('{') ? row.metadata : "{}";
  out += '}';
}

void append_api_event(std::string& out, std::string_view sdk_event, const Unsaid& unsaid) {
  wire::Arena arena;
  const Json tree = wire::read_json(sdk_event, arena);
  const wire::Event event = wire::read_sdk_event(tree, arena);
  wire::Row row;
  // As the server says them: reading the form brings ids that look like UUIDs into another shape.
  row.event_id = text_of(tree, fields::id);
  row.trace_id = text_of(tree, fields::trace_id);
  row.kind = event.kind;
  row.timestamp = event.timestamp;
  row.duration_ms = event.duration_ms;
  row.location = event.location;
  append_beginning(out, row, wire::nanos_in(event.metadata));
  // Having no clock looks like an empty one there; no clock is what nobody sends an SDK's event with.
  if (!event.clock.empty() || !is_filled_up(event.metadata)) {
    append_key(out, fields::vector_clock);
    wire::append_json_clock(out, event.clock);
  }
  append_key(out, fields::metadata);
  append_api_metadata(out, event.metadata, tree.find(fields::parent_id), unsaid);
  out += '}';
}

}  // namespace raceway::server::moving

#include "wire/writer.hpp"

#include <array>
#include <charconv>
#include <functional>
#include <optional>

#include "wire/arena.hpp"
#include "wire/fields.hpp"
#include "wire/number.hpp"
#include "wire/row_json.hpp"
#include "wire/text.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {
namespace {

/// Writes the members of one JSON object.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  void add(std::string_view name, const Json& value) { append_json(key(name), value); }
  /// The members of `object`, where there is one, whose names pass.
  template <class Passes>
  void add_some(const Json* object, Passes passes) {
    if (object == nullptr) return;
    for (const auto& member : object->as_object()) {
      if (passes(member.key())) add(member.key(), member.value);
    }
  }
  void close() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

const Json* find_object(const Json& metadata, std::string_view name) {
  const Json* value = metadata.find(name);
  return value != nullptr && value->is(Json::Type::object) ? value : nullptr;
}

/// Whether the location column holds nothing but what `file` and `line` say.
bool is_derived(std::string_view location, const Json& metadata) {
  const Json* file = metadata.find(fields::file);
  const Json* line = metadata.find(fields::line);
  if (file == nullptr || line == nullptr || !file->is(Json::Type::string) || !line->is(Json::Type::number))
    return false;
  const std::string whole = std::string(file->text()) + ":" + std::string(line->text());
  return first_characters(whole, max_location_length) == location;
}

void append_kind(std::string& out, const Row& row, const Json& metadata) {
  ObjectWriter kind(out);
  ObjectWriter variant(kind.key(row.kind));
  variant.add_some(&metadata, std::not_fn(fields::is_taken));
  const bool has_location = metadata.find(fields::location) != nullptr;
  if (row.location && !has_location && !is_derived(*row.location, metadata)) {
    variant.add(fields::location, Json::of_string(*row.location));
  }
  // What a client put under the three names `*_fields` itself must not make a key stand twice.
  variant.add_some(find_object(metadata, fields::kind_fields), fields::is_taken);
  variant.close();
  kind.close();
}

/// The duration of an event that has one in its column alone (the documented form), in nanoseconds.
std::optional<std::string> nanos_of_column(const Row& row, const Json& metadata) {
  if (!row.duration_ms || *row.duration_ms < 0 || metadata.find(fields::duration_ms) != nullptr) return std::nullopt;
  std::array<char, 64> shortest{};
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size() - 4, *row.duration_ms,
                                 std::chars_format::scientific)
                       .ptr;
  // The shortest decimal that names the column's value, a million times larger: by its exponent, so without rounding.
  std::string text(shortest.data(), end);
  const auto exponent_at = text.find('e');
  const int exponent = std::stoi(text.substr(exponent_at + 1)) + 6;
  const auto plain = plain_number(text.substr(0, exponent_at) + "e" + std::to_string(exponent));
  if (!plain) return std::nullopt;
  return plain->substr(0, plain->find('.'));
}

void append_metadata(std::string& out, const Row& row, const Json& metadata) {
  ObjectWriter object(out);
  const auto add_or = [&](std::string_view name, const Json& otherwise) {
    const Json* value = metadata.find(name);
    object.add(name, value != nullptr ? *value : otherwise);
  };
  const auto nanos = nanos_of_column(row, metadata);
  add_or(fields::thread_id, Json::of_string(""));
  add_or(fields::process_id, Json::of_number("0"));
  add_or(fields::service_name, Json::of_string(""));
  add_or(fields::environment, Json::of_string(""));
  add_or(fields::tags, Json::of_object({}));
  add_or(fields::duration_ns, nanos ? Json::of_number(*nanos) : Json::of_null());
  for (const auto name : {fields::instance_id, fields::distributed_span_id, fields::upstream_span_id}) {
    if (const Json* value = metadata.find(name)) object.add(name, *value);
  }
  object.add_some(find_object(metadata, fields::metadata_fields), std::not_fn(fields::is_sdk_metadata));
  object.close();
}

void append_clock(std::string& out, const Row& row, const Json& metadata, Arena& arena) {
  const Json* as_sent = metadata.find(fields::causality_vector);
  if (as_sent != nullptr && as_sent->is(Json::Type::array)) return append_json(out, *as_sent);
  if (row.vector_clock.empty()) {
    out += "[]";
    return;
  }
  const Json clock = read_row_object(row.vector_clock, arena);
  char separator = '[';
  for (const auto& component : clock.as_object()) {
    out += separator;
    out += '[';
    append_json_string(out, component.key());
    out += ',';
    append_json(out, component.value);
    out += ']';
    separator = ',';
  }
  out += clock.count() == 0 ? "[]" : "]";
}

}  // namespace

void append_sdk_event(std::string& out, const Row& row) {
  Arena arena;
  const Json metadata = read_row_object(row.metadata, arena);
  const Json* parent = metadata.find(fields::parent_id);
  const Json* locks = metadata.find(fields::lock_set);

  ObjectWriter event(out);
  event.add(fields::id, Json::of_string(row.event_id));
  event.add(fields::trace_id, Json::of_string(row.trace_id));
  event.add(fields::parent_id, parent != nullptr && parent->is(Json::Type::string) ? *parent : Json::of_null());
  event.key(fields::timestamp) += '"';
  append_timestamp(out, {row.timestamp, nanos_in(metadata)}, "Z");
  out += '"';
  append_kind(event.key(fields::kind), row, metadata);
  append_metadata(event.key(fields::metadata), row, metadata);
  append_clock(event.key(fields::causality_vector), row, metadata, arena);
  event.add(fields::lock_set, locks != nullptr && locks->is(Json::Type::array) ? *locks : Json::of_array({}));
  event.add_some(find_object(metadata, fields::event_fields), std::not_fn(fields::is_sdk_field));
  event.close();
}

}  // namespace raceway::wire

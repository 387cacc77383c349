#include "moving/shiviz_writer.hpp"

#include <array>

#include "moving/shiviz_text.hpp"
#include "wire/arena.hpp"
#include "wire/fields.hpp"
#include "wire/json_reader.hpp"

namespace raceway::server::moving {
namespace {

using wire::Json;
namespace fields = wire::fields;

std::string_view text_in(const Json* object, std::string_view name) {
  const Json* value = object == nullptr ? nullptr : object->find(name);
  return value != nullptr && value->is(Json::Type::string) ? value->text() : std::string_view();
}

/// The component that was sent last: SDKs name their own behind those they heard of.
std::string_view last_sent(const Json& metadata) {
  const Json* pairs = metadata.find(fields::causality_vector);
  if (pairs == nullptr || !pairs->is(Json::Type::array) || pairs->count() == 0) return {};
  const Json& pair = pairs->as_array().back();
  if (!pair.is(Json::Type::array) || pair.count() == 0 || !pair.as_array().front().is(Json::Type::string)) return {};
  return pair.as_array().front().text();
}

std::string host_of(const Json& event, const Json& clock, const Json& metadata) {
  const std::string service(text_in(&metadata, fields::service_name));
  const std::string instance(text_in(&metadata, fields::instance_id));
  const std::string thread(text_in(&metadata, fields::thread_id));
  const std::array names = {
      std::string(text_in(&metadata, "host")),        service + "#" + instance,        instance, thread, service,
      std::string(text_in(&event, fields::location)), std::string(last_sent(metadata))};
  for (const auto& name : names) {
    if (!name.empty() && clock.find(name) != nullptr) return name;
  }
  if (clock.count() > 0) return std::string(clock.as_object().back().key());
  for (const auto& name : {names[0], thread, service}) {
    if (!name.empty()) return name;
  }
  return "-";
}

/// On one line.
std::string flat(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return line;
}

/// What happened, for people.
std::string description(const Json& event, const Json& metadata) {
  if (const auto said = text_in(&metadata, "event"); !said.empty()) return flat(said);
  std::string text(text_in(&event, fields::location));
  for (const auto& member : metadata.as_object()) {
    const Json& value = member.value;
    if (fields::is_taken(member.key()) || value.is(Json::Type::object) || value.is(Json::Type::array)) continue;
    if (!text.empty()) text += ' ';
    text += std::string(member.key()) + '=';
    wire::append_json(text, value);
  }
  return flat(text);
}

void append_clock(std::string& out, const Json& clock) {
  char separator = '{';
  for (const auto& component : clock.as_object()) {
    out += separator;
    wire::append_json_string(out, escaped_host(component.key()));
    out += ':';
    wire::append_json(out, component.value);
    separator = ',';
  }
  out += separator == '{' ? "{}" : "}";
}

}  // namespace

std::string shiviz_header() {
  return std::string(own_parser) + '\n' + std::string(own_delimiter) + "\n\n";
}

void ShivizWriter::append(std::string& out, std::string_view text) {
  wire::Arena arena;
  const Json event = wire::read_json(text, arena);
  const Json nothing = Json::of_object({});
  const Json* clock = event.find(fields::vector_clock);
  if (clock == nullptr) clock = &nothing;
  const Json& metadata = *event.find(fields::metadata);
  const auto trace = text_in(&event, fields::trace_id);
  if (!has_trace_ || trace != trace_) {
    out += "=== " + escaped_word(trace) + " ===\n";
    trace_ = trace;
    has_trace_ = true;
  }
  out += text_in(&event, fields::timestamp);
  out += ' ' + escaped_word(text_in(&event, fields::kind)) + ' ' + escaped_word(text_in(&event, fields::event_id));
  out += ' ' + description(event, metadata) + '\n' + escaped_host(host_of(event, *clock, metadata)) + ' ';
  append_clock(out, *clock);
  out += '\n';
}

}  // namespace raceway::server::moving

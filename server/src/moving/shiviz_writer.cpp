#include "moving/shiviz_writer.hpp"

#include <array>

#include "moving/shiviz_layout.hpp"
#include "moving/shiviz_text.hpp"
#include "wire/arena.hpp"
#include "wire/errors.hpp"
#include "wire/event_parts.hpp"
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

/// The component of a clock that is not empty whose event it is.
std::string_view component_of(const Json& event, std::span<const causality::Component> clock) {
  const Json& metadata = *event.find(fields::metadata);
  const std::string service(text_in(&metadata, fields::service_name));
  const std::string instance(text_in(&metadata, fields::instance_id));
  const std::array names = {std::string(text_in(&metadata, "host")),
                            service + "#" + instance,
                            instance,
                            std::string(text_in(&metadata, fields::thread_id)),
                            service,
                            std::string(text_in(&event, fields::location)),
                            std::string(last_sent(metadata))};
  for (const auto& name : names) {
    for (const auto& component : clock) {
      if (component.name == name) return component.name;
    }
  }
  return clock.back().name;
}

/// What happened, for people.
std::string description(const Json& event, const Json& metadata) {
  if (const auto said = text_in(&metadata, "event"); !said.empty()) return flattened(said);
  std::string text(text_in(&event, fields::location));
  for (const auto& member : metadata.as_object()) {
    const Json& value = member.value;
    if (fields::is_taken(member.key()) || value.is(Json::Type::object) || value.is(Json::Type::array)) continue;
    if (!text.empty()) text += ' ';
    text += std::string(member.key()) + '=';
    wire::append_json(text, value);
  }
  return flattened(text);
}

void append_clock(std::string& out, const ShivizLayout& layout, const ShivizLayout::Place& place) {
  char separator = '{';
  for (const auto& known : place.clock) {
    out += separator;
    wire::append_json_string(out, escaped_host(layout.names[known.line]));
    out += ':' + std::to_string(known.events);
    separator = ',';
  }
  out += '}';
}

}  // namespace

std::string shiviz_header() {
  return std::string(own_parser) + '\n' + std::string(own_delimiter) + "\n\n";
}

std::string ShivizChanges::text() const {
  std::string text;
  const auto say = [&text](std::uint64_t count, const char* what) {
    if (count > 0) text += std::to_string(count) + what + '\n';
  };
  say(placed, " events have no clock and stand where the order of their thread or host puts them");
  say(equal, " events have the same clock as another of their host and stand behind it, by time");
  say(split, " hosts are shown as several, for their clocks do not put their events one after the other");
  say(left_out, " events are left out: they have no clock, and no thread or host that tells their place");
  return text;
}

/// A clock that is none, put into the table by hand, is as good as no clock.
void ShivizWriter::keep_clock(const Json& event, Kept& kept) {
  const Json* clock = event.find(fields::vector_clock);
  if (clock == nullptr || !clock->is(Json::Type::object)) return;
  wire::Arena arena;
  try {
    for (const auto& component : wire::read_clock(*clock, fields::vector_clock, arena).components) {
      if (component.counter > 0) kept.clock.push_back({keep_name(component.name), component.counter});
    }
  } catch (const wire::EventError&) {
    kept.clock.clear();
  }
  if (!kept.clock.empty()) kept.component = component_of(event, kept.clock);
}

/// Of a thread or, where there is none, a span or host.
void ShivizWriter::keep_strand(const Json& metadata, Kept& kept) {
  const auto service = text_in(&metadata, fields::service_name);
  auto process = std::string(text_in(&metadata, fields::instance_id));
  const Json* number = metadata.find(fields::process_id);
  if (process.empty() && number != nullptr && number->is(Json::Type::number)) process = number->text();
  auto thread = text_in(&metadata, fields::thread_id);
  if (thread.empty()) thread = text_in(&metadata, fields::distributed_span_id);
  if (thread.empty()) {
    kept.strand = kept.strand_name = keep_name(text_in(&metadata, "host"));
    return;
  }
  std::string name(service);
  if (!process.empty()) name += '#' + process;
  name += (name.empty() ? "" : "/") + std::string(thread);
  kept.strand_name = keep_name(name);
  // What no name of a host is, lest two strands share one.
  kept.strand = keep_name(std::string(service) + '\0' + process + '\0' + std::string(thread));
}

void ShivizWriter::append(std::string& out, std::string_view text) {
  wire::Arena arena;
  const Json event = wire::read_json(text, arena);
  const Json& metadata = *event.find(fields::metadata);
  const auto trace = text_in(&event, fields::trace_id);
  if (!has_trace_ || trace != trace_) {
    finish(out);
    trace_ = trace;
    has_trace_ = true;
  }
  Kept kept;
  const auto time = text_in(&event, fields::timestamp);
  kept.id = text_in(&event, fields::event_id);
  kept.parent_id = text_in(&metadata, fields::parent_id);
  kept.time = wire::read_timestamp(time);
  kept.beginning = std::string(time) + ' ' + escaped_word(text_in(&event, fields::kind)) + ' ' + escaped_word(kept.id) +
                   ' ' + description(event, metadata) + '\n';
  keep_clock(event, kept);
  keep_strand(metadata, kept);
  events_.push_back(std::move(kept));
}

void ShivizWriter::finish(std::string& out) {
  if (!events_.empty()) write_trace(out);
  events_.clear();
  names_.clear();
}

void ShivizWriter::write_trace(std::string& out) {
  std::vector<ShownEvent> shown;
  for (const auto& kept : events_) {
    shown.push_back({{kept.id, kept.parent_id, kept.time.micros, kept.time.nanos, kept.clock},
                     kept.component,
                     kept.strand,
                     kept.strand_name});
  }
  const auto layout = lay_out(shown);
  changes_.placed += layout.placed;
  changes_.left_out += layout.left_out;
  changes_.equal += layout.equal;
  changes_.split += layout.split;
  // ShiViz takes no execution without events.
  if (layout.places.empty()) return;
  out += "=== " + escaped_label(trace_) + " ===\n";
  for (const auto& place : layout.places) {
    out += events_[place.event].beginning + escaped_host(layout.names[place.line]) + ' ';
    append_clock(out, layout, place);
    out += '\n';
  }
}

}  // namespace raceway::server::moving

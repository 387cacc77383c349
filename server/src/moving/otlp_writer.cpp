#include "moving/otlp_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "wire/name_uuid.hpp"
#include "wire/timestamp.hpp"
#include "wire/uuid.hpp"

namespace raceway::server::moving {
namespace {

using Document = nlohmann::json;

std::string text_in(const Document& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Document object_in(const Document& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_object() ? *at : Document::object();
}

Document attributes_of(const Document& object);

/// The reverse of wire/attribute_values.hpp.
Document value_of(const Document& value) {
  if (value.is_string()) return {{"stringValue", value}};
  if (value.is_boolean()) return {{"boolValue", value}};
  if (value.is_number_integer()) return {{"intValue", value.dump()}};
  if (value.is_number()) return {{"doubleValue", value}};
  if (value.is_array()) {
    Document values = Document::array();
    for (const auto& element : value) values.push_back(value_of(element));
    return {{"arrayValue", {{"values", values}}}};
  }
  if (!value.is_object()) return Document::object();
  const bool is_named = value.size() == 1 && (value.contains("bytesValue") || value.contains("doubleValue"));
  return is_named ? value : Document{{"kvlistValue", {{"values", attributes_of(value)}}}};
}

Document attributes_of(const Document& object) {
  Document attributes = Document::array();
  for (const auto& [key, value] : object.items()) attributes.push_back({{"key", key}, {"value", value_of(value)}});
  return attributes;
}

std::string nanos_of(const Document& event) {
  const auto time = wire::read_timestamp(text_in(event, "timestamp"));
  return std::to_string((time.micros - wire::unix_epoch) * 1000 + time.nanos);
}

Document otel_of(const Document& event) {
  return object_in(object_in(event["metadata"], "metadata_fields"), "otel");
}

/// Puts `from[name]` there under `as`, where it is.
void move_to(Document& to, const char* as, const Document& from, const char* name) {
  if (from.contains(name)) to[as] = from[name];
}

Document moment_of(const Document& event) {
  const Document& metadata = event["metadata"];
  const Document otel = otel_of(event);
  Document attributes = object_in(metadata, "tags");
  const std::string kind = text_in(event, "kind");
  if (kind == "StateChange") {
    move_to(attributes, "raceway.old", metadata, "old_value");
    move_to(attributes, "raceway.new", metadata, "new_value");
  }
  if (kind == "Error" && metadata.contains("stack_trace")) {
    std::string stack;
    for (const auto& line : metadata["stack_trace"]) stack += (stack.empty() ? "" : "\n") + line.get<std::string>();
    attributes["exception.stacktrace"] = stack;
  }
  Document moment = {{"timeUnixNano", otel.contains("time_missing") ? "0" : nanos_of(event)},
                     {"name", otel.contains("name") ? otel["name"] : Document(text_in(metadata, "name"))},
                     {"attributes", attributes_of(attributes)}};
  move_to(moment, "droppedAttributesCount", otel, "dropped_attributes");
  return moment;
}

Document links_of(const Document& otel) {
  Document links = Document::array();
  for (const auto& link : otel.value("links", Document::array())) {
    Document& made =
        links.emplace_back(Document{{"traceId", text_in(link, "trace_id")}, {"spanId", text_in(link, "span_id")}});
    made["attributes"] = attributes_of(object_in(link, "attributes"));
    move_to(made, "traceState", link, "trace_state");
    move_to(made, "droppedAttributesCount", link, "dropped");
    move_to(made, "flags", link, "flags");
  }
  return links;
}

int number_of(const std::string& name, std::initializer_list<const char*> names) {
  const auto* const at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? 0 : static_cast<int>(at - names.begin());
}

Document resource_of(const Document& otel) {
  const Document told = object_in(otel, "resource");
  Document resource = {{"resource", {{"attributes", attributes_of(object_in(told, "attributes"))}}}};
  move_to(resource["resource"], "droppedAttributesCount", told, "dropped");
  move_to(resource, "schemaUrl", told, "schema");
  return resource;
}

Document scope_of(const Document& otel) {
  const Document told = object_in(otel, "scope");
  Document scope = {{"scope", {{"attributes", attributes_of(object_in(told, "attributes"))}}}};
  for (const char* name : {"name", "version"}) move_to(scope["scope"], name, told, name);
  move_to(scope["scope"], "droppedAttributesCount", told, "dropped");
  move_to(scope, "schemaUrl", told, "schema");
  return scope;
}

}  // namespace

const Document* OtlpWriter::find(const std::string& span_id, const std::string& suffix) const {
  const auto trace = wire::read_canonical_uuid(trace_);
  const std::string name = span_id + suffix;
  if (!trace || name.size() > wire::longest_uuid_name) return nullptr;
  std::array<unsigned char, 16> space{};
  std::copy(trace->begin(), trace->end(), space.begin());
  const auto id = wire::uuid_of_name(space, name);
  const auto at = events_.find(std::string(id.data(), id.size()));
  return at == events_.end() ? nullptr : &at->second;
}

Document OtlpWriter::span_of(const Document& start, const Document& otel, const std::string& span_id,
                             const std::string& half) {
  const Document& metadata = start["metadata"];
  std::string trace_id = trace_;
  std::erase(trace_id, '-');
  Document span = {
      {"traceId", trace_id},
      {"spanId", span_id},
      {"parentSpanId", text_in(otel, "parent_span_id")},
      {"name", otel.contains("name") ? otel["name"] : Document(text_in(metadata, "function_name"))},
      {"kind", number_of(text_in(otel, "kind"), {"", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"})},
      {"startTimeUnixNano", otel.contains("start_missing") ? "0" : nanos_of(start)},
      {"attributes", attributes_of(object_in(metadata, "tags"))},
      {"links", links_of(otel)},
      {"events", Document::array()}};
  move_to(span, "traceState", otel, "trace_state");
  move_to(span, "flags", otel, "flags");
  move_to(span, "droppedAttributesCount", otel, "dropped_attributes");
  move_to(span, "droppedEventsCount", otel, "dropped_events");
  move_to(span, "droppedLinksCount", otel, "dropped_links");
  ++written_;
  for (std::size_t number = 1;; ++number) {
    const Document* const moment = find(span_id, half + ":" + std::to_string(number));
    if (moment == nullptr) break;
    span["events"].push_back(moment_of(*moment));
    ++written_;
  }
  const Document* const end = find(span_id, half + ":end");
  const Document last = end != nullptr ? otel_of(*end) : otel;
  if (end != nullptr) {
    span["endTimeUnixNano"] = nanos_of(*end);
    ++written_;
  }
  if (last.contains("status")) {
    span["status"]["code"] = number_of(text_in(last, "status"), {"UNSET", "OK", "ERROR"});
    move_to(span["status"], "message", last, "status_message");
  }
  return span;
}

void OtlpWriter::write_trace(std::string& out) {
  // By time, as they would have come.
  std::vector<std::pair<std::string, const Document*>> starts;
  for (const auto& [id, event] : events_) starts.emplace_back(text_in(event, "timestamp"), &event);
  std::ranges::stable_sort(starts, {}, &std::pair<std::string, const Document*>::first);
  written_ = 0;
  Document requests = Document::array();
  for (const auto& [time, event] : starts) {
    const std::string span_id = text_in((*event)["metadata"], "distributed_span_id");
    for (const char* half : {"", "/server"}) {
      if (find(span_id, half) != event) continue;
      const Document otel = otel_of(*event);
      Document resource = resource_of(otel);
      Document scope = scope_of(otel);
      const auto same = [](const Document& a, Document b, const char* spans) {
        b[spans] = a[spans];
        return a == b;
      };
      if (requests.empty() || !same(requests.back(), resource, "scopeSpans")) {
        resource["scopeSpans"] = Document::array();
        requests.push_back(resource);
      }
      Document& scopes = requests.back()["scopeSpans"];
      if (scopes.empty() || !same(scopes.back(), scope, "spans")) {
        scope["spans"] = Document::array();
        scopes.push_back(scope);
      }
      scopes.back()["spans"].push_back(span_of(*event, otel, span_id, half));
    }
  }
  left_out_ += events_.size() - written_;
  if (!requests.empty()) out += Document{{"resourceSpans", requests}}.dump() + '\n';
  events_.clear();
}

void OtlpWriter::append(std::string& out, std::string_view text) {
  Document event = Document::parse(text);
  const std::string trace = text_in(event, "trace_id");
  if (trace != trace_) {
    write_trace(out);
    trace_ = trace;
  }
  const std::string id = text_in(event, "event_id");
  events_.insert_or_assign(id, std::move(event));
}

void OtlpWriter::finish(std::string& out) {
  write_trace(out);
}

}  // namespace raceway::server::moving

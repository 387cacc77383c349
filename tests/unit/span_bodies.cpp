#include "span_bodies.hpp"

#include <protozero/pbf_writer.hpp>

namespace raceway::wire::test {
namespace {

using nlohmann::json;
using protozero::pbf_writer;

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

std::string bytes_of_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

std::uint64_t whole(const json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>()) : value.get<std::uint64_t>();
}

std::string value_of(const json& value);

std::string attribute_of(const json& attribute) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, attribute.at("key").get<std::string>());
  if (attribute.contains("value")) writer.add_message(2, value_of(attribute["value"]));
  return out;
}

std::string value_of(const json& value) {
  std::string out;
  pbf_writer writer(out);
  for (const auto& [type, told] : value.items()) {
    if (type == "stringValue") writer.add_string(1, told.get<std::string>());
    if (type == "boolValue") writer.add_bool(2, told.get<bool>());
    if (type == "intValue") {
      writer.add_int64(3, told.is_string() ? std::stoll(told.get<std::string>()) : told.get<std::int64_t>());
    }
    if (type == "doubleValue") writer.add_double(4, told.get<double>());
    if (type == "bytesValue") writer.add_bytes(7, bytes_of_base64(told.get<std::string>()));
    if (type != "arrayValue" && type != "kvlistValue") continue;
    std::string list;
    pbf_writer elements(list);
    for (const auto& element : told.at("values")) {
      elements.add_message(1, type == "arrayValue" ? value_of(element) : attribute_of(element));
    }
    writer.add_message(type == "arrayValue" ? 5 : 6, list);
  }
  return out;
}

void add_attributes(pbf_writer& writer, std::uint32_t field, const json& object) {
  if (!object.contains("attributes")) return;
  for (const auto& each : object["attributes"]) writer.add_message(field, attribute_of(each));
}

void add_text(pbf_writer& writer, std::uint32_t field, const json& object, const char* name) {
  if (object.contains(name)) writer.add_string(field, object[name].get<std::string>());
}

void add_id(pbf_writer& writer, std::uint32_t field, const json& object, const char* name) {
  if (object.contains(name)) writer.add_bytes(field, bytes_of_hex(object[name].get<std::string>()));
}

void add_count(pbf_writer& writer, std::uint32_t field, const json& object, const char* name) {
  if (object.contains(name)) writer.add_uint32(field, static_cast<std::uint32_t>(whole(object[name])));
}

std::string moment_of(const json& moment) {
  std::string out;
  pbf_writer writer(out);
  if (moment.contains("timeUnixNano")) writer.add_fixed64(1, whole(moment["timeUnixNano"]));
  add_text(writer, 2, moment, "name");
  add_attributes(writer, 3, moment);
  add_count(writer, 4, moment, "droppedAttributesCount");
  return out;
}

std::string link_of(const json& link) {
  std::string out;
  pbf_writer writer(out);
  add_id(writer, 1, link, "traceId");
  add_id(writer, 2, link, "spanId");
  add_text(writer, 3, link, "traceState");
  add_attributes(writer, 4, link);
  add_count(writer, 5, link, "droppedAttributesCount");
  if (link.contains("flags")) writer.add_fixed32(6, link["flags"].get<std::uint32_t>());
  return out;
}

std::string span_message(const json& span) {
  std::string out;
  pbf_writer writer(out);
  add_id(writer, 1, span, "traceId");
  add_id(writer, 2, span, "spanId");
  add_text(writer, 3, span, "traceState");
  add_id(writer, 4, span, "parentSpanId");
  add_text(writer, 5, span, "name");
  if (span.contains("kind")) writer.add_enum(6, span["kind"].get<std::int32_t>());
  if (span.contains("startTimeUnixNano")) writer.add_fixed64(7, whole(span["startTimeUnixNano"]));
  if (span.contains("endTimeUnixNano")) writer.add_fixed64(8, whole(span["endTimeUnixNano"]));
  add_attributes(writer, 9, span);
  add_count(writer, 10, span, "droppedAttributesCount");
  if (span.contains("events")) {
    for (const auto& moment : span["events"]) writer.add_message(11, moment_of(moment));
  }
  add_count(writer, 12, span, "droppedEventsCount");
  if (span.contains("links")) {
    for (const auto& link : span["links"]) writer.add_message(13, link_of(link));
  }
  add_count(writer, 14, span, "droppedLinksCount");
  if (span.contains("status")) {
    std::string status;
    pbf_writer fields(status);
    add_text(fields, 2, span["status"], "message");
    if (span["status"].contains("code")) fields.add_enum(3, span["status"]["code"].get<std::int32_t>());
    writer.add_message(15, status);
  }
  if (span.contains("flags")) writer.add_fixed32(16, span["flags"].get<std::uint32_t>());
  return out;
}

std::string scope_spans_message(const json& scope_spans) {
  std::string out;
  pbf_writer writer(out);
  if (scope_spans.contains("scope")) {
    std::string scope;
    pbf_writer fields(scope);
    add_text(fields, 1, scope_spans["scope"], "name");
    add_text(fields, 2, scope_spans["scope"], "version");
    add_attributes(fields, 3, scope_spans["scope"]);
    add_count(fields, 4, scope_spans["scope"], "droppedAttributesCount");
    writer.add_message(1, scope);
  }
  for (const auto& span : scope_spans.at("spans")) writer.add_message(2, span_message(span));
  add_text(writer, 3, scope_spans, "schemaUrl");
  return out;
}

}  // namespace

std::string protobuf_of(const json& request) {
  std::string out;
  pbf_writer writer(out);
  for (const auto& resource_spans : request.at("resourceSpans")) {
    std::string message;
    pbf_writer fields(message);
    if (resource_spans.contains("resource")) {
      std::string resource;
      pbf_writer resource_fields(resource);
      add_attributes(resource_fields, 1, resource_spans["resource"]);
      add_count(resource_fields, 2, resource_spans["resource"], "droppedAttributesCount");
      fields.add_message(1, resource);
    }
    for (const auto& scope_spans : resource_spans.at("scopeSpans")) {
      fields.add_message(2, scope_spans_message(scope_spans));
    }
    add_text(fields, 3, resource_spans, "schemaUrl");
    writer.add_message(1, message);
  }
  return out;
}

json attribute(const std::string& key, const json& value) {
  if (value.is_string()) return {{"key", key}, {"value", {{"stringValue", value}}}};
  if (value.is_boolean()) return {{"key", key}, {"value", {{"boolValue", value}}}};
  if (value.is_number_integer())
    return {{"key", key}, {"value", {{"intValue", std::to_string(value.get<std::int64_t>())}}}};
  if (value.is_number()) return {{"key", key}, {"value", {{"doubleValue", value}}}};
  return {{"key", key}, {"value", value}};
}

json request_of(const json& spans) {
  return {{"resourceSpans",
           {{{"resource",
              {{"attributes", {attribute("service.name", "shop"), attribute("service.instance.id", "shop-1")}}}},
             {"scopeSpans", {{{"scope", {{"name", "shop.orders"}, {"version", "1.2"}}}, {"spans", spans}}}}}}}};
}

json span_of(const std::string& span_id, const json& more) {
  json span = {{"traceId", trace_of_spans},
               {"spanId", span_id},
               {"name", "pay"},
               {"kind", 1},
               {"startTimeUnixNano", "1700000000000000123"},
               {"endTimeUnixNano", "1700000000002500123"}};
  span.update(more);
  return span;
}

}  // namespace raceway::wire::test

#include "wire/otlp_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "wire/attribute_values.hpp"
#include "wire/event_parts.hpp"
#include "wire/span_trees.hpp"

namespace raceway::wire {
namespace {

Json attributes_of(const Json& list, Arena& arena, int depth);

Json value_of(const Json& value, Arena& arena, int depth) {
  if (depth > most_attribute_depth) throw EventError("an attribute " + attributes_too_deep());
  arena.allowance().step();
  if (!value.is(Json::Type::object) || value.count() == 0) return {};
  const std::string_view type = value.as_object()[0].key();
  const Json& told = value.as_object()[0].value;
  if (type == "stringValue" || type == "boolValue") return told;
  if (type == "intValue") return told.is(Json::Type::string) ? number_in_text(told, "intValue") : told;
  if (type == "doubleValue") {
    if (told.is(Json::Type::string)) return special_double_value(told.text(), arena);
    const bool has_point = !told.is(Json::Type::number) || told.text().find('.') != std::string_view::npos;
    return has_point ? told : Json::of_number(arena.join(told.text(), ".", "0"));
  }
  if (type == "bytesValue") return bytes_value_of_base64(told.is(Json::Type::string) ? told.text() : "", arena);
  const Json* const values = told.find("values");
  if (type == "kvlistValue") return values != nullptr ? attributes_of(*values, arena, depth + 1) : Json::of_object({});
  if (type != "arrayValue") return {};
  if (values == nullptr || !values->is(Json::Type::array)) return Json::of_array({});
  Json* const elements = arena.allocate<Json>(values->count());
  std::transform(values->as_array().begin(), values->as_array().end(), elements,
                 [&](const Json& element) { return value_of(element, arena, depth + 1); });
  return Json::of_array({elements, values->count()});
}

/// `[{"key":..,"value":{..}}]` as an object.
Json attributes_of(const Json& list, Arena& arena, int depth) {
  if (!list.is(Json::Type::array)) return Json::of_object({});
  auto* const members = arena.allocate<JsonMember>(list.count());
  std::size_t count = 0;
  for (const Json& attribute : list.as_array()) {
    const Json* const value = attribute.find("value");
    members[count++] = {text_in(attribute, "key"), value != nullptr ? value_of(*value, arena, depth) : Json()};
  }
  return Json::of_object({members, sort_members({members, count}, arena.allowance())});
}

Json attributes_in(const Json& object, Arena& arena) {
  const Json* const list = object.find("attributes");
  return list != nullptr ? attributes_of(*list, arena, 0) : Json::of_object({});
}

/// The number of an enum's value, which may be told by its name.
template <std::size_t N>
std::uint64_t enum_in(const Json& object, std::string_view name, const std::array<std::string_view, N>& names) {
  const auto text = text_in(object, name);
  const auto* const found = std::find(names.begin(), names.end(), text);
  return found != names.end() ? static_cast<std::uint64_t>(found - names.begin()) : whole_in(object, name);
}

constexpr std::array<std::string_view, 6> kinds = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                                   "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> statuses = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};

SpanMoment moment_of(const Json& tree, Arena& arena) {
  return {whole_in(tree, "timeUnixNano"), text_in(tree, "name"), attributes_in(tree, arena),
          count_in(tree, "droppedAttributesCount")};
}

SpanLink link_of(const Json& tree, Arena& arena) {
  SpanLink link;
  read_id(tree, "traceId", link.trace_id);
  read_id(tree, "spanId", link.span_id);
  link.trace_state = text_in(tree, "traceState");
  link.attributes = attributes_in(tree, arena);
  link.dropped_attributes = count_in(tree, "droppedAttributesCount");
  link.flags = count_in(tree, "flags");
  return link;
}

void read_span(const Json& tree, Span& span, Arena& arena) {
  if (!tree.is(Json::Type::object)) throw EventError("the span is not an object");
  read_id(tree, "traceId", span.trace_id);
  read_id(tree, "spanId", span.span_id);
  read_id(tree, "parentSpanId", span.parent_id);
  span.name = text_in(tree, "name");
  span.kind = span_kind(enum_in(tree, "kind", kinds));
  span.start = whole_in(tree, "startTimeUnixNano");
  span.end = whole_in(tree, "endTimeUnixNano");
  span.attributes = attributes_in(tree, arena);
  span.moments =
      each_in<SpanMoment>(tree, "events", arena, [&](const Json& moment) { return moment_of(moment, arena); });
  span.links = each_in<SpanLink>(tree, "links", arena, [&](const Json& link) { return link_of(link, arena); });
  if (const Json* const status = tree.find("status")) {
    span.status = span_status(enum_in(*status, "code", statuses));
    span.status_message = text_in(*status, "message");
  }
  span.trace_state = text_in(tree, "traceState");
  span.flags = count_in(tree, "flags");
  span.dropped_attributes = count_in(tree, "droppedAttributesCount");
  span.dropped_moments = count_in(tree, "droppedEventsCount");
  span.dropped_links = count_in(tree, "droppedLinksCount");
}

/// Reads the parts of one body.
class OtlpJsonReader {
 public:
  OtlpJsonReader(TreeReader& trees, SpanBatch& spans) : trees_(trees), reader_(trees.reader()), spans_(spans) {}

  void read() {
    each_element(reader_, "resourceSpans", [this] { read_resource_spans(); });
  }

 private:
  void read_resource_spans();
  void read_scope_spans(SpanSource source, std::string problem);
  /// Reads a tree that is about many spans, and then `use`s it; adds to `problem` why it cannot.
  template <class Use>
  void read_about(std::string& problem, Use use) {
    const std::size_t place = reader_.place();
    reader_.skip_value();
    spans_.pay_for(reader_.end_of_token_before() - place);
    Json tree;
    try {
      problem += trees_.read(place, tree);
      if (problem.empty()) use(tree);
    } catch (const EventError& error) {
      problem += error.what();
    } catch (const OverAllowance&) {
      problem += too_many_values;
    }
  }

  TreeReader& trees_;
  JsonReader& reader_;
  SpanBatch& spans_;
};

void OtlpJsonReader::read_resource_spans() {
  SpanSource source;
  std::string problem;
  const auto read_part = [&](std::string_view key) {
    if (key == "resource") {
      read_about(problem, [&](const Json& tree) {
        source.resource = attributes_in(tree, trees_.arena());
        source.dropped_resource_attributes = count_in(tree, "droppedAttributesCount");
      });
      return true;
    }
    if (key != "schemaUrl") return false;
    read_about(problem, [&](const Json& tree) { source.resource_schema = text_of(tree); });
    return true;
  };
  each_member_and_last(reader_, "an element of resourceSpans", "scopeSpans", read_part,
                       [&] { each_element(reader_, "scopeSpans", [&] { read_scope_spans(source, problem); }); });
}

void OtlpJsonReader::read_scope_spans(SpanSource source, std::string problem) {
  const auto read_part = [&](std::string_view key) {
    if (key == "scope") {
      read_about(problem, [&](const Json& tree) {
        source.scope_name = text_in(tree, "name");
        source.scope_version = text_in(tree, "version");
        source.scope = attributes_in(tree, trees_.arena());
        source.dropped_scope_attributes = count_in(tree, "droppedAttributesCount");
      });
      return true;
    }
    if (key != "schemaUrl") return false;
    read_about(problem, [&](const Json& tree) { source.scope_schema = text_of(tree); });
    return true;
  };
  each_member_and_last(reader_, "an element of scopeSpans", "spans", read_part, [&] {
    spans_.begin_source(source, problem);
    each_element(reader_, "spans", [this] {
      add_span_tree(trees_, spans_, [this](const Json& tree, Span& span) { read_span(tree, span, trees_.arena()); });
    });
  });
}

}  // namespace

void read_otlp_json(TreeReader& trees, SpanBatch& spans) {
  OtlpJsonReader(trees, spans).read();
}

}  // namespace raceway::wire

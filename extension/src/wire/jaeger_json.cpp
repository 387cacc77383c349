#include "wire/jaeger_json.hpp"

#include <algorithm>
#include <string>

#include "wire/attribute_values.hpp"
#include "wire/span_conventions.hpp"
#include "wire/span_trees.hpp"

namespace raceway::wire {
namespace {

constexpr std::string_view warnings_attribute = "jaeger.warnings";

Json value_of(const Json& tag, Arena& arena) {
  const Json* const value = tag.find("value");
  if (value == nullptr) return {};
  const auto type = text_in(tag, "type");
  if (type == "int64" && value->is(Json::Type::string)) return number_in_text(*value, "a tag of type int64");
  if (type == "binary" && value->is(Json::Type::string)) return bytes_value_of_base64(value->text(), arena);
  const bool lacks_point = value->is(Json::Type::number) && value->text().find('.') == std::string_view::npos;
  if (type == "float64" && lacks_point) return Json::of_number(arena.join(value->text(), ".", "0"));
  return *value;
}

/// `[{"key":..,"type":..,"value":..}]` as an object, with `more` where that has a key.
Json attributes_of(const Json* tags, const JsonMember& more, Arena& arena) {
  const std::size_t told = tags != nullptr && tags->is(Json::Type::array) ? tags->count() : 0;
  auto* const members = arena.allocate<JsonMember>(told + 1);
  std::size_t count = 0;
  for (std::size_t at = 0; at < told; ++at) {
    arena.allowance().step();
    const Json& tag = tags->as_array()[at];
    members[count++] = {text_in(tag, "key"), value_of(tag, arena)};
  }
  if (!more.key().empty()) members[count++] = more;
  return Json::of_object({members, sort_members({members, count}, arena.allowance())});
}

SpanMoment moment_of(const Json& log, Arena& arena) {
  SpanMoment moment;
  moment.time = nanos_in(log, "timestamp");
  moment.attributes = attributes_of(log.find("fields"), {}, arena);
  const Json* const name = find_attribute(moment.attributes, {"event", "message"});
  moment.name = name != nullptr && name->is(Json::Type::string) ? name->text() : "log";
  return moment;
}

void read_references(const Json& tree, Span& span, Arena& arena) {
  const Json* const references = tree.find("references");
  if (references == nullptr || !references->is(Json::Type::array)) {
    read_short_id(tree, "parentSpanID", span.parent_id);
    return;
  }
  auto* const links = arena.allocate<SpanLink>(references->count());
  std::size_t count = 0;
  for (const Json& reference : references->as_array()) {
    arena.allowance().step();
    SpanLink link;
    read_short_id(reference, "traceID", link.trace_id);
    read_short_id(reference, "spanID", link.span_id);
    const bool is_parent = text_in(reference, "refType") == "CHILD_OF" && link.trace_id == span.trace_id;
    if (is_parent && is_zero(span.parent_id)) {
      span.parent_id = link.span_id;
    } else {
      links[count++] = link;
    }
  }
  span.links = {links, count};
}

SpanKind kind_of(const Json& attributes) {
  constexpr std::array<std::string_view, 6> kinds = {"", "internal", "server", "client", "producer", "consumer"};
  const auto* const found = std::find(kinds.begin() + 1, kinds.end(), text_in(attributes, "span.kind"));
  return found == kinds.end() ? SpanKind::unspecified : static_cast<SpanKind>(found - kinds.begin());
}

void read_status(Span& span) {
  const auto code = text_in(span.attributes, "otel.status_code");
  const Json* const error = span.attributes.find("error");
  const bool failed =
      error != nullptr && ((error->is(Json::Type::boolean) && error->boolean()) || text_of(*error) == "true");
  if (code == "OK") span.status = SpanStatus::ok;
  if (code == "ERROR" || failed) span.status = SpanStatus::error;
  span.status_message = text_in(span.attributes, "otel.status_description");
}

void read_span(const Json& tree, Span& span, Arena& arena) {
  if (!tree.is(Json::Type::object)) throw EventError("the span is not an object");
  read_short_id(tree, "traceID", span.trace_id);
  read_short_id(tree, "spanID", span.span_id);
  span.name = text_in(tree, "operationName");
  span.start = nanos_in(tree, "startTime");
  span.end = span.start == 0 ? 0 : end_after(span.start, nanos_in(tree, "duration"));
  const Json* const warnings = tree.find("warnings");
  const bool warned = warnings != nullptr && warnings->is(Json::Type::array) && warnings->count() > 0;
  span.attributes =
      attributes_of(tree.find("tags"), warned ? JsonMember(warnings_attribute, *warnings) : JsonMember(), arena);
  span.moments = each_in<SpanMoment>(tree, "logs", arena, [&](const Json& log) { return moment_of(log, arena); });
  read_references(tree, span, arena);
  span.kind = kind_of(span.attributes);
  span.flags = count_in(tree, "flags");
  span.trace_state = text_in(span.attributes, "w3c.tracestate");
  read_status(span);
}

/// Reads the spans of one trace.
class TraceReader {
 public:
  TraceReader(TreeReader& trees, SpanBatch& spans) : trees_(trees), reader_(trees.reader()), spans_(spans) {}

  void read() {
    const auto read_part = [this](std::string_view key) {
      if (key != "processes") return false;
      read_processes();
      return true;
    };
    each_member_and_last(reader_, "a trace of Jaeger", "spans", read_part, [this] {
      each_element(reader_, "spans", [this] {
        add_span_tree(trees_, spans_, [this](const Json& tree, Span& span) {
          if (!problem_.empty()) throw EventError("the trace's processes cannot be read: " + problem_);
          read_span(tree, span, trees_.arena());
          begin_source(span, tree);
        });
      });
    });
  }

 private:
  void read_processes() {
    const std::size_t place = reader_.place();
    reader_.skip_value();
    spans_.pay_for(reader_.end_of_token_before() - place);
    problem_ = trees_.read(place, processes_);
  }

  void begin_source(const Span& span, const Json& tree) {
    source_ = {};
    const Json* process = processes_.find(text_in(tree, "processID"));
    if (process == nullptr) process = tree.find("process");
    if (process != nullptr) {
      const auto name = text_in(*process, "serviceName");
      const JsonMember service = name.empty() ? JsonMember() : JsonMember("service.name", Json::of_string(name));
      source_.resource = attributes_of(process->find("tags"), service, trees_.arena());
    }
    const Json* const scope = find_attribute(span.attributes, {"otel.scope.name", "otel.library.name"});
    if (scope != nullptr) source_.scope_name = text_of(*scope);
    spans_.begin_source(source_);
  }

  TreeReader& trees_;
  JsonReader& reader_;
  SpanBatch& spans_;
  Json processes_ = Json::of_object({});
  std::string problem_;
  SpanSource source_;
};

}  // namespace

bool is_jaeger_traces(JsonReader& reader, std::size_t place) {
  reader.move_to(place);
  if (!reader.accept('[') || reader.peek() != '{') return false;
  return has_member(reader, "spans");
}

void read_jaeger_traces(TreeReader& trees, SpanBatch& spans) {
  each_element(trees.reader(), "data", [&] { read_jaeger_trace(trees, spans); });
}

void read_jaeger_trace(TreeReader& trees, SpanBatch& spans) {
  TraceReader(trees, spans).read();
}

}  // namespace raceway::wire

#include "wire/zipkin_json.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "wire/span_trees.hpp"

namespace raceway::wire {
namespace {

/// A span's name within all traces.
using SpanName = std::pair<TraceId, SpanId>;

SpanKind kind_of(std::string_view name) {
  if (name == "CLIENT") return SpanKind::client;
  if (name == "SERVER") return SpanKind::server;
  if (name == "PRODUCER") return SpanKind::producer;
  return name == "CONSUMER" ? SpanKind::consumer : SpanKind::unspecified;
}

/// Tags, and who was called.
Json attributes_of(const Json& tree, Arena& arena) {
  const Json* const tags = tree.find("tags");
  const auto told = tags != nullptr && tags->is(Json::Type::object) ? tags->as_object() : std::span<const JsonMember>();
  const Json* const remote = tree.find("remoteEndpoint");
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_remote = {{{"serviceName", "peer.service"},
                                                                                       {"ipv4", "network.peer.address"},
                                                                                       {"ipv6", "network.peer.address"},
                                                                                       {"port", "network.peer.port"}}};
  auto* const members = arena.allocate<JsonMember>(told.size() + of_remote.size());
  auto* end = std::copy(told.begin(), told.end(), members);
  for (const auto& [name, attribute] : of_remote) {
    const Json* const value = remote != nullptr ? remote->find(name) : nullptr;
    if (value != nullptr && !value->is(Json::Type::null)) *end++ = {attribute, *value};
  }
  const auto count = static_cast<std::size_t>(end - members);
  return Json::of_object({members, sort_members({members, count}, arena.allowance())});
}

Json resource_of(const Json& tree, Arena& arena) {
  const Json* const local = tree.find("localEndpoint");
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_local = {
      {{"serviceName", "service.name"}, {"ipv4", "host.ip"}, {"ipv6", "host.ip"}, {"port", "server.port"}}};
  auto* const members = arena.allocate<JsonMember>(of_local.size());
  std::size_t count = 0;
  for (const auto& [name, attribute] : of_local) {
    const Json* const value = local != nullptr ? local->find(name) : nullptr;
    if (value != nullptr && !value->is(Json::Type::null)) members[count++] = {attribute, *value};
  }
  return Json::of_object({members, sort_members({members, count}, arena.allowance())});
}

void read_status(Span& span) {
  const Json* const error = span.attributes.find("error");
  if (error == nullptr || text_of(*error) == "false") return;
  span.status = SpanStatus::error;
  span.status_message = text_of(*error);
}

void read_span(const Json& tree, Span& span, Arena& arena) {
  if (!tree.is(Json::Type::object)) throw EventError("the span is not an object");
  read_short_id(tree, "traceId", span.trace_id);
  read_short_id(tree, "id", span.span_id);
  read_short_id(tree, "parentId", span.parent_id);
  span.name = text_in(tree, "name");
  span.kind = kind_of(text_in(tree, "kind"));
  span.start = nanos_in(tree, "timestamp");
  const Json* const duration = tree.find("duration");
  if (span.start != 0 && duration != nullptr && !duration->is(Json::Type::null)) {
    span.end = end_after(span.start, nanos_in(tree, "duration"));
  }
  span.attributes = attributes_of(tree, arena);
  span.moments = each_in<SpanMoment>(tree, "annotations", arena, [&](const Json& annotation) {
    SpanMoment moment;
    moment.time = nanos_in(annotation, "timestamp");
    moment.name = text_in(annotation, "value");
    return moment;
  });
  const Json* const shared = tree.find("shared");
  if (shared != nullptr && shared->is(Json::Type::boolean) && shared->boolean()) span.half = SharedHalf::server;
  read_status(span);
}

/// Reads the spans of one body.
class SpansReader {
 public:
  SpansReader(TreeReader& trees, SpanBatch& spans) : trees_(trees), reader_(trees.reader()), spans_(spans) {}

  void read() {
    const std::size_t place = reader_.place();
    if (reader_.text().find("\"shared\"") != std::string_view::npos) {
      each_span([this] { note_shared(); });
      std::sort(shared_.begin(), shared_.end());
      reader_.move_to(place);
    }
    each_span([this] { read_there(); });
  }

 private:
  template <class Read>
  void each_span(Read read) {
    each_element(reader_, "spans", [&] {
      if (reader_.peek() == '[') return each_element(reader_, "a trace", read);
      read();
    });
  }

  void note_shared() {
    const std::size_t place = reader_.place();
    reader_.skip_value();
    const std::size_t end = reader_.end_of_token_before();
    if (reader_.text().substr(place, end - place).find("\"shared\"") != std::string_view::npos) note_shared(place);
    reader_.move_to(end);
  }

  void note_shared(std::size_t place) {
    const Arena::Mark before = trees_.arena().mark();
    try {
      Json tree;
      Span span;
      if (!trees_.read(place, tree).empty()) return;
      read_span(tree, span, trees_.arena());
      if (span.half == SharedHalf::server) shared_.emplace_back(span.trace_id, span.span_id);
    } catch (const EventError&) {
      // It is told when it is read.
    } catch (const OverAllowance&) {
      // Likewise.
    }
    trees_.arena().release(before);
  }

  void read_there() {
    add_span_tree(trees_, spans_, [this](const Json& tree, Span& span) {
      read_span(tree, span, trees_.arena());
      const bool of_shared =
          std::binary_search(shared_.begin(), shared_.end(), SpanName(span.trace_id, span.parent_id));
      if (of_shared) span.parent_half = SharedHalf::server;
      source_ = {};
      source_.resource = resource_of(tree, trees_.arena());
      spans_.begin_source(source_);
    });
  }

  TreeReader& trees_;
  JsonReader& reader_;
  SpanBatch& spans_;
  std::vector<SpanName> shared_;
  SpanSource source_;
};

}  // namespace

bool is_zipkin_spans(JsonReader& reader, std::size_t place) {
  reader.move_to(place);
  if (!reader.accept('[')) return false;
  if (reader.peek() == '[') {
    reader.accept('[');
    if (reader.peek() == ']') return false;
  }
  return reader.peek() == '{' && has_member(reader, "traceId");
}

void read_zipkin_spans(TreeReader& trees, SpanBatch& spans) {
  SpansReader(trees, spans).read();
}

}  // namespace raceway::wire

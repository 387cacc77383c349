#include "wire/span_events.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <string>

#include "wire/attribute_values.hpp"
#include "wire/fields.hpp"
#include "wire/name_uuid.hpp"
#include "wire/span_conventions.hpp"
#include "wire/text.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {
namespace {

constexpr UnixNanos nanos_in_a_micro = 1000;

Timestamp timestamp_of(UnixNanos time) {
  return {static_cast<Micros>(time / nanos_in_a_micro) + unix_epoch, static_cast<int>(time % nanos_in_a_micro)};
}

/// When a span began, or the earliest that is known of it: of one that is sent again the same.
UnixNanos earliest(const Span& span) {
  if (span.start != 0) return span.start;
  UnixNanos found = span.end;
  for (const auto& moment : span.moments) {
    if (moment.time != 0 && (found == 0 || moment.time < found)) found = moment.time;
  }
  return found;
}

UnixNanos duration_of(const Span& span) {
  return span.end > span.start ? span.end - span.start : 0;
}

/// Where an attribute says in which thread it was.
const Json* find_thread(const Json& attributes) {
  const Json* thread = find_attribute(attributes, {"thread.id", "thread.name"});
  const bool is_name = thread != nullptr && (thread->is(Json::Type::string) || thread->is(Json::Type::number));
  return is_name ? thread : nullptr;
}

std::string_view name_of(SpanKind kind) {
  constexpr std::array<std::string_view, 6> names = {"", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
  return names[static_cast<std::size_t>(kind)];
}

/// The members of an object that is made, as many as there are.
template <std::size_t Most>
class Members {
 public:
  void add(std::string_view key, const Json& value) { members_[count_++] = {key, value}; }
  void add_text(std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, Json::of_string(text));
  }
  void add_some(std::string_view key, const Json& container) {
    if (container.count() != 0) add(key, container);
  }
  bool empty() const { return count_ == 0; }
  std::span<JsonMember> all() { return {members_.data(), count_}; }

 private:
  std::array<JsonMember, Most> members_{};
  std::size_t count_ = 0;
};

/// `name-pid`, where both are known.
std::optional<Json> host_and_process(const Json& resource, Arena& arena) {
  const Json* host = find_attribute(resource, {"host.name", "hostname", "container.id", "host.ip"});
  if (host == nullptr || !host->is(Json::Type::string)) return std::nullopt;
  const Json* process = find_attribute(resource, {"process.pid"});
  if (process == nullptr || !process->is(Json::Type::number)) return *host;
  return Json::of_string(arena.join(host->text(), "-", process->text()));
}

}  // namespace

Json SpanEvents::number(std::uint64_t value) {
  return whole_value(value, arena_);
}

template <std::size_t N>
Json SpanEvents::hex(const std::array<unsigned char, N>& id) {
  return Json::of_string(arena_.copy(hex_text(id)));
}

Json SpanEvents::object(std::span<JsonMember> members) {
  const auto kept = arena_.copy(std::span<const JsonMember>(members));
  return Json::of_object(kept.first(sort_members(kept, arena_.allowance())));
}

void SpanEvents::begin_source(const SpanSource& source) {
  source_ = &source;
  process_ = {};
  const Json& resource = source.resource;
  const auto optional = [](const Json* value) { return value != nullptr ? std::optional(*value) : std::nullopt; };
  process_.service = Json::of_string("unknown_service");
  const Json* service = find_attribute(resource, {"service.name"});
  if (service != nullptr && service->is(Json::Type::string)) process_.service = *service;
  process_.instance = optional(find_attribute(resource, {"service.instance.id"}));
  if (!process_.instance) process_.instance = host_and_process(resource, arena_);
  process_.process = optional(find_attribute(resource, {"process.pid"}));
  process_.environment = optional(find_attribute(resource, {"deployment.environment.name", "deployment.environment"}));

  Members<3> about_resource;
  about_resource.add_some("attributes", resource);
  if (source.dropped_resource_attributes != 0)
    about_resource.add("dropped", number(source.dropped_resource_attributes));
  about_resource.add_text("schema", source.resource_schema);
  if (!about_resource.empty()) process_.about_resource = object(about_resource.all());
  Members<5> about_scope;
  about_scope.add_text("name", source.scope_name);
  about_scope.add_text("version", source.scope_version);
  about_scope.add_some("attributes", source.scope);
  if (source.dropped_scope_attributes != 0) about_scope.add("dropped", number(source.dropped_scope_attributes));
  about_scope.add_text("schema", source.scope_schema);
  if (!about_scope.empty()) process_.about_scope = object(about_scope.all());
}

std::string_view SpanEvents::trace_text(const TraceId& id) {
  if (trace_text_.empty() || id != trace_id_) {
    const auto text = uuid_text(id);
    trace_text_ = arena_.copy(std::string_view(text.data(), text.size()));
    trace_id_ = id;
  }
  return trace_text_;
}

std::string_view SpanEvents::event_id(const TraceId& trace_id, const SpanId& span_id, SharedHalf half,
                                      std::string_view suffix) {
  std::string name = hex_text(span_id);
  if (half == SharedHalf::server) name += "/server";
  name += suffix;
  const auto id = uuid_of_name(trace_id, name);
  return arena_.copy(std::string_view(id.data(), id.size()));
}

std::string_view SpanEvents::parent_event(const Span& span) {
  if (span.half == SharedHalf::server) return event_id(span.trace_id, span.span_id, SharedHalf::none, {});
  if (is_zero(span.parent_id) || span.parent_id == span.span_id) return {};
  return event_id(span.trace_id, span.parent_id, span.parent_half, {});
}

Event& SpanEvents::begin_event(const Span& span, std::string_view suffix, UnixNanos time) {
  Event& event = events_.emplace_back();
  event.event_id = event_id(span.trace_id, span.span_id, span.half, suffix);
  event.trace_id = trace_text(span.trace_id);
  time_ = timestamp_of(time);
  event.timestamp = time_.micros;
  return event;
}

/// Sets all of the event that is not set yet.
void SpanEvents::finish(Event& event, const Span& span, std::string_view parent, const Act& act, const Json& attributes,
                        std::span<JsonMember> otel) {
  constexpr std::size_t most_members = 16;
  MetadataBuilder metadata(arena_, Json::of_object({}), most_members);
  const auto add = [&](std::string_view name, const std::optional<Json>& value) {
    if (value) metadata.add(name, *value);
  };
  event.kind = act.kind;
  for (std::size_t field = 0; field < act.count; ++field)
    metadata.add(act.fields[field].key(), act.fields[field].value);
  if (!parent.empty()) metadata.add(fields::parent_id, Json::of_string(parent));
  add(fields::service_name, process_.service);
  add(fields::instance_id, process_.instance);
  add(fields::process_id, process_.process);
  add(fields::environment, process_.environment);
  const Json* thread = find_thread(attributes);
  if (thread == nullptr) thread = find_thread(span.attributes);
  if (thread != nullptr) metadata.add(fields::thread_id, Json::of_string(thread->text()));
  metadata.add(fields::distributed_span_id, span_text_);
  if ((span.flags & parent_is_remote_flag) != 0 && !is_zero(span.parent_id)) {
    metadata.add(fields::upstream_span_id, parent_text_);
  }
  if (act.attributes.count() != 0) metadata.add(fields::tags, act.attributes);
  if (event.duration_ms) metadata.add(fields::duration_ns, number(duration_of(span)));
  add_nanos(metadata, time_, arena_);
  if (!otel.empty()) {
    const std::array<JsonMember, 1> member = {JsonMember(fields::otel, object(otel))};
    metadata.add(fields::metadata_fields, Json::of_object(arena_.copy(std::span<const JsonMember>(member))));
  }
  event.metadata = metadata.build();
  complete(event);

  std::string_view place = place_in_code(attributes, arena_);
  if (place.empty()) place = place_in_code(span.attributes, arena_);
  event.location = first_characters(place.empty() ? span.name : place, max_location_length);
  if (event.location->empty()) event.location.reset();
  if (const Json* clock = find_attribute(attributes, {"raceway.clock"})) {
    event.clock = read_clock(*clock, "raceway.clock", arena_).components;
    event.has_clock = true;
  }
}

Json SpanEvents::links_of(const Span& span) {
  Json* const links = arena_.allocate<Json>(span.links.size());
  for (std::size_t at = 0; at < span.links.size(); ++at) {
    const SpanLink& link = span.links[at];
    arena_.allowance().step();
    Members<7> members;
    members.add("trace_id", hex(link.trace_id));
    members.add("span_id", hex(link.span_id));
    if (link.trace_id == span.trace_id && link.span_id != span.span_id) {
      members.add(fields::event_id, Json::of_string(event_id(link.trace_id, link.span_id, SharedHalf::none, {})));
    }
    members.add_text("trace_state", link.trace_state);
    members.add_some("attributes", link.attributes);
    if (link.dropped_attributes != 0) members.add("dropped", number(link.dropped_attributes));
    if (link.flags != 0) members.add("flags", number(link.flags));
    links[at] = object(members.all());
  }
  return Json::of_array({links, span.links.size()});
}

namespace {

template <std::size_t Most>
void add_status(Members<Most>& otel, const Span& span) {
  if (span.status == SpanStatus::unset && span.status_message.empty()) return;
  constexpr std::array<std::string_view, 3> names = {"UNSET", "OK", "ERROR"};
  otel.add("status", Json::of_string(names[static_cast<std::size_t>(span.status)]));
  otel.add_text("status_message", span.status_message);
}

}  // namespace

void SpanEvents::add_start(const Span& span) {
  Event& event = begin_event(span, {}, begun_);
  const Act act = act_of_start(span, *source_, arena_);
  Members<15> otel;
  const bool named =
      act.count != 0 && act.fields[0].key() == "function_name" && act.fields[0].value.text() == span.name;
  if (!named) otel.add_text("name", span.name);
  otel.add_text("kind", name_of(span.kind));
  if (!is_zero(span.parent_id)) otel.add("parent_span_id", parent_text_);
  otel.add_text("trace_state", span.trace_state);
  if (span.flags != 0) otel.add("flags", number(span.flags));
  if (!span.links.empty()) otel.add(fields::links, links_of(span));
  if (span.dropped_attributes != 0) otel.add("dropped_attributes", number(span.dropped_attributes));
  if (span.dropped_moments != 0) otel.add("dropped_events", number(span.dropped_moments));
  if (span.dropped_links != 0) otel.add("dropped_links", number(span.dropped_links));
  if (process_.about_resource) otel.add("resource", *process_.about_resource);
  if (process_.about_scope) otel.add("scope", *process_.about_scope);
  if (span.half == SharedHalf::server) otel.add("shared", Json::of_bool(true));
  if (span.start == 0) otel.add("start_missing", Json::of_bool(true));
  if (span.end == 0) add_status(otel, span);
  finish(event, span, parent_event(span), act, span.attributes, otel.all());
}

void SpanEvents::add_moment(const Span& span, const SpanMoment& moment, std::size_t number_in_span) {
  std::array<char, 21> suffix{':'};
  char* const end = std::to_chars(suffix.data() + 1, suffix.data() + suffix.size(), number_in_span).ptr;
  const std::string_view parent = events_.back().event_id;
  const UnixNanos time = moment.time != 0 ? moment.time : begun_;
  Event& event = begin_event(span, {suffix.data(), static_cast<std::size_t>(end - suffix.data())}, time);
  const Act act = act_of_moment(moment, arena_);
  Members<3> otel;
  if (act.kind != "Custom") otel.add_text("name", moment.name);
  if (moment.dropped_attributes != 0) otel.add("dropped_attributes", number(moment.dropped_attributes));
  if (moment.time == 0) otel.add("time_missing", Json::of_bool(true));
  finish(event, span, parent, act, moment.attributes, otel.all());
}

void SpanEvents::add_end(const Span& span) {
  const std::string_view parent = events_.back().event_id;
  Event& event = begin_event(span, ":end", span.end);
  if (span.start != 0) event.duration_ms = static_cast<float>(static_cast<double>(duration_of(span)) / 1e6);
  const Act act = act_of_end(span, arena_);
  Members<3> otel;
  add_status(otel, span);
  if (span.end < span.start) otel.add("ends_before_start", Json::of_bool(true));
  finish(event, span, parent, act, Json::of_object({}), otel.all());
}

const Json* find_otel(const Json& metadata) {
  const Json* const of_span = metadata.find(fields::metadata_fields);
  return of_span != nullptr ? of_span->find(fields::otel) : nullptr;
}

std::span<Event> SpanEvents::of(const Span& span) {
  if (is_zero(span.trace_id)) throw EventError("the trace's id is all zeros");
  if (is_zero(span.span_id)) throw EventError("the span's id is all zeros");
  events_.clear();
  span_text_ = hex(span.span_id);
  parent_text_ = hex(span.parent_id);
  begun_ = earliest(span);
  add_start(span);
  for (std::size_t at = 0; at < span.moments.size(); ++at) {
    arena_.allowance().step();
    add_moment(span, span.moments[at], at + 1);
  }
  if (span.end != 0) add_end(span);
  return events_;
}

}  // namespace raceway::wire

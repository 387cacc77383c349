// The events of a span: its start, its moments, its end, one after the other as parents. All formats of spans come
// here.
//
//   event_id   the UUID of version 5 of the trace's id and a name: the span's id for its start, and behind it `:N` for
//              its Nth moment (from 1) or `:end`. So a retry is a duplicate, and a parent's id is known before it
//              comes.
//   parent_id  of a start: the start of the parent span; of what follows: the event before it
//   kind       by the semantic conventions of OpenTelemetry, the old names too: HttpRequest and HttpResponse,
//              DatabaseQuery and DatabaseResult, Custom (messaging), else FunctionCall and FunctionReturn. A moment is
//              an Error (exception), StateChange (raceway.variable), LockAcquire or LockRelease (raceway.lock), else
//              Custom.
//   clock      none, unless the attribute raceway.clock has one: spans come in parts, and in any order
//
// What has no place in a row's fields stands in tags (attributes) and in metadata_fields.otel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/arena.hpp"
#include "wire/event.hpp"
#include "wire/event_parts.hpp"
#include "wire/span.hpp"
#include "wire/span_conventions.hpp"
#include "wire/timestamp.hpp"

namespace raceway::wire {

/// What a span says that has no place in a row's fields, in the metadata of one of its events; nullptr where it says
/// nothing.
const Json* find_otel(const Json& metadata);

/// Not thread-safe.
class SpanEvents {
 public:
  explicit SpanEvents(Arena& arena) : arena_(arena), events_(&arena.allowance()) {}

  /// What follows comes from there. It outlives the events.
  void begin_source(const SpanSource& source);

  /// The events of a span, in their order, until the next call. They refer to the span's views and to the arena.
  /// Throws EventError where it cannot be kept, OverAllowance.
  std::span<Event> of(const Span& span);

  /// The arena lets go of what it gave since begin_source().
  void forget_texts() { trace_text_ = {}; }

 private:
  /// What every event of a source says of where it was.
  struct Process {
    std::optional<Json> service;
    std::optional<Json> instance;
    std::optional<Json> process;
    std::optional<Json> environment;
    std::optional<Json> about_resource;  ///< as metadata_fields.otel has it
    std::optional<Json> about_scope;     ///< likewise
  };

  void add_start(const Span& span);
  void add_moment(const Span& span, const SpanMoment& moment, std::size_t number_in_span);
  void add_end(const Span& span);
  Event& begin_event(const Span& span, std::string_view suffix, UnixNanos time);
  void finish(Event& event, const Span& span, std::string_view parent, const Act& act, const Json& attributes,
              std::span<JsonMember> otel);
  std::string_view event_id(const TraceId& trace_id, const SpanId& span_id, SharedHalf half, std::string_view suffix);
  std::string_view parent_event(const Span& span);
  std::string_view trace_text(const TraceId& id);
  Json links_of(const Span& span);
  Json number(std::uint64_t value);
  template <std::size_t N>
  Json hex(const std::array<unsigned char, N>& id);
  Json object(std::span<JsonMember> members);

  Arena& arena_;
  std::pmr::vector<Event> events_;
  const SpanSource* source_ = nullptr;
  Process process_;
  TraceId trace_id_{};  // of which there is the text already
  std::string_view trace_text_;
  // Of the span at hand.
  Json span_text_;
  Json parent_text_;
  UnixNanos begun_ = 0;
  Timestamp time_;  // of the event that was begun last
};

}  // namespace raceway::wire

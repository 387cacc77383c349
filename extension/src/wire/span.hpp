// A span as OpenTelemetry has it: what every format of spans is read into, before spans become events
// (span_events.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/json.hpp"

namespace raceway::wire {

using TraceId = std::array<unsigned char, 16>;
using SpanId = std::array<unsigned char, 8>;

template <std::size_t N>
bool is_zero(const std::array<unsigned char, N>& id) {
  return id == std::array<unsigned char, N>{};
}

/// In lower case.
template <std::size_t N>
std::string hex_text(const std::array<unsigned char, N>& id) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : id) {
    text += digits[byte >> 4U];
    text += digits[byte & 0x0FU];
  }
  return text;
}

/// Nanoseconds since 1970-01-01 00:00:00 UTC; 0: not told.
using UnixNanos = std::uint64_t;

/// A moment within a span: what OpenTelemetry calls an event of it, Jaeger a log, Zipkin an annotation.
struct SpanMoment {
  UnixNanos time = 0;
  std::string_view name;
  Json attributes = Json::of_object({});
  std::uint32_t dropped_attributes = 0;
};

/// A span that this one was caused by, too.
struct SpanLink {
  TraceId trace_id{};
  SpanId span_id{};
  std::string_view trace_state;
  Json attributes = Json::of_object({});
  std::uint32_t dropped_attributes = 0;
  std::uint32_t flags = 0;
};

/// Who made spans.
struct SpanSource {
  Json resource = Json::of_object({});  ///< its attributes
  std::uint32_t dropped_resource_attributes = 0;
  std::string_view resource_schema;
  std::string_view scope_name;
  std::string_view scope_version;
  Json scope = Json::of_object({});  ///< its attributes
  std::uint32_t dropped_scope_attributes = 0;
  std::string_view scope_schema;
};

enum class SpanKind : std::uint8_t { unspecified, internal, server, client, producer, consumer };
enum class SpanStatus : std::uint8_t { unset, ok, error };

/// Which half of a span that a client and its server share under one id, as Zipkin's tracers do. The server's half is
/// the child of the other one.
enum class SharedHalf : std::uint8_t { none, server };

/// Views: of the body, or of its batch's memory. Attributes are objects, their members as jsonb sorts them.
struct Span {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_id{};  ///< zero: none
  SharedHalf half = SharedHalf::none;
  SharedHalf parent_half = SharedHalf::none;  ///< which half of its parent caused it
  std::string_view name;
  SpanKind kind = SpanKind::unspecified;
  UnixNanos start = 0;
  UnixNanos end = 0;
  Json attributes = Json::of_object({});
  std::span<const SpanMoment> moments;
  std::span<const SpanLink> links;
  SpanStatus status = SpanStatus::unset;
  std::string_view status_message;
  std::string_view trace_state;
  std::uint32_t flags = 0;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_moments = 0;
  std::uint32_t dropped_links = 0;
};

/// Of Span::flags: the parent is of another process.
inline constexpr std::uint32_t parent_is_remote_flag = 0x200;

}  // namespace raceway::wire

// The names of fields in the two wire formats and in a row's metadata.
//
// A row's metadata is flat, so that one SQL expression serves events of both formats: the fields of the SDK's variant
// (variable, new_value, access_type ...) and those of the SDK's metadata (thread_id, service_name ...) stand side by
// side. What would collide, or would not come back to where it was, stands under one of the three names `*_fields`.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace raceway::wire::fields {

using namespace std::string_view_literals;

// Of an event in the SDK's form; `id` tells that form.
inline constexpr auto id = "id"sv;
inline constexpr auto trace_id = "trace_id"sv;
inline constexpr auto parent_id = "parent_id"sv;
inline constexpr auto timestamp = "timestamp"sv;
inline constexpr auto kind = "kind"sv;
inline constexpr auto metadata = "metadata"sv;
inline constexpr auto causality_vector = "causality_vector"sv;
inline constexpr auto lock_set = "lock_set"sv;
inline constexpr std::array sdk_event = {id,   trace_id, parent_id,        timestamp,
                                         kind, metadata, causality_vector, lock_set};

// Of an event in the documented form, beside trace_id, kind, timestamp and metadata; `event_id` tells that form.
inline constexpr auto event_id = "event_id"sv;
inline constexpr auto duration_ms = "duration_ms"sv;
inline constexpr auto location = "location"sv;
inline constexpr auto vector_clock = "vector_clock"sv;

// Of variants that say where they were: FunctionCall has file and line, the others location.
inline constexpr auto file = "file"sv;
inline constexpr auto line = "line"sv;

// Of the SDK's metadata.
inline constexpr auto service_name = "service_name"sv;
inline constexpr auto duration_ns = "duration_ns"sv;
inline constexpr auto thread_id = "thread_id"sv;
inline constexpr auto process_id = "process_id"sv;
inline constexpr auto environment = "environment"sv;
inline constexpr auto tags = "tags"sv;
inline constexpr auto instance_id = "instance_id"sv;
inline constexpr auto distributed_span_id = "distributed_span_id"sv;
inline constexpr auto upstream_span_id = "upstream_span_id"sv;
inline constexpr std::array sdk_metadata = {thread_id,   process_id,  service_name,        environment,     tags,
                                            duration_ns, instance_id, distributed_span_id, upstream_span_id};

// Of these, what is the same throughout a request.
inline constexpr std::array context = {thread_id, process_id,  service_name,        environment,
                                       tags,      instance_id, distributed_span_id, upstream_span_id};

// Only in a row's metadata.
inline constexpr auto timestamp_nanos = "timestamp_nanos"sv;  ///< 1 to 999: what is finer than the column
inline constexpr auto kind_fields = "kind_fields"sv;          ///< fields of the variant whose names are taken
inline constexpr auto metadata_fields = "metadata_fields"sv;  ///< fields of the SDK's metadata that it does not know
inline constexpr auto event_fields = "event_fields"sv;        ///< fields of the event itself that no format knows
inline constexpr std::array row_only = {parent_id,   lock_set,        causality_vector, timestamp_nanos,
                                        kind_fields, metadata_fields, event_fields};

// Of a span, in metadata_fields: what has no place of its own (wire/span_events.hpp).
inline constexpr auto otel = "otel"sv;
inline constexpr auto links = "links"sv;

template <std::size_t N>
constexpr bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr bool is_sdk_field(std::string_view name) {
  return contains(sdk_event, name);
}
constexpr bool is_sdk_metadata(std::string_view name) {
  return contains(sdk_metadata, name);
}
constexpr bool is_context(std::string_view name) {
  return contains(context, name);
}
/// Whether a flat member of a row's metadata is something else than a field of the variant.
constexpr bool is_taken(std::string_view name) {
  return is_sdk_metadata(name) || contains(row_only, name);
}

}  // namespace raceway::wire::fields

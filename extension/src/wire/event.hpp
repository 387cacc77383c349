// An event as it stands in a row of `events`: what both wire formats are read into, and written back from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "causality/clock.hpp"
#include "wire/json.hpp"

namespace raceway::wire {

/// The widths of the columns, in characters.
inline constexpr std::size_t max_id_length = 255;
inline constexpr std::size_t max_kind_length = 50;
inline constexpr std::size_t max_location_length = 500;
inline constexpr std::size_t max_service_name_length = 255;

/// Microseconds since 2000-01-01 00:00:00 UTC, floored; what is finer stands in the metadata. This is PostgreSQL's own
/// epoch: counted from 1970, its last years (to 294276) would not fit.
using Micros = std::int64_t;

/// An event that was read from a body. Its views refer to the Batch it belongs to.
struct Event {
  std::uint32_t index = 0;  ///< its place among the events of the body, from 0
  /// Where not 0: events of the batch with the same number have the same context (fields::context).
  std::uint32_t context_number = 0;
  std::string_view event_id;
  std::string_view trace_id;
  std::string_view kind;
  Micros timestamp = 0;
  std::optional<float> duration_ms;
  std::optional<std::string_view> location;
  bool has_clock = false;                       ///< an absent clock is not an empty one
  std::span<const causality::Component> clock;  ///< in the order of clock.hpp, zeros kept as they were sent
  Json metadata;                                ///< always an object; of a MetadataForm::apart, without its context
  std::span<const JsonMember> context;          ///< of a MetadataForm::apart, sorted as the members of an object are
  /// Likewise, where not 0: events with the same number have the same keys in their context.
  std::uint32_t context_keys = 0;
  /// Where not 0: events with the same number have the same kind and the same keys in their metadata, in this process.
  /// Other numbers may stand for the same.
  std::uint64_t metadata_shape = 0;
  std::optional<std::string_view> service_name;  ///< metadata.service_name where it is a string, cut to its column
};

/// A row as a backend gives it back. Views; the texts are JSON.
struct Row {
  std::string_view event_id;
  std::string_view trace_id;
  std::string_view kind;
  Micros timestamp = 0;
  std::optional<float> duration_ms;
  std::optional<std::string_view> location;
  std::string_view vector_clock;  ///< a JSON object, or empty where the event has none
  std::string_view metadata;      ///< a JSON object
};

}  // namespace raceway::wire

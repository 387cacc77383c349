#include "rows.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>

#include "wire/batch.hpp"
#include "wire/json.hpp"

namespace raceway::bench {
namespace {

using wire::Event;

template <class Integer>
void append_integer(std::string& out, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> static_cast<unsigned>(shift));
  }
}

template <class Integer>
std::string integer(Integer value) {
  std::string bytes;
  append_integer(bytes, value);
  return bytes;
}

using Field = std::optional<std::string>;  // nothing is NULL

void append_field(std::string& out, const Field& field) {
  append_integer(out, field ? static_cast<std::int32_t>(field->size()) : std::int32_t{-1});
  if (field) out += *field;
}

Field optional_text(const std::optional<std::string_view>& text) {
  return text ? Field(std::string(*text)) : std::nullopt;
}

constexpr char jsonb_version = 1;

Field clock_field(const Event& event) {
  if (!event.has_clock) return std::nullopt;
  std::string json(1, jsonb_version);
  wire::append_json_clock(json, event.clock);
  return json;
}

Field metadata_field(const Event& event) {
  std::string json(1, jsonb_version);
  wire::append_json(json, event.metadata);
  return json;
}

constexpr std::size_t event_width = 8;
constexpr std::size_t trace_width = 5;

std::array<Field, event_width> fields_of(const Event& event) {
  return {std::string(event.event_id),
          std::string(event.trace_id),
          std::string(event.kind),
          integer(event.timestamp),
          event.duration_ms ? Field(integer(std::bit_cast<std::uint32_t>(*event.duration_ms))) : std::nullopt,
          optional_text(event.location),
          clock_field(event),
          metadata_field(event)};
}

struct Trace {
  Field service_name;
  wire::Micros start = 0;
  wire::Micros end = 0;
  std::int32_t event_count = 0;
};

using Traces = std::map<std::string, Trace>;

void count(Traces& traces, const Event& event) {
  Trace& trace = traces[std::string(event.trace_id)];
  if (trace.event_count == 0 || event.timestamp < trace.start) {
    trace.start = event.timestamp;
    trace.service_name = optional_text(event.service_name);
  }
  if (trace.event_count == 0 || event.timestamp > trace.end) trace.end = event.timestamp;
  ++trace.event_count;
}

std::array<Field, trace_width> fields_of(const std::string& trace_id, const Trace& trace) {
  return {trace_id, trace.service_name, integer(trace.start), integer(trace.end), integer(trace.event_count)};
}

template <std::size_t Width>
void append_row(std::string& out, const std::array<Field, Width>& fields) {
  append_integer(out, static_cast<std::int16_t>(Width));
  for (const auto& field : fields) append_field(out, field);
}

std::string copy_head() {
  return std::string("PGCOPY\n\377\r\n\0", 11) + std::string(8, '\0');
}

const std::string copy_end = integer(std::int16_t{-1});

/// One column as a PostgreSQL array while it grows.
class ArrayColumn {
 public:
  explicit ArrayColumn(std::uint32_t element_type) : type_(element_type) {}
  void add(const Field& field) {
    append_field(elements_, field);
    has_null_ = has_null_ || !field;
    ++size_;
  }
  std::string bytes() const {
    std::string array = integer(std::int32_t{1}) + integer(std::int32_t{has_null_}) + integer(type_);
    return array + integer(size_) + integer(std::int32_t{1}) + elements_;
  }

 private:
  std::uint32_t type_;
  std::string elements_;
  bool has_null_ = false;
  std::int32_t size_ = 0;
};

constexpr std::uint32_t text_type = 25;
constexpr std::uint32_t integer_type = 23;
constexpr std::uint32_t real_type = 700;
constexpr std::uint32_t timestamp_type = 1114;
constexpr std::uint32_t jsonb_type = 3802;

template <std::size_t Width>
void add_row(std::array<ArrayColumn, Width>& columns, const std::array<Field, Width>& fields) {
  for (std::size_t at = 0; at < Width; ++at) columns[at].add(fields[at]);
}

wire::Batch read_clean(std::string_view body) {
  auto batch = wire::read_batch(body);
  if (!batch.rejected.empty())
    throw std::runtime_error("a recorded event is rejected: " + batch.rejected.told().front().reason);
  return batch;
}

}  // namespace

CopyRows copy_rows(const std::vector<std::string>& bodies) {
  CopyRows rows;
  Traces traces;
  for (const auto& body : bodies) {
    std::string data = copy_head();
    for (const auto& event : read_clean(body).events) {
      append_row(data, fields_of(event));
      count(traces, event);
    }
    rows.events.push_back(data + copy_end);
  }
  rows.traces = copy_head();
  for (const auto& [trace_id, trace] : traces) append_row(rows.traces, fields_of(trace_id, trace));
  rows.traces += copy_end;
  return rows;
}

std::vector<std::string> array_columns(std::string_view body) {
  std::array<ArrayColumn, event_width> event_arrays{
      ArrayColumn(text_type), ArrayColumn(text_type), ArrayColumn(text_type),  ArrayColumn(timestamp_type),
      ArrayColumn(real_type), ArrayColumn(text_type), ArrayColumn(jsonb_type), ArrayColumn(jsonb_type)};
  std::array<ArrayColumn, trace_width> trace_arrays{ArrayColumn(text_type), ArrayColumn(text_type),
                                                    ArrayColumn(timestamp_type), ArrayColumn(timestamp_type),
                                                    ArrayColumn(integer_type)};
  Traces traces;
  const auto batch = read_clean(body);
  for (const auto& event : batch.events) {
    add_row(event_arrays, fields_of(event));
    count(traces, event);
  }
  for (const auto& [trace_id, trace] : traces) add_row(trace_arrays, fields_of(trace_id, trace));
  std::vector<std::string> columns;
  columns.reserve(event_width + trace_width);
  for (const auto& column : event_arrays) columns.push_back(column.bytes());
  for (const auto& column : trace_arrays) columns.push_back(column.bytes());
  return columns;
}

}  // namespace raceway::bench

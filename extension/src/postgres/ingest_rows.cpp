#include "postgres/ingest_rows.hpp"

#include <utility>

#include "postgres/jsonb_writer.hpp"
#include "postgres/native_formats.hpp"
#include "wire/json.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

constexpr std::size_t bytes_of_a_usual_event = 700;

/// The columns whose values stand in the block.
constexpr int block_columns[] = {event_id, trace_id, kind, location, vector_clock, metadata};

/// A block's memory, kept for the next batch: asked from the system anew, each of its pages would cost a fault.
std::string& spare_memory() {
  static std::string spare;
  return spare;
}

constexpr std::size_t spare_memory_max = std::size_t{8} << 20U;

}  // namespace

VarlenaBlock::VarlenaBlock() : bytes_(std::move(spare_memory())) {
  bytes_.clear();
}

VarlenaBlock::~VarlenaBlock() {
  if (bytes_.capacity() > spare_memory().capacity() && bytes_.capacity() <= spare_memory_max) {
    spare_memory() = std::move(bytes_);
  }
}

std::size_t VarlenaBlock::add_text(std::string_view text) {
  const bool is_short = text.size() + VARHDRSZ_SHORT <= VARATT_SHORT_MAX;
  const std::size_t offset = is_short ? bytes_.size() : begin_aligned();
  bytes_.append(is_short ? VARHDRSZ_SHORT : VARHDRSZ, '\0');
  bytes_ += text;
  char* const varlena = bytes_.data() + offset;
  if (is_short) {
    SET_VARSIZE_SHORT(varlena, text.size() + VARHDRSZ_SHORT);
  } else {
    SET_VARSIZE(varlena, text.size() + VARHDRSZ);
  }
  return offset;
}

std::size_t VarlenaBlock::begin_aligned() {
  bytes_.append(MAXALIGN(bytes_.size()) - bytes_.size(), '\0');
  return bytes_.size();
}

EventRows::EventRows(std::span<const wire::Event* const> events, Timestamp created_at) {
  block_.bytes().reserve(events.size() * bytes_of_a_usual_event);
  rows_.reserve(events.size());
  pg_call([&] {
    for (const auto* event : events) add(*event, created_at);
  });
  // The block has its place now: offsets become addresses.
  for (auto& row : rows_) {
    for (const int column : block_columns) {
      if (!row.nulls[column]) row.values[column] = block_.datum(row.values[column]);
    }
  }
}

void EventRows::add(const wire::Event& event, Timestamp created_at) {
  DirectRow& row = rows_.emplace_back();
  const auto set = [&row](int column, Datum value) { row.values[column] = value; };
  row.nulls[duration_ms] = !event.duration_ms;
  row.nulls[location] = !event.location;
  row.nulls[vector_clock] = !event.has_clock;

  set(event_id, block_.add_text(event.event_id));
  set(trace_id, block_.add_text(event.trace_id));
  set(kind, block_.add_text(event.kind));
  set(timestamp, TimestampGetDatum(event.timestamp));
  if (event.duration_ms) set(duration_ms, Float4GetDatum(*event.duration_ms));
  if (event.location) set(location, block_.add_text(*event.location));
  if (event.has_clock) set(vector_clock, add_clock(event));
  set(metadata, add_metadata(event));
  set(event_created_at, TimestampGetDatum(created_at));
}

std::size_t EventRows::add_clock(const wire::Event& event) {
  const std::size_t offset = block_.begin_aligned();
  if (uses_native_formats()) {
    append_jsonb_clock(block_.bytes(), event);
  } else {
    text_.clear();
    wire::append_json_clock(text_, event.clock);
    add_jsonb_of_text();
  }
  return offset;
}

std::size_t EventRows::add_metadata(const wire::Event& event) {
  const std::size_t offset = block_.begin_aligned();
  if (uses_native_formats()) {
    append_jsonb(block_.bytes(), event.metadata);
  } else {
    text_.clear();
    wire::append_json(text_, event.metadata);
    add_jsonb_of_text();
  }
  return offset;
}

void EventRows::add_jsonb_of_text() {
  const Datum jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_.c_str()));
  block_.bytes().append(DatumGetPointer(jsonb), VARSIZE(DatumGetPointer(jsonb)));
  pfree(DatumGetPointer(jsonb));
}

}  // namespace raceway::postgres

#include "postgres/trace_reading.hpp"

#include <span>

#include "postgres/text.hpp"
#include "wire/event_facts.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

// Casts, since users may change the types of their tables.
constexpr const char* select_events = R"sql(
SELECT e.event_id::pg_catalog.text, e.kind::pg_catalog.text, e."timestamp"::timestamp, e.duration_ms::pg_catalog.float4,
       e.location::pg_catalog.text, e.vector_clock::pg_catalog.jsonb::pg_catalog.text,
       e.metadata::pg_catalog.jsonb::pg_catalog.text
FROM raceway.events e
WHERE e.trace_id OPERATOR(pg_catalog.=) $1
)sql";

constexpr const char* select_trace = "SELECT FROM raceway.traces t WHERE t.trace_id OPERATOR(pg_catalog.=) $1";

/// A value of a row that may be NULL.
template <class T>
struct Nullable {
  T value;
  bool is_null;
};

/// A row as it lies in PostgreSQL's memory.
struct RawEvent {
  Nullable<std::string_view> event_id, kind, location, vector_clock, metadata;
  Nullable<Timestamp> timestamp;
  Nullable<float> duration_ms;
};

/// Made once in a session, since many small traces may be read after one another. Raises.
SPIPlanPtr kept_plan() {
  static SPIPlanPtr plan = nullptr;
  if (plan == nullptr) {
    Oid type = TEXTOID;
    SPIPlanPtr made = SPI_prepare(select_events, 1, &type);
    if (made == nullptr) elog(ERROR, "SPI_prepare: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(made);
    plan = made;
  }
  return plan;
}

/// A walk over the rows of the trace, so many at a time.
class EventCursor {
 public:
  explicit EventCursor(std::string_view trace) {
    portal_ = pg_call([&] {
      Datum value = text_datum(trace);
      Portal portal = SPI_cursor_open(nullptr, kept_plan(), &value, nullptr, true);
      if (portal == nullptr) elog(ERROR, "SPI_cursor_open: %s", SPI_result_code_string(SPI_result));
      // What is taken out of line of rows lives here, until the next rows come.
      memory_ = AllocSetContextCreate(CurrentMemoryContext, "raceway rows", ALLOCSET_DEFAULT_SIZES);
      return portal;
    });
  }

  /// Gives false where there is none any more. What the row refers to lives until the next call.
  bool next(RawEvent& event) {
    if (at_ == count_ && !fetch()) return false;
    pg_call([&] { read(event); });
    ++at_;
    return true;
  }

 private:
  bool fetch() {
    constexpr long rows_at_a_time = 200;
    pg_call([this] {
      SPI_freetuptable(SPI_tuptable);
      MemoryContextReset(memory_);
      SPI_cursor_fetch(portal_, true, rows_at_a_time);
      count_ = SPI_processed;
      if (count_ == 0) SPI_cursor_close(portal_);
    });
    at_ = 0;
    return count_ > 0;
  }

  /// Raises.
  void read(RawEvent& event) const {
    const MemoryContext outer = MemoryContextSwitchTo(memory_);
    event.event_id = text_at(1);
    event.kind = text_at(2);
    const auto timestamp = value(3);
    event.timestamp = {DatumGetTimestamp(timestamp.value), timestamp.is_null};
    const auto duration = value(4);
    event.duration_ms = {DatumGetFloat4(duration.value), duration.is_null};
    event.location = text_at(5);
    event.vector_clock = text_at(6);
    event.metadata = text_at(7);
    MemoryContextSwitchTo(outer);
  }

  Nullable<Datum> value(int column) const {
    bool is_null = false;
    const Datum datum = SPI_getbinval(SPI_tuptable->vals[at_], SPI_tuptable->tupdesc, column, &is_null);
    return {is_null ? Datum{0} : datum, is_null};
  }

  Nullable<std::string_view> text_at(int column) const {
    const auto datum = value(column);
    if (datum.is_null) return {{}, true};
    const auto* const packed = DatumGetTextPP(datum.value);
    return {{VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)}, false};
  }

  Portal portal_ = nullptr;
  MemoryContext memory_ = nullptr;
  std::uint64_t at_ = 0;
  std::uint64_t count_ = 0;
};

wire::ReadFacts facts_of(const RawEvent& raw) {
  wire::Row row;
  row.event_id = raw.event_id.value;
  row.kind = raw.kind.value;
  row.timestamp = raw.timestamp.value;
  if (!raw.duration_ms.is_null) row.duration_ms = raw.duration_ms.value;
  if (!raw.location.is_null) row.location = raw.location.value;
  row.vector_clock = raw.vector_clock.value;
  row.metadata = raw.metadata.value;
  try {
    return wire::read_facts(row);
  } catch (const std::invalid_argument& error) {
    throw SqlError(ERRCODE_DATA_EXCEPTION, "event \"" + std::string(row.event_id) + "\": " + error.what());
  }
}

void require_utf8() {
  if (GetDatabaseEncoding() == PG_UTF8) return;
  throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "traces are analysed only in a database with the encoding UTF8");
}

}  // namespace

TraceReading::TraceReading(std::string_view trace) : trace_(trace), memory_(trace) {
  require_utf8();
  read_rows();
  if (events_.size() == 0) require_trace();
  causality::Allowed allowed;
  allowed.memory = [this](std::size_t bytes) { memory_.use(bytes); };
  allowed.memory_beside = [this](std::size_t bytes) { memory_.use_beside(bytes); };
  allowed.go_on = check_for_interrupts;
  happened_.emplace(events_, allowed);
}

void TraceReading::read_rows() {
  EventCursor cursor(trace_);
  std::vector<std::uint32_t> id_of_place;
  std::vector<std::uint64_t> links;
  std::size_t counters = 0;
  for (RawEvent raw; cursor.next(raw);) {
    auto read = facts_of(raw);
    id_of_place.push_back(ids_.number(raw.event_id.value));
    read.facts.id = key_of(id_of_place.back());
    read.facts.parent = read.parent_id.empty() ? 0 : key_of(ids_.number(read.parent_id));
    links.clear();
    for (const auto id : read.link_ids) links.push_back(key_of(ids_.number(id)));
    read.facts.links = links;
    counters += read.facts.clock.size();
    events_.add(read.facts);
    read_bytes_ = events_.bytes() + ids_.bytes() + counters * causality::HappenedBefore::bytes_a_counter +
                  id_of_place.size() * (causality::HappenedBefore::bytes_an_event + sizeof(std::uint32_t));
    memory_.keep(read_bytes_);
  }
  events_.finish([&](std::span<const std::uint32_t> places) {
    memory_.use(places.size() * 2 * sizeof(std::string));
    std::vector<std::string> ids;
    for (const std::uint32_t place : places) ids.emplace_back(ids_[id_of_place[place]]);
    return ids;
  });
  memory_.use(0);
}

/// A trace need not have events that are to be seen.
void TraceReading::require_trace() const {
  const bool is_there = pg_call([this] {
    Oid type = TEXTOID;
    Datum value = text_datum(trace_);
    const int result = SPI_execute_with_args(select_trace, 1, &type, &value, nullptr, true, 1);
    if (result < 0) elog(ERROR, "SPI_execute_with_args: %s", SPI_result_code_string(result));
    return SPI_processed > 0;
  });
  if (!is_there) throw SqlError(ERRCODE_NO_DATA_FOUND, "there is no trace \"" + std::string(trace_) + "\"");
}

const causality::LockSets& TraceReading::locks() {
  if (!locks_) locks_.emplace(*happened_);
  return *locks_;
}

std::uint32_t TraceReading::find(std::string_view event_id) const {
  const std::uint64_t key = key_of(ids_.find(event_id));
  for (std::uint32_t event = 0; event < events_.size(); ++event) {
    // Of an id that nobody has, the number is that of the empty one.
    if (events_[event].id == key && id(event) == event_id) return event;
  }
  throw SqlError(ERRCODE_NO_DATA_FOUND,
                 "trace \"" + std::string(trace_) + "\" has no event \"" + std::string(event_id) + "\"");
}

}  // namespace raceway::postgres

#include "postgres/ingest_spi.hpp"

#include <array>
#include <numeric>
#include <unordered_map>
#include <utility>

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

namespace raceway::postgres {
namespace {

using wire::Event;
using Events = std::span<const Event* const>;

// Events first, by id, then traces, by id: two batches wait for each other in one direction only. The foreign key is
// checked when the statement ends, so the traces may come after. A batch whose earliest event is the earliest of its
// trace names the trace for another look at whose event that is (see update_services).
constexpr const char* insert_events = R"sql(
WITH sent AS MATERIALIZED (
    SELECT s.event_id, s.trace_id, s.kind, s.at, s.duration_ms, s.location, s.vector_clock, s.metadata
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4),
                    pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8))
         AS s (event_id, trace_id, kind, at, duration_ms, location, vector_clock, metadata)
), stored AS (
    INSERT INTO raceway.events AS e
        (event_id, trace_id, kind, "timestamp", duration_ms, location, vector_clock, metadata)
    SELECT event_id, trace_id, kind, at, duration_ms, location,
           vector_clock::pg_catalog.jsonb, metadata::pg_catalog.jsonb
    FROM sent
    ON CONFLICT DO NOTHING
    RETURNING e.event_id, e.trace_id, e."timestamp" AS at,
              raceway.service_of(e.metadata::pg_catalog.jsonb) AS service_name
), grown AS (
    SELECT trace_id, pg_catalog.min(at) AS start_time, pg_catalog.max(at) AS end_time,
           pg_catalog.count(*)::pg_catalog.int4 AS event_count,
           (pg_catalog.array_agg(service_name ORDER BY at, event_id))[1] AS service_name
    FROM stored
    GROUP BY trace_id
), counted AS (
    INSERT INTO raceway.traces AS t (trace_id, service_name, start_time, end_time, event_count)
    SELECT trace_id, service_name, start_time, end_time, event_count
    FROM grown
    ORDER BY trace_id
    ON CONFLICT (trace_id) DO UPDATE SET
        event_count = COALESCE(t.event_count, 0) OPERATOR(pg_catalog.+) excluded.event_count,
        start_time = LEAST(t.start_time, excluded.start_time),
        end_time = GREATEST(t.end_time, excluded.end_time),
        service_name = CASE WHEN t.start_time OPERATOR(pg_catalog.<=) excluded.start_time THEN t.service_name
                            ELSE excluded.service_name END
    RETURNING t.trace_id, t.start_time, t.event_count
)
SELECT true, event_id, at FROM stored
UNION ALL
SELECT false, c.trace_id, NULL
FROM counted c JOIN grown g ON g.trace_id OPERATOR(pg_catalog.=) c.trace_id
WHERE c.start_time OPERATOR(pg_catalog.=) g.start_time AND c.event_count OPERATOR(pg_catalog.>) g.event_count
)sql";

// The earliest event names the service; of several at the same microsecond, the one with the smallest id. The trace's
// row is locked by this transaction, so whoever adds an event next looks after us.
constexpr const char* update_services = R"sql(
UPDATE raceway.traces AS t
SET service_name = (SELECT raceway.service_of(e.metadata::pg_catalog.jsonb)
                    FROM raceway.events e
                    WHERE e.trace_id OPERATOR(pg_catalog.=) t.trace_id
                      AND e."timestamp" OPERATOR(pg_catalog.=) t.start_time
                    ORDER BY e.event_id LIMIT 1)
WHERE t.trace_id OPERATOR(pg_catalog.=) ANY ($1)
)sql";

constexpr const char* find_traces_of_events = R"sql(
SELECT event_id, trace_id, "timestamp" FROM raceway.events WHERE event_id OPERATOR(pg_catalog.=) ANY ($1)
)sql";

/// A statement that is planned once in a session. PostgreSQL plans it anew where the tables have changed.
class Statement {
 public:
  template <std::size_t N>
  Statement(const char* sql, const std::array<Oid, N>& types) : sql_(sql), types_(types.begin(), types.end()) {}

  /// Runs it; the rows stand in SPI_tuptable. `nulls` as SPI takes them.
  void run(Datum* values) {
    pg_call([this, values] {
      if (plan_ == nullptr) {
        SPIPlanPtr plan = SPI_prepare(sql_, static_cast<int>(types_.size()), types_.data());
        if (plan == nullptr) elog(ERROR, "SPI_prepare: %s", SPI_result_code_string(SPI_result));
        SPI_keepplan(plan);
        plan_ = plan;
      }
      const int result = SPI_execute_plan(plan_, values, nullptr, false, 0);
      if (result < 0) elog(ERROR, "SPI_execute_plan: %s", SPI_result_code_string(result));
    });
  }

 private:
  const char* sql_;
  std::vector<Oid> types_;
  SPIPlanPtr plan_ = nullptr;
};

Datum text_datum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

/// One column of a batch as a PostgreSQL array, allocated in the current memory context.
class Column {
 public:
  explicit Column(std::size_t size) : size_(static_cast<int>(size)) {
    values_ = static_cast<Datum*>(palloc(sizeof(Datum) * (size + 1)));
    nulls_ = static_cast<bool*>(palloc0(size + 1));
  }
  void add(Datum value) { values_[at_++] = value; }
  void add_null() { nulls_[at_++] = true; }
  void add_text(std::string_view text) { add(text_datum(text)); }
  Datum array(Oid type, int length, bool by_value, char align) {
    int lower_bound = 1;
    return PointerGetDatum(construct_md_array(values_, nulls_, 1, &size_, &lower_bound, type, length, by_value, align));
  }
  Datum text_array() { return array(TEXTOID, -1, false, TYPALIGN_INT); }

 private:
  Datum* values_;
  bool* nulls_;
  int size_;
  int at_ = 0;
};

/// The texts of a batch's jsonb columns.
struct JsonTexts {
  std::vector<std::string> clocks;
  std::vector<std::string> metadata;

  explicit JsonTexts(Events events) : clocks(events.size()), metadata(events.size()) {
    for (std::size_t at = 0; at < events.size(); ++at) {
      if (events[at]->has_clock) wire::append_json_clock(clocks[at], events[at]->clock);
      wire::append_json(metadata[at], events[at]->metadata);
    }
  }
};

std::array<Datum, 8> make_arguments(Events events, const JsonTexts& texts) {
  std::array<Datum, 8> arguments{};
  pg_call([&] {
    const std::size_t size = events.size();
    Column event_id(size), trace_id(size), kind(size), timestamp(size), duration(size), location(size), clock(size),
        metadata(size);
    for (std::size_t at = 0; at < size; ++at) {
      const Event& event = *events[at];
      event_id.add_text(event.event_id);
      trace_id.add_text(event.trace_id);
      kind.add_text(event.kind);
      timestamp.add(TimestampGetDatum(event.timestamp));
      event.duration_ms ? duration.add(Float4GetDatum(*event.duration_ms)) : duration.add_null();
      event.location ? location.add_text(*event.location) : location.add_null();
      event.has_clock ? clock.add_text(texts.clocks[at]) : clock.add_null();
      metadata.add_text(texts.metadata[at]);
    }
    arguments = {event_id.text_array(),
                 trace_id.text_array(),
                 kind.text_array(),
                 timestamp.array(TIMESTAMPOID, sizeof(Timestamp), true, TYPALIGN_DOUBLE),
                 duration.array(FLOAT4OID, sizeof(float4), true, TYPALIGN_INT),
                 location.text_array(),
                 clock.text_array(),
                 metadata.text_array()};
  });
  return arguments;
}

Datum text_array_of(const std::vector<std::string>& texts) {
  return pg_call([&] {
    Column column(texts.size());
    for (const auto& text : texts) column.add_text(text);
    return column.text_array();
  });
}

/// A text column of the row `row` of SPI's last answer; it lives as long as that answer.
std::string_view spi_text(std::uint64_t row, int column) {
  struct Text {
    const char* data;
    std::size_t size;
  };
  const Text answer = pg_call([&] {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
    if (is_null) return Text{"", 0};
    const auto* packed = DatumGetTextPP(value);
    return Text{VARDATA_ANY(packed), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
  });
  return {answer.data, answer.size};
}

bool spi_bool(std::uint64_t row, int column) {
  return pg_call([&] {
    bool is_null = false;
    return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null));
  });
}

void free_spi_answer() {
  pg_call([] { SPI_freetuptable(SPI_tuptable); });
}

Timestamp spi_timestamp(std::uint64_t row, int column) {
  return pg_call([&] {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
    return is_null ? Timestamp{0} : DatumGetTimestamp(value);
  });
}

/// An event's identity as a key.
std::string key_of(EventIdentity identity, std::string_view event_id, Timestamp timestamp) {
  std::string key(event_id);
  if (identity.with_time) key.append(reinterpret_cast<const char*>(&timestamp), sizeof timestamp);
  return key;
}

std::string key_of(EventIdentity identity, const Event& event) {
  return key_of(identity, event.event_id, event.timestamp);
}

using KnownEvents = std::unordered_map<std::string, std::string>;  // key_of() -> what is known of it

/// Offers the events in one statement; answers those that were stored.
KnownEvents insert_batch(Events events, EventIdentity identity) {
  static Statement insert(insert_events, std::array<Oid, 8>{TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPARRAYOID,
                                                            FLOAT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
  const JsonTexts texts(events);
  auto arguments = make_arguments(events, texts);
  insert.run(arguments.data());

  KnownEvents stored;
  std::vector<std::string> look_again;
  for (std::uint64_t row = 0; row < SPI_processed; ++row) {
    const auto id = spi_text(row, 2);
    if (spi_bool(row, 1)) {
      stored.emplace(key_of(identity, id, spi_timestamp(row, 3)), "");
    } else {
      look_again.emplace_back(id);
    }
  }
  free_spi_answer();
  if (!look_again.empty()) name_services(look_again);
  return stored;
}

/// Under which trace each of the events stands that is in the table.
KnownEvents find_standing(const std::vector<std::string>& event_ids, EventIdentity identity) {
  static Statement find(find_traces_of_events, std::array<Oid, 1>{TEXTARRAYOID});
  Datum ids = text_array_of(event_ids);
  find.run(&ids);
  KnownEvents standing;
  for (std::uint64_t row = 0; row < SPI_processed; ++row) {
    standing.emplace(key_of(identity, spi_text(row, 1), spi_timestamp(row, 3)), std::string(spi_text(row, 2)));
  }
  free_spi_answer();
  return standing;
}

}  // namespace

std::vector<StoreOutcome> offer_by_sql(Events events, EventIdentity identity) {
  std::vector<StoreOutcome> outcomes(events.size());
  std::vector<std::size_t> open(events.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  // Who is neither stored nor found was in the way and is gone since: the second round stores it, unless the table
  // itself keeps it out.
  for (int round = 0; round < 2 && !open.empty(); ++round) {
    std::vector<const Event*> offered;
    for (const auto at : open) offered.push_back(events[at]);
    const KnownEvents stored = insert_batch(offered, identity);
    std::erase_if(open, [&](std::size_t at) {
      const bool is_stored = stored.contains(key_of(identity, *events[at]));
      if (is_stored) outcomes[at].kind = StoreOutcome::Kind::stored;
      return is_stored;
    });
    if (open.empty()) break;
    std::vector<std::string> missing;
    for (const auto at : open) missing.emplace_back(events[at]->event_id);
    const KnownEvents standing = find_standing(missing, identity);
    std::erase_if(open, [&](std::size_t at) {
      const auto found = standing.find(key_of(identity, *events[at]));
      if (found != standing.end()) outcomes[at] = {StoreOutcome::Kind::stands_already, found->second};
      return found != standing.end();
    });
  }
  for (const auto at : open) outcomes[at].text = "a rule, a trigger or row security of the table keeps it out";
  return outcomes;
}

void limit_waits() {
  static Statement limit("SELECT pg_catalog.set_config('lock_timeout', '20ms', true)", std::array<Oid, 0>{});
  limit.run(nullptr);
  free_spi_answer();
}

void name_services(const std::vector<std::string>& trace_ids) {
  static Statement services(update_services, std::array<Oid, 1>{TEXTARRAYOID});
  Datum ids = text_array_of(trace_ids);
  services.run(&ids);
}

}  // namespace raceway::postgres

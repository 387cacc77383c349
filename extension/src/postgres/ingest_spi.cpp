#include "postgres/ingest_spi.hpp"

#include <array>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "postgres/ingest_rows.hpp"
#include "postgres/text.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
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
    SELECT event_id, trace_id, kind, at, duration_ms, location, vector_clock, metadata
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

// The columns that are compared, and who may have them compared, are a matter of the tables: SQL knows. The older
// version's SQL, until the extension is updated, knows no contents.
constexpr const char* find_contents = R"sql(
SELECT place, trace_id, other_contents
FROM raceway.standing_contents($1, $4, $3, $5, $6, $7, $8)
)sql";
constexpr const char* find_rows = "SELECT place, trace_id, NULL::pg_catalog.text FROM raceway.standing_rows($1, $4)";

constexpr const char* offer_rows = R"sql(
SELECT place, standing, refusal
FROM raceway.ingest_rows($1, $2, $3, $4, $5, $6, $7, $8)
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

/// The first columns of `events` as arrays, made of the rows' values.
std::array<Datum, 8> make_arguments(const std::vector<DirectRow>& rows) {
  std::array<Datum, 8> arguments{};
  pg_call([&] {
    for (int at = 0; at < static_cast<int>(arguments.size()); ++at) {
      Column column(rows.size());
      for (const auto& row : rows) row.nulls[at] ? column.add_null() : column.add(row.values[at]);
      arguments[static_cast<std::size_t>(at)] =
          at == timestamp     ? column.array(TIMESTAMPOID, sizeof(Timestamp), true, TYPALIGN_DOUBLE)
          : at == duration_ms ? column.array(FLOAT4OID, sizeof(float4), true, TYPALIGN_INT)
          : at < vector_clock ? column.text_array()
                              : column.array(JSONBOID, -1, false, TYPALIGN_INT);
    }
  });
  return arguments;
}

constexpr std::array<Oid, 8> columns_of_a_batch = {TEXTARRAYOID,   TEXTARRAYOID, TEXTARRAYOID,  TIMESTAMPARRAYOID,
                                                   FLOAT4ARRAYOID, TEXTARRAYOID, JSONBARRAYOID, JSONBARRAYOID};

/// Runs a statement whose arguments are the columns of the events.
void run_for(Statement& statement, Events events) {
  EventRows rows(events, 0);
  auto arguments = make_arguments(rows.rows());
  statement.run(arguments.data());
}

Datum text_array_of(const std::vector<std::string>& texts) {
  return pg_call([&] {
    Column column(texts.size());
    for (const auto& text : texts) column.add_text(text);
    return column.text_array();
  });
}

/// A text column of the row `row` of SPI's last answer, without data where it is NULL; it lives as long as that answer.
std::string_view spi_text(std::uint64_t row, int column) {
  struct Text {
    const char* data;
    std::size_t size;
  };
  const Text answer = pg_call([&] {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
    if (is_null) return Text{nullptr, 0};
    const auto* packed = DatumGetTextPP(value);
    return Text{VARDATA_ANY(packed), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
  });
  return {answer.data, answer.size};
}

/// A column of a type that is passed by value; 0 where it is NULL.
Datum spi_value(std::uint64_t row, int column) {
  return pg_call([&] {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
    return is_null ? Datum{0} : value;
  });
}

void free_spi_answer() {
  pg_call([] { SPI_freetuptable(SPI_tuptable); });
}

/// An event's identity as a key.
std::string key_of(EventIdentity identity, std::string_view event_id, Timestamp timestamp) {
  std::string key(event_id);
  if (identity.with_time) key.append(reinterpret_cast<const char*>(&timestamp), sizeof timestamp);
  return key;
}

/// Offers the events in one statement; answers the keys of those that were stored.
std::unordered_set<std::string> insert_batch(Events events, EventIdentity identity) {
  static Statement insert(insert_events, columns_of_a_batch);
  run_for(insert, events);
  std::unordered_set<std::string> stored;
  std::vector<std::string> look_again;
  for (std::uint64_t row = 0; row < SPI_processed; ++row) {
    const auto id = spi_text(row, 2);
    if (DatumGetBool(spi_value(row, 1))) {
      stored.insert(key_of(identity, id, DatumGetTimestamp(spi_value(row, 3))));
    } else {
      look_again.emplace_back(id);
    }
  }
  free_spi_answer();
  if (!look_again.empty()) name_services(look_again);
  return stored;
}

bool knows_contents() {
  return pg_call([] {
    constexpr std::array<Oid, 7> types = {TEXTARRAYOID, TIMESTAMPARRAYOID, TEXTARRAYOID, FLOAT4ARRAYOID,
                                          TEXTARRAYOID, JSONBARRAYOID,     JSONBARRAYOID};
    char schema[] = "raceway";
    char name[] = "standing_contents";
    List* const names = list_make2(makeString(schema), makeString(name));
    return OidIsValid(LookupFuncName(names, static_cast<int>(types.size()), types.data(), true));
  });
}

/// The rows of SPI's last answer of a place (from 1), the trace that stands there, and why what is sent is none of its
/// duplicates or is refused, as outcomes of these events.
void take_outcomes(std::span<StoreOutcome> outcomes) {
  for (std::uint64_t row = 0; row < SPI_processed; ++row) {
    const std::string_view trace_id = spi_text(row, 2);
    const std::string_view reason = spi_text(row, 3);
    const bool stands = trace_id.data() != nullptr;
    StoreOutcome& outcome = outcomes[static_cast<std::size_t>(DatumGetInt32(spi_value(row, 1)) - 1)];
    outcome.kind = stands ? StoreOutcome::Kind::stands_already : StoreOutcome::Kind::refused;
    outcome.text = stands ? trace_id : reason;
    outcome.other_contents = stands ? reason : "";
  }
  free_spi_answer();
}

/// What stands in the table of these events; those that do not are left as refused.
std::vector<StoreOutcome> find_standing(Events events) {
  static Statement contents(find_contents, columns_of_a_batch);
  static Statement rows(find_rows, columns_of_a_batch);
  run_for(knows_contents() ? contents : rows, events);
  std::vector<StoreOutcome> outcomes(events.size());
  take_outcomes(outcomes);
  return outcomes;
}

}  // namespace

std::vector<StoreOutcome> offer_by_sql(Events events, EventIdentity identity) {
  std::vector<StoreOutcome> outcomes(events.size());
  std::vector<std::size_t> open(events.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  const auto events_of = [&](const std::vector<std::size_t>& places) {
    std::vector<const Event*> some;
    for (const auto at : places) some.push_back(events[at]);
    return some;
  };
  // Who is neither stored nor found was in the way and is gone since: the second round stores it, unless the table
  // itself keeps it out.
  for (int round = 0; round < 2 && !open.empty(); ++round) {
    const auto stored = insert_batch(events_of(open), identity);
    std::erase_if(open, [&](std::size_t at) {
      const bool is_stored = stored.contains(key_of(identity, events[at]->event_id, events[at]->timestamp));
      if (is_stored) outcomes[at].kind = StoreOutcome::Kind::stored;
      return is_stored;
    });
    if (open.empty()) break;
    auto standing = find_standing(events_of(open));
    std::vector<std::size_t> lost;
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (standing[at].kind == StoreOutcome::Kind::refused) lost.push_back(open[at]);
      outcomes[open[at]] = std::move(standing[at]);
    }
    open = std::move(lost);
  }
  for (const auto at : open) outcomes[at].text = "a rule, a trigger or row security of the table keeps it out";
  return outcomes;
}

std::vector<StoreOutcome> offer_one_by_one(Events events) {
  static Statement offer(offer_rows, columns_of_a_batch);
  run_for(offer, events);
  std::vector<StoreOutcome> outcomes(events.size(), {StoreOutcome::Kind::stored, {}});
  take_outcomes(outcomes);
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

#include "postgres/postgres_storage.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "postgres/portable_ingest.hpp"

namespace raceway::server::postgres {
namespace {

constexpr const char* ingest_bodies = "SELECT stored, duplicates, rejected::text FROM raceway.ingest($1::bytea[])";

constexpr const char* count_all =
    "SELECT coalesce(sum(event_count), 0)::bigint, count(*) FROM raceway.traces WHERE end_time IS NOT NULL";

/// The traces `t` that pass a filter. Parameters 1 to 4: service, min_events, from, to.
constexpr const char* passing =
    " FROM raceway.traces t WHERE t.end_time IS NOT NULL AND coalesce(t.event_count, 0) >= $2::bigint"
    " AND ($1::text IS NULL OR EXISTS (SELECT FROM raceway.events e WHERE e.trace_id = t.trace_id AND"
    " raceway.service_of(e.metadata) = $1::text))"
    " AND ($3::timestamp IS NULL OR t.end_time >= $3::timestamp)"
    " AND ($4::timestamp IS NULL OR t.start_time <= $4::timestamp)";

const std::string count_passing = std::string("SELECT count(*)") + passing;

/// The summaries of the traces `p`.
constexpr const char* summary_of_p =
    "SELECT p.trace_id, coalesce(p.event_count, 0)::bigint, p.start_time, p.end_time,"
    " (SELECT coalesce(jsonb_agg(s.name ORDER BY s.name COLLATE \"C\"), '[]')::text FROM"
    "  (SELECT DISTINCT raceway.service_of(e.metadata) AS name FROM raceway.events e WHERE e.trace_id = p.trace_id) s"
    "  WHERE s.name IS NOT NULL) FROM p ORDER BY p.end_time DESC, p.trace_id";

const std::string page_of_passing = std::string("WITH p AS (SELECT t.*") + passing +
                                    " ORDER BY t.end_time DESC, t.trace_id LIMIT $5::bigint OFFSET $6::bigint) " +
                                    summary_of_p;

const std::string cursor_on_passing =
    std::string("DECLARE traces NO SCROLL CURSOR FOR WITH p AS (SELECT t.*") + passing + ") " + summary_of_p;

constexpr const char* events_of_traces =
    "SELECT event_id, trace_id, kind, \"timestamp\", duration_ms, location, vector_clock::text, metadata::text"
    " FROM raceway.events WHERE trace_id = ANY ($1::text[])";

constexpr const char* count_services =
    "SELECT name, count(*), count(DISTINCT trace_id) FROM"
    " (SELECT trace_id, raceway.service_of(e.metadata) AS name FROM raceway.events e) s WHERE name IS NOT NULL GROUP "
    "BY name ORDER BY name COLLATE \"C\"";

std::vector<PgParameter> filter_parameters(const storage::TraceFilter& filter) {
  constexpr std::uint64_t most = INT64_MAX;
  return {PgParameter::optional_text(filter.service),
          PgParameter::int64(static_cast<std::int64_t>(std::min(filter.min_events, most))),
          PgParameter::micros(filter.from), PgParameter::micros(filter.to)};
}

storage::TraceSummary read_summary(const PgResult& result, int row) {
  storage::TraceSummary summary;
  summary.trace_id = result.text(row, 0);
  summary.event_count = static_cast<std::uint64_t>(result.int64(row, 1));
  summary.first_timestamp = result.micros(row, 2);
  summary.last_timestamp = result.micros(row, 3);
  summary.services = nlohmann::json::parse(result.text(row, 4)).get<std::vector<std::string>>();
  return summary;
}

storage::StoredEvent read_event(const PgResult& result, int row) {
  storage::StoredEvent event;
  event.event_id = result.text(row, 0);
  event.trace_id = result.text(row, 1);
  event.kind = result.text(row, 2);
  event.timestamp = result.micros(row, 3);
  if (!result.is_null(row, 4)) event.duration_ms = result.float4(row, 4);
  if (!result.is_null(row, 5)) event.location = std::string(result.text(row, 5));
  event.vector_clock = result.text(row, 6);
  event.metadata = result.text(row, 7);
  return event;
}

PgResult run_ingest(PgConnection& connection, const std::vector<std::string_view>& bodies) {
  constexpr const char* program_limit_exceeded = "54000";
  try {
    return connection.run(ingest_bodies, {PgParameter::bodies(bodies)});
  } catch (const DatabaseError& error) {
    if (error.sqlstate() == program_limit_exceeded) throw storage::BodyTooLarge(error.what());
    throw;
  }
}

wire::Rejections read_rejections(std::string_view json) {
  std::vector<wire::Rejection> told;
  std::uint64_t untold = 0;
  for (const auto& rejection : nlohmann::json::parse(json)) {
    if (rejection.contains("more")) {
      untold = rejection.at("more").get<std::uint64_t>();
      continue;
    }
    told.push_back({rejection.at("index").get<std::uint32_t>(), rejection.at("id").get<std::string>(),
                    rejection.at("reason").get<std::string>()});
  }
  const auto count = told.size() + untold;
  return {std::move(told), count};
}

/// A database that works ends a statement by itself when its time is over; one that hangs is waited for so much longer.
constexpr std::chrono::seconds grace{2};
/// Whether the database answers at all is not worth more.
constexpr std::chrono::seconds check_limit{5};

/// A transaction that sees one moment, none of its statements longer than `limit`. The limit ends with it: nothing is
/// left set in a session that a pooler may hand to others. Forgotten by the pool where it is left open.
class Snapshot {
 public:
  Snapshot(PgConnection& connection, std::chrono::milliseconds limit) : connection_(connection) {
    connection_.run_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = " +
                           std::to_string(limit.count()));
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() {
    try {
      connection_.run("COMMIT");
    } catch (const DatabaseError&) {
      // The pool looks at the connection and forgets it.
    }
  }

 private:
  PgConnection& connection_;
};

using EventsByTrace = std::unordered_map<std::string, std::vector<storage::StoredEvent>>;

EventsByTrace read_events_of(PgConnection& connection, const std::vector<std::string>& trace_ids) {
  const auto result = connection.run(events_of_traces, {PgParameter::texts(trace_ids)});
  EventsByTrace events;
  for (int row = 0; row < result.rows(); ++row) {
    auto event = read_event(result, row);
    auto& of_trace = events[event.trace_id];
    of_trace.push_back(std::move(event));
  }
  return events;
}

/// Traces are fetched together as long as they hold no more events than this, so that small ones do not cost a round
/// trip each and large ones are held one at a time.
constexpr std::uint64_t events_at_once = 5'000;

/// How many of `summaries`, from `from`, are fetched together.
std::size_t group_size(const std::vector<storage::TraceSummary>& summaries, std::size_t from) {
  std::size_t size = 0;
  for (std::uint64_t events = 0; from + size < summaries.size(); ++size) {
    events += summaries[from + size].event_count;
    if (size > 0 && events > events_at_once) break;
  }
  return size;
}

}  // namespace

PostgresStorage::PostgresStorage(const config::Postgres& options, Edition edition)
    : query_limit_(options.query_timeout),
      edition_(edition),
      pool_({options.connection_string, options.max_connections, options.min_connections, options.connection_timeout}) {
}

Patience PostgresStorage::to_read() const {
  return {query_limit_ + grace, &reading_};
}

void PostgresStorage::stop_reads() {
  reading_.raise();
  pool_.wake();
}

void PostgresStorage::stop() {
  writing_.raise();
  stop_reads();
}

std::vector<storage::IngestResult> PostgresStorage::ingest(const std::vector<std::string_view>& bodies) {
  // Without a limit: each connection that is given up may leave a backend behind that waits on, for a standby or a
  // lock, and the next ones would use up the database's connections. A peer that is gone is noticed by TCP.
  return pool_.with_connection({{}, &writing_}, [&](PgConnection& connection) {
    if (edition_ == Edition::portable) return ingest_portably(connection, bodies);
    const auto result = run_ingest(connection, bodies);
    std::vector<storage::IngestResult> results;
    for (int row = 0; row < result.rows(); ++row) {
      const auto count = [&](int column) { return static_cast<std::uint64_t>(result.int64(row, column)); };
      results.push_back({count(0), count(1), read_rejections(result.text(row, 2))});
    }
    if (results.size() != bodies.size()) throw DatabaseError("ingest answered for another number of bodies", {});
    return results;
  });
}

void PostgresStorage::check() {
  const Patience patience{std::min<std::chrono::milliseconds>(check_limit, query_limit_), &reading_};
  pool_.with_connection(patience, [](PgConnection& connection) { connection.run("SELECT"); });
}

storage::Totals PostgresStorage::totals() {
  return pool_.with_connection(to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto result = connection.run(count_all);
    return storage::Totals{static_cast<std::uint64_t>(result.int64(0, 0)),
                           static_cast<std::uint64_t>(result.int64(0, 1))};
  });
}

storage::TracePage PostgresStorage::list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                                std::uint64_t page_size) {
  return pool_.with_connection(to_read(), [&](PgConnection& connection) {
    storage::TracePage found;
    auto parameters = filter_parameters(filter);
    const Snapshot snapshot(connection, query_limit_);
    found.total = static_cast<std::uint64_t>(connection.run(count_passing, parameters).int64(0, 0));
    if (page - 1 > found.total / page_size) return found;
    parameters.push_back(PgParameter::int64(static_cast<std::int64_t>(page_size)));
    parameters.push_back(PgParameter::int64(static_cast<std::int64_t>((page - 1) * page_size)));
    const auto result = connection.run(page_of_passing, parameters);
    for (int row = 0; row < result.rows(); ++row) found.traces.push_back(read_summary(result, row));
    return found;
  });
}

std::optional<std::vector<storage::StoredEvent>> PostgresStorage::trace(const std::string& trace_id) {
  return pool_.with_connection(to_read(),
                               [&](PgConnection& connection) -> std::optional<std::vector<storage::StoredEvent>> {
                                 const Snapshot snapshot(connection, query_limit_);
                                 auto events = read_events_of(connection, {trace_id});
                                 if (events.empty()) return std::nullopt;
                                 return std::move(events.begin()->second);
                               });
}

void PostgresStorage::each_trace(
    const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
    const std::function<bool(const storage::TraceSummary&, std::vector<storage::StoredEvent>)>& visit) {
  bool begun = false;
  pool_.with_connection(to_read(), [&](PgConnection& connection) {
    // What was shown already cannot be taken back: a second try would show it twice.
    if (begun) throw DatabaseError("the connection broke in the middle of the answer", {});
    const Snapshot snapshot(connection, query_limit_);
    const auto parameters = filter_parameters(filter);
    const auto total = static_cast<std::uint64_t>(connection.run(count_passing, parameters).int64(0, 0));
    connection.run(cursor_on_passing, parameters);
    begun = true;
    begin(total);
    while (true) {
      const auto rows = connection.run("FETCH 500 FROM traces");
      if (rows.rows() == 0) return;
      std::vector<storage::TraceSummary> summaries;
      for (int row = 0; row < rows.rows(); ++row) summaries.push_back(read_summary(rows, row));
      for (std::size_t from = 0; from < summaries.size();) {
        const auto size = group_size(summaries, from);
        std::vector<std::string> ids;
        for (std::size_t at = from; at < from + size; ++at) ids.push_back(summaries[at].trace_id);
        auto events = read_events_of(connection, ids);
        for (std::size_t at = from; at < from + size; ++at) {
          if (!visit(summaries[at], std::move(events[summaries[at].trace_id]))) return;
        }
        from += size;
      }
    }
  });
}

std::vector<storage::ServiceSummary> PostgresStorage::services() {
  return pool_.with_connection(to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto result = connection.run(count_services);
    std::vector<storage::ServiceSummary> services;
    for (int row = 0; row < result.rows(); ++row) {
      services.push_back({std::string(result.text(row, 0)), static_cast<std::uint64_t>(result.int64(row, 1)),
                          static_cast<std::uint64_t>(result.int64(row, 2))});
    }
    return services;
  });
}

}  // namespace raceway::server::postgres

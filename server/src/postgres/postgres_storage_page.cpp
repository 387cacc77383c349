// What the routes of the web page ask of the database.
#include <algorithm>
#include <set>

#include "postgres/event_row.hpp"
#include "postgres/postgres_storage.hpp"
#include "postgres/snapshot.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::postgres {
namespace {

/// Commits have no order to ask by: what one may have been under way for is asked for once more.
constexpr std::int64_t overlap = 5'000'000;

constexpr const char* ids_since =
    "SELECT t.trace_id FROM raceway.traces t WHERE t.end_time >= $1::timestamp"
    " ORDER BY t.end_time DESC, t.trace_id LIMIT $2::bigint";

const std::string events_by_id = std::string("SELECT ") + event_columns +
                                 " FROM raceway.events e WHERE e.trace_id = $1::text AND e.event_id = ANY ($2::text[])";

constexpr const char* state_of_tables =
    "SELECT (SELECT l.partition_by FROM raceway.layout l),"
    " (SELECT count(*) FROM pg_catalog.pg_inherits i WHERE i.inhparent = 'raceway.events'::pg_catalog.regclass),"
    " (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c"
    "  WHERE c.relnamespace = 'raceway'::pg_catalog.regnamespace AND c.relkind = 'r')";

constexpr const char* last_cleanups =
    "SELECT r.started_at, r.ended_at, r.rule, r.traces, r.events, r.bytes, r.outcome FROM raceway.cleanup_runs r"
    " ORDER BY r.run_id DESC LIMIT $1::bigint";

}  // namespace

/// By the events' own times, and what this server itself has stored whatever its time: what others store with old times
/// is not found.
storage::Changes PostgresStorage::changes(std::optional<std::int64_t> since, std::size_t most) {
  storage::Changes changes;
  changes.as_of = storage::Arrivals::now();
  const std::int64_t from = since.value_or(changes.as_of) - overlap;
  auto arrived = arrivals_.since(from);
  if (!since) return changes;
  std::vector<std::string> ids;
  pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto rows = connection.run(ids_since, {PgParameter::micros(from + wire::unix_epoch),
                                                 PgParameter::int64(static_cast<std::int64_t>(most) + 1)});
    ids.clear();
    for (int row = 0; row < rows.rows(); ++row) ids.emplace_back(rows.text(row, 0));
  });
  const std::set<std::string, std::less<>> by_time(ids.begin(), ids.end());
  // What came by this server is certainly new.
  std::erase_if(arrived, [&](const std::string& id) { return by_time.contains(id); });
  ids.insert(ids.begin(), arrived.begin(), arrived.end());
  changes.more = ids.size() > most;
  if (changes.more) ids.resize(most);
  changes.traces = summaries(ids);
  return changes;
}

std::vector<storage::StoredEvent> PostgresStorage::events_of(const std::string& trace_id,
                                                             const std::vector<std::string>& event_ids) {
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto rows = connection.run(events_by_id, {PgParameter::text(trace_id), PgParameter::texts(event_ids)});
    std::vector<storage::StoredEvent> events;
    for (int row = 0; row < rows.rows(); ++row) events.push_back(storage::StoredEvent::of(read_event(rows, row)));
    return events;
  });
}

std::optional<storage::DatabaseReport> PostgresStorage::database_report(std::uint64_t cleanups) {
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const auto count = [](std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); };
    storage::DatabaseReport report;
    const Snapshot snapshot(connection, query_limit_);
    report.edition = connection.run("SELECT raceway.edition()::text").text(0, 0);
    const auto tables = connection.run(state_of_tables);
    report.partition_by = tables.text(0, 0);
    report.partitions = count(tables.int64(0, 1));
    report.bytes = count(tables.int64(0, 2));
    const auto runs = connection.run(last_cleanups, {PgParameter::int64(static_cast<std::int64_t>(cleanups))});
    for (int row = 0; row < runs.rows(); ++row) {
      report.cleanups.push_back({runs.micros(row, 0),
                                 runs.is_null(row, 1) ? std::nullopt : std::optional(runs.micros(row, 1)),
                                 std::string(runs.text(row, 2)), count(runs.int64(row, 3)), count(runs.int64(row, 4)),
                                 count(runs.int64(row, 5)), std::string(runs.text(row, 6))});
    }
    return std::optional(report);
  });
}

}  // namespace raceway::server::postgres

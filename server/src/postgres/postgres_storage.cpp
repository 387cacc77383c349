#include "postgres/postgres_storage.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <unordered_map>
#include <utility>

#include "postgres/event_row.hpp"
#include "postgres/portable_ingest.hpp"
#include "postgres/row_buffer.hpp"
#include "postgres/snapshot.hpp"

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

constexpr const char* states_of_newest =
    "SELECT t.trace_id, coalesce(t.event_count, 0)::bigint, t.start_time, t.end_time FROM raceway.traces t"
    " WHERE t.end_time IS NOT NULL ORDER BY t.end_time DESC, t.trace_id LIMIT $1::bigint";

/// The same behind a place of the order. Of each half the index has the order.
constexpr const char* states_behind =
    "SELECT s.* FROM ((SELECT t.trace_id, coalesce(t.event_count, 0)::bigint, t.start_time, t.end_time"
    " FROM raceway.traces t WHERE t.end_time = $2::timestamp AND t.trace_id > $3::text"
    " ORDER BY t.trace_id LIMIT $1::bigint) UNION ALL"
    " (SELECT t.trace_id, coalesce(t.event_count, 0)::bigint, t.start_time, t.end_time"
    " FROM raceway.traces t WHERE t.end_time < $2::timestamp"
    " ORDER BY t.end_time DESC, t.trace_id LIMIT $1::bigint)) s ORDER BY s.end_time DESC, s.trace_id LIMIT $1::bigint";

const std::string cursor_on_passing = std::string("DECLARE traces NO SCROLL CURSOR FOR SELECT t.trace_id") + passing +
                                      " ORDER BY t.end_time DESC, t.trace_id";

const std::string summaries_of_traces =
    std::string("WITH p AS (SELECT t.* FROM raceway.traces t WHERE t.trace_id = ANY ($1::text[])) ") + summary_of_p;

const std::string cursor_on_events = std::string("DECLARE events NO SCROLL CURSOR FOR SELECT ") + event_columns +
                                     " FROM raceway.events e WHERE e.trace_id = ANY ($1::text[])";

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

using Moment = storage::TraceEvents::Moment;
using EventsByTrace = std::unordered_map<std::string, std::unique_ptr<RowBuffer>>;

/// In pieces, so that they are not there twice. Needs a transaction.
EventsByTrace read_events_of(PgConnection& connection, const std::vector<std::string>& trace_ids, Moment as_of,
                             storage::ByteBudget& budget) {
  connection.run(cursor_on_events, {PgParameter::texts(trace_ids)});
  EventsByTrace events;
  while (true) {
    const auto result = connection.run("FETCH 1000 FROM events");
    if (result.rows() == 0) break;
    for (int row = 0; row < result.rows(); ++row) {
      const auto event = read_event(result, row);
      auto& of_trace = events[std::string(event.trace_id)];
      if (of_trace == nullptr) of_trace = std::make_unique<RowBuffer>(as_of, budget);
      of_trace->append(event);
    }
  }
  connection.run("CLOSE events");
  return events;
}

/// The ids of traces that are going to be shown, packed.
class TraceIds {
 public:
  explicit TraceIds(storage::ByteBudget& budget) : hold_(budget.hold()) {}

  void append(std::string_view id) {
    const auto size = static_cast<std::uint16_t>(id.size());  // 255 characters at most
    const std::size_t bytes = sizeof size + id.size();
    if (text_.capacity() - text_.size() < bytes) {
      const std::size_t more = std::max<std::size_t>(4096, text_.capacity());
      hold_.grow(more);
      text_.reserve(text_.capacity() + more);
    }
    text_.append(reinterpret_cast<const char*>(&size), sizeof size);
    text_ += id;
    ++count_;
  }
  std::uint64_t count() const { return count_; }
  /// The next ones, `most` at most; none at the end.
  std::vector<std::string> take(std::size_t most) {
    std::vector<std::string> ids;
    while (ids.size() < most && at_ < text_.size()) {
      std::uint16_t size = 0;
      std::memcpy(&size, &text_[at_], sizeof size);
      ids.push_back(text_.substr(at_ + sizeof size, size));
      at_ += sizeof size + size;
    }
    return ids;
  }

 private:
  std::string text_;
  std::uint64_t count_ = 0;
  std::size_t at_ = 0;
  storage::ByteBudget::Hold hold_;
};

/// Traces that are shown as of one moment.
struct Group {
  std::size_t taken = 0;  ///< of the ids that were asked for
  std::vector<storage::TraceSummary> summaries;
  EventsByTrace events;
};

/// So many summaries are read at once; of them as many with their events as hold no more than that many events, so that
/// small ones do not cost a round trip each and large ones are held one at a time.
constexpr std::size_t traces_at_once = 100;
constexpr std::uint64_t events_at_once = 5'000;

/// The first of `ids`, as many as go together; those that are not there are left out.
Group read_group(PgConnection& connection, std::span<const std::string> ids, Moment as_of,
                 storage::ByteBudget& budget) {
  std::unordered_map<std::string, storage::TraceSummary> summaries;
  const auto rows = connection.run(summaries_of_traces, {PgParameter::texts({ids.begin(), ids.end()})});
  for (int row = 0; row < rows.rows(); ++row) {
    auto summary = read_summary(rows, row);
    summaries.emplace(summary.trace_id, std::move(summary));
  }
  Group group;
  std::vector<std::string> there;
  for (std::uint64_t events = 0; group.taken < ids.size(); ++group.taken) {
    const auto found = summaries.find(ids[group.taken]);
    if (found == summaries.end()) continue;
    events += found->second.event_count;
    if (!there.empty() && events > events_at_once) break;
    there.push_back(found->first);
    group.summaries.push_back(std::move(found->second));
  }
  if (!there.empty()) group.events = read_events_of(connection, there, as_of, budget);
  std::erase_if(group.summaries, [&](const auto& summary) { return !group.events.contains(summary.trace_id); });
  return group;
}

}  // namespace

PostgresStorage::PostgresStorage(const config::Postgres& options, Edition edition, unsigned writers,
                                 storage::ByteBudget& budget)
    : budget_(budget),
      query_limit_(options.query_timeout),
      edition_(edition),
      pool_({options.connection_string, options.max_connections, writers, options.min_connections,
             options.connection_timeout}) {}

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
  return pool_.with_connection(Purpose::write, {{}, &writing_}, [&](PgConnection& connection) {
    if (edition_ == Edition::portable) {
      auto results = ingest_portably(connection, bodies);
      arrivals_.note(bodies);
      return results;
    }
    const auto result = run_ingest(connection, bodies);
    std::vector<storage::IngestResult> results;
    for (int row = 0; row < result.rows(); ++row) {
      const auto count = [&](int column) { return static_cast<std::uint64_t>(result.int64(row, column)); };
      results.push_back({count(0), count(1), read_rejections(result.text(row, 2))});
    }
    if (results.size() != bodies.size()) throw DatabaseError("ingest answered for another number of bodies", {});
    arrivals_.note(bodies);
    return results;
  });
}

void PostgresStorage::check() {
  const Patience patience{std::min<std::chrono::milliseconds>(check_limit, query_limit_), &reading_};
  pool_.with_connection(Purpose::check, patience, [](PgConnection& connection) { connection.run("SELECT"); });
}

storage::Totals PostgresStorage::totals() {
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto result = connection.run(count_all);
    return storage::Totals{static_cast<std::uint64_t>(result.int64(0, 0)),
                           static_cast<std::uint64_t>(result.int64(0, 1))};
  });
}

storage::TracePage PostgresStorage::list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                                std::uint64_t page_size) {
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
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

std::vector<storage::TraceState> PostgresStorage::traces_behind(const std::optional<storage::TracePlace>& place,
                                                                std::uint64_t most) {
  std::vector<PgParameter> parameters = {PgParameter::int64(static_cast<std::int64_t>(most))};
  if (place) {
    parameters.push_back(PgParameter::micros(place->last_timestamp));
    parameters.push_back(PgParameter::text(place->trace_id));
  }
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto result = connection.run(place ? states_behind : states_of_newest, parameters);
    std::vector<storage::TraceState> states;
    for (int row = 0; row < result.rows(); ++row) {
      states.push_back({std::string(result.text(row, 0)), static_cast<std::uint64_t>(result.int64(row, 1)),
                        result.micros(row, 2), result.micros(row, 3)});
    }
    return states;
  });
}

std::unique_ptr<storage::TraceEvents> PostgresStorage::trace(const std::string& trace_id) {
  const auto read = [&](PgConnection& connection) -> std::unique_ptr<storage::TraceEvents> {
    const auto as_of = std::chrono::system_clock::now();
    const Snapshot snapshot(connection, query_limit_);
    auto events = read_events_of(connection, {trace_id}, as_of, budget_);
    if (events.empty()) return nullptr;
    return std::move(events.begin()->second);
  };
  return pool_.with_connection(Purpose::read, to_read(), read);
}

void PostgresStorage::each_trace(const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                                 const VisitTrace& visit) {
  // The ids stay while traces grow and so move in the order; each group is read in a transaction of its own, and shown
  // without a connection.
  TraceIds ids(budget_);
  pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    ids = TraceIds(budget_);
    const Snapshot snapshot(connection, query_limit_);
    connection.run(cursor_on_passing, filter_parameters(filter));
    while (true) {
      const auto rows = connection.run("FETCH 10000 FROM traces");
      if (rows.rows() == 0) return;
      for (int row = 0; row < rows.rows(); ++row) ids.append(rows.text(row, 0));
    }
  });
  begin(ids.count());
  for (auto next = ids.take(traces_at_once); !next.empty(); next = ids.take(traces_at_once)) {
    if (!traces_of(next, visit)) return;
  }
}

std::vector<storage::TraceSummary> PostgresStorage::summaries(const std::vector<std::string>& trace_ids) {
  if (trace_ids.empty()) return {};
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
    const Snapshot snapshot(connection, query_limit_);
    const auto result = connection.run(summaries_of_traces, {PgParameter::texts(trace_ids)});
    std::vector<storage::TraceSummary> summaries;
    for (int row = 0; row < result.rows(); ++row) summaries.push_back(read_summary(result, row));
    return summaries;
  });
}

bool PostgresStorage::traces_of(const std::vector<std::string>& trace_ids, const VisitTrace& visit) {
  std::span<const std::string> next = trace_ids;
  while (!next.empty()) {
    const Group group = pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
      const auto as_of = std::chrono::system_clock::now();
      const Snapshot snapshot(connection, query_limit_);
      return read_group(connection, next.first(std::min(next.size(), traces_at_once)), as_of, budget_);
    });
    // What is not among them was deleted meanwhile.
    next = next.subspan(group.taken);
    for (const auto& summary : group.summaries) {
      if (!visit(summary, *group.events.at(summary.trace_id))) return false;
    }
  }
  return true;
}

std::vector<storage::ServiceSummary> PostgresStorage::services() {
  return pool_.with_connection(Purpose::read, to_read(), [&](PgConnection& connection) {
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

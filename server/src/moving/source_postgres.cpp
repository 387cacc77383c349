#include "moving/source_postgres.hpp"

#include <algorithm>
#include <set>

#include "moving/event_text.hpp"
#include "postgres/event_row.hpp"
#include "wire/uuid.hpp"

namespace raceway::server::moving {
namespace {

using postgres::PgParameter;

/// Bytes of text that are fetched at once, about: rows may be of any size.
constexpr std::uint64_t bytes_at_once = std::uint64_t{4} << 20U;
constexpr std::uint64_t most_rows_at_once = 5'000;

/// A statement and its parameters, while it is put together.
struct Query {
  std::string sql;
  std::vector<PgParameter> parameters;

  /// The place of a parameter in the statement.
  std::string place(PgParameter parameter, const std::string& type) {
    parameters.push_back(std::move(parameter));
    return "$" + std::to_string(parameters.size()) + "::" + type;
  }
  void require(const std::string& condition) {
    sql += has_condition_ ? " AND " : " WHERE ";
    sql += condition;
    has_condition_ = true;
  }

 private:
  bool has_condition_ = false;
};

/// The ids as they were typed, and as the server writes those that are UUIDs.
std::vector<std::string> forms_of(const std::vector<std::string>& ids) {
  std::vector<std::string> forms = ids;
  for (const auto& id : ids) {
    if (const auto uuid = wire::canonical_uuid(id); uuid && *uuid != id) forms.push_back(*uuid);
  }
  return forms;
}

Query make_query(const Selection& selection, bool by_trace) {
  Query query;
  query.sql =
      std::string("DECLARE moved NO SCROLL CURSOR FOR SELECT ") + postgres::event_columns + " FROM raceway.events e";
  if (!selection.traces.empty()) {
    query.require("e.trace_id = ANY (" + query.place(PgParameter::texts(forms_of(selection.traces)), "text[]") + ")");
  }
  if (selection.service) {
    query.require("e.trace_id IN (SELECT s.trace_id FROM raceway.events s WHERE raceway.service_of(s.metadata) = " +
                  query.place(PgParameter::optional_text(selection.service), "text") + ")");
  }
  if (selection.since) {
    query.require("e.trace_id IN (SELECT t.trace_id FROM raceway.traces t WHERE t.end_time >= " +
                  query.place(PgParameter::micros(selection.since), "timestamp") + ")");
  }
  if (selection.until) {
    query.require("e.trace_id IN (SELECT t.trace_id FROM raceway.traces t WHERE t.start_time <= " +
                  query.place(PgParameter::micros(selection.until), "timestamp") + ")");
  }
  // Else as they lie in the table: about as they came, and without sorting all of them.
  if (by_trace) query.sql += " ORDER BY e.trace_id, e.\"timestamp\", e.event_id";
  return query;
}

std::vector<std::string> missing(const std::vector<std::string>& wanted,
                                 const std::set<std::string, std::less<>>& seen) {
  std::vector<std::string> missing;
  for (const auto& id : wanted) {
    const auto uuid = wire::canonical_uuid(id);
    if (!seen.contains(id) && !(uuid && seen.contains(*uuid))) missing.push_back(id);
  }
  return missing;
}

}  // namespace

PostgresSource::PostgresSource(const config::Postgres& options)
    : connection_(options.connection_string, options.connection_timeout) {}

std::vector<std::string> PostgresSource::each_event(const Selection& selection, bool by_trace,
                                                    const VisitEvent& visit) {
  connection_.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const auto query = make_query(selection, by_trace);
  connection_.run(query.sql, query.parameters);
  std::set<std::string, std::less<>> seen;  // only of those that were asked for
  std::uint64_t at_once = 500;
  std::string text;
  while (true) {
    const auto rows = connection_.run("FETCH " + std::to_string(at_once) + " FROM moved");
    if (rows.rows() == 0) break;
    std::uint64_t bytes = 0;
    for (int at = 0; at < rows.rows(); ++at) {
      const auto row = postgres::read_event(rows, at);
      text.clear();
      append_row(text, row);
      bytes += text.size();
      if (!selection.traces.empty() && !seen.contains(row.trace_id)) seen.emplace(row.trace_id);
      visit(text);
    }
    const auto average = bytes / static_cast<std::uint64_t>(rows.rows()) + 1;
    at_once = std::clamp<std::uint64_t>(bytes_at_once / average, 1, most_rows_at_once);
  }
  connection_.run("COMMIT");
  return missing(selection.traces, seen);
}

}  // namespace raceway::server::moving

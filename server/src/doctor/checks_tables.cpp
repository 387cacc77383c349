// The tables: the keys and indexes that they need, what is dead in them, the partitions ahead.
#include <fmt/format.h>

#include <array>

#include "doctor/checks.hpp"
#include "doctor/rows.hpp"

namespace raceway::server::doctor {
namespace {

void primary_keys(Examination& patient, Findings& findings) {
  each_row(
      patient, findings, "primary keys", Severity::error,
      "SELECT (w.t || ' has none: an event sent again would be stored again')::text, ('ALTER TABLE raceway.' || w.t || "
      "' ADD PRIMARY KEY (' || w.k || CASE WHEN c.relkind = 'p' THEN ', \"timestamp\"' ELSE '' END || ');')::text "
      "FROM (VALUES ('events', 'event_id'), ('traces', 'trace_id')) w (t, k) JOIN pg_catalog.pg_class c "
      "ON c.oid = ('raceway.' || w.t)::regclass WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i "
      "WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid)",
      "both tables have theirs");
}

void foreign_key(Examination& patient, Findings& findings) {
  // That of partitioned events stands at each partition, or at the parent.
  each_row(
      patient, findings, "foreign key", Severity::error,
      "SELECT 'a trace that is deleted leaves its events behind'::text, 'ALTER TABLE raceway.events ADD FOREIGN KEY "
      "(trace_id) REFERENCES raceway.traces (trace_id) ON DELETE CASCADE;'::text WHERE NOT EXISTS (SELECT FROM "
      "pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.confdeltype = 'c' "
      "AND k.confrelid = 'raceway.traces'::regclass AND (k.conrelid = 'raceway.events'::regclass "
      "OR k.conrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree('raceway.events'))))",
      "events go with their trace");
}

void indexes(Examination& patient, Findings& findings) {
  each_row(
      patient, findings, "indexes", Severity::warning,
      "SELECT (w.name || ' is missing: ' || w.otherwise)::text, ('CREATE INDEX ' || CASE WHEN c.relkind = 'p' THEN '' "
      "ELSE "
      "'CONCURRENTLY ' END || w.name || ' ON raceway.' || w.t || ' (' || w.columns || ');')::text FROM (VALUES "
      "('events', 'trace_id', 'trace_id', 'idx_events_trace_id', 'whoever reads or deletes a trace reads all events'), "
      "('events', 'timestamp', '\"timestamp\"', 'idx_events_timestamp', 'questions by time read all events'), "
      "('traces', 'service_name', 'service_name', 'idx_traces_service', 'questions by service read all traces'), "
      "('traces', 'end_time', 'end_time DESC, trace_id', 'idx_traces_end_time', 'the list of traces sorts all of "
      "them')) "
      "w (t, first_column, columns, name, otherwise) JOIN pg_catalog.pg_class c ON c.oid = ('raceway.' || "
      "w.t)::regclass "
      "WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid "
      "AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND a.attname = w.first_column AND i.indpred IS NULL)",
      "all are there");
}

void invalid_indexes(Examination& patient, Findings& findings) {
  each_row(patient, findings, "invalid indexes", Severity::warning,
           "SELECT (i.indexrelid::regclass || ' was not built to its end: it is kept up and never used')::text, "
           "(CASE WHEN x.relname ~ '_cc(new|old)[0-9]*$' THEN 'DROP INDEX ' ELSE 'REINDEX INDEX CONCURRENTLY ' END || "
           "pg_catalog.format('raceway.%I;', x.relname))::text FROM pg_catalog.pg_index i JOIN " +
               std::string(heaps) +
               " h ON h.oid = i.indrelid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE NOT (i.indisvalid "
               "AND i.indisready)",
           "none");
}

void table_autovacuum(Examination& patient, Findings& findings) {
  each_row(patient, findings, "autovacuum of the tables", Severity::error,
           "SELECT (h.oid::regclass || ' is left out by autovacuum')::text, pg_catalog.format('ALTER TABLE %s RESET "
           "(autovacuum_enabled);', h.oid::regclass)::text FROM " +
               std::string(heaps) +
               " h WHERE EXISTS (SELECT FROM pg_catalog.pg_options_to_table(h.reloptions) o WHERE "
               "o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean)",
           "on");
}

void dead_rows(Examination& patient, Findings& findings) {
  // Autovacuum comes at a fifth; a third says that it does not keep up.
  each_row(
      patient, findings, "dead rows", Severity::warning,
      "SELECT pg_catalog.format('%s has %s dead rows beside %s others; last vacuumed: %s', s.relid::regclass, "
      "s.n_dead_tup, "
      "s.n_live_tup, coalesce(greatest(s.last_vacuum, s.last_autovacuum)::timestamp(0)::text, 'never'))::text, "
      "pg_catalog.format('VACUUM (ANALYZE) %s;', s.relid::regclass)::text FROM pg_catalog.pg_stat_user_tables s JOIN " +
          std::string(heaps) + " h ON h.oid = s.relid WHERE s.n_dead_tup > 10000 + s.n_live_tup / 3",
      "few");
}

void statistics(Examination& patient, Findings& findings) {
  each_row(patient, findings, "statistics", Severity::warning,
           "SELECT (s.relid::regclass || ' has rows and was never analyzed: plans are made blindly')::text, "
           "pg_catalog.format('ANALYZE %s;', s.relid::regclass)::text FROM pg_catalog.pg_stat_user_tables s JOIN " +
               std::string(heaps) + " h ON h.oid = s.relid WHERE s.n_live_tup > 10000 AND h.reltuples < 0",
           "PostgreSQL knows its tables");
}

void partitions(Examination& patient, Findings& findings) {
  const auto layout = patient.ask("SELECT partition_by FROM raceway.layout");
  if (!layout || *layout == "none") {
    findings.push_back(fine("partitions", "events is one table"));
    return;
  }
  const auto ahead = patient.ask_number(
      "SELECT (max(upper_bound)::date - (pg_catalog.now() AT TIME ZONE 'UTC')::date) FROM raceway.event_partitions()");
  const std::string found = fmt::format("by {}, made for {} days to come", *layout, ahead);
  if (ahead >= 2) {
    findings.push_back(fine("partitions", found));
    return;
  }
  findings.push_back(
      {"partitions",
       Severity::warning,
       found + ": later events fall into events_default",
       {{Place::sql, "owner", {"CALL raceway.maintain();"}, "schedule_maintenance() does so by itself"}}});
}

void repartition(Examination& patient, Findings& findings) {
  each_row(
      patient, findings, "repartition", Severity::warning,
      "SELECT 'repartition() is under way or was interrupted; call it again, or give it up'::text, "
      "'SELECT raceway.cancel_repartition();'::text WHERE pg_catalog.to_regclass('raceway.events_new') IS NOT NULL",
      "none is under way");
}

constexpr std::array<DatabaseCheck, 9> checks = {{
    {"primary keys", primary_keys, true},
    {"foreign key", foreign_key, true},
    {"indexes", indexes, true},
    {"invalid indexes", invalid_indexes, true},
    {"autovacuum of the tables", table_autovacuum, true},
    {"dead rows", dead_rows, true},
    {"statistics", statistics, true},
    {"partitions", partitions, true},
    {"repartition", repartition, true},
}};

}  // namespace

std::span<const DatabaseCheck> table_checks() {
  return checks;
}

}  // namespace raceway::server::doctor

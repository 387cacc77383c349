"""Calls of every routine of Raceway: each that there is, with arguments made from types and names, and by hand what only
makes sense with others before it. All of it names what it uses exactly, for it is called under any search_path.

Which routines there are is asked of the database. One with an argument of a type that is not known here is an error, and so
is one that no call gets through, see `uncalled`.
"""

import json

from support.surroundings import BREAKING, TABLES


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


# An event of a new trace, of one that stands, in an old partition, in none, twice, and under another trace.
BODY = quoted(json.dumps({"events": [
    {"event_id": event_id, "trace_id": trace_id, "kind": "Log", "timestamp": time, "vector_clock": {"a": 2}, "location": "here",
     "metadata": {"service_name": "bank", "more": 1}} for event_id, trace_id, time in [
        ("x1", "fresh", "2024-01-02T09:00:00Z"), ("x2", "old", "2024-01-01T09:00:00Z"), ("x3", "fresh", "2030-01-01T00:00:00Z"),
        ("x1", "fresh", "2024-01-02T09:00:00Z"), ("o1", "other", "2024-01-01T10:00:00Z"), ("x4", "new", "2024-01-01T08:00:00Z"),
        ("x5", "goes on", "2023-12-30T10:00:00Z")]]}))
EVENT = quoted(json.dumps({"event_id": "x1", "id": "x1", "trace_id": "fresh", "kind": "Log", "timestamp": "2024-01-02T09:00:00Z"}))
BYTES = f"pg_catalog.convert_to({BODY}, 'UTF8')"
COLUMNS = ("ARRAY['x1', 'x2']::pg_catalog._text, ARRAY['fresh', 'old']::pg_catalog._text, ARRAY['Log', 'Log']::pg_catalog._text,"
           " ARRAY['2024-01-02', '2024-01-01 09:00']::timestamp[], ARRAY[1, NULL]::real[], ARRAY[NULL, 'here']::pg_catalog._text,"
           """ ARRAY['{"a": 1}', NULL]::pg_catalog._jsonb, ARRAY['{}', '{"service_name": "bank"}']::pg_catalog._jsonb""")
OLD = "ARRAY[{partition}]::pg_catalog._regclass"
DBA_TABLES = "ARRAY['dba.orders', 'dba.vault']::pg_catalog._regclass"
LOCK = "LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE;"
RULE = ("older_than => {0}::interval, max_traces => {1}::bigint, max_bytes => {2}::bigint, batch_size => {3}, dry_run => {4},"
        " by => {5}::pg_catalog.text")
RESULTS = "traces_removed => NULL::bigint, events_removed => NULL::bigint, bytes_removed => NULL::bigint"


def cleanup(older_than="NULL", max_traces="NULL", max_bytes="NULL", dry_run="false", by="NULL"):
    return f"CALL raceway.cleanup({RULE.format(older_than, max_traces, max_bytes, 1, dry_run, by)}, {RESULTS})"


# What makes transactions of its own, and is called in none.
PROCEDURES = [
    cleanup("'3 days'", dry_run="true"), cleanup(max_bytes="1000000", dry_run="true"), cleanup("'6 days'", by="'end_time'"),
    cleanup(max_traces="5", by="'created_at'"), cleanup(max_bytes="1"), "CALL raceway.maintain(1, '1 day'::interval)",
    "CALL raceway.cleanup_partitions(1::bigint, timestamp '2024-01-02')",
    "CALL raceway.cleanup_rows(1::bigint, timestamp '2024-01-02', 100::bigint, 1000000::bigint, 10, 'end_time'::pg_catalog.text)",
    "CALL raceway.repartition('day'::pg_catalog.text)", "SELECT raceway.cancel_repartition()"]

# What needs others before it, in one transaction.
SEQUENCES = [
    *(f"SET LOCAL raceway.ingest_way = '{way}'; SELECT FROM raceway.ingest({BODY}::pg_catalog.jsonb)"
      for way in ("direct", "checking", "spi")),
    f"SELECT FROM raceway.ingest({BYTES}); SELECT FROM raceway.ingest({BODY}::pg_catalog.jsonb)",
    f"SELECT FROM raceway.ingest_rows({COLUMNS}); SELECT FROM raceway.ingest_rows({COLUMNS})",
    f"SELECT raceway.drop_with_traces({OLD}, timestamp '2024-01-02')",
    f"{LOCK} SELECT raceway.drop_with_traces({OLD}, timestamp '2024-01-02')",
    f"{LOCK} SELECT raceway.drop_with_traces_by_sql({OLD}, timestamp '2024-01-02')",
    f"SELECT raceway.drop_with_traces({DBA_TABLES}, timestamp '2024-01-02')",
    f"{LOCK} SELECT raceway.drop_with_traces_by_sql({DBA_TABLES}, timestamp '2024-01-02')",
    "SELECT FROM raceway.drop_partitions(timestamp '2024-01-03')", "SELECT FROM raceway.drop_partitions(timestamp '2024-01-07')",
    "DELETE FROM raceway.traces t WHERE t.trace_id OPERATOR(pg_catalog.=) 'default'::pg_catalog.text;"
    "SELECT raceway.delete_ended_from_default(timestamp '2024-01-01')",
    "SELECT raceway.remove_traces(ARRAY['old', 'pinned', 'new']::varchar[], ARRAY['2024-01-01 11:00', '2024-01-01 12:00', '2024-01-01']"
    "::timestamp[], 'end_time'::pg_catalog.text)",
    "SELECT raceway.begin_repartition('month'::pg_catalog.text);"
    "INSERT INTO raceway.events (event_id, trace_id, timestamp) VALUES ('y', 'old', '2024-01-01');"
    "DELETE FROM raceway.events e WHERE e.event_id OPERATOR(pg_catalog.=) 'o1'::pg_catalog.text;"
    "SELECT raceway.copy_event_pages(0::bigint, 10::bigint), raceway.end_repartition('month'::pg_catalog.text)",
    "SELECT raceway.copy_event_pages(0::bigint, 10::bigint), raceway.end_repartition('month'::pg_catalog.text)",
    "SELECT raceway.note_cleanup(raceway.begin_cleanup_run('mine'::pg_catalog.text), 1::bigint, 1::bigint, 1::numeric)",
    "SELECT raceway.migrate(NULL::pg_catalog.text)",
    "SELECT raceway.order_by_constraints(2, 2, ARRAY[2], ARRAY[1])", "SELECT raceway.event_rank('old'::pg_catalog.text, 'o1'::pg_catalog.text)",
    *(f"SELECT FROM raceway.critical_path('old'::pg_catalog.text, '{by}'::pg_catalog.text)" for by in ("elapsed", "durations")),
    "".join(f"ALTER TABLE raceway.{table} SET SCHEMA evil;" for table in TABLES["plain"]) + "SELECT raceway.migrate(NULL::pg_catalog.text)",
    "SELECT raceway.begin_repartition('month'::pg_catalog.text);"
    "CREATE TEMPORARY TABLE gone_events (event_id pg_catalog.text, \"timestamp\" timestamp); CREATE TEMPORARY TABLE held (LIKE gone_events);"
    "CREATE TRIGGER mine AFTER DELETE ON held FOR EACH ROW EXECUTE FUNCTION raceway.follow_events();"
    "INSERT INTO held VALUES ('o1', '2024-01-01 10:00'); DELETE FROM held; SELECT raceway.cancel_repartition()",
    *(f"SELECT FROM raceway.{view}" for view in ("active_connections", "table_sizes", "index_use", "replication_lag")),
]

# What others than the owner may want of the tables; each of it by plain SQL that names what it uses exactly.
READ_AND_WRITE = [
    *(f"SELECT * FROM raceway.{table}" for table in TABLES["plain"]),
    "SELECT l.partition_by::pg_catalog.text FROM raceway.layout l", "UPDATE raceway.layout SET partition_by = partition_by",
    "INSERT INTO raceway.traces (trace_id, event_count) VALUES ('plain', 1)", "UPDATE raceway.traces SET event_count = 1, service_name = 'x'",
    "INSERT INTO raceway.events (event_id, trace_id, kind, \"timestamp\", location, metadata) SELECT v.id, 'old', 'Log', v.at, 'x', '{}' FROM (VALUES"
    " ('q1', timestamp '2024-01-01'), ('q2', '2024-01-02'), ('q3', '2030-01-01'), ('q4', '2023-12-30')) v (id, at)",
    "UPDATE raceway.events SET kind = 'x'", "DELETE FROM raceway.events", "DELETE FROM raceway.traces",
    "INSERT INTO raceway.cleanup_runs (run_by, rule, outcome, pid, backend_start) VALUES ('x', 'x', 'done', 1, '2024-01-01')",
    "INSERT INTO raceway.cleanup_runs (run_by, rule, outcome, pid, backend_start) VALUES ('x', 'x', 'done', 1, '2024-01-01');"
    "UPDATE raceway.cleanup_runs SET outcome = 'done'; DELETE FROM raceway.cleanup_runs",
]

# A trigger is called by a sequence; what aggregates are made of in C, by their aggregates alone.
ROUTINES = r"""
    SELECT p.proname, p.prokind, p.provolatile, p.prorettype = 'trigger'::regtype, p.oid::regprocedure::text,
           ARRAY(SELECT y.typname::text FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY t (oid, place)
                 JOIN pg_type y ON y.oid = t.oid ORDER BY t.place), coalesce(p.proargnames, '{}') FROM pg_proc p
    WHERE p.pronamespace = 'raceway'::regnamespace AND p.prosrc !~ 'evil\.'
      AND 'internal'::regtype <> ALL (p.proargtypes::oid[] || p.prorettype)
    ORDER BY p.proname, p.oid
"""
SENSIBLE = {
    "text": "'x'", "_text": "ARRAY['o1', 'x2']", "timestamp": "'2024-01-02'", "interval": "'1 day'",
    "_timestamp": "ARRAY['2024-01-01 10:00', '2024-01-02 10:00']", "int8": "1", "int4": "10", "bool": "false", "jsonb": """'{"a": 1}'""",
    "_jsonb": """ARRAY['{"a": 1}', '{"a": 2}']""", "numeric": "1", "_float4": "ARRAY[1, 2]", "bytea": BYTES, "_bytea": f"ARRAY[{BYTES}, {BYTES}]",
    "_varchar": "ARRAY['goes on', 'old']", "_int4": "ARRAY[1]", "_int8": "ARRAY[1]", "_numeric": "ARRAY[1]", "_bool": "ARRAY[false]",
    "_varbit": "ARRAY[B'1']", "float4": "1", "regclass": "{partition}", "_regclass": "ARRAY[{partition}]", "float8": "1"}
BY_NAME = {
    ("partition_by", "text"): "'month'", ("purpose", "text"): "'swap'", ("by_time", "text"): "'end_time'", ("by", "text"): "'timestamp'",
    ("step", "text"): "'minute'", ("cron", "text"): "'0 3 * * *'", ("name", "text"): "'events_2024_01_03'", ("first", "int8"): "0",
    ("first", "timestamp"): "'2024-02-01'", ("last", "timestamp"): "'2024-02-01'",
    ("partitions_ahead", "int4"): "1", ("upper_bound", "timestamp"): "'2024-01-03'",
    ("events", "jsonb"): BODY, ("event", "jsonb"): EVENT, ("number", "jsonb"): "'1'", ("field", "text"): "'trace_id'",
    ("trace", "text"): "'old'", ("a", "text"): "'o1'", ("b", "text"): "'o2'", ("classes", "_text"): "ARRAY['atomic']",
    ("kind", "text"): "'not_a_clock'", ("trace_ids", "_text"): "ARRAY['old', 'fresh']", ("kinds", "_text"): "ARRAY['Log', 'Log']"}
EXTREME = {
    "text": quoted(BREAKING), "_text": f"ARRAY[{quoted(BREAKING)}, 'x']", "timestamp": "'infinity'",
    "_timestamp": "ARRAY['-infinity', 'infinity']", "interval": "'-1 year'", "int8": "-1", "int4": "-2147483648", "bool": "true",
    "jsonb": quoted(json.dumps({BREAKING: 2**64})), "numeric": "'NaN'", "regclass": "'dba.orders'",
    "_regclass": "ARRAY['dba.orders', 'dba.vault', 'raceway.traces']", "_varchar": f"ARRAY['pinned', {quoted(BREAKING)}]",
    "bytea": "'\\xff'", "_bytea": "ARRAY['\\xff', NULL]"}


# What is there to end with an error, and what finds no pg_cron here.
ERRORS = {"raise_invalid_clock": "22023", "reject_body": "22032", "reject_event": "RW001", "reject_time": "RW001",
          **dict.fromkeys(("require_cron", "schedule_cleanup", "schedule_maintenance", "unschedule", "unschedule_cleanup",
                           "unschedule_maintenance"), "42883")}


class Routine:
    """One that is there."""

    def __init__(self, name, kind, volatility, is_trigger, signature, types, names):
        self.name, self.kind, self.is_trigger, self.signature, self.types = name, kind, is_trigger, signature, types
        self.is_volatile = volatility == "v"
        self.has_sequence = self.is_called_in(*SEQUENCES)
        self.names = [*names, *[""] * len(types)]

    def is_called_in(self, *statements):
        return any(f"raceway.{self.name}(" in statement for statement in statements)

    def _call(self, argument):
        given = ", ".join(f"{argument(kind, name)}::pg_catalog.{kind}" for kind, name in zip(self.types, self.names))
        if self.kind == "p":
            return f"CALL raceway.{self.name}({given})"
        return f"SELECT * FROM raceway.{self.name}({given})" if self.kind == "f" else f"SELECT raceway.{self.name}({given})"

    def usual_call(self):
        """A statement that calls it, each argument of its very type."""
        return self._call(lambda kind, name: BY_NAME.get((name, kind)) or SENSIBLE[kind])

    def calls(self):
        """The usual one, one with what is odd, one with nothing at all."""
        if self.is_trigger:
            return []
        extreme = self._call(lambda kind, name: EXTREME.get(kind) or SENSIBLE[kind])
        return list(dict.fromkeys([self.usual_call(), extreme, self._call(lambda kind, name: "NULL")]))


def routines(session):
    """Those of Raceway; what else stands in the schema is mallory's."""
    found = [Routine(*row) for row in session.run(ROUTINES)]
    assert {"cleanup", "follow_events", "ingest", "vclock_merge_agg"} <= {one.name for one in found}
    return found


def uncalled(found, outcomes):
    """Those that none of the statements got through; `outcomes` are pairs of statement and SQLSTATE."""
    ways = [statement for statement, end in outcomes if end == "00000"]
    return [one.signature for one in found if not one.is_called_in(*ways)
            and not any(one.is_called_in(statement) and end == ERRORS.get(one.name) for statement, end in outcomes)]


def for_layout(statement, layout):
    return statement.replace("{partition}", "'raceway.events_2024_01_01'" if layout == "day" else "'raceway.events'")

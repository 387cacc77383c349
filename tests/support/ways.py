"""ingest called in the database itself, by a chosen way, and whether the tables are whole afterwards."""

import json

from support.checks import inexact_traces
from support.traffic import documented_event

WAYS = ("direct", "checking", "spi")

# What the extension's tables hold but created_at, as text in one order.
TABLES = """
    SELECT 'event ' || (to_jsonb(e) - 'created_at')::text AS row FROM raceway.events e
    UNION ALL SELECT 'trace ' || (to_jsonb(t) - 'created_at')::text FROM raceway.traces t
    ORDER BY 1
"""

TABLES_OF_RACEWAY = "pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'raceway'::regnamespace"

BTREES = f"""
    SELECT count(bt_index_parent_check(i.indexrelid, true, true))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid IN (SELECT t.oid FROM {TABLES_OF_RACEWAY}) AND a.amname = 'btree'
"""

HEAPS = f"SELECT t.relname, h.* FROM {TABLES_OF_RACEWAY}".replace(" WHERE ", ", verify_heapam(t.oid) h WHERE ", 1)


def literal(text):
    """`text` as a literal of SQL that psql does not look into."""
    assert "$body$" not in text
    return f"$body${text}$body$"


def ingest_call(events, array=False):
    """The call of ingest for one body, or for several in one go. A body is text or what becomes JSON."""
    bodies = [body if isinstance(body, str) else json.dumps(body) for body in (events if array else [events])]
    arguments = [f"convert_to({literal(body)}, 'UTF8')" for body in bodies]
    return f"raceway.ingest(ARRAY[{', '.join(arguments)}])" if array else f"raceway.ingest({arguments[0]})"


def ingest(database, events, way="automatic", user=None, before="", array=False):
    """The row that ingest answers, as a dictionary; the rows, for several bodies. `before` is SQL to be run first."""
    said = database.sql(f"{before};SET raceway.ingest_way = '{way}';\n"
                        f"SELECT to_json(q) FROM {ingest_call(events, array)} q", user)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith('{"stored"')]
    return rows if array else rows[0]


def counts(answer):
    """(stored, duplicates, rejected) of an answer."""
    return answer["stored"], answer["duplicates"], len(answer["rejected"])


def events_of(trace_id, ids, **changes):
    """One event for each id, each a bit later than the one before."""
    return [documented_event(event_id, trace_id, number, **changes) for number, event_id in enumerate(ids)]


def table_rows(database):
    return database.sql(TABLES, "postgres").splitlines()


def assert_whole(database, exact=True):
    """The heaps and all their btrees are sound and agree, and the roll-ups are exact."""
    database.sql("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA public", "postgres")
    database.sql(f"SET search_path = public, pg_catalog; {BTREES}", "postgres")
    assert database.sql(f"SET search_path = public, pg_catalog; {HEAPS}", "postgres") == ""
    if exact:
        assert inexact_traces(database) == []

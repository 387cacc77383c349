"""What is in all tables of a database, whatever users made of them, and whether heaps and btrees are sound: asked by one
session, in whatever transaction."""

import re
from datetime import datetime, timedelta

OURS = "c.relnamespace IN ('raceway'::regnamespace, 'public'::regnamespace) AND c.relpersistence <> 't'"

TABLES = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE {OURS} AND c.relkind = 'r' AND c.relname NOT IN ('log', 'layout', 'schema_migrations', 'cleanup_runs') ORDER BY 1
"""

# What triggers noted, see row_statements.py.
LOG = "SELECT name, timing, op, level, is_event, key, fresh FROM public.log ORDER BY n"

HEAPS = f"""SELECT c.oid, c.reltoastrelid FROM pg_class c
            WHERE {OURS} AND c.relkind = 'r' AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'heap')"""
RELATIONS = f"SELECT oid FROM ({HEAPS}) h UNION ALL SELECT reltoastrelid FROM ({HEAPS}) h WHERE reltoastrelid <> 0"

UNSOUND = f"""
    SELECT 'heap', r.oid::regclass::text, h::text FROM ({RELATIONS}) r, public.verify_heapam(r.oid, check_toast => true) h
    UNION ALL SELECT 'visible', r.oid::regclass::text, v::text FROM ({RELATIONS}) r, public.pg_check_visible(r.oid) v
    UNION ALL SELECT 'frozen', r.oid::regclass::text, v::text FROM ({RELATIONS}) r, public.pg_check_frozen(r.oid) v
"""

CHECK_BTREES = f"""
    SELECT public.bt_index_parent_check(i.indexrelid, true, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid IN ({RELATIONS}) AND a.amname = 'btree' AND i.indisvalid
"""


INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT[\d:.]+)(\+[\d:]+)?"')


def rows_of_all(session):
    """Every row of every table, as text: [(table, row)]. Times of today are told by the hours since then."""
    tables = [row[0] for row in session.run(TABLES)]
    rows = session.run(" UNION ALL ".join(f"SELECT '{table}', to_jsonb(t)::text FROM ONLY {table} t" for table in tables))
    now = session.value("SELECT now() AT TIME ZONE 'UTC'")

    def told(found):
        since = datetime.fromisoformat(found[1].ljust(26, "0") if "." in found[1] else found[1]) - now
        return f"now {round(since / timedelta(hours=1))}" if abs(since) < timedelta(days=1) else found[0]
    return sorted((table, INSTANT.sub(told, row)) for table, row in rows)


def assert_all_sound(session):
    """All heaps and btrees are; amcheck raises what it finds in a btree."""
    assert session.run(UNSOUND) == []
    session.run(CHECK_BTREES)

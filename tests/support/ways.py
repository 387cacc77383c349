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

# The tables that hold rows: the two, or the partitions of events instead of it.
LEAVES = """
    SELECT c.oid, c.reltoastrelid FROM pg_class c
    WHERE c.relkind = 'r' AND c.oid IN (SELECT 'raceway.events'::regclass UNION ALL SELECT 'raceway.traces'::regclass
                                        UNION ALL SELECT relid FROM pg_partition_tree('raceway.events'))
"""

# They and what keeps their large values.
RELATIONS = f"""
    SELECT l.oid FROM ({LEAVES}) l
    UNION ALL SELECT l.reltoastrelid FROM ({LEAVES}) l WHERE l.reltoastrelid <> 0
"""

BTREES = f"""
    SELECT i.indexrelid, i.indrelid
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid IN ({RELATIONS}) AND a.amname = 'btree' AND i.indisvalid
"""

# What verify_heapam finds, and rows that the visibility map says more of than is true.
UNSOUND_HEAPS = f"""
    SELECT r.oid::regclass, h::text FROM ({RELATIONS}) r, verify_heapam(r.oid, check_toast => true) h
    UNION ALL SELECT r.oid::regclass, 'not all-visible ' || v::text FROM ({RELATIONS}) r, pg_check_visible(r.oid) v
    UNION ALL SELECT r.oid::regclass, 'not all-frozen ' || v::text FROM ({RELATIONS}) r, pg_check_frozen(r.oid) v
"""

# After a VACUUM that nobody held up, a btree has as many entries as its table has rows. The first entry of a page that
# is not its level's last is the page's high key, and no entry.
WRONG_ENTRIES = f"""
    SELECT b.indexrelid::regclass, sum(p.entries) AS entries, r.count
    FROM (SELECT l.oid, count(n.tableoid) FROM ({LEAVES}) l
          LEFT JOIN (SELECT tableoid FROM raceway.events UNION ALL SELECT tableoid FROM raceway.traces) n
          ON n.tableoid = l.oid GROUP BY 1) r
    JOIN ({BTREES}) b ON b.indrelid = r.oid, LATERAL (
        SELECT sum(greatest(1, cardinality(i.tids))) FILTER (WHERE i.itemoffset > 1 OR s.btpo_next = 0) AS entries
        FROM generate_series(1, pg_relation_size(b.indexrelid) / current_setting('block_size')::int - 1) AS block,
             bt_page_stats(b.indexrelid::regclass::text, block) s, bt_page_items(b.indexrelid::regclass::text, block) i
        WHERE s.type IN ('l', 'r') AND s.btpo_level = 0) p
    GROUP BY b.indexrelid, r.count HAVING coalesce(sum(p.entries), 0) <> r.count
"""


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
    """The row that ingest answers, as counted() has it; the rows, for several bodies. `before` is SQL to be run first."""
    said = database.sql(f"{before};SET raceway.ingest_way = '{way}';\n"
                        f"SELECT to_json(q) FROM {ingest_call(events, array)} q", user)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith('{"stored"')]
    answers = [counted(row) for row in rows]
    return answers if array else answers[0]


def counted(answer):
    """A row that ingest answers, with all rejections counted as rejected_count, and those in `rejected` that are told."""
    told = [entry for entry in answer["rejected"] if "more" not in entry]
    more = [entry["more"] for entry in answer["rejected"][len(told):]]
    return {**answer, "rejected": told, "rejected_count": len(told) + sum(more)}


def counts(answer):
    """(stored, duplicates, rejected) of an answer."""
    return answer["stored"], answer["duplicates"], answer["rejected_count"]


def events_of(trace_id, ids, **changes):
    """One event for each id, each a bit later than the one before."""
    return [documented_event(event_id, trace_id, number, **changes) for number, event_id in enumerate(ids)]


def table_rows(database):
    return database.sql(TABLES, "postgres").splitlines()


# amcheck raises what it finds in a btree. What is selected is wrong, too: there must be nothing.
CHECKS = f"""
    SET client_min_messages = warning;
    SET search_path = public, pg_catalog;
    SELECT bt_index_parent_check(b.indexrelid, true, true) FROM ({BTREES}) b \\g /dev/null
    {UNSOUND_HEAPS};
    VACUUM (INDEX_CLEANUP ON) raceway.events, raceway.traces;
    {WRONG_ENTRIES};
"""


CHECKERS = ("amcheck", "pg_visibility", "pageinspect")


def install_checkers(database):
    """What the checks need; a standby cannot install it itself."""
    database.sql("SET client_min_messages = warning;" + "".join(
        f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public;" for name in CHECKERS), "postgres")


def assert_sound(database):
    """The heaps and all their btrees are sound and agree with each other, down to the last entry."""
    install_checkers(database)
    assert database.sql(CHECKS, "postgres") == ""


def assert_whole(database, exact=True):
    """assert_sound(), and the roll-ups are exact."""
    assert_sound(database)
    if exact:
        assert inexact_traces(database) == []

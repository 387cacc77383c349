"""What ingest must do, done by hand: an INSERT for each event, in the order in which batches wait for each other, and
its trace's roll-up with it, because the foreign key is checked when the statement ends.

It shares nothing with the extension. What the columns of an event are is not its matter: rows_of() asks tables that
nobody has changed.
"""

from collections import namedtuple

from support.sessions import DatabaseError

Row = namedtuple("Row", "event_id trace_id kind time duration_ms location vector_clock metadata micros")

ROWS = """
    SELECT event_id, trace_id, kind, timestamp::text, duration_ms::text, location, vector_clock::text, metadata::text,
           (extract(epoch FROM timestamp) * 1000000)::bigint
    FROM raceway.events
"""

SERVICE = """CASE jsonb_typeof(e.metadata -> 'service_name') WHEN 'string' THEN left(e.metadata ->> 'service_name', 255) END"""

STORE = f"""
    WITH e AS (
        INSERT INTO raceway.events (event_id, trace_id, kind, "timestamp", duration_ms, location, vector_clock, metadata)
        VALUES (%s::text, %s::text, %s::text, %s::timestamp, %s::real, %s::text, %s::jsonb, %s::jsonb)
        ON CONFLICT DO NOTHING RETURNING event_id, trace_id, "timestamp", metadata
    ), t AS (
        INSERT INTO raceway.traces AS t (trace_id, service_name, start_time, end_time, event_count)
        SELECT e.trace_id, {SERVICE}, e."timestamp", e."timestamp", 1 FROM e
        ON CONFLICT (trace_id) DO UPDATE SET
            event_count = coalesce(t.event_count, 0) + 1,
            service_name = CASE WHEN t.start_time <= excluded.start_time THEN t.service_name ELSE excluded.service_name END,
            start_time = least(t.start_time, excluded.start_time), end_time = greatest(t.end_time, excluded.end_time)
        RETURNING t.trace_id, t.start_time, t.event_count
    )
    SELECT (SELECT t.trace_id FROM t, e WHERE t.start_time = e."timestamp" AND t.event_count > 1) FROM e
"""

# Of several events at a trace's first moment, the one with the smallest id names the service.
NAME_SERVICE = f"""
    UPDATE raceway.traces t SET service_name = (
        SELECT {SERVICE} FROM raceway.events e WHERE e.trace_id = t.trace_id AND e."timestamp" = t.start_time
        ORDER BY e.event_id LIMIT 1)
    WHERE t.trace_id = %s
"""

STANDING = "SELECT trace_id FROM raceway.events e WHERE event_id = %s"

# A row's columns that can say the same as an event: they have a type that keeps whatever is sent as it was.
KEEPING = {
    "kind": ("varchar(50)", "varchar(60)", "text", "varchar"), "timestamp": ("timestamp",), "duration_ms": ("real",),
    "location": ("varchar(500)", "varchar(600)", "text", "varchar"), "vector_clock": ("jsonb",), "metadata": ("jsonb",)}

COLUMNS = """
    SELECT a.attname, replace(replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar'), ' without time zone', '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attrelid = 'raceway.events'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid) AND has_column_privilege(c.oid, a.attnum, 'SELECT')
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE pg_get_triggerdef(t.oid) ~ ' BEFORE .*INSERT.* FOR EACH ROW '
                      AND (t.tgrelid = c.oid OR t.tgrelid IN (SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid)))
"""

# Errors that say nothing of the event: the call fails.
GENERAL = ("08", "0A", "25", "26", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX")


def rows_of(session, cards):
    """{text of a card: its Row}, for those that can be kept. `session` is at empty tables that nobody has changed."""
    left, rows = list({card.text: card for card in cards if card.good}.values()), {}
    while left:
        now = {card.event_id: card for card in reversed(left)}   # of each id one at a time
        with session.transaction("ROLLBACK"):
            answer, = session.ingest([("[" + ",".join(card.text for card in now.values()) + "]").encode()], "spi")
            assert answer["stored"] == len(now), "an event that is no good is sent as a good one"
            for row in map(Row._make, session.run(ROWS)):
                rows[now[row.event_id].text] = row
        left = [card for card in left if card.text not in rows]
    return rows


def store(session, hands, rows):
    """What ingest must answer to these hands, but for reasons, after doing what it must do: [{stored, duplicates, rejected:
    [{index}]}]. In a transaction. Raises what it must raise."""
    by_time = session.run("SELECT 1 FROM pg_class WHERE relkind = 'p' AND oid = to_regclass('raceway.events')") != []
    sendings = {}
    for body, hand in enumerate(hands):
        for index, card in enumerate(hand):
            if card.good:
                row = rows[card.text]
                sendings.setdefault((row.event_id.encode(), row.micros if by_time else 0), []).append((body, index, row))
    answers = [{"stored": 0, "duplicates": 0, "rejected": [{"index": index} for index, card in enumerate(hand) if not card.good]}
               for hand in hands]
    for identity in sorted(sendings):
        first = sendings[identity][0][2]
        is_stored, trace_id = _offer(session, first, by_time)
        for number, (body, index, row) in enumerate(sendings[identity]):
            if is_stored and number == 0:
                answers[body]["stored"] += 1
            elif row.trace_id == trace_id and _says_the_same(session, row, by_time):
                answers[body]["duplicates"] += 1
            else:
                answers[body]["rejected"].append({"index": index})
    for answer in answers:
        answer["rejected"].sort(key=lambda entry: entry["index"])
    return answers


def _offer(session, row, by_time):
    """(Whether it is stored, the trace that the id stands under; None: it is refused.)"""
    session.run("SAVEPOINT event")
    try:
        stored = session.run(STORE, *row[:8])
        if stored and stored[0][0] is not None:
            session.run(NAME_SERVICE, stored[0][0])
    except DatabaseError as error:
        session.run("ROLLBACK TO event")
        if error.pgcode[:2] in GENERAL:
            raise
        return False, None
    session.run("RELEASE event")
    if stored:
        return True, row.trace_id
    standing = session.run(STANDING + (' AND "timestamp" = %s' if by_time else ""), row.event_id, *([row.time] if by_time else []))
    return False, standing[0][0] if standing else None


def _says_the_same(session, row, by_time):
    """Whether what stands does, in the columns where that can be told."""
    sent = {**row._asdict(), "timestamp": row.time}
    types = {"timestamp": "timestamp", "duration_ms": "real", "vector_clock": "jsonb", "metadata": "jsonb"}
    compared = [name for name, kept in session.run(COLUMNS) if kept in KEEPING.get(name, ())]
    same = " AND ".join(f'"{name}"::{types.get(name, "text")} IS NOT DISTINCT FROM %s::{types.get(name, "text")}' for name in compared)
    return session.value(f"SELECT {same or 'true'} FROM raceway.events WHERE event_id = %s" + (' AND "timestamp" = %s' if by_time else ""),
                         *(sent[name] for name in compared), row.event_id, *([row.time] if by_time else []))

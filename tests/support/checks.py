"""Questions to a database that several tests ask."""

# Traces whose roll-up is not what their events say; also events without a trace and traces without events.
INEXACT_TRACES = """
    SELECT coalesce(t.trace_id, e.trace_id) AS trace_id, t.event_count, e.n, t.start_time, e.first, t.end_time, e.last,
           t.service_name, e.service
    FROM traces t FULL JOIN (
        SELECT trace_id, count(*) AS n, min(timestamp) AS first, max(timestamp) AS last,
               (array_agg(CASE WHEN jsonb_typeof(metadata -> 'service_name') = 'string'
                               THEN left(metadata ->> 'service_name', 255) END
                          ORDER BY timestamp, event_id COLLATE "C"))[1] AS service
        FROM events GROUP BY trace_id) e USING (trace_id)
    WHERE (t.event_count, t.start_time, t.end_time) IS DISTINCT FROM (e.n, e.first, e.last)
       OR t.service_name IS DISTINCT FROM e.service
"""


def inexact_traces(database):
    return database.rows(INEXACT_TRACES)


def stored_events(database):
    """{event_id: trace_id}, after checking that each is there once (also where an index would not show it)."""
    rows = database.rows("SELECT event_id, trace_id FROM events")
    assert len(rows) == len({row["event_id"] for row in rows}), "an event is there twice"
    return {row["event_id"]: row["trace_id"] for row in rows}


def check_promises(database, acknowledged, sent):
    """What was acknowledged is there; what is there was sent, under its trace; the roll-ups are exact."""
    stored = stored_events(database)
    assert acknowledged - set(stored) == set(), f"of {len(acknowledged)} acknowledged events some are lost"
    assert {i: t for i, t in stored.items() if i not in sent or sent[i]["trace_id"] != t} == {}
    assert inexact_traces(database) == []

"""Tables that an administrator has changed: ingest does what an INSERT into them does, by whichever way."""

import json

import pytest

from support.editions import EDITIONS, create_database
from support.layouts import ALLOWED, OBSTACLES
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.ways import WAYS

ROWS = """
    SELECT 'event ' || (to_jsonb(e) - 'created_at')::text FROM events e
    UNION ALL SELECT 'trace ' || (to_jsonb(t) - 'created_at')::text FROM traces t ORDER BY 1
"""


# As it stands before; and the same id with other contents in every column.
E0 = documented_event("e0", "t", location="here 0", kind="Log")
OTHER_E0 = documented_event("e0", "t", 1, kind="Error", duration_ms=2, location="there", vector_clock={"b": 1}, metadata={"n": 1})


def offered():
    """Six new events, and three repeats of e0: the second under another trace, the third with other contents."""
    kinds = {"e3": "Secret"}
    events = [documented_event(f"e{n}", "t" if n < 5 else "u", n, kind=kinds.get(f"e{n}", "Log"), location=f"here {n}")
              for n in range(1, 7)]
    events[3]["location"] = None
    events[1]["location"] = "nowhere"
    events[4]["metadata"] = {"blob": "x" * 9000}
    events[5]["metadata"] = {}
    # The times have a fraction, and u's earliest event names no service.
    events[4]["timestamp"] = "2026-09-21T14:13:21.654321Z"
    return [*events, E0, {**E0, "trace_id": "u"}, OTHER_E0]


@pytest.fixture(scope="module")
def administrator(cluster):
    """A superuser's session in a database that holds event e0; what it does is rolled back each time."""
    database = cluster.create_database(migrated=True)
    with Session(database, "postgres") as session:
        session.ingest([json.dumps(E0).encode()], "spi")
        yield session
    database.drop()


def outcome(session, layout, way):
    """What comes of it: (the way taken, what was answered or the error's SQLSTATE, the rows)."""
    session.run("BEGIN")
    try:
        session.run(layout.sql or "SELECT")
        session.run(f"SET LOCAL ROLE {layout.user}")
        answer, = session.ingest([json.dumps(offered()).encode()], way)
        taken = answer.pop("ingest_way")
        session.run("SET LOCAL ROLE postgres")
        assert session.value(f"SELECT {layout.proof}"), "the layout did not do what it is for"
        return taken, answer, session.run(ROWS)
    except DatabaseError as error:
        if error.pgcode != layout.error:
            raise
        return "spi", error.pgcode, None
    finally:
        session.run("ROLLBACK")


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_only_sql_does_right_goes_by_sql(administrator, name):
    outcomes = {way: outcome(administrator, OBSTACLES[name], way) for way in (*WAYS, "automatic")}
    assert {taken for taken, _, _ in outcomes.values()} == {"spi"}
    assert all(outcomes[way] == outcomes["spi"] for way in outcomes)
    assert OBSTACLES[name].error is None or outcomes["spi"][1] == OBSTACLES[name].error


@pytest.mark.parametrize("name", ALLOWED)
def test_what_every_way_does_right_is_written_directly(administrator, name):
    outcomes = {way: outcome(administrator, ALLOWED[name], way) for way in WAYS}
    assert {way: taken for way, (taken, _, _) in outcomes.items()} == {way: way for way in WAYS}
    answers = {way: said for way, (_, said, _) in outcomes.items()}
    assert answers["direct"] == answers["checking"] == answers["spi"]
    rows = {way: found for way, (_, _, found) in outcomes.items()}
    assert rows["direct"] == rows["checking"] == rows["spi"]
    assert answers["spi"]["stored"] == 6 and answers["spi"]["duplicates"] == 1 and len(answers["spi"]["rejected"]) == 2


SOME_COLUMNS = """
    CREATE ROLE reader; GRANT USAGE ON SCHEMA raceway TO reader; GRANT SELECT, INSERT, UPDATE ON traces TO reader;
    GRANT SELECT (event_id, trace_id, kind, timestamp, metadata) ON events TO reader;
    GRANT INSERT (event_id, trace_id, kind, timestamp, duration_ms, location, vector_clock, metadata) ON events TO reader;
"""

# What is made of the tables, who sends, and which columns are compared then.
COMPARED = [
    ("", "raceway", "kind, timestamp, duration_ms, location, vector_clock, metadata"),
    (SOME_COLUMNS, "reader", "kind, timestamp, metadata"),
    (OBSTACLES["a column of another type"].sql, "raceway", "kind, timestamp, location, vector_clock, metadata"),
    (OBSTACLES["a column of a domain"].sql, "raceway", "kind, timestamp, duration_ms, vector_clock, metadata"),
    (OBSTACLES["a narrower column"].sql, "raceway", "kind, timestamp, duration_ms, vector_clock, metadata"),
    (OBSTACLES["a less precise time"].sql, "raceway", "kind, duration_ms, location, vector_clock, metadata"),
    ("ALTER TABLE events ALTER vector_clock TYPE json", "raceway", "kind, timestamp, duration_ms, location, metadata"),
    ("ALTER TABLE events ALTER kind TYPE varchar(60)", "raceway", "kind, timestamp, duration_ms, location, vector_clock, metadata"),
    (OBSTACLES["a generated column more"].sql, "raceway", "kind, timestamp, duration_ms, location, vector_clock, metadata"),
    (OBSTACLES["a trigger before INSERT that changes the row"].sql, "raceway", None),
    (OBSTACLES["a view in place of events"].sql, "raceway", None),
]


@pytest.fixture(scope="module", params=EDITIONS)
def edition(cluster, request):
    """Likewise, in either edition."""
    database = create_database(cluster, request.param, "raceway.migrate()")
    with Session(database, "postgres") as session:
        session.ingest([json.dumps(E0).encode()])
        yield session
    database.drop()


@pytest.mark.parametrize(("sql", "user", "columns"), COMPARED)
def test_what_cannot_be_compared_is_taken_for_the_same(edition, sql, user, columns):
    """What the caller may not read, and what is not as it was sent; in a call of its own, and behind the same event."""
    with edition.transaction("ROLLBACK"):
        edition.run(sql or "SELECT")
        edition.run(f"SET LOCAL ROLE {user}")
        for events, duplicates in (([OTHER_E0], 0), ([E0, OTHER_E0, E0], 2)):
            answer, = edition.ingest([json.dumps(events).encode()])
            assert (answer["stored"], answer["duplicates"]) == (0, duplicates if columns else len(events))
            assert [entry["reason"] for entry in answer["rejected"]] == (
                [f"event_id is already stored with other contents: {columns}"] if columns else [])


def test_who_may_not_use_the_schema_may_not_write_either(administrator):
    """Although a function that was made by another leads there."""
    for way in WAYS:
        administrator.run("BEGIN; CREATE ROLE writer; GRANT ALL ON events, traces TO writer;"
                          "CREATE FUNCTION public.send(bytea) RETURNS bigint BEGIN ATOMIC"
                          " SELECT stored FROM raceway.ingest($1); END; SET LOCAL ROLE writer;"
                          f"SET LOCAL raceway.ingest_way = '{way}'")
        with pytest.raises(DatabaseError, match="schema raceway") as raised:
            administrator.run("SELECT public.send(%s::bytea)", json.dumps(offered()))
        administrator.run("ROLLBACK")
        assert raised.value.pgcode == "42501"


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_that_keeps_its_snapshot_goes_by_sql(administrator, level):
    for way in WAYS:
        administrator.run(f"BEGIN ISOLATION LEVEL {level}")
        answer, = administrator.ingest([json.dumps(offered()).encode()], way)
        administrator.run("ROLLBACK")
        assert (answer["stored"], answer["ingest_way"]) == (6, "spi")


def test_a_temporary_table_of_the_same_name_is_not_ours(administrator):
    administrator.run("BEGIN; CREATE TEMPORARY TABLE events (LIKE raceway.events);"
                      "SET LOCAL search_path = pg_temp, raceway")
    for way in WAYS:
        administrator.run("SAVEPOINT s")
        assert administrator.ingest([json.dumps(offered()).encode()], way)[0]["stored"] == 6
        assert administrator.value("SELECT count(*) FROM pg_temp.events") == 0
        administrator.run("ROLLBACK TO s")
    administrator.run("ROLLBACK")


def test_no_tables_are_an_error_whichever_way(administrator):
    for way in WAYS:
        administrator.run("BEGIN; DROP TABLE events, traces")
        with pytest.raises(DatabaseError) as raised:
            administrator.ingest([json.dumps(offered()).encode()], way)
        administrator.run("ROLLBACK")
        assert raised.value.pgcode == "42P01"


def test_a_layout_that_changes_between_two_calls_of_a_session_is_noticed(cluster):
    """And one that others change meanwhile."""
    database = cluster.create_database(migrated=True)
    changes = [("CREATE INDEX more ON events (lower(kind))", "spi"), ("DROP INDEX more", "direct"),
               ("ALTER TABLE events ADD CHECK (kind <> 'Secret')", "spi"),
               ("ALTER TABLE events DROP CONSTRAINT events_kind_check", "direct"),
               ("CREATE INDEX more ON events (kind)", "direct"), ("DROP INDEX more", "direct"),
               ("ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (event_id)", "direct"),
               ("ALTER TABLE traces ALTER created_at SET DEFAULT clock_timestamp()", "spi"),
               ("ALTER TABLE traces ALTER created_at SET DEFAULT now()", "spi"),
               ("ALTER TABLE traces ALTER created_at SET DEFAULT timezone('UTC', now())", "direct"),
               ("ALTER TABLE events RENAME TO old; CREATE TABLE events (LIKE old INCLUDING ALL)", "direct")]
    with Session(database) as writing, Session(database) as other:
        for number, (change, expected) in enumerate([("SELECT", "direct"), *changes]):
            for session in (writing, other):
                session.run("BEGIN")
                session.run(change if session is writing else "SELECT")
                event = documented_event(f"{number} {session is other}", "t")
                answer, = session.ingest([json.dumps(event).encode()], "direct")
                session.run("COMMIT")
                assert (answer["stored"], answer["ingest_way"]) == (1, expected), change
    database.drop()

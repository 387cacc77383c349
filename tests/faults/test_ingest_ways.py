"""The ways of ingest (raceway.ingest_way) where a way below the executor could do something else than an INSERT."""

import json

import pytest

from support.cluster import SqlError
from support.sessions import DatabaseError, Session
from support.wait import wait_until
from support.ways import WAYS, assert_whole, counts, events_of, ingest, ingest_call, literal, table_rows

DIRECT_WAYS = ("direct", "checking")


@pytest.fixture(params=DIRECT_WAYS)
def direct_way(request):
    return request.param


def test_each_way_says_which_it_is(migrated):
    for number, way in enumerate(WAYS):
        answer = ingest(migrated, events_of("t", [f"e{number}"]), way)
        assert (counts(answer), answer["ingest_way"]) == ((1, 0, 0), way)
    assert_whole(migrated)


def test_a_dba_switches_writing_below_the_executor_off(migrated):
    """For a database, a role or all; who uses it cannot switch it on again, not even before the library is loaded."""
    migrated.sql(f"ALTER DATABASE {migrated.name} SET raceway.direct_writes = off", "postgres")
    with Session(migrated) as session:
        with pytest.raises(DatabaseError) as raised:
            session.run("SELECT vclock_size('{}'); SET raceway.direct_writes = on")
        assert raised.value.pgcode == "42501"
    for number, before in enumerate(["SELECT", "SET raceway.direct_writes = on", "SET raceway.ingest_way = direct"]):
        with Session(migrated) as session:
            session.run(before)
            answer, = session.ingest([json.dumps(events_of("t", [f"e{number}"])).encode()], "direct")
            assert (answer["stored"], answer["ingest_way"]) == (1, "spi")
    with Session(migrated, "postgres") as session:
        session.run("SET raceway.direct_writes = on")
        assert session.ingest([json.dumps(events_of("t", ["e9"])).encode()])[0]["ingest_way"] == "direct"
    assert_whole(migrated)


def test_a_duplicate_of_an_event_without_a_trace_is_rejected_by_name(migrated, direct_way):
    migrated.sql("INSERT INTO events (event_id) VALUES ('e1')")
    answer = ingest(migrated, events_of("t", ["e0", "e1", "e2"]), direct_way)
    assert answer["ingest_way"] == direct_way
    assert answer["rejected"] == [{"index": 1, "id": "e1", "reason": "event_id is already stored under trace "}]
    assert_whole(migrated, exact=False)


def test_a_read_only_transaction_refuses_every_way(migrated):
    for way in WAYS:
        with pytest.raises(SqlError, match="25006"):
            ingest(migrated, events_of("t", ["e1"]), way, before="BEGIN READ ONLY")
    assert table_rows(migrated) == []


def test_a_count_that_would_not_fit_is_an_error_of_the_event_not_a_negative_count(migrated, direct_way):
    migrated.sql("INSERT INTO traces (trace_id, start_time, end_time, event_count)"
                 " VALUES ('full', '2026-01-01', '2026-01-01', 2147483647)")
    answer = ingest(migrated, events_of("full", ["e1"]) + events_of("t", ["e2"]), direct_way)
    assert (counts(answer), answer["ingest_way"]) == ((1, 0, 1), "spi")
    assert "integer out of range" in answer["rejected"][0]["reason"]
    assert migrated.value("SELECT event_count FROM traces WHERE trace_id = 'full'") == 2147483647
    assert migrated.value("SELECT event_count FROM traces WHERE trace_id = 't'") == 1


def test_a_column_that_was_added_with_a_default_keeps_its_value_in_old_rows(migrated, direct_way):
    migrated.sql("ALTER TABLE traces DROP COLUMN created_at; ALTER TABLE traces RENAME TO old;"
                 "CREATE TABLE traces (LIKE old INCLUDING ALL); DROP TABLE old CASCADE;"
                 "INSERT INTO traces VALUES ('t', 'bank', '2000-01-01', '2000-01-01', 1);"
                 "ALTER TABLE traces ADD COLUMN created_at timestamp DEFAULT (now() AT TIME ZONE 'UTC')")
    made_at = migrated.value("SELECT created_at FROM traces")
    assert ingest(migrated, events_of("t", ["e1"]), direct_way)["ingest_way"] == direct_way
    assert migrated.rows("SELECT created_at, event_count FROM traces") == [{"created_at": made_at, "event_count": 2}]


@pytest.mark.parametrize("way", WAYS)
def test_a_trace_that_the_same_statement_wrote_is_grown(migrated, way):
    call = ingest_call(events_of("t", ["e1", "e2"]))
    migrated.sql(f"SET raceway.ingest_way = {way};"
                 "WITH made AS (INSERT INTO traces (trace_id) VALUES ('t') RETURNING 1)"
                 f"SELECT stored FROM made, {call}")
    assert_whole(migrated)


@pytest.mark.parametrize("way", WAYS)
def test_several_calls_in_one_statement_are_as_one_after_the_other(migrated, way):
    """Although all of them see the tables as they were before the statement."""
    e1, e2, e3 = events_of("t", ["e1", "e2", "e3"])
    bodies = [[e1, e2], [e2, e3], events_of("u", ["e3", "e4"]), [e1, e2, e3], [{**e1, "kind": "Other"}, e2]]
    calls = ", ".join(f"(convert_to({literal(json.dumps(body))}, 'UTF8'))" for body in bodies)
    said = migrated.sql(f"SET raceway.ingest_way = {way};"
                        "SELECT stored, duplicates, jsonb_array_length(rejected), ingest_way"
                        f" FROM (VALUES {calls}) AS v (body), LATERAL raceway.ingest(body)")
    assert said.splitlines() == [f"2|0|0|{way}", f"1|1|0|{way}", f"1|0|1|{way}", f"0|3|0|{way}", f"0|1|1|{way}"]
    assert_whole(migrated)


@pytest.mark.parametrize("way", WAYS)
def test_a_trace_made_beforehand_without_events_keeps_the_service_it_was_given(migrated, way):
    event, = events_of("t", ["e1"])
    migrated.sql(f"INSERT INTO traces (trace_id, service_name, start_time) VALUES ('t', 'mine', '{event['timestamp']}')")
    ingest(migrated, [event], way)
    assert migrated.rows("SELECT service_name, event_count FROM traces") == [{"service_name": "mine", "event_count": 1}]


@pytest.mark.parametrize("collation", ["en_US_ci", '"default"'])
def test_ids_of_another_collation_go_by_sql(migrated, collation):
    # The foreign key is away meanwhile: from PostgreSQL 18 on it may not have two collations for a moment.
    migrated.sql("CREATE COLLATION en_US_ci (provider = icu, locale = 'en-US-u-ks-level2', deterministic = false);"
                 "ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey;"
                 f"ALTER TABLE traces ALTER trace_id TYPE varchar(255) COLLATE {collation};"
                 f"ALTER TABLE events ALTER trace_id TYPE varchar(255) COLLATE {collation},"
                 " ADD CONSTRAINT events_trace_id_fkey FOREIGN KEY (trace_id) REFERENCES traces ON DELETE CASCADE")
    assert ingest(migrated, events_of("t", ["e1"]), "direct")["ingest_way"] == "spi"


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_counted_for_who_cleans_up_and_analyzes(migrated, way):
    ingest(migrated, events_of("t", [f"e{n}" for n in range(100)]), way)
    ingest(migrated, events_of("t", [f"e{n}" for n in range(50, 150)]), way)
    counted = wait_until(lambda: migrated.rows(
        "SELECT n_live_tup, n_mod_since_analyze >= 150 AS modified FROM pg_stat_user_tables"
        " WHERE relname = 'events' AND n_live_tup >= 150"), 20, "the statistics have arrived")
    assert counted == [{"n_live_tup": 150, "modified": True}]


@pytest.mark.parametrize("way", WAYS)
def test_who_reads_serializably_is_not_deceived_by_pages_that_split(migrated, way):
    """Two transactions each read what the other writes: one must fail, although the page that the first has read was
    split in between by somebody who is not serializable."""
    ingest(migrated, events_of("t", [f"k{n:06d}" for n in range(0, 2000, 100)]), "spi")
    migrated.sql("CREATE TABLE others (id integer)")
    empty = "SELECT count(*) FROM events WHERE event_id BETWEEN 'k000950a' AND 'k000950z'"
    with Session(migrated) as one, Session(migrated) as two, Session(migrated) as splitting:
        for session in (one, two):
            session.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL enable_seqscan = off;"
                        "SET LOCAL enable_bitmapscan = off")
        assert one.value(empty) == 0
        assert two.value("SELECT count(*) FROM others") == 0
        pages = "SELECT pg_relation_size('events_pkey')"
        before = splitting.value(pages)
        new = events_of("t", [f"k{n:06d}" for n in range(2000) if n % 100])
        assert splitting.ingest([json.dumps(new).encode()], way)[0]["ingest_way"] == way
        assert splitting.value(pages) > before
        one.run("INSERT INTO others VALUES (1)")
        with pytest.raises(DatabaseError, match="could not serialize") as failed:
            two.run("INSERT INTO events (event_id, trace_id) VALUES ('k000950m', 't')")
            one.run("COMMIT")
            two.run("COMMIT")
        assert failed.value.pgcode == "40001"

"""A plain table of events is laid out in partitions, while others work on it."""

import time

import pytest

from support.aging import Call, fill, partitions
from support.chance import chance_of, times
from support.checks import check_promises
from support.cluster import SqlError
from support.load import LoadClient, acknowledged_by, load, sent_by
from support.others import longest_wait_of_a_writer, slow_vacuum_out_of_line
from support.server import RacewayServer
from support.traffic import OverlappingTraffic, documented_event
from support.ways import assert_sound, assert_whole, counts, ingest


def test_a_plain_table_is_laid_out_anew(migrated):
    fill(migrated, 100)
    migrated.sql("CREATE INDEX \"my kind\" ON raceway.events (kind); GRANT SELECT ON raceway.events TO PUBLIC")
    before = migrated.rows("SELECT * FROM raceway.events ORDER BY event_id")
    migrated.sql("CALL raceway.repartition('day')")
    assert migrated.rows("SELECT * FROM raceway.events ORDER BY event_id") == before
    assert partitions(migrated) >= {f"events_2026_01_0{day}" for day in range(1, 6)}
    assert migrated.value("SELECT partition_by FROM raceway.layout") == "day"
    indexes = {row["i"] for row in migrated.rows("SELECT indexrelid::regclass::text AS i FROM pg_index "
                                                 "WHERE indrelid = 'raceway.events'::regclass")}
    assert indexes == {"events_pkey", "idx_events_trace_id", "idx_events_timestamp", '"my kind"'}
    assert migrated.value("SELECT has_table_privilege('public', 'raceway.events', 'SELECT')")
    as_filled = {"event_id": "t-1-1", "trace_id": "t-1", "kind": "Custom", "timestamp": "2026-01-01T00:00:01Z",
                 "vector_clock": {"a": 1}, "metadata": {"service_name": "aged"}}
    answer = ingest(migrated, [as_filled, documented_event("new", "t-1")])
    assert counts(answer) == (1, 1, 0) and answer["ingest_way"] != "spi"
    assert_whole(migrated)
    assert "already" in pytest.raises(SqlError, migrated.sql, "CALL raceway.repartition('day')").value.args[0]


def test_whoever_calls_it_the_tables_stay_those_of_their_owner(migrated):
    """Who may write while the new table follows, and afterwards."""
    fill(migrated, 10)
    migrated.sql("GRANT SELECT ON raceway.events TO PUBLIC")
    migrated.sql("SELECT raceway.begin_repartition('day')", "postgres")
    assert counts(ingest(migrated, [documented_event("e1", "t")])) == (1, 0, 0)
    migrated.sql("CALL raceway.repartition('day')", "postgres")
    assert counts(ingest(migrated, [documented_event("e1", "t"), documented_event("e2", "t")])) == (1, 1, 0)
    assert migrated.rows("SELECT DISTINCT relowner::regrole::text AS owner FROM pg_partition_tree('raceway.events') t"
                         " JOIN pg_class c ON c.oid = t.relid") == [{"owner": "raceway"}]
    assert migrated.value("SELECT has_table_privilege('public', 'raceway.events', 'SELECT')")


def test_no_write_is_lost_or_refused_meanwhile(migrated):
    """Clients write through a server, traces are deleted, rows are changed, while the table is laid out anew."""
    fill(migrated, 1500, events=10, apart="1 minute")
    # Whoever is served meanwhile knows the old table and the new one.
    with RacewayServer({}, migrated, name="repartition") as server:
        clients = [LoadClient([server.port], OverlappingTraffic(str(n)), batch_size=30) for n in range(3)]
        with load(clients):
            call = Call(migrated, "CALL repartition('day')")
            for number in range(1, 400, 3):
                if not call.is_alive():
                    break
                migrated.sql(f"DELETE FROM raceway.traces WHERE trace_id = 't-{number}';"
                             f"UPDATE raceway.events SET location = 'moved' WHERE trace_id = 't-{number + 1}'")
            call.end()
            time.sleep(0.5)
        assert set().union(*(client.statuses for client in clients)) == {200}
        left = migrated.rows("SELECT trace_id FROM raceway.traces WHERE trace_id LIKE 't-%'")
        sent = {**sent_by(clients), **{f"{row['trace_id']}-{e}": {"trace_id": row["trace_id"]} for row in left for e in range(1, 11)}}
        migrated.sql("ALTER ROLE CURRENT_USER IN DATABASE " + migrated.name + " SET search_path = raceway")
        check_promises(migrated, acknowledged_by(clients), sent)
    moved = migrated.rows("SELECT trace_id, count(*) AS n FROM raceway.events WHERE location = 'moved' GROUP BY 1")
    assert moved and {row["n"] for row in moved} == {10}
    assert migrated.value("SELECT count(*) FROM raceway.events WHERE trace_id = 't-1'") == 0
    assert_whole(migrated)


def test_killed_at_any_moment_it_is_called_again_or_given_up(migrated):
    chance = chance_of("kill repartition")
    fill(migrated, 1000, events=10, apart="1 minute")
    wanted = migrated.rows("SELECT * FROM raceway.events ORDER BY event_id")
    for turn in range(times(5)):
        call = Call(migrated, "CALL repartition('week')")
        time.sleep(chance.random() * 0.3)
        call.terminate()
        if migrated.value("SELECT partition_by FROM raceway.layout") == "none" and turn % 2:
            migrated.sql("SELECT raceway.cancel_repartition()")
            assert migrated.value("SELECT to_regclass('raceway.events_new') IS NULL")
            assert ingest(migrated, documented_event("t-1-1", "t-1"))["ingest_way"] != "spi"
        assert_sound(migrated)
    if migrated.value("SELECT partition_by FROM raceway.layout") == "none":
        migrated.sql("CALL raceway.repartition('week')")
    assert migrated.rows("SELECT * FROM raceway.events ORDER BY event_id") == wanted
    assert_whole(migrated)


@pytest.mark.parametrize("obstacle, said", [
    ("CREATE VIEW public.v AS SELECT * FROM raceway.events", "the view or rule public.v reads it"),
    ("CREATE UNIQUE INDEX only_one ON raceway.events (event_id, kind)", "the index raceway.only_one is unique"),
    ("ALTER TABLE raceway.events ENABLE ROW LEVEL SECURITY", "it has row security"),
    ("CREATE PUBLICATION p FOR TABLE raceway.events", "the publication p names it"),
    ("ALTER TABLE raceway.events ADD CONSTRAINT alone EXCLUDE USING gist (tsrange(created_at, created_at) WITH &&)",
     "the index raceway.alone excludes rows"),
    ("ALTER TABLE raceway.events ADD CONSTRAINT known CHECK (kind <> '')", "it has the constraint known"),
    ("CREATE TABLE public.kinds (kind varchar PRIMARY KEY); ALTER TABLE raceway.events ADD CONSTRAINT known FOREIGN KEY (kind)"
     " REFERENCES public.kinds", "it has the constraint known"),
    ("INSERT INTO raceway.events (event_id) VALUES ('e')", "there are events without a timestamp"),
    ("ALTER TABLE raceway.events ADD CONSTRAINT no_errors CHECK (kind <> 'Error')", "it has the constraint no_errors"),
    ("CREATE TABLE public.kinds (kind varchar PRIMARY KEY);"
     "ALTER TABLE raceway.events ADD CONSTRAINT known FOREIGN KEY (kind) REFERENCES public.kinds", "it has the constraint known"),
    ("ALTER TABLE raceway.events ADD COLUMN loud text GENERATED ALWAYS AS (upper(kind)) STORED", "the column loud is generated"),
    ("ALTER TABLE raceway.events ADD COLUMN n integer GENERATED ALWAYS AS IDENTITY", "the column n is generated"),
])
def test_what_would_be_lost_by_it_is_told_before(migrated, obstacle, said):
    migrated.sql(obstacle, "postgres")
    with pytest.raises(SqlError, match="55000") as raised:
        migrated.sql("CALL raceway.repartition('day')")
    assert said in str(raised.value)
    assert migrated.value("SELECT to_regclass('raceway.events_new') IS NULL")


@pytest.mark.parametrize("made, removed, said", [
    ("CREATE INDEX late ON raceway.events (kind)", "DROP INDEX raceway.late", "the index raceway.late came after the copy"),
    ("CREATE UNIQUE INDEX late ON raceway.events (event_id, kind)", "DROP INDEX raceway.late", "the index raceway.late is unique"),
    ("ALTER TABLE raceway.events ADD CONSTRAINT known CHECK (kind <> '')", "ALTER TABLE raceway.events DROP CONSTRAINT known",
     "it has the constraint known"),
    ("ALTER TABLE raceway.events ENABLE ROW LEVEL SECURITY", "ALTER TABLE raceway.events DISABLE ROW LEVEL SECURITY",
     "it has row security"),
])
def test_what_comes_while_it_is_copied_is_not_lost_either(migrated, made, removed, said):
    fill(migrated, 100)
    before = migrated.rows("SELECT * FROM raceway.events ORDER BY event_id")
    migrated.sql("SELECT raceway.begin_repartition('day')")
    migrated.sql("SELECT raceway.copy_event_pages(0, 1000)")
    migrated.sql(made)
    for call in ("SELECT raceway.end_repartition('day')", "CALL raceway.repartition('day')"):
        with pytest.raises(SqlError, match="55000") as raised:
            migrated.sql(call)
        assert said in str(raised.value)
    migrated.sql(removed)
    migrated.sql("CALL raceway.repartition('day')")
    assert migrated.rows("SELECT * FROM raceway.events ORDER BY event_id") == before
    assert_whole(migrated)


def test_a_table_without_events_is_repartitioned_into_few_partitions(migrated):
    migrated.sql("CALL raceway.repartition('day')")
    assert 8 <= migrated.value("SELECT count(*) FROM raceway.event_partitions()") <= 20


def test_a_vacuum_of_what_is_stored_out_of_line_keeps_no_writer_waiting(migrated):
    fill(migrated, 48)
    with slow_vacuum_out_of_line(migrated, "raceway.events"):
        call = Call(migrated, "CALL repartition('day')")
        assert longest_wait_of_a_writer(migrated, 3) < 1 and call.is_alive()
    call.end()
    assert migrated.value("SELECT partition_by FROM raceway.layout") == "day"
    assert_whole(migrated)


def test_nor_does_it_when_a_repartition_is_given_up(migrated):
    fill(migrated, 48)
    migrated.sql("SELECT raceway.begin_repartition('day')")
    ingest(migrated, [documented_event(f"e{n}", "t", timestamp="2026-01-01T00:00:00Z") for n in range(48)])
    with slow_vacuum_out_of_line(migrated, "raceway.events_2026_01_01"):
        call = Call(migrated, "SELECT cancel_repartition()")
        assert longest_wait_of_a_writer(migrated, 3) < 1 and call.is_alive()
    call.end()
    assert migrated.value("SELECT to_regclass('raceway.events_new') IS NULL")
    assert_whole(migrated)


def test_who_reads_events_for_long_keeps_it_from_being_given_up_and_no_writer_waiting(migrated):
    migrated.sql("SELECT raceway.begin_repartition('day')")
    with migrated.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        call = Call(migrated, "SELECT cancel_repartition()")
        assert longest_wait_of_a_writer(migrated, 3) < 1 and call.is_alive()
    call.end()
    assert migrated.value("SELECT to_regclass('raceway.events_new') IS NULL")

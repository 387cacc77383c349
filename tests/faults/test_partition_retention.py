"""Retention where events is partitioned by time: whole partitions go, and with them the traces that end there."""

import json
import threading
import time

import pytest

from support.aging import OLD, Call, fill, last_runs, partitions, traces_left
from support.chance import chance_of, times
from support.cluster import PostgresCluster, SqlError
from support.checks import check_promises
from support.editions import EDITIONS, create_database
from support.server import RacewayServer
from support.others import longest_wait_of_a_writer, slow_vacuum_out_of_line
from support.sessions import DatabaseError, Session
from support.traffic import OverlappingTraffic, documented_event
from support.wait import wait_until
from support.ways import assert_sound, assert_whole, counts, ingest


@pytest.fixture(params=EDITIONS)
def by_day(cluster, request):
    database = create_database(cluster, request.param, "raceway.migrate(partition_by => 'day')")
    database.sql("SELECT raceway.make_partitions('2026-01-01', '2026-01-10')")
    yield database
    database.drop()


def cleanup(database, before):
    return database.sql(f"CALL raceway.cleanup(older_than => {OLD} '{before}')").split("|")[:2]


def test_old_partitions_go_with_the_traces_that_end_in_them(by_day):
    fill(by_day, 240)
    assert cleanup(by_day, "2026-01-04 13:00") == ["72", "216"]
    assert traces_left(by_day) == list(range(73, 241))
    assert partitions(by_day) == {f"events_2026_01_{day:02}" for day in range(4, 11)}
    assert last_runs(by_day)[0]["events"] == 216 and last_runs(by_day)[0]["bytes"] > 3 * 8192
    assert_whole(by_day)


def test_traces_that_go_on_stay_whole(by_day):
    fill(by_day, 48, events=2)
    for day in (2, 3):
        ingest(by_day, documented_event(f"late-{day}", "t-1", timestamp=f"2026-01-0{day}T12:00:00Z"))
    assert cleanup(by_day, "2026-01-03") == ["47", "94"]
    assert traces_left(by_day) == [1]
    rows = by_day.rows("SELECT event_id, tableoid::regclass::text AS at FROM raceway.events ORDER BY event_id")
    assert [(row["event_id"], row["at"]) for row in rows] == [
        ("late-2", "events_default"), ("late-3", "events_2026_01_03"),
        ("t-1-1", "events_default"), ("t-1-2", "events_default")]
    assert counts(ingest(by_day, documented_event("late-2", "t-1", timestamp="2026-01-02T12:00:00Z"))) == (0, 1, 0)
    assert_whole(by_day)
    assert cleanup(by_day, "2026-01-04") == ["1", "4"]
    assert by_day.value("SELECT count(*) FROM raceway.events") == 0


def test_what_stands_in_the_default_partition_goes_by_its_time(by_day):
    fill(by_day, 3, first="1999-01-01")
    fill(by_day, 3, first="2126-01-01", name="new")
    assert cleanup(by_day, "2026-01-01") == ["3", "9"]
    assert traces_left(by_day) == [] and traces_left(by_day, "new") == [1, 2, 3]


def test_other_rules_and_ages_go_by_rows(by_day):
    fill(by_day, 48)
    by_day.sql("CALL raceway.cleanup(max_traces => 40)")
    assert traces_left(by_day) == list(range(9, 49))
    by_day.sql(f"CALL raceway.cleanup(older_than => {OLD} '2026-01-01 11:30', by => 'created_at')")
    assert traces_left(by_day) == list(range(13, 49))
    assert len(partitions(by_day)) == 10
    assert_whole(by_day)


def test_a_trigger_of_the_users_own_sees_each_trace_go(by_day):
    by_day.sql("CREATE TABLE public.log (what text); CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS "
               "$f$ BEGIN INSERT INTO public.log VALUES (OLD.trace_id); RETURN OLD; END $f$;"
               "CREATE TRIGGER mine BEFORE DELETE ON raceway.traces FOR EACH ROW EXECUTE FUNCTION public.f()", "postgres")
    by_day.sql("GRANT ALL ON public.log TO raceway", "postgres")
    fill(by_day, 30)
    assert cleanup(by_day, "2026-01-02") == ["24", "72"]
    assert by_day.value("SELECT count(*) FROM public.log") == 24


def test_what_others_keep_of_a_trace_goes_with_it(by_day):
    fill(by_day, 30)
    by_day.sql("CREATE TABLE raceway.notes (trace_id varchar(255) COLLATE \"C\" REFERENCES raceway.traces ON DELETE CASCADE);"
               "INSERT INTO raceway.notes SELECT trace_id FROM raceway.traces")
    assert cleanup(by_day, "2026-01-02") == ["24", "72"]
    assert by_day.value("SELECT count(*) FROM raceway.notes") == 6
    assert_whole(by_day)


def test_a_trace_that_others_hold_on_to_stays_whole(by_day):
    fill(by_day, 30)
    by_day.sql("CREATE TABLE raceway.notes (trace_id varchar(255) COLLATE \"C\" REFERENCES raceway.traces);"
               "INSERT INTO raceway.notes VALUES ('t-3')")
    with pytest.raises(SqlError, match="23503"):
        cleanup(by_day, "2026-01-02")
    assert traces_left(by_day) == list(range(1, 31))
    assert by_day.value("SELECT count(*) FROM raceway.events") == 90
    assert_whole(by_day)


# What the tables may have, and why the extension removes traces by SQL then; None: it does not.
NO_MATTER = {
    "nothing": ("SELECT", None),
    "a column more": ("ALTER TABLE raceway.traces ADD note text", "other columns"),
    "row security": ("ALTER TABLE raceway.traces ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                     "CREATE POLICY p ON raceway.traces USING (true)", "row security"),
    "a trigger": ("CREATE FUNCTION raceway.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';"
                  "CREATE TRIGGER t BEFORE DELETE ON raceway.traces FOR EACH ROW EXECUTE FUNCTION raceway.f()", "triggers"),
    "a reference": ("CREATE TABLE raceway.n (trace_id varchar(255) COLLATE \"C\" REFERENCES raceway.traces)", "refers"),
    "a trigger for other times": ("CREATE FUNCTION raceway.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                                  "CREATE TRIGGER t BEFORE INSERT ON raceway.traces FOR EACH ROW EXECUTE FUNCTION raceway.f()", "triggers"),
    "a plain index": ("CREATE INDEX ON raceway.traces (event_count)", None),
}


@pytest.mark.parametrize("what", NO_MATTER)
@pytest.mark.parametrize("by_day", ["extension"], indirect=True)
def test_the_same_goes_whatever_the_tables_have(by_day, what):
    statement, why = NO_MATTER[what]
    fill(by_day, 100)
    ingest(by_day, documented_event("late", "t-1", timestamp="2026-01-03T12:00:00Z"))
    by_day.sql(statement)
    with Session(by_day) as session:
        session.run("SET client_min_messages = debug1")
        session.run(f"CALL cleanup(older_than => {OLD} '2026-01-03')")
        said = "".join(session.connection.notices)
    assert ("traces are removed by SQL" in said) == (why is not None) and (why or "") in said
    assert (last_runs(by_day)[0]["traces"], last_runs(by_day)[0]["events"]) == (47, 141)
    assert traces_left(by_day) == [1, *range(49, 101)]
    assert by_day.value("SELECT count(*) FROM raceway.events_default") == 3
    assert_whole(by_day)


def test_events_before_all_partitions_go_with_their_trace(by_day):
    ingest(by_day, [documented_event("early", "t-1", timestamp="1999-01-01T00:00:00Z"),
                    documented_event("early-2", "t-2", timestamp="1999-01-01T00:00:00Z")])
    fill(by_day, 30)
    ingest(by_day, documented_event("late", "t-2", timestamp="2026-01-03T00:00:00Z"))
    by_day.sql("INSERT INTO raceway.events (event_id, \"timestamp\") VALUES ('alone', '1999-01-01');"
               "INSERT INTO raceway.traces (trace_id) VALUES ('empty')")
    assert by_day.sql("SELECT traces, events FROM raceway.drop_partitions('2026-01-02')") == "23|70"
    left = by_day.rows("SELECT event_id FROM raceway.events_default ORDER BY event_id")
    assert [row["event_id"] for row in left] == ["alone", "early-2", "t-2-1", "t-2-2", "t-2-3"]
    assert by_day.value("SELECT count(*) FROM raceway.traces WHERE trace_id = 'empty'") == 1
    by_day.sql("DELETE FROM raceway.events WHERE trace_id IS NULL; DELETE FROM raceway.traces WHERE event_count IS NULL")
    assert_whole(by_day)


def test_many_partitions_go_in_few_steps(by_day):
    by_day.sql("SELECT raceway.make_partitions('2026-01-11', '2026-01-30')")
    fill(by_day, 30, apart="1 day", events=2)
    steps = by_day.rows("SELECT s::date::text AS step FROM raceway.partition_drop_steps('2026-01-30') s")
    assert [row["step"] for row in steps] == ["2026-01-21", "2026-01-30"]
    with Session(by_day) as session:
        session.run(f"CALL cleanup(older_than => {OLD} '2026-01-30')")
        dropped = [line for line in session.connection.notices if "partitions up to" in line]
    assert len(dropped) == 2 and "dropped 20 partitions" in dropped[0] and "dropped 9 partitions" in dropped[1]
    assert (last_runs(by_day)[0]["traces"], last_runs(by_day)[0]["events"]) == (29, 58)
    assert traces_left(by_day) == [30]
    assert_whole(by_day)


def test_a_session_that_keeps_snapshots_leaves_whole_traces(by_day):
    """Its first look at the tables is older than the lock on them."""
    fill(by_day, 48)
    by_day.sql(f"ALTER DATABASE {by_day.name} SET default_transaction_isolation = 'repeatable read'", "postgres")
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-02')")
        time.sleep(0.3)
        ingest(by_day, documented_event("late", "t-1", timestamp="2026-01-02T12:00:00Z"))
    call.end()
    assert traces_left(by_day) == [1, *range(25, 49)]
    assert_whole(by_day)


def test_events_that_come_for_traces_that_go_make_whole_traces(by_day):
    chance = chance_of("ingest beside partition cleanup")
    fill(by_day, 100)
    is_over = threading.Event()
    answers = []

    def write(name):
        draw = chance_of(f"ingest beside partition cleanup {name}")
        with Session(by_day) as session:
            while not is_over.is_set():
                batch = [documented_event(f"{name}-{len(answers)}-{n}", f"t-{draw.randint(1, 120)}",
                                          timestamp=f"2026-01-0{draw.randint(1, 9)}T12:00:00Z") for n in range(5)]
                answers.extend(session.ingest([json.dumps({"events": batch}).encode()]))

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    try:
        for day in range(2, 7):
            cleanup(by_day, f"2026-01-0{day}")
            time.sleep(chance.random() * 0.05)
    finally:
        is_over.set()
        for writer in writers:
            writer.join()
    assert sum(answer["stored"] for answer in answers) == 5 * len(answers) > 0
    assert_whole(by_day)


def test_several_sessions_share_the_partitions(by_day):
    fill(by_day, 240)
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        calls = [Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-11')") for _ in range(3)]
        time.sleep(0.5)
    begin = time.monotonic()
    for call in calls:
        call.end()
    assert time.monotonic() - begin < 15, "they stood in each other's way"
    assert traces_left(by_day) == []
    runs = last_runs(by_day, 3)
    assert {run["outcome"] for run in runs} == {"done"} and sum(run["events"] for run in runs) == 720
    assert_whole(by_day)


@pytest.mark.parametrize("what", ["nothing", "a trigger"])
def test_who_adds_to_a_trace_that_is_about_to_go_does_not_wait_for_it(by_day, what):
    """A reader keeps the partitions in use, while traces are swept already."""
    by_day.sql(NO_MATTER[what][0])
    fill(by_day, 48)
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-02')")
        time.sleep(0.5)
        start = time.monotonic()
        ingest(by_day, documented_event("late", "t-1", timestamp="2026-01-05T12:00:00Z"))
        ingest(by_day, documented_event("later", "t-2", timestamp="2026-01-01T23:00:00Z"))
        assert time.monotonic() - start < 5 and call.is_alive()
    call.end()
    assert traces_left(by_day) == [1, *range(25, 49)]
    assert by_day.value("SELECT count(*) FROM raceway.events WHERE trace_id = 't-1'") == 4
    assert_whole(by_day)


@pytest.mark.parametrize("edition", EDITIONS)
def test_autovacuum_gives_way(edition):
    """As to whoever waits for it for deadlock_timeout; and it would come again while a step waits for others."""
    with PostgresCluster("slow-autovacuum", {"autovacuum": "on", "autovacuum_naptime": "1s"}) as cluster:
        database = create_database(cluster, edition, "raceway.migrate(partition_by => 'day')")
        database.sql("SELECT raceway.make_partitions('2026-01-01', '2026-01-10')")
        fill(database, 12_000, events=1, apart="15 s")
        slowly = "(autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1)"
        database.sql(f"ALTER TABLE raceway.traces SET {slowly}; UPDATE raceway.traces SET created_at = now()")
        at_work = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'raceway.traces'::regclass"
        wait_until(lambda: database.sql(at_work, "postgres") == "1", 30, "autovacuum is at work")
        assert cleanup(database, "2026-01-03") == ["11520", "11520"]
        assert partitions(database) == {f"events_2026_01_{day:02}" for day in range(3, 11)}, "they went by rows"
        assert_whole(database)


def test_a_partition_in_use_stays_and_keeps_no_writer_waiting(by_day):
    fill(by_day, 48)
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-03')")
        assert longest_wait_of_a_writer(by_day, 1) < 1 and call.is_alive()
    call.end()
    assert traces_left(by_day) == []


def test_a_vacuum_of_what_a_partition_stores_out_of_line_keeps_no_writer_waiting(by_day):
    """It holds a lock there alone. Against wraparound it does not give way, either."""
    fill(by_day, 48)
    with slow_vacuum_out_of_line(by_day, "raceway.events_2026_01_01"):
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-03')")
        assert longest_wait_of_a_writer(by_day, 3) < 1 and call.is_alive()
    call.end()
    assert traces_left(by_day) == []


def test_beside_a_long_reader_no_writer_waits_at_all(by_day):
    """Such as pg_dump: to ask for the tables again and again would be in vain."""
    fill(by_day, 48)
    asked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"), Session(by_day) as session:
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-03')")
        wait_until(lambda: session.value(asked) > 0, 10, "it asks for the tables")
        time.sleep(3)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            assert session.value(asked) == 0 and call.is_alive()
    call.end()
    assert traces_left(by_day) == []


ORPHANS = "SELECT count(*) FROM raceway.events e WHERE NOT EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = e.trace_id)"


def test_what_the_roll_ups_say_orphans_no_event(by_day):
    """Users may write what they like into their tables; the foreign key holds all the same, and traces stay whole."""
    fill(by_day, 96)
    for day in (1, 4):
        ingest(by_day, [documented_event(f"more-{day}-{n}", f"t-{n}", timestamp=f"2026-01-0{day}T20:00:00Z") for n in (1, 2, 3)])
    by_day.sql("UPDATE raceway.traces SET start_time = '2026-01-01', end_time = '2026-01-01 01:00' WHERE trace_id IN ('t-1', 't-96');"
               "UPDATE raceway.traces SET start_time = NULL, end_time = NULL WHERE trace_id = 't-2'")
    # Those two are old if their rows say so, and go as a whole, but not with a partition.
    assert cleanup(by_day, "2026-01-02") == ["23", "71"]
    assert traces_left(by_day) == [2, 3, *range(25, 96)]
    of_trace = by_day.rows("SELECT trace_id, count(*) FROM raceway.events WHERE trace_id IN ('t-2', 't-3') GROUP BY 1")
    assert {row["trace_id"]: row["count"] for row in of_trace} == {"t-2": 5, "t-3": 5}
    assert by_day.value(ORPHANS) == 0
    assert_sound(by_day)


@pytest.mark.parametrize("locked", [False, True])
def test_called_by_hand_it_orphans_no_event(by_day, locked):
    fill(by_day, 96, events=1)
    ingest(by_day, [documented_event(f"more-{n}", f"t-{n}", timestamp="2026-01-03T12:00:00Z") for n in (1, 2)])
    lock = "LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE" if locked else "SELECT"
    call = "SELECT traces FROM raceway.drop_with_traces('{%s}', '%s')"
    with Session(by_day) as session:
        for partition, ends in [("raceway.traces", "2026-01-02"), ("raceway.events", "2026-01-02"),
                                ("raceway.events_2026_01_01", "2026-01-09")]:
            session.run(f"BEGIN; {lock}")
            try:
                session.run(call % (partition, ends))
                session.run("COMMIT")
            except DatabaseError as error:
                assert error.pgcode in ("42809", "42P01", "55P03")
                session.run("ROLLBACK")
            assert by_day.value(ORPHANS) == 0
    if locked:
        assert traces_left(by_day) == [1, 2, *range(25, 97)], "those that have events elsewhere stay"


def test_only_the_owner_drops_partitions(by_day):
    fill(by_day, 3)
    by_day.sql("GRANT USAGE ON SCHEMA raceway TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA raceway TO PUBLIC")
    by_day.sql("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN", "postgres")
    for call in ("SELECT raceway.drop_partitions('2026-01-05')",
                 "SELECT raceway.drop_with_traces('{raceway.events_2026_01_01}', '2026-01-02')"):
        with pytest.raises(SqlError, match="42501|55P03"):
            by_day.sql(call, "stranger")
    assert traces_left(by_day) == [1, 2, 3]
    by_day.sql("DROP ROLE stranger", "postgres")


def test_killed_at_any_moment_it_leaves_whole_traces(by_day):
    chance = chance_of("kill partition cleanup")
    for _ in range(times(6)):
        by_day.sql("SELECT raceway.make_partitions('2026-01-01', '2026-01-10')")
        fill(by_day, 240, name="k")
        call = Call(by_day, f"CALL cleanup(older_than => {OLD} '2026-01-11')")
        time.sleep(chance.random() * 0.12)
        call.terminate()
        assert_whole(by_day)
        cleanup(by_day, "2026-01-11")
        assert traces_left(by_day, "k") == [] and by_day.value("SELECT count(*) FROM raceway.events") == 0


def test_maintenance_makes_partitions_ahead_and_on_demand(by_day):
    fill(by_day, 500, events=3, name="far", first="2030-01-01", apart="1 minute")
    fill(by_day, 500, events=3, name="gone", first="2020-01-01", apart="1 minute")
    by_day.sql("CALL raceway.maintain(partitions_ahead => 20)")
    assert by_day.value("SELECT max(upper_bound) > now() + interval '19 days' FROM raceway.event_partitions()")
    assert by_day.value("SELECT count(*) FROM raceway.events_2030_01_01") == 1500
    # What is older than all partitions may be what cleanup kept of traces that go on.
    assert by_day.value("SELECT count(*) FROM raceway.events_default") == 1500
    assert_whole(by_day)

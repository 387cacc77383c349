"""Retention by rows: whole traces go, oldest first, in small commits, whoever else is at work."""

import time

import pytest

from support.aging import Call, fill, last_runs, traces_left
from support.chance import chance_of, times
from support.cluster import SqlError
from support.contention import Books, Pool, contenders, running
from support.server import run_raceway
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.ways import assert_sound, assert_whole, ingest

OLD = "(clock_timestamp() AT TIME ZONE 'UTC') - timestamp"


def removed(database, arguments):
    """What a cleanup answers: (traces, events)."""
    traces, events, _ = database.sql(f"CALL raceway.cleanup({arguments})").split("|")
    return int(traces), int(events)


def test_traces_older_than_an_age_go(migrated):
    fill(migrated, 10)
    assert removed(migrated, f"older_than => {OLD} '2026-01-01 04:00'") == (4, 12)
    assert traces_left(migrated) == [5, 6, 7, 8, 9, 10]
    assert migrated.value("SELECT count(*) FROM raceway.events") == 18
    assert removed(migrated, f"older_than => {OLD} '2026-01-01 04:00'") == (0, 0)


def test_the_newest_stay_up_to_a_number(migrated):
    fill(migrated, 10)
    assert removed(migrated, "max_traces => 12") == (0, 0)
    assert removed(migrated, "max_traces => 4") == (6, 18)
    assert traces_left(migrated) == [7, 8, 9, 10]
    assert removed(migrated, "max_traces => 0") == (4, 12)
    assert migrated.value("SELECT count(*) FROM raceway.events") == 0


def test_the_newest_stay_up_to_a_number_of_bytes(migrated):
    fill(migrated, 100, events=10)
    migrated.sql("ANALYZE")
    size = migrated.value("SELECT 100 * trace + 1000 * event FROM raceway.row_bytes()")
    assert removed(migrated, f"max_bytes => {int(size * 1.01)}") == (0, 0)
    traces, events = removed(migrated, f"max_bytes => {int(size / 2)}")
    assert events == 10 * traces and 49 <= traces <= 51
    assert traces_left(migrated) == list(range(traces + 1, 101))


def test_the_estimate_of_bytes_is_near_what_the_tables_take(migrated):
    """Of tables without free space: what a sample says, and what the files say."""
    fill(migrated, 2000, events=10)
    migrated.sql("VACUUM FULL ANALYZE")
    estimated = migrated.value("SELECT 2000 * trace + 20000 * event FROM raceway.row_bytes()")
    taken = migrated.value("SELECT pg_total_relation_size('raceway.events') + pg_total_relation_size('raceway.traces')")
    assert 0.75 < estimated / taken < 1.35


def test_age_by_the_last_event_spares_who_still_grows(migrated):
    fill(migrated, 3)
    ingest(migrated, documented_event("late", "t-1", timestamp="2026-06-01T00:00:00Z"))
    assert removed(migrated, f"older_than => {OLD} '2026-03-01', by => 'end_time'") == (2, 6)
    assert traces_left(migrated) == [1]
    assert removed(migrated, f"older_than => {OLD} '2026-03-01'") == (1, 4)


def test_rules_together_remove_what_either_would(migrated):
    fill(migrated, 10)
    assert removed(migrated, f"older_than => {OLD} '2026-01-01 02:00', max_traces => 5") == (5, 15)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(migrated):
    fill(migrated, 10)
    assert removed(migrated, "max_traces => 4, dry_run => true") == (6, 18)
    assert traces_left(migrated) == list(range(1, 11))
    assert last_runs(migrated)[0]["outcome"] == "dry run"


def test_each_run_is_noted_and_their_notes_are_bounded(migrated):
    fill(migrated, 10)
    migrated.sql("CALL raceway.cleanup(max_traces => 4)")
    run, = last_runs(migrated)
    assert (run["run_by"], run["rule"], run["outcome"]) == ("raceway", "max_traces 4, by created_at", "done")
    assert (run["traces"], run["events"]) == (6, 18) and run["bytes"] > 0 and run["duration"]
    migrated.sql("SELECT raceway.begin_cleanup_run('again') FROM generate_series(1, 1500)")
    assert migrated.value("SELECT count(*) FROM raceway.cleanup_runs") == 1000


@pytest.mark.parametrize("arguments, state", [
    ("", "22023"), ("older_than => '-1 day'", "22023"), ("max_traces => -1", "22023"), ("max_bytes => -1", "22023"),
    ("max_traces => 1, batch_size => 0", "22023"), ("max_traces => 1, batch_size => NULL", "22023"),
    ("max_traces => 1, by => 'name'", "22023"),
])
def test_a_wrong_rule_is_refused_and_removes_nothing(migrated, arguments, state):
    fill(migrated, 2)
    with pytest.raises(SqlError, match=state):
        migrated.sql(f"CALL raceway.cleanup({arguments})")
    assert traces_left(migrated) == [1, 2] and last_runs(migrated) == []


def test_inside_a_transaction_it_is_refused(migrated):
    with pytest.raises(SqlError, match="2D000"):
        migrated.sql("BEGIN; CALL raceway.cleanup(max_traces => 1)")


def test_the_documented_statements_work_as_they_are(migrated):
    fill(migrated, 3)
    fill(migrated, 1, name="new", first="2126-01-01")
    migrated.sql("SET search_path = raceway; DELETE FROM traces WHERE created_at < NOW() - INTERVAL '30 days';"
                 "VACUUM ANALYZE traces")
    assert migrated.value("SELECT count(*) FROM raceway.events") == 3
    with pytest.raises(SqlError, match="42P17"):  # an index cannot be by the time at which it is asked
        migrated.sql("CREATE INDEX ON raceway.traces (created_at) WHERE created_at > NOW() - INTERVAL '7 days'")


def test_several_sessions_share_the_work(migrated):
    fill(migrated, 600, events=5)
    calls = [Call(migrated, "CALL cleanup(max_traces => 100, batch_size => 20)") for _ in range(4)]
    for call in calls:
        call.end()
    assert traces_left(migrated) == list(range(501, 601))
    runs = last_runs(migrated, 4)
    assert {run["outcome"] for run in runs} == {"done"}
    assert sum(run["traces"] for run in runs) == 500 and sum(run["events"] for run in runs) == 2500
    assert_whole(migrated)


def test_whom_somebody_holds_is_left_and_nobody_is_waited_for(migrated):
    fill(migrated, 10)
    with migrated.held("UPDATE raceway.traces SET event_count = event_count WHERE trace_id = 't-2'"):
        assert removed(migrated, "max_traces => 5") == (4, 12)
    assert traces_left(migrated) == [2, 6, 7, 8, 9, 10]
    assert removed(migrated, "max_traces => 5") == (1, 3)


def test_ingest_goes_on_and_every_trace_stays_whole(migrated):
    """Traces are removed and come again while many write to them, by every way."""
    chance, pool, books = chance_of("cleanup and ingest"), Pool("p", traces=120), Books()
    writers = contenders(migrated, pool, books, chance, ["single", "single", "savepoints"], 4)
    migrated.sql(f"ALTER DATABASE {migrated.name} SET deadlock_timeout = '30ms'", "postgres")
    with running(writers):
        deadline, gone = time.monotonic() + times(2), 0
        # What the writers hold stays, so how many go in which time is the machine's affair.
        while time.monotonic() < deadline or (gone <= 10 and time.monotonic() < deadline + 60):
            gone += removed(migrated, f"max_traces => {chance.randrange(90)}, batch_size => {chance.choice([1, 7, 1000])}")[0]
    assert last_runs(migrated)[0]["outcome"] == "done" and gone > 10
    assert_whole(migrated)
    assert migrated.cluster.complaints() == []


def test_killed_at_any_moment_it_leaves_whole_traces_and_is_called_again(migrated):
    chance = chance_of("kill cleanup")
    for turn in range(times(8)):
        fill(migrated, 300, events=4, name=f"k{turn}")
        call = Call(migrated, "CALL cleanup(max_traces => 0, batch_size => 1)")
        time.sleep(chance.random() * 0.15)
        call.terminate()
        assert migrated.value("SELECT count(*) FROM raceway.traces t WHERE event_count <> "
                              "(SELECT count(*) FROM raceway.events e WHERE e.trace_id = t.trace_id)") == 0
    removed(migrated, "max_traces => 0")
    assert migrated.value("SELECT count(*) FROM raceway.traces") == migrated.value("SELECT count(*) FROM raceway.events") == 0
    outcomes = {row["outcome"] for row in migrated.rows("SELECT DISTINCT outcome FROM raceway.cleanup_runs")}
    assert "interrupted" in outcomes and outcomes <= {"interrupted", "done"}
    assert_sound(migrated)


def test_who_may_not_delete_is_told(migrated):
    fill(migrated, 2)
    migrated.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN", "postgres")
    migrated.sql("GRANT USAGE ON SCHEMA raceway TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA raceway TO reader")
    with Session(migrated, "reader") as session, pytest.raises(DatabaseError) as raised:
        session.run("CALL cleanup(max_traces => 0)")
    assert raised.value.pgcode == "42501"
    assert traces_left(migrated) == [1, 2]
    migrated.sql("DROP OWNED BY reader; DROP ROLE reader", "postgres")


def test_the_command_says_what_it_removes(migrated):
    fill(migrated, 10)
    environment = {"RACEWAY_STORAGE_BACKEND": "postgres",
                   "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": migrated.connection_string()}
    done = run_raceway("cleanup", "--max-traces", "4", "--dry-run", environment=environment)
    assert (done.returncode, done.stdout) == (0, "would remove 6 traces, 18 events\n")
    done = run_raceway("cleanup", "--older-than", "1 day", "--max-traces", "4", environment=environment)
    assert (done.returncode, done.stdout) == (0, "removed 10 traces, 30 events\n")
    assert "NOTICE:  cleanup: removed 10 traces with 30 events, about" in done.stderr
    done = run_raceway("cleanup", "--older-than", "a while", environment=environment)
    assert done.returncode == 1 and 'invalid input syntax for type interval: "a while"' in done.stderr
    done = run_raceway("cleanup", environment=environment)
    assert done.returncode == 1 and "cleanup has no rule" in done.stderr and "Say what may go" in done.stderr
    done = run_raceway("cleanup", "--max-traces", "1")
    assert done.returncode == 1 and 'backend is "memory"' in done.stderr


def test_new_tables_are_laid_out_as_the_command_says(database):
    environment = {"RACEWAY_STORAGE_BACKEND": "postgres",
                   "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": database.connection_string()}
    assert run_raceway("migrate", "--partition-by", "week", environment=environment).returncode == 0
    assert database.value("SELECT partition_by FROM raceway.layout") == "week"
    done = run_raceway("migrate", "--partition-by", "hour", environment=environment)
    assert done.returncode == 1 and "Choose none, day, week or month" in done.stderr

"""A standby that replays what is written below the executor, is read meanwhile, and takes over."""

import json
import random

import pytest

from support.aging import fill, traces_left
from support.chance import chance_of, times
from support.cluster import PostgresCluster
from support.contention import Books, Pool, assert_kept, contenders, lasting, rows_there, run_for, running
from support.maintenance import Maintenance
from support.reader import Reader
from support.replicas import PRIMARY_SETTINGS, Standby
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.wait import wait_until
from support.ways import BTREES, UNSOUND_HEAPS, assert_whole, install_checkers, table_rows

ACTS = ["single"] * 6 + ["rolled_back", "twice", "savepoints"]
# Nothing that drops an index concurrently: of that a query on a standby is not warned, and may not find it any more.
CHANGES = ["VACUUM (INDEX_CLEANUP ON) events", "VACUUM FREEZE traces", "VACUUM FREEZE events", "CHECKPOINT",
           "REINDEX INDEX idx_events_trace_id", "REINDEX INDEX events_pkey",
           "CREATE INDEX CONCURRENTLY spare_kind ON events (kind)", "DROP INDEX IF EXISTS spare_kind"]


@pytest.fixture(scope="module")
def checked_primary():
    """Each of its records carries the pages as they are to be, for the standby to compare."""
    settings = {**PRIMARY_SETTINGS, "wal_consistency_checking": "all", "wal_compression": "on",
                "deadlock_timeout": "30ms", "autovacuum": "off"}
    with PostgresCluster("checked-primary", settings) as running_cluster:
        yield running_cluster


def assert_sound_standby(database):
    """What can be checked while it is only read."""
    def ask(query):
        return database.sql(f"SET search_path = public, pg_catalog; {query}", "postgres")

    ask(f"SELECT count(bt_index_check(indexrelid, true)) FROM ({BTREES}) b")
    assert ask(UNSOUND_HEAPS) == ""


def lags(database):
    """What the view says, by kind."""
    rows = database.rows("SELECT *, extract(epoch FROM replay_lag) AS replay_seconds FROM raceway.replication_lag", "postgres")
    assert len({row["kind"] for row in rows}) == len(rows), rows
    return {row["kind"]: row for row in rows}


def assert_lag_is_shown(database, copy, standby):
    """On both sides, with the standby in step and behind, and beside it a slot that nobody reads."""
    database.sql("SELECT pg_create_physical_replication_slot('left_behind', true)", "postgres")
    try:
        wait_until(lambda: lags(copy)["this server"]["lag_bytes"] == 0, 30, "the standby shows that it is in step")
        before = lags(database)
        assert set(before) == {"standby", "slot"} and set(lags(copy)) == {"this server"}
        assert before["standby"]["state"] == "streaming"
        assert (before["slot"]["name"], before["slot"]["state"]) == ("left_behind", "inactive")

        standby.sql("SELECT pg_wal_replay_pause()")
        megabyte = 1 << 20
        database.sql(f"SELECT pg_logical_emit_message(true, 'lag', repeat('x', {megabyte}))", "postgres")
        wait_until(lambda: lags(copy)["this server"]["lag_bytes"] >= megabyte, 30, "the standby shows that it is behind")
        wait_until(lambda: lags(database)["standby"]["lag_bytes"] >= megabyte, 30, "the primary shows it, too")
        assert lags(copy)["this server"]["replay_seconds"] > 0
        assert lags(database)["slot"]["lag_bytes"] >= before["slot"]["lag_bytes"] + megabyte

        standby.sql("SELECT pg_wal_replay_resume()")
        standby.catch_up()
        wait_until(lambda: lags(database)["standby"]["lag_bytes"] < megabyte, 30, "the primary shows that it has caught up")
        assert lags(copy)["this server"]["lag_bytes"] < megabyte
    finally:
        database.sql("SELECT pg_drop_replication_slot('left_behind')", "postgres")


def test_a_standby_comes_out_page_for_page_as_its_primary_and_takes_over(checked_primary):
    database = checked_primary.create_database(migrated=True)
    install_checkers(database)
    chance, pool, books = chance_of("standby"), Pool("s"), Books()
    # Where the primary knows nothing of the standby's queries, some are cancelled, and none may miss a row instead.
    feedback = chance.choice(["on", "off"])
    with Standby(checked_primary, settings={"hot_standby_feedback": feedback}) as standby:
        copy = standby.database(database)
        maintenance = Maintenance(database, chance, CHANGES, "postgres")
        readers = [Reader(copy, pool, random.Random(chance.random())) for _ in range(2)]
        run_for([*contenders(database, pool, books, chance, [*ACTS, "delete"], 3), maintenance, *readers], times(1.5),
                until=lambda: all(reader.turns for reader in readers) and maintenance.done and books.ways["direct"])
        assert all(reader.turns for reader in readers) and maintenance.done and books.ways["direct"]

        standby.catch_up()
        assert table_rows(copy) == table_rows(database)
        assert_sound_standby(copy)
        assert_lag_is_shown(database, copy, standby)
        with pytest.raises(DatabaseError, match="read-only"), Session(copy) as session:
            session.ingest([json.dumps(documented_event()).encode()], "direct")
        standby.assert_consistent()

        with running(contenders(database, pool, books, chance, [*ACTS, "delete"], 3, keeps_journal=True)):
            run_for([], times(0.5))
            followed_to = standby.promote()
        there = rows_there(copy)
        promises = lasting(pool, books.standing_at(followed_to))
        assert promises - there == set(), "what the standby had was promised, and it lost it"
        assert there - books.standing == set()
        assert_whole(copy)
        own, own_pool = Books(), Pool("own")
        run_for(contenders(copy, own_pool, own, chance, ACTS, 2), 0.4, until=lambda: own.ways["direct"])
        assert rows_there(copy) == there | own.standing
        assert_whole(copy)
        assert own.ways["direct"]
        assert standby.complaints() == []
    assert_kept(database, books, pool)
    assert_whole(database)
    assert checked_primary.complaints() == []


def test_a_standby_is_cleaned_up_by_its_primary_only(checked_primary):
    database = checked_primary.create_database()
    database.sql("CREATE EXTENSION raceway; SELECT raceway.migrate(partition_by => 'day');"
                 "SELECT raceway.make_partitions('2026-01-01', '2026-01-04')")
    fill(database, 72)
    with Standby(checked_primary, "cleaned-standby") as standby:
        copy = standby.database(database)
        standby.catch_up()
        copy.sql("CALL raceway.cleanup(max_traces => 0); CALL raceway.maintain()")
        assert traces_left(copy) == list(range(1, 73))
        age = "(clock_timestamp() AT TIME ZONE 'UTC') - timestamp '2026-01-02 12:00'"
        database.sql(f"CALL raceway.cleanup(older_than => {age})")
        standby.catch_up()
        assert traces_left(copy) == list(range(25, 73))
        assert copy.value("SELECT to_regclass('raceway.events_2026_01_01') IS NULL")
        standby.assert_consistent()
    database.drop()

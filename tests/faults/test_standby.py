"""A standby that replays what is written below the executor, is read meanwhile, and takes over."""

import json
import random

import pytest

from support.chance import chance_of, times
from support.checks import INEXACT_TRACES
from support.cluster import PostgresCluster
from support.contention import Books, Loop, Pool, assert_kept, contenders, rows_there, run_for, running
from support.maintenance import Maintenance
from support.replicas import PRIMARY_SETTINGS, Standby
from support.sessions import DEADLOCK, DatabaseError, Session
from support.traffic import documented_event
from support.ways import BTREES, UNSOUND_HEAPS, assert_whole, install_checkers, table_rows

ACTS = ["single"] * 6 + ["rolled_back", "twice", "savepoints"]
RECOVERY_CONFLICT = "40001"
# Nothing that drops an index concurrently: of that a query on a standby is not warned, and may not find it any more.
CHANGES = ["VACUUM (INDEX_CLEANUP ON) events", "VACUUM FREEZE traces", "VACUUM FREEZE events", "CHECKPOINT",
           "REINDEX INDEX idx_events_trace_id", "REINDEX INDEX events_pkey",
           "CREATE INDEX CONCURRENTLY spare_kind ON events (kind)", "DROP INDEX IF EXISTS spare_kind"]

# The same question by an index and by reading everything.
BY_INDEX = "SET LOCAL enable_seqscan = off"
BY_ROWS = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
QUESTIONS = [
    "SELECT trace_id, count(*) FROM events WHERE trace_id = '{trace_id}' GROUP BY 1",
    "SELECT event_id FROM events WHERE event_id = '{event_id}'",
    "SELECT event_id FROM events WHERE event_id > '{event_id}' ORDER BY event_id LIMIT 20",
    "SELECT timestamp, count(*) FROM events WHERE timestamp > '2000-01-01' GROUP BY 1 ORDER BY 1",
    "SELECT trace_id, event_count FROM traces WHERE trace_id = '{trace_id}'",
]


@pytest.fixture(scope="module")
def checked_primary():
    """Each of its records carries the pages as they are to be, for the standby to compare."""
    settings = {**PRIMARY_SETTINGS, "wal_consistency_checking": "all", "deadlock_timeout": "30ms", "autovacuum": "off"}
    with PostgresCluster("checked-primary", settings) as running_cluster:
        yield running_cluster


class Reader(Loop):
    """Asks a standby the same by index and without, in one snapshot; the answers agree, and the roll-ups are exact."""

    def __init__(self, database, pool, chance):
        super().__init__(self._ask, 0.01)
        self._session = Session(database, "postgres")
        self._pool = pool
        self._chance = chance

    def _ask(self):
        events = self._pool.batch(self._chance, "reader", 1)
        question = self._chance.choice(QUESTIONS).format(**events[0])
        try:
            with self._session.transaction():
                self._session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                by_index = self._session.run(f"{BY_INDEX}; {question}")
                assert self._session.run(f"{BY_ROWS}; {question}") == by_index, question
                assert self._session.run(INEXACT_TRACES) == []
        except DatabaseError as error:
            if error.pgcode not in (RECOVERY_CONFLICT, DEADLOCK):
                raise


def assert_sound_standby(database):
    """What can be checked while it is only read."""
    def ask(query):
        return database.sql(f"SET search_path = public, pg_catalog; {query}", "postgres")

    ask(f"SELECT count(bt_index_check(indexrelid, true)) FROM ({BTREES}) b")
    assert ask(UNSOUND_HEAPS) == ""


def test_a_standby_comes_out_page_for_page_as_its_primary_and_takes_over(checked_primary):
    database = checked_primary.create_database(migrated=True)
    install_checkers(database)
    chance, pool, books = chance_of("standby"), Pool("s"), Books()
    with Standby(checked_primary) as standby:
        copy = standby.database(database)
        maintenance = Maintenance(database, chance, CHANGES, "postgres")
        readers = [Reader(copy, pool, random.Random(chance.random())) for _ in range(2)]
        run_for([*contenders(database, pool, books, chance, ACTS, 3), maintenance, *readers], times(2.5))
        assert all(reader.turns for reader in readers) and maintenance.done and books.ways["direct"]

        standby.catch_up()
        assert table_rows(copy) == table_rows(database)
        assert_sound_standby(copy)
        with pytest.raises(DatabaseError, match="read-only"), Session(copy) as session:
            session.ingest([json.dumps(documented_event()).encode()], "direct")
        standby.assert_consistent()

        with running(contenders(database, pool, books, chance, ACTS, 3, keeps_journal=True)):
            run_for([], times(0.7))
            followed_to = standby.promote()
        there = rows_there(copy)
        assert books.standing_at(followed_to) - there == set(), "what the standby had was promised, and it lost it"
        assert there - books.standing == set()
        assert_whole(copy)
        own, own_pool = Books(), Pool("own")
        run_for(contenders(copy, own_pool, own, chance, ACTS, 2), 0.7)
        assert rows_there(copy) == there | own.standing
        assert_whole(copy)
        assert own.ways["direct"]
    assert_kept(database, books, pool)
    assert_whole(database)

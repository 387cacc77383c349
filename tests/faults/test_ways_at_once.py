"""Sessions that write the same events at the same time, each by another way, in whatever transactions."""

import itertools
import json
import time
from collections import Counter

from support.chance import chance_of, times
from support.contention import Books, Loop, Pool, assert_kept, contenders, run_for, running
from support.maintenance import Maintenance, drop_invalid_indexes
from support.reader import Reader
from support.sessions import Session
from support.traffic import documented_event
from support.ways import assert_sound, assert_whole

WRITING = ["single"] * 4 + ["rolled_back", "twice", "savepoints"]
ALL_ACTS = WRITING * 2 + ["plain_insert"] * 2 + ["delete"] * 2 + ["touch"]


def contend(database, acts, seconds, others=lambda writers, pool: [], sessions=6):
    """Lets `sessions` contenders do their acts; the books."""
    database.sql(f"ALTER DATABASE {database.name} SET deadlock_timeout = '30ms'", "postgres")
    chance = chance_of(f"contend {acts}")
    pool, books = Pool("p"), Books()
    writers = contenders(database, pool, books, chance, acts, sessions)
    run_for([*writers, *others(writers, pool)], times(seconds))
    for writer in writers:
        writer.session.close()
    with Session(database) as session:
        drop_invalid_indexes(session)
    print(dict(books.ways), dict(books.ends), books.stored, "stored", books.deleted, "deleted")
    assert_kept(database, books, pool)
    assert_sound(database)
    assert database.cluster.complaints() == []
    return books


def test_overlapping_batches_in_whatever_transactions(migrated):
    """While somebody reads: at every moment an index says what the rows say, and the roll-ups are exact."""
    books = contend(migrated, WRITING, 1.5, lambda _, pool: [Reader(migrated, pool, chance_of("reader"))])
    assert set(books.ways) == {"direct", "checking", "spi"}
    assert books.ends["COMMIT"] and books.ends["ROLLBACK"]


def test_batches_one_to_a_transaction_never_deadlock(migrated):
    books = contend(migrated, ["single", "single", "rolled_back"], 1.2)
    assert set(books.ends) == {"COMMIT", "ROLLBACK"}


def test_while_others_insert_delete_and_rebuild(migrated):
    books = contend(migrated, ALL_ACTS, 2.5, lambda *_: [Maintenance(migrated, chance_of("maintenance"))])
    assert set(books.ways) == {"direct", "checking", "spi"} and books.deleted


def test_while_statements_are_cancelled_in_their_middle(migrated):
    def cancel_them(writers, _):
        killer = Session(migrated)
        chance = chance_of("cancel")
        return [Loop(lambda: killer.run("SELECT pg_cancel_backend(%s)", chance.choice(writers).session.pid), 0.004)]

    books = contend(migrated, WRITING + ["delete"], 1.5, cancel_them)
    assert books.ends["57014"] and books.ends["COMMIT"]


def test_while_sessions_are_terminated(migrated):
    chance, pool, books = chance_of("terminated"), Pool("x"), Books()
    with Session(migrated, "postgres") as administrator:
        for _ in range(times(1)):
            writers = contenders(migrated, pool, books, chance, WRITING, 6, may_be_lost=True)
            with running(writers):
                for writer in writers:
                    time.sleep(chance.uniform(0.02, 0.15))
                    administrator.run("SELECT pg_terminate_backend(%s)", writer.session.pid)
    assert books.ends["unknown"] and books.ends["COMMIT"]
    assert_kept(migrated, books, pool)
    assert_sound(migrated)
    assert migrated.cluster.complaints() == []


def test_while_what_is_known_of_the_tables_is_outdated_all_the_time(migrated):
    """Others change options of the tables and indexes: nothing of note, but every session must forget what it knows."""
    options = [f"ALTER {what} SET (fillfactor = 90)" for what in
               ("INDEX events_pkey", "INDEX idx_events_trace_id", "INDEX idx_events_timestamp", "INDEX traces_pkey",
                "INDEX idx_traces_service", "TABLE events", "TABLE traces")]
    ways = Counter()

    def writer(name):
        session, number = Session(migrated), itertools.count()

        def write():
            event = documented_event(f"{name}-{next(number)}", name)
            answer, = session.ingest([json.dumps(event).encode()], "direct")
            assert answer["stored"] == 1
            ways[answer["ingest_way"]] += 1

        return Loop(write)

    changes = [Maintenance(migrated, chance_of(f"options {number}"), options) for number in range(2)]
    run_for([writer("a"), writer("b"), *changes], times(1.0))
    assert set(ways) == {"direct"}
    assert_whole(migrated)

"""PostgreSQL that dies while rows are written below the executor: recovery brings back all that was promised, whole."""

import json
import re
import subprocess

import pytest

from support.chance import chance_of, times
from support.cluster import PostgresCluster, become_postgres, binary
from support.contention import Books, Contender, Pool, assert_kept, contenders, lasting, rows_there, run_for, running
from support.crashes import CRASHES
from support.maintenance import Maintenance
from support.replicas import PRIMARY_SETTINGS, Backup, Recovered, as_lsn, as_number
from support.sessions import DatabaseError, Session
from support.ways import WAYS, assert_sound, assert_whole
from support.wait import wait_until

ACTS = ["single"] * 4 + ["rolled_back", "twice", "savepoints"]
# A cache of few pages and a log of few segments: pages are written out and checkpoints end all the time.
CRASHING = {
    "full_page_writes": "on", "shared_buffers": "2MB", "max_wal_size": "4MB", "min_wal_size": "2MB",
    "wal_level": "minimal", "max_wal_senders": 0, "max_prepared_transactions": 4, "deadlock_timeout": "30ms",
    "autovacuum_naptime": "1s", "autovacuum_vacuum_threshold": 500,
}
SMALL_SEGMENTS = ("--wal-segsize=1", "--data-checksums")


@pytest.fixture(scope="module")
def crashing():
    with PostgresCluster("crash-recovery", CRASHING, initdb=SMALL_SEGMENTS) as running_cluster:
        yield running_cluster


def growing(first, count):
    """Small events, with ids and traces that grow."""
    return [{"event_id": f"{number:012d}", "trace_id": f"{number:012d}", "kind": "Log",
             "timestamp": "2026-01-01T00:00:00Z"} for number in range(first, first + count)]


@pytest.mark.parametrize("crash", CRASHES)
def test_what_was_promised_is_there_and_whole_after(crashing, crash):
    database = crashing.create_database(migrated=True)
    chance, pool, books = chance_of(crash), Pool("k"), Books()
    for _ in range(times(1)):
        with Session(database, "postgres") as checkpointer:
            writers = contenders(database, pool, books, chance, ACTS, may_be_lost=True)
            for writer in writers:
                writer.start()
            goal = books.stored + chance.randint(1000, 4000)
            while books.stored < goal and all(writer.is_alive() for writer in writers):
                checkpointer.run("CHECKPOINT")
            CRASHES[crash](crashing, writers[0].session.pid)
            for writer in writers:
                writer.join(timeout=60)
                assert writer.failure is None, repr(writer.failure)
        assert_kept(database, books, pool)
        assert_sound(database)
    assert books.ends["unknown"] and books.ways["direct"]
    assert crashing.complaints() == []


def test_tables_that_are_not_logged_are_empty_and_whole_after_a_crash(crashing):
    database = crashing.create_database(migrated=True)
    database.sql("ALTER TABLE events SET UNLOGGED; ALTER TABLE traces SET UNLOGGED")
    body = json.dumps(growing(0, 2000)).encode()
    for _ in range(2):
        with Session(database) as session:
            answer, = session.ingest([body], "direct")
            assert (answer["stored"], answer["ingest_way"]) == (2000, "direct")
            assert_whole(database)
        crashing.kill()
        crashing.start()
        assert database.value("SELECT count(*) FROM events") == 0
        assert_whole(database)


def test_tables_that_are_made_in_the_same_transaction_need_no_log_and_outlive_a_crash(crashing):
    """Under wal_level = minimal their files are written before the commit instead."""
    made = crashing.create_database()
    emptied = crashing.create_database(migrated=True)
    body = json.dumps(growing(0, 3000)).encode()
    for database, statements in ((made, "CREATE EXTENSION raceway; SELECT raceway.migrate()"),
                                 (emptied, "TRUNCATE traces, events")):
        with Session(database) as session, session.transaction():
            session.run(statements)
            answer, = session.ingest([body], "direct")
            assert (answer["stored"], answer["ingest_way"]) == (3000, "direct")
    crashing.kill()
    crashing.start()
    for database in (made, emptied):
        assert database.value("SELECT count(*) FROM events") == 3000
        with Session(database) as session:
            session.ingest([json.dumps(growing(1500, 3000)).encode()], "direct")
        assert_whole(database)
    assert crashing.complaints() == []


def test_prepared_transactions_outlive_a_crash(crashing):
    database = crashing.create_database(migrated=True)
    books, pools = Books(), {end: Pool(end) for end in ("COMMIT", "ROLLBACK")}
    writers = [Contender(database, pools[end], books, end, chance_of(end), ["single"]) for end in pools]
    pages = {}
    for writer, end in zip(writers, pools):
        writer.session.run("BEGIN")
        pages[end] = writer.offer(1500, "direct")
        writer.session.run(f"PREPARE TRANSACTION '{end}'")
    crashing.kill()
    crashing.start()
    with Session(database) as session:
        assert session.value("SELECT count(*) FROM events") == 0
        for end in pools:
            session.run(f"{end} PREPARED '{end}'")
    books.enter(pages["COMMIT"])
    assert_kept(database, books, pools["COMMIT"])
    assert_sound(database)


@pytest.fixture
def archived():
    settings = {**PRIMARY_SETTINGS, "deadlock_timeout": "30ms", "shared_buffers": "4MB", "autovacuum": "off"}
    with PostgresCluster("archived", settings, initdb=SMALL_SEGMENTS) as running_cluster:
        yield running_cluster


def places_of(cluster, begin, records):
    """The places from `begin` on of records of btrees whose description matches."""
    end = cluster.sql("SELECT pg_current_wal_flush_lsn()")
    said = subprocess.run([binary("pg_waldump"), "-p", str(cluster.data / "pg_wal"), "-r", "Btree", "-s", begin,
                           "-e", end], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"lsn: ([0-9A-F]+/[0-9A-F]+), prev \S+, desc: (?:{records})", said)


def test_a_crash_between_any_two_records_of_the_log_leaves_it_whole(archived):
    """The log is cut at places where a page has just been split or emptied and its parent does not know, and elsewhere.
    What comes out is whole, and takes the same events again."""
    database = archived.create_database(migrated=True)
    chance, pool, books = chance_of("cut"), Pool("r", shared=20_000), Books()
    writers = contenders(database, pool, books, chance, [*ACTS, "delete"], keeps_journal=True)
    maintenance = Maintenance(database, chance, ["VACUUM (INDEX_CLEANUP ON) events", "CHECKPOINT",
                                                 "VACUUM (INDEX_CLEANUP ON) traces",
                                                 "REINDEX INDEX idx_events_timestamp"], "postgres")
    with running([*writers, maintenance]):
        wait_until(lambda: books.stored > 3000, 60, "there is something to copy")
        backup = Backup(archived, archived.directory / "backup")
        begin = archived.sql("SELECT pg_current_wal_insert_lsn()")
        run_for([], times(1.0))
    end = archived.sql("SELECT pg_switch_wal()")
    assert_kept(database, books, pool)

    between = places_of(archived, begin, "SPLIT_[LR]|NEWROOT|MARK_PAGE_HALFDEAD")
    chosen = chance.sample(between, min(len(between), times(1)))
    chosen += [as_lsn(chance.randrange(as_number(begin), as_number(end))) for _ in range(times(1))]
    print(len(between), "places between two records that belong together; cut at", chosen)
    for lsn in chosen:
        with Recovered(backup, archived.data, lsn) as recovered:
            copy = recovered.database(database)
            there = rows_there(copy)
            promises = lasting(pool, books.standing_at(as_number(lsn)))
            assert promises - there == set(), f"a promise is broken at {lsn}"
            assert there - books.standing == set()
            assert_whole(copy)
            more = contenders(copy, pool, Books(), chance, ACTS, count=2)
            run_for(more, 0.3)
            rows_there(copy)
            assert_whole(copy)


def limit_files(session, size):
    """No file may grow beyond that size by this session: PostgreSQL sees EFBIG, much as on a full disk."""
    subprocess.run([*become_postgres(), "prlimit", f"--pid={session.pid}", f"--fsize={size}:"], check=True)


@pytest.mark.parametrize("relation", ["events", "events_pkey", "idx_events_trace_id", "traces_pkey"])
def test_a_file_that_cannot_grow_is_an_error_that_leaves_nothing(crashing, relation):
    """The batch fails in its middle, where the table or an index needs another page."""
    database = crashing.create_database(migrated=True)
    if relation != "events":  # to be larger than the table: pages that are left nearly empty
        database.sql(f"ALTER INDEX {relation} SET (fillfactor = 10)")
    with Session(database) as session:
        kept = 12_000 if relation == "events" else 5000
        session.ingest([json.dumps(growing(0, kept)).encode()], "spi")
        for way in WAYS:
            size = session.value(f"SELECT pg_relation_size('{relation}')")
            assert size > 2**20, "no larger than a segment of the log"
            body = json.dumps(growing(kept, 3000)).encode()
            limit_files(session, size + 8192 * 3)
            with pytest.raises(DatabaseError, match="could not (extend|write)"):
                session.ingest([body], way)
            assert session.value("SELECT count(*) FROM events") == kept
            limit_files(session, "unlimited")
            answer, = session.ingest([body], way)
            assert (answer["stored"], answer["ingest_way"]) == (3000, way)
            kept += 3000
        assert_whole(database)
    assert "PANIC" not in crashing.log_text()

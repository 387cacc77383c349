"""Who decodes the log gets every event once, whichever way it was written."""

import re
from collections import Counter

import pytest

from support.aging import OLD, fill
from support.chance import chance_of, times
from support.cluster import PostgresCluster
from support.contention import Books, Pool, assert_kept, contenders, run_for
from support.deck import Deck, Shape
from support.editions import create_database
from support.maintenance import Maintenance
from support.sessions import Session
from support.wait import wait_until
from support.ways import assert_sound, assert_whole, table_rows

WRITING = ["single"] * 4 + ["rolled_back", "twice", "savepoints"]
CHANGES = ["VACUUM events", "VACUUM FREEZE traces", "CREATE INDEX spare_kind ON events (kind)",
           "DROP INDEX IF EXISTS spare_kind", "REINDEX INDEX events_pkey", "CHECKPOINT"]


@pytest.fixture(scope="module")
def logical():
    """Long transactions are sent before they end: 64 kB are long."""
    settings = {"wal_level": "logical", "max_wal_senders": 10, "max_replication_slots": 10, "deadlock_timeout": "30ms",
                "logical_decoding_work_mem": "64kB", "autovacuum": "off", "wal_receiver_status_interval": "1s",
                "wal_retrieve_retry_interval": "100ms"}
    with PostgresCluster("logical", settings) as running_cluster:
        yield running_cluster


@pytest.fixture
def publisher(logical):
    created = logical.create_database(migrated=True)
    yield created
    created.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE database = current_database()", "postgres")
    created.drop()


class Subscriber:
    """A database of the same cluster that subscribes to another's tables."""

    def __init__(self, publisher, streaming):
        self._cluster = publisher.cluster
        self.database = self._cluster.create_database(migrated=True)
        self._slot = f"to_{self.database.name}"
        publisher.sql(f"CREATE PUBLICATION everything FOR TABLE raceway.events, raceway.traces;"
                      f"SELECT pg_create_logical_replication_slot('{self._slot}', 'pgoutput')", "postgres")
        self.database.sql(f"CREATE SUBSCRIPTION mine CONNECTION '{publisher.connection_string('postgres')}' PUBLICATION"
                          f" everything WITH (create_slot = false, slot_name = '{self._slot}', copy_data = false,"
                          f" streaming = {streaming})", "postgres")

    def catch_up(self):
        goal = self._cluster.sql("SELECT pg_current_wal_insert_lsn()")

        def is_there():
            self.assert_no_error()
            return self._cluster.sql(f"SELECT confirmed_flush_lsn >= '{goal}' FROM pg_replication_slots"
                                     f" WHERE slot_name = '{self._slot}'") == "t"

        wait_until(is_there, 60, f"the subscriber has everything (see {self._cluster.log})", every=0.1)

    def assert_no_error(self):
        """Of the worker that applies; it belongs to no user's session."""
        assert [line for line in self._cluster.log_text().splitlines() if "] @ ERROR:" in line] == []

    def close(self):
        self.database.sql("ALTER SUBSCRIPTION mine DISABLE; ALTER SUBSCRIPTION mine SET (slot_name = NONE);"
                          "DROP SUBSCRIPTION mine", "postgres")
        wait_until(lambda: self._cluster.sql("SELECT active FROM pg_replication_slots"
                                             f" WHERE slot_name = '{self._slot}'") == "f", 30, "the slot is left")
        self.database.drop()


@pytest.mark.parametrize("streaming", ["off", "on"])
def test_a_subscriber_has_every_row_once_in_the_end(publisher, streaming):
    chance, pool, books = chance_of(f"subscriber {streaming}"), Pool("l"), Books()
    subscriber = Subscriber(publisher, streaming)
    try:
        acts = WRITING * 2 + ["plain_insert", "delete", "delete", "touch"]
        maintenance = Maintenance(publisher, chance, CHANGES, "postgres")
        run_for([*contenders(publisher, pool, books, chance, acts), maintenance], times(1.0))
        assert {"direct", "checking"} <= set(books.ways)
        subscriber.catch_up()
        assert table_rows(subscriber.database) == table_rows(publisher)
        assert_sound(subscriber.database)
    finally:
        subscriber.close()
    assert_kept(publisher, books, pool)
    assert_sound(publisher)


def test_large_and_repeated_events_come_through(publisher):
    """One session, so that what is written directly is what is decoded: large values in the midst of small ones."""
    deck = Deck(chance_of("decoded"), "d", Shape(traces=5, large=0.3, huge=0.05))
    subscriber = Subscriber(publisher, "on")
    try:
        with Session(publisher) as session:
            for _ in range(times(12)):
                hand = deck.hand(60)
                answer, = session.ingest([deck.body(hand)], "direct")
                assert (answer["stored"], answer["duplicates"]) == deck.answer(hand)[:2]
        subscriber.catch_up()
        assert table_rows(subscriber.database) == table_rows(publisher)
    finally:
        subscriber.close()
    assert_whole(publisher)


def test_the_stream_of_changes_has_one_insert_for_each_event_and_no_delete(publisher):
    publisher.sql("SELECT pg_create_logical_replication_slot('changes', 'test_decoding')", "postgres")
    chance, pool, books = chance_of("decoding"), Pool("l"), Books()
    run_for(contenders(publisher, pool, books, chance, WRITING), times(0.7))
    changes = publisher.sql("SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL)", "postgres")
    inserted = Counter(re.findall(r"^table raceway\.events: INSERT: event_id\[[a-z ]+\]:'(\S+?)' ", changes, re.M))
    assert set(inserted) == {event_id for event_id, _ in books.standing} and set(inserted.values()) == {1}
    assert set(re.findall(r"^table raceway\.events: (\w+):", changes, re.M)) == {"INSERT"}
    assert set(re.findall(r"^table raceway\.traces: (\w+):", changes, re.M)) == {"INSERT", "UPDATE"}
    assert_kept(publisher, books, pool)


@pytest.mark.parametrize("partition_by, before", [("none", "2026-01-02 23:30"), ("day", "2026-01-03")])
def test_what_cleanup_removes_is_in_the_stream_of_changes(logical, partition_by, before):
    """But for the events that go with a whole partition: nobody deletes those."""
    database = create_database(logical, "extension", f"raceway.migrate(partition_by => '{partition_by}')")
    try:
        if partition_by == "day":
            database.sql("SELECT raceway.make_partitions('2026-01-01', '2026-01-03')")
        fill(database, 72, events=2)
        database.sql("SELECT pg_create_logical_replication_slot('removals', 'test_decoding')", "postgres")
        database.sql(f"CALL raceway.cleanup(older_than => {OLD} '{before}')")
        # Decoded is what is on the disk, and cleanup's commits do not wait for it: this one does.
        database.sql("SELECT pg_logical_emit_message(true, 'after', '')", "postgres")
        changes = database.sql("SELECT data FROM pg_logical_slot_get_changes('removals', NULL, NULL)", "postgres")
        removed = Counter(re.findall(r"^table raceway\.traces: DELETE: trace_id\[[a-z ]+\]:'t-(\d+)'$", changes, re.M))
        assert removed == Counter(str(trace) for trace in range(1, 49))
        events = Counter(re.findall(r"^table raceway\.events\w*: DELETE: event_id\[[a-z ]+\]:'(t-\d+-\d+)'", changes, re.M))
        assert set(events.values()) <= {1} and len(events) == (0 if partition_by == "day" else 96)
        assert_whole(database)
    finally:
        database.sql("SELECT pg_drop_replication_slot('removals')", "postgres")
        database.drop()

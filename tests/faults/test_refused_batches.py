"""Batches of which the database refuses some events: what that costs, and that nobody waits for another in a circle."""

import json
import threading

import pytest

from support.cluster import PostgresCluster
from support.layouts import trigger
from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until
from support.ways import WAYS, assert_whole, counts, ingest

EVENTS = 256
REFUSING = {
    "a check constraint": "ALTER TABLE raceway.events ADD CHECK (kind <> 'Bad')",
    "a trigger before": trigger("raceway.events", "BEFORE INSERT", "IF NEW.kind = 'Bad' THEN RAISE 'no'; END IF; RETURN NEW"),
    "a trigger after": trigger("raceway.events", "AFTER INSERT", "IF NEW.kind = 'Bad' THEN RAISE 'no'; END IF; RETURN NULL"),
    "a foreign key": "CREATE TABLE public.kinds (kind varchar PRIMARY KEY); INSERT INTO public.kinds VALUES ('Log');"
                     "GRANT ALL ON public.kinds TO PUBLIC; ALTER TABLE raceway.events ADD FOREIGN KEY (kind) REFERENCES public.kinds",
}
BAD = {"one": {100}, "some": {0, 7, 8, 100, 255}, "half": set(range(0, EVENTS, 2)), "all": set(range(EVENTS))}


@pytest.fixture(scope="module")
def cluster():
    """One in which nobody else takes transaction ids: autovacuum takes them where it analyses."""
    with PostgresCluster("refused-batches", {"autovacuum": "off"}) as running:
        yield running


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", REFUSING)
def test_a_refused_event_costs_one_transaction_id(migrated, name, bad):
    """Each refused event may cost one; the whole batch three more, and one for the transaction."""
    migrated.sql(REFUSING[name], "postgres")
    events = [documented_event(f"e{n:03d}", f"t{n % 9}", n, kind="Bad" if n in BAD[bad] else "Log") for n in range(EVENTS)]
    with Session(migrated) as session:
        before = int(session.value("SELECT pg_current_xact_id()::text"))
        answer, = session.ingest([json.dumps(events).encode()])
        used = int(session.value("SELECT pg_current_xact_id()::text")) - before - 1
    assert [entry["index"] for entry in answer["rejected"]] == sorted(BAD[bad])
    assert answer["stored"] == EVENTS - len(BAD[bad])
    assert used <= len(BAD[bad]) + 4
    assert_whole(migrated)


def test_events_that_are_refused_only_together_are_stored_one_by_one(migrated):
    migrated.sql(trigger("raceway.events", "AFTER INSERT", "IF (SELECT count(*) FROM fresh) > 1 THEN RAISE 'one at a time'; END IF;"
                         "RETURN NULL", "EACH STATEMENT").replace("FOR EACH", "REFERENCING NEW TABLE AS fresh FOR EACH"), "postgres")
    events = [documented_event(f"e{n}", "t", n) for n in range(9)]
    assert counts(ingest(migrated, events)) == (9, 0, 0)
    assert_whole(migrated)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", ["none", "day"])
def test_a_batch_that_falls_back_never_waits_in_a_circle(cluster, layout, way):
    """One has to find out its refused event; its traces and events are those of another, in the other order, which is
    under way. Partitions are no order, either: the second event is in the partition that was made first."""
    database = cluster.create_database()
    database.sql(f"CREATE EXTENSION raceway; SELECT raceway.migrate('{layout}');"
                 + ("SELECT raceway.make_partitions('2026-01-07', '2026-01-07'); SELECT raceway.make_partitions('2026-01-01', '2026-01-01')"
                    if layout == "day" else ""))
    database.sql(f"ALTER DATABASE {database.name} SET deadlock_timeout = '50ms'", "postgres")
    at = {"a": "2026-01-01T10:00:00Z", "b": "2026-01-07T10:00:00Z"}

    def batch(name, number, *more):
        return json.dumps([documented_event(f"{i}-{number}", f"t-{i}-{name}", timestamp=at[i]) for i in ("a", "b")]
                          + [documented_event(f"x-{name}-{number}", trace, kind=kind, timestamp=at["a"]) for trace, kind in more]).encode()

    failures = []

    def send(name, number, *more):
        with Session(database) as session:
            try:
                session.ingest([batch(name, number, *more)], way)
            except Exception as error:  # pylint: disable=broad-exception-caught
                failures.append(error)

    database.sql(REFUSING["a check constraint"], "postgres")
    for number in range(12):
        senders = [threading.Thread(target=send, args=("one", number, ("t-b-one", "Bad"), ("t-a-one", "Log"))),
                   threading.Thread(target=send, args=("one", number, ("t-b-one", "Log"))),
                   threading.Thread(target=send, args=("two", number, ("t-a-one", "Bad"), ("t-b-one", "Log")))]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
    assert failures == []
    assert_whole(database)
    database.drop()


def test_who_looks_for_the_refused_event_waits_with_nothing_in_hand(migrated):
    """It has offered an event of a trace when it comes to one that another session is about to store; that session
    wants the trace next."""
    migrated.sql(REFUSING["a check constraint"], "postgres")
    migrated.sql(f"ALTER DATABASE {migrated.name} SET deadlock_timeout = '50ms'", "postgres")
    answers = []
    with Session(migrated) as holding, Session(migrated) as falling, Session(migrated, "postgres") as looking:
        holding.run("BEGIN")
        holding.ingest([json.dumps([documented_event("e5", "other")]).encode()], "spi")
        events = [documented_event("e1", "t", kind="Bad"), documented_event("e2", "t"), documented_event("e5", "other"),
                  documented_event("e6", "t")]
        writer = threading.Thread(target=lambda: answers.extend(falling.ingest([json.dumps(events).encode()])))
        writer.start()
        wait_until(lambda: looking.value("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", falling.pid),
                   20, "it waits")
        holding.ingest([json.dumps([documented_event("e9", "t")]).encode()], "spi")
        holding.run("COMMIT")
        writer.join(20)
    assert [(answer["stored"], answer["duplicates"], len(answer["rejected"])) for answer in answers] == [(2, 1, 1)]
    assert_whole(migrated)

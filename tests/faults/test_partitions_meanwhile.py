"""Partitions that are attached or detached while a batch is on its way into them."""

import json
import threading

import pytest

from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until
from support.ways import WAYS, assert_sound, assert_whole, counts, ingest

DAY = "2026-01-05"
PLACES = "SELECT event_id, tableoid::regclass::text AS at FROM raceway.events ORDER BY 1, 2"


@pytest.fixture
def by_day(cluster):
    database = cluster.create_database()
    database.sql("CREATE EXTENSION raceway; SELECT raceway.migrate(partition_by => 'day')")
    yield database
    database.drop()


def body(*ids):
    return json.dumps([documented_event(i, f"t-{i}", timestamp=f"{DAY}T10:00:00Z") for i in ids]).encode()


ATTACH = f"""
    CREATE TABLE raceway.mine (LIKE raceway.events INCLUDING ALL);
    ALTER TABLE raceway.events ATTACH PARTITION raceway.mine FOR VALUES FROM ('{DAY}') TO ('2026-01-06')
"""


@pytest.mark.parametrize("foreign_key", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_a_partition_that_is_attached_meanwhile_takes_the_events(by_day, way, foreign_key):
    """The batch has chosen the default partition already, and waits for it."""
    if not foreign_key:
        by_day.sql("ALTER TABLE raceway.events DROP CONSTRAINT events_trace_id_fkey")
    with Session(by_day) as attaching, Session(by_day) as writing, Session(by_day, "postgres") as looking:
        writing.ingest([body("before")], way)  # what it knows of the tables is of before
        by_day.sql("DELETE FROM raceway.traces; DELETE FROM raceway.events")
        attaching.run(f"BEGIN; {ATTACH}")
        writer = threading.Thread(target=lambda: writing.ingest([body("e1", "e2")], way))
        writer.start()
        wait_until(lambda: looking.value("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", writing.pid),
                   20, "the batch waits for the partition")
        attaching.run("COMMIT")
        writer.join(20)
        assert not writer.is_alive()
        assert writing.ingest([body("e1", "e3")], way)[0]["duplicates"] == 1
    assert [(row["event_id"], row["at"]) for row in by_day.rows(PLACES)] == [
        ("e1", "mine"), ("e2", "mine"), ("e3", "mine")]
    assert by_day.value(f"SELECT count(*) FROM ONLY raceway.events_default WHERE timestamp >= '{DAY}'") == 0
    assert_sound(by_day)


@pytest.mark.parametrize("way", WAYS)
def test_who_attaches_waits_for_the_batch(by_day, way):
    """And then finds its events in the default partition, where the new one may not be attached beside them."""
    with Session(by_day) as attaching, Session(by_day) as writing, Session(by_day, "postgres") as looking:
        writing.run("BEGIN")
        writing.ingest([body("e1")], way)
        failure = []

        def attach():
            try:
                attaching.run(ATTACH)
            except Exception as error:  # pylint: disable=broad-exception-caught
                failure.append(error)

        other = threading.Thread(target=attach)
        other.start()
        wait_until(lambda: looking.value("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", attaching.pid),
                   20, "who attaches waits")
        writing.run("COMMIT")
        other.join(20)
        assert "would be violated by some row" in str(failure[0])
    assert counts(ingest(by_day, json.loads(body("e1")))) == (0, 1, 0)
    assert_whole(by_day)


@pytest.mark.parametrize("way", WAYS)
def test_a_partition_that_is_being_detached_takes_no_events_any_more(by_day, way):
    by_day.sql(f"{ATTACH}; DROP TABLE raceway.events_default")  # else it cannot be detached beside others
    with Session(by_day) as detaching, Session(by_day) as writing, Session(by_day) as holding, \
            Session(by_day, "postgres") as looking:
        writing.ingest([body("e0")], way)
        holding.run("BEGIN; SELECT count(*) FROM raceway.events")
        other = threading.Thread(
            target=lambda: detaching.run("ALTER TABLE raceway.events DETACH PARTITION raceway.mine CONCURRENTLY"))
        other.start()
        wait_until(lambda: looking.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), 20, "it is being detached")
        answer, = writing.ingest([body("e1")], way)
        holding.run("COMMIT")
        other.join(20)
    assert "no partition" in answer["rejected"][0]["reason"]
    assert by_day.rows("SELECT event_id FROM raceway.mine") == [{"event_id": "e0"}]
    assert by_day.rows(PLACES) == []
    assert_sound(by_day)


STATEMENT_TRIGGER = """
    CREATE TABLE public.log (what text); GRANT ALL ON public.log TO PUBLIC;
    CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN INSERT INTO public.log VALUES (TG_OP); RETURN NULL; END$f$;
    CREATE TRIGGER audit AFTER INSERT ON raceway.{table} FOR EACH STATEMENT EXECUTE FUNCTION public.f()
"""


@pytest.mark.parametrize("table", ["events", "traces"])
@pytest.mark.parametrize("way", WAYS)
def test_a_statement_trigger_of_a_partitioned_table_fires(by_day, way, table):
    by_day.sql(STATEMENT_TRIGGER.format(table=table), "postgres")
    with Session(by_day) as session:
        assert session.ingest([body("e1", "e2")], way)[0]["ingest_way"] == "spi"
    assert by_day.rows("SELECT what FROM public.log") == [{"what": "INSERT"}]

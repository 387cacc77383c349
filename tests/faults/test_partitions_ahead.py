"""Partitions are made while others work on the tables."""

import time

import pytest

from support.aging import Call
from support.editions import EDITIONS, create_database
from support.others import longest_wait_of_a_writer
from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until
from support.ways import assert_whole, ingest

LATE = "2020-01-05T10:00:00Z"  # no partition is there
MAKE = "SELECT raceway.make_partitions('2020-01-05', '2020-01-05')"


@pytest.fixture(params=EDITIONS)
def by_day(cluster, request):
    database = create_database(cluster, request.param, "raceway.migrate(partition_by => 'day')")
    yield database
    database.drop()


def test_who_reads_for_long_keeps_no_writer_waiting_behind_it(by_day):
    """Such as pg_dump, when maintain() comes by."""
    with by_day.held("LOCK TABLE raceway.events IN ACCESS SHARE MODE"):
        call = Call(by_day, "CALL maintain(partitions_ahead => 20)")
        assert longest_wait_of_a_writer(by_day, 3, timestamp=LATE) < 1 and call.is_alive()
    call.end()
    assert by_day.value("SELECT count(*) FROM raceway.event_partitions()") > 20
    assert_whole(by_day)


def test_events_that_come_meanwhile_move_too(by_day):
    ingest(by_day, documented_event("before", "t", timestamp=LATE))
    with Session(by_day) as writer:
        writer.run("BEGIN")
        writer.run("INSERT INTO events (event_id, timestamp) VALUES ('meanwhile', %s)", LATE)
        call = Call(by_day, MAKE)
        time.sleep(0.5)
        assert call.is_alive()
        writer.run("COMMIT")
        call.end()
    assert by_day.value("SELECT count(*) FROM raceway.events_2020_01_05") == 2


def test_where_they_stay_in_use_nothing_is_made_and_the_next_time_does_it(by_day):
    ingest(by_day, documented_event("before", "t", timestamp=LATE))
    with by_day.held("LOCK TABLE raceway.events_default IN ACCESS SHARE MODE"):
        call = Call(by_day, "CALL maintain(partitions_ahead => 20)")
        wait_until(lambda: not call.is_alive(), 60, "it gives up")
        call.end()
        assert "are made another time" in call.session.connection.notices[-1]
    assert by_day.value("SELECT count(*) FROM raceway.event_partitions()") < 20
    by_day.sql("CALL raceway.maintain(partitions_ahead => 20)")
    assert by_day.value("SELECT count(*) FROM raceway.event_partitions()") > 20
    assert_whole(by_day)

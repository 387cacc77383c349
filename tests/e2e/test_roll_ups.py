"""The roll-ups in `traces` are exact after every commit."""

import random

import pytest

from support import model
from support.checks import inexact_traces
from support.traffic import OverlappingTraffic, documented_event

@pytest.fixture
def postgres(open_store):
    return open_store("postgres")


def test_counts_times_and_service_follow_every_batch(postgres):
    traffic = OverlappingTraffic("alone", traces=10, seed=3)
    sent = []
    for _ in range(15):
        batch = traffic.batch(40)
        sent += batch
        postgres.post(batch)
        assert inexact_traces(postgres.database) == []
    expected = model.traces_of(map(model.documented_row, sent))
    got = postgres.database.rows("SELECT trace_id, event_count, service_name FROM traces")
    assert {row["trace_id"]: (row["event_count"], row["service_name"]) for row in got} == {
        trace.trace_id: (len(trace.rows), trace.service_name) for trace in expected.values()}


def test_an_earlier_event_that_comes_later_names_the_service(postgres):
    postgres.post(documented_event("b", "t", 10, metadata={"service_name": "second"}))
    postgres.post(documented_event("a", "t", 5, metadata={"service_name": "first"}))
    postgres.post(documented_event("c", "t", 20, metadata={"service_name": "third"}))
    assert postgres.database.value("SELECT service_name FROM traces") == "first"
    assert inexact_traces(postgres.database) == []


def test_of_events_at_one_time_the_smallest_id_names_the_service(postgres):
    for event_id in random.Random(4).sample(["Z", "a", "b", "é"], 4):
        postgres.post(documented_event(event_id, "t", 1, metadata={"service_name": f"of-{event_id}"}))
    assert postgres.database.value("SELECT service_name FROM traces") == "of-Z"


def test_an_earliest_event_without_a_service_leaves_it_open(postgres):
    postgres.post(documented_event("b", "t", 10, metadata={"service_name": "later"}))
    postgres.post(documented_event("a", "t", 5, metadata={}))
    assert postgres.database.value("SELECT service_name FROM traces") is None
    assert inexact_traces(postgres.database) == []


def test_a_deleted_trace_takes_its_events_along_and_may_come_again(postgres):
    batch = [documented_event(f"e{n}", f"t{n % 2}", n) for n in range(10)]
    postgres.post(batch)
    postgres.database.sql("DELETE FROM traces WHERE trace_id = 't0'")
    assert postgres.counts() == (5, 1)
    answer = postgres.post(batch)
    assert (answer["stored"], answer["duplicates"]) == (5, 5)
    assert inexact_traces(postgres.database) == []

"""Logs of real systems with true vector clocks: every pair is compared in SQL and by brute force."""

import subprocess
import sys

import pytest

from support import model, paths, shiviz

LOGS = sorted(shiviz.manifest())

ALL_PAIRS = """
    SELECT string_agg(left(raceway.vclock_compare(a.vector_clock, b.vector_clock), 1), ''
                      ORDER BY a.event_id, b.event_id)
    FROM events a CROSS JOIN events b WHERE a.trace_id = :'log' AND b.trace_id = :'log'
"""


@pytest.mark.parametrize("log", LOGS)
def test_the_converter_finds_every_line_with_a_clock(log):
    lines = (shiviz.LOGS / log).read_text().splitlines()
    clocks = [line for line in lines if line.rstrip().endswith("}") and " {" in line and not line.startswith("[")]
    assert len(shiviz.log_events(log)) == len(clocks) > 40


@pytest.mark.parametrize("log", LOGS)
def test_clocks_go_in_and_come_out(store, log):
    sent = {event["event_id"]: event for event in shiviz.log_events(log)}
    answer = store.post(list(sent.values()))
    assert (answer["stored"], answer["rejected"]) == (len(sent), [])
    got = store.trace(log)["events"]
    assert {event["id"]: dict(event["causality_vector"]) for event in got} == {
        event_id: event["vector_clock"] for event_id, event in sent.items()}
    assert {event["id"]: (event["timestamp"], event["kind"]["Log"]["event"]) for event in got} == {
        event_id: (event["timestamp"], event["metadata"]["event"]) for event_id, event in sent.items()}
    assert model.order_violations(got) == []


@pytest.mark.parametrize("log", LOGS)
def test_every_pair_compares_in_sql_as_by_brute_force(open_store, log):
    store = open_store("postgres")
    events = shiviz.log_events(log)
    store.post(list(events))
    in_sql = store.database.sql(ALL_PAIRS, log=log)
    by_hand = shiviz.all_pairs(events)
    assert len(by_hand) == len(events) ** 2 and set(by_hand) == set("bace")
    wrong = [(i // len(events), i % len(events)) for i, (a, b) in enumerate(zip(in_sql, by_hand)) if a != b]
    assert wrong == [] and len(in_sql) == len(by_hand)


def test_the_tool_prints_bodies_that_the_server_takes(store):
    done = subprocess.run([sys.executable, "-m", "support.shiviz"], cwd=paths.TESTS, capture_output=True, check=True)
    stored = [store.post(body)["stored"] for body in done.stdout.splitlines()]
    assert stored == [len(shiviz.log_events(log)) for log in shiviz.manifest()]

"""The analysis in SQL says of each trace what the server in memory says of it: one core, fed in two ways."""

import json
import random
from collections import defaultdict
from decimal import Decimal

import pytest

from support import shiviz
from support.model import read_json
from support.sessions import Session
from support.store import Store
from support.tangled import tangled_events
from support.traffic import RECORDED, documented_event, recorded_bodies


SOURCES = {
    **{capture: lambda capture=capture: list(recorded_bodies(capture)) for capture in RECORDED},
    "logs with true clocks": lambda: [json.dumps(shiviz.log_events(log)).encode() for log in shiviz.manifest()],
    "tangled traces": lambda: [json.dumps(tangled_events(f"tangled-{n}", size)).encode() for n, size in enumerate([1, 2, 7, 30, 120])],
}


class Both:
    """The same events in the memory of a server, and in a database."""

    def __init__(self, store, session, source):
        self.store, self.session, self.source = store, session, source
        bodies = SOURCES[source]()
        store.post_all(bodies)
        for body in bodies:
            assert session.ingest([body])[0]["rejected"] == []
        self.traces = {trace_id: store.trace(trace_id) for trace_id, in session.run("SELECT trace_id::text FROM traces ORDER BY 1")}
        assert self.traces


@pytest.fixture(scope="module", params=SOURCES)
def both(cluster, request):
    database = cluster.create_database(migrated=True)
    with Store("memory", cluster, "analysis") as store, Session(database) as session:
        yield Both(store, session, request.param)
    database.drop()


def json_value(text):
    return None if text is None else read_json(text)


def test_the_order(both):
    for trace_id, view in both.traces.items():
        assert [event for event, in both.session.run("SELECT event_id FROM causal_order(%s) ORDER BY place", trace_id)] == [
            event["id"] for event in view["events"]]


def test_races_and_how_many(both):
    told = 0
    for trace_id, view in both.traces.items():
        names = ("severity", "variable", "event1_thread", "event2_thread", "event1_location", "event2_location", "class", "sharing", "first",
                 "event1_id", "event2_id", "last_common_id")
        rows = both.session.run("""
            SELECT severity, variable, coalesce(thread1, ''), coalesce(thread2, ''), coalesce(location1, 'unknown'), coalesce(location2, 'unknown'),
                   class, sharing, first, event1, event2, last_common FROM races(%s)""", trace_id)
        details = view["analysis"]["race_details"]
        assert rows == [tuple(detail[name] for name in names) for detail in details]
        counted = both.session.value("SELECT coalesce(sum(write_write + read_write), 0) FROM race_counts(%s)", trace_id)
        by_site = both.session.value("SELECT coalesce(sum(pairs), 0) FROM race_sites(%s)", trace_id)
        assert counted == by_site == view["analysis"]["potential_races"] == view["analysis"]["race_details_total"]
        told += len(details)
    assert told > 0 or both.source != "tangled traces"


def test_races_are_listed_as_often_as_they_are_counted(both):
    """Of every class, whichever else are asked for."""
    classes = {"write-write": "write_write", "read-write": "read_write", "atomic": "atomic", "protected": "protected", "unknown": "unknown"}
    for trace_id in both.traces:
        listed = {}
        for name, column in classes.items():
            pairs = both.session.run("SELECT event1, event2, class FROM races(%s, classes => ARRAY[%s], max_pairs => NULL)", trace_id, name)
            assert len(set(pairs)) == len(pairs) == both.session.value(f"SELECT coalesce(sum({column}), 0) FROM race_counts(%s)", trace_id)
            assert {row[2] for row in pairs} <= {name}
            listed[name] = pairs[:3]
            assert both.session.run("SELECT event1, event2, class FROM races(%s, classes => ARRAY[%s], max_pairs => 3)", trace_id, name) == pairs[:3]


def test_audit_trails(both):
    for trace_id, view in both.traces.items():
        variables = [name for name, in both.session.run("SELECT variable FROM race_counts(%s)", trace_id)]
        assert variables == list(view["audit_trails"])
        for variable, trail in view["audit_trails"].items():
            rows = both.session.run("""
                SELECT event_id, coalesce(thread, ''), coalesce(service, ''), access, old_value::text, new_value::text, coalesce(location, 'unknown'),
                       after_previous, races_with_previous FROM audit_trail(%s, %s)""", trace_id, variable)
            assert [(*row[:4], json_value(row[4]), json_value(row[5]), *row[6:]) for row in rows] == [tuple(access[name] for name in (
                "event_id", "thread_id", "service_name", "access_type", "old_value", "new_value", "location", "has_causal_link_to_previous",
                "is_race")) for access in trail]


def test_critical_paths(both):
    for trace_id, view in both.traces.items():
        chain = both.session.run("SELECT event_id, ms FROM critical_path(%s, 'durations') ORDER BY step", trace_id)
        path = view["critical_path"]
        assert chain == [(event["id"], event["duration_ms"]) for event in path["path"]]
        assert sum(ms for _, ms in chain) == path["total_duration_ms"]
        pieces = both.session.run("""SELECT coalesce(service, ''), coalesce(thread, ''), "from", "to", ms FROM critical_path(%s) ORDER BY step""", trace_id)
        assert pieces == [tuple(piece[name] for name in ("service", "thread", "from", "to", "ms")) for piece in path["elapsed"]["pieces"]]
        assert sum((piece[-1] for piece in pieces), Decimal(0)) == path["elapsed"]["elapsed_ms"]


def test_calls(both):
    for trace_id, view in both.traces.items():
        calls = defaultdict(int)
        for caller, callee, count in both.session.run("SELECT from_service, coalesce(to_service, ''), calls FROM trace_calls(%s)", trace_id):
            if caller not in (None, callee):
                calls[caller, callee] += count
        assert calls == {(call["from"], call["to"]): call["call_count"] for call in view["dependencies"]["dependencies"]}


def chain_of(rows, branch):
    return [(event, reason) for event, reason, of in rows if of == branch]


def told_chain(relation, name):
    return [(link["event_id"], link["reason"]) for link in relation[name]]


def test_how_two_events_stand_to_each_other_and_why(both):
    chance = random.Random(5)
    seen = set()
    for trace_id, view in both.traces.items():
        ids = [event["id"] for event in view["events"]]
        for a, b in [(chance.choice(ids), chance.choice(ids)) for _ in range(8 if len(both.traces) > 5 else 40)]:
            relation = both.store.get(f"/api/traces/{trace_id}/relation", a=a, b=b)
            seen.add(relation["relation"])
            assert both.session.value("SELECT happens_before(%s, %s, %s)", trace_id, a, b) == relation["relation"]
            rows = both.session.run("SELECT event_id, reason, branch FROM explain_order(%s, %s, %s)", trace_id, a, b)
            if "chain" in relation:
                assert rows == [(*link, None) for link in told_chain(relation, "chain")]
            elif relation["relation"] == "equal":
                assert rows == [(a, None, None)]
            elif relation["last_common_id"] is None:
                assert rows == [(a, None, "a"), (b, None, "b")]
            else:
                assert chain_of(rows, None) == [(relation["last_common_id"], None)]
                for branch in "ab":
                    assert chain_of(rows, branch) == told_chain(relation, f"chain_to_{branch}")[1:]
    assert seen == {"before", "after", "equal", "concurrent"} or both.source != "tangled traces"


def test_effective_clocks_and_edges_say_what_happens_before_says(both):
    for trace_id in list(both.traces)[:10]:
        order = both.session.run('SELECT event_id, strand, "position", effective_clock, place FROM causal_order(%s) ORDER BY place', trace_id)
        by_id = {row[0]: row for row in order}
        chance = random.Random(6)
        for a, b in [(chance.choice(order), chance.choice(order)) for _ in range(20)]:
            heard = b[3].get(str(a[1]), 0) >= a[2]
            assert heard == (both.session.value("SELECT happens_before(%s, %s, %s)", trace_id, a[0], b[0]) in ("before", "equal"))
        for source, target, kept in both.session.run("SELECT from_event, to_event, kept FROM causal_edges(%s)", trace_id):
            assert kept == (by_id[source][4] < by_id[target][4])


def test_one_id_at_two_times_is_two_events_where_partitions_allow_it(cluster):
    """Each with values of its own, and found by the earlier."""
    database = cluster.create_database()
    with Session(database) as session:
        session.run("CREATE EXTENSION raceway")
        session.run("SELECT raceway.migrate(partition_by => 'month')")
        for time, value, thread in (("2026-02-01T00:00:00Z", 2, "two"), ("2026-01-01T00:00:00Z", 1, "one")):
            event = documented_event("e", "t", timestamp=time, vector_clock={thread: 1}, metadata={"variable": "v", "new_value": value, "thread_id": thread})
            assert session.ingest([json.dumps(event).encode()])[0]["stored"] == 1
        assert session.run("SELECT event_id, new_value FROM audit_trail('t', 'v')") == [("e", 1), ("e", 2)]
        assert session.run("SELECT value1, value2, thread1, thread2 FROM races('t')") == [(1, 2, "one", "two")]
        assert session.value("SELECT happens_before('t', 'e', 'e')") == "equal"
    database.drop()

"""The analysis of one trace in both editions, the C++ core and SQL: the same rows and errors for every function and column."""

import itertools
import json

import pytest

from support import shiviz
from support.chance import chance_of, times
from support.editions import EDITIONS, create_database
from support.model import format_instant
from support.sessions import DatabaseError, Session
from support.tangled import tangled_events
from support.traffic import BASE_NANOS, RECORDED, recorded_bodies

CLASSES = ("write-write", "read-write", "atomic", "protected", "unknown")
QUESTIONS = {
    "causal_order": 'SELECT place, event_id, strand, "position", service, thread_id, effective_clock::text FROM causal_order(%s)',
    "causal_edges": "SELECT * FROM causal_edges(%s)",
    "races": """SELECT variable, severity, class, sharing, first, event1, event2, location1, location2, access1, access2, thread1, thread2,
                       service1, service2, value1::text, value2::text, clock1::text, clock2::text, last_common, locks1,
                       locks2, gap FROM races(%s, max_pairs => NULL)""",
    "races of all classes": f"SELECT event1, event2, class, first, last_common FROM races(%s, classes => '{{{','.join(CLASSES)}}}', max_pairs => NULL)",
    "race_counts": "SELECT * FROM race_counts(%s)",
    "race_sites": "SELECT * FROM race_sites(%s)",
    "audit_trail": """SELECT t.place, t.event_id, t."timestamp", t.service, t.thread, t.access, t.old_value::text, t.new_value::text, t.location,
                             t.after_previous, t.races_with_previous, t.locks
                      FROM (SELECT DISTINCT metadata ->> 'variable' AS name FROM events WHERE trace_id = %s) v, audit_trail(%s, v.name) t ORDER BY v.name, 1""",
    "elapsed": 'SELECT step, service, thread, event_id, "from"::text, "to"::text, ms::text, reason FROM critical_path(%s)',
    "durations": """SELECT step, service, thread, event_id, "from"::text, "to"::text, ms::text, reason FROM critical_path(%s, 'durations')""",
    "trace_calls": "SELECT * FROM trace_calls(%s)",
}


def lone_events(trace, size):
    """Events without threads, by parents and clocks of a few processes."""
    chance = chance_of(f"lone {trace}")
    clocks = [{} for _ in range(4)]
    for n in range(size):
        at = chance.randrange(4)
        if chance.random() < 0.4:
            for name, counter in chance.choice(clocks).items():
                clocks[at][name] = max(counter, clocks[at].get(name, 0))
        clocks[at][f"p{at}"] = clocks[at].get(f"p{at}", 0) + 1
        metadata = {"variable": chance.choice("ab"), "access_type": chance.choice(["Read", "Write"])}
        if chance.random() < 0.3:
            metadata["parent_id"] = f"{trace}-{chance.randrange(size)}"
        yield {"event_id": f"{trace}-{n}", "trace_id": trace, "kind": "StateChange", "timestamp": format_instant(BASE_NANOS + chance.randrange(size) * 700),
               "metadata": metadata, "vector_clock": dict(clocks[at]) if chance.random() < 0.8 else {}}


def wild_events(trace, size):
    """Parents, clocks of any kind, spans, tasks and times at random, in both wire forms."""
    chance = chance_of(f"wild {trace}")
    share = chance.choice([0, 0.1, 0.5, 1])  # of links that may point anywhere
    few = chance.choice([2, 5, 20])
    wide = chance.choice([0, 0, 2**31, 2**63])
    components = chance.choice([["a", "b", "cc"], ["shop#1", "bank#1", "bank#2"], ["shop#1", "a", "bank#2", "other#1"], [f"c{n}" for n in range(few)]])
    for n in range(size):
        def link(n=n):
            return f"{trace}-{chance.randrange(size) if chance.random() < share else max(0, n - 1 - chance.randrange(few))}"
        origin = {"service_name": chance.choice(["shop", "bank", ""]), "instance_id": chance.choice(["1", "2"]), "process_id": chance.choice([1, 2]),
                  "thread_id": f"t{chance.randrange(few)}", "distributed_span_id": f"s{chance.randrange(few)}", "upstream_span_id": f"s{chance.randrange(few)}"}
        origin = {name: value for name, value in origin.items() if chance.random() < chance.choice([0.5, 0.95])}
        clock = {name: chance.randrange(n // few + 2) + (wide if chance.random() < 0.2 else 0) for name in components if chance.random() < 0.6}
        variant = chance.choice([
            ("StateChange", {"variable": chance.choice("xy"), "new_value": n, "access_type": chance.choice(["Read", "Write", "AtomicRead", "AtomicWrite", "AtomicRMW", "?"])}),
            ("StateChange", {"variable": "x", "old_value": None, "new_value": [n], "access_type": "Write"}),
            ("AsyncSpawn", {"task_id": f"t{chance.randrange(few)}"}), ("AsyncAwait", {"future_id": f"t{chance.randrange(few)}"}),
            ("LockAcquire", {"lock_id": chance.choice(["m", "n", ""]), "lock_type": chance.choice(["Mutex", "RwREADlock"])}),
            ("LockRelease", {"lock_id": chance.choice("mn"), "lock_type": chance.choice(["Mutex", "RwREADlock"])}),
            ("FunctionCall", {"function_name": chance.choice("fg")}), ("HttpRequest", {"method": "GET"}), ("DatabaseQuery", {}), ("Log", {})])
        time = format_instant(BASE_NANOS + (n * 1000 if chance.random() < 0.7 else chance.randrange(size) * 1001) + chance.choice([0, 0, 1, 999]))
        parent = link() if chance.random() < 0.5 else None
        location = chance.choice(["x.py:1", "x.py:2", "y/auto-track.js:1"])
        locks = chance.choice([[], [], ["z", "m", "z"]])
        if chance.random() < 0.5:
            metadata = {**origin, **variant[1], "lock_set": locks, "duration_ns": chance.choice([None, 7, 5_000_001])}
            if parent:
                metadata["parent_id"] = parent
            yield {"event_id": f"{trace}-{n}", "trace_id": trace, "kind": variant[0], "timestamp": time, "metadata": metadata, "vector_clock": clock,
                   "location": location, "duration_ms": chance.choice([0, 0.0005, 2.25, 1e6])}
        else:
            where = {"file": "x.py", "line": 3} if variant[0] == "FunctionCall" else {"location": location}
            yield {"id": f"{trace}-{n}", "trace_id": trace, "parent_id": parent, "timestamp": time, "kind": {variant[0]: {**variant[1], **where}},
                   "metadata": {"thread_id": "", "process_id": 1, "service_name": "", "environment": "e", "tags": {}, "duration_ns": chance.choice([None, 0, 1_500_000]),
                                "instance_id": None, "distributed_span_id": None, "upstream_span_id": None, **origin},
                   "causality_vector": [[name, counter] for name, counter in clock.items()], "lock_set": locks}


def random_traces(make, sizes):
    return lambda: [json.dumps(list(make(f"{make.__name__}-{n}", size))).encode() for n, size in enumerate(sizes())]


SOURCES = {
    **{capture: lambda capture=capture: list(recorded_bodies(capture)) for capture in RECORDED},
    "logs with true clocks": lambda: [json.dumps(shiviz.log_events(log)).encode() for log in shiviz.manifest()],
    "tangled": random_traces(tangled_events, lambda: [1, 2, 7, 30, 120] * times(2)),
    "lone": random_traces(lone_events, lambda: [1, 5, 40, 150] * times(1)),
    "wild": random_traces(wild_events, lambda: [1, 2, 3, 10, 10, 40, 40, 150] * times(3)),
}


def answer(session, question, *arguments):
    """Rows, or the error."""
    try:
        return session.run(question, *arguments)
    except DatabaseError as error:
        return error.pgcode, str(error)


class Both:
    """The same events in a database of each edition."""

    def __init__(self, cluster, source):
        self.source = source
        self.databases = {edition: create_database(cluster, edition) for edition in EDITIONS}
        self.sessions = [Session(self.databases[edition]) for edition in EDITIONS]
        for body, session in itertools.product(SOURCES[source](), self.sessions):
            assert session.ingest([body])[0]["rejected"] == []
        self.traces = [trace for trace, in self.sessions[0].run("SELECT trace_id::text FROM traces ORDER BY 1")]

    def agree_on(self, question, *arguments):
        extension, portable = (answer(session, question, *arguments) for session in self.sessions)
        if isinstance(extension, list) and isinstance(portable, list):
            differing = [pair for pair in itertools.zip_longest(extension, portable) if pair[0] != pair[1]]
            assert not differing, (arguments, len(differing), differing[:3])
        assert extension == portable, (arguments, portable)
        return extension

    def close(self):
        for session, database in zip(self.sessions, self.databases.values()):
            session.close()
            database.drop()


@pytest.fixture(scope="module", params=SOURCES)
def both(cluster, request):
    them = Both(cluster, request.param)
    yield them
    them.close()


@pytest.mark.parametrize("function", QUESTIONS)
def test_all_that_a_function_says_of_a_trace(both, function):
    question = QUESTIONS[function]
    said = [both.agree_on(question, *[trace] * question.count("%s")) for trace in both.traces]
    assert any(said) or both.source not in ("tangled", "wild")


def test_some_races_at_most(both):
    chance = chance_of("some races")
    for trace in both.traces[:30]:
        for _ in range(6):
            arguments = (chance.choice([None, "x", "a"]), chance.sample(CLASSES, chance.randint(1, 4)), chance.choice([0, 1, 3, 10]))
            both.agree_on("SELECT event1, event2, class, first, last_common FROM races(%s, %s, %s, %s)", trace, *arguments)


def test_pairs_of_events(both):
    chance = chance_of("pairs of events")
    for trace in both.traces[:30]:
        ids = [event for event, in both.sessions[0].run("SELECT event_id::text FROM events WHERE trace_id = %s ORDER BY 1", trace)]
        for _ in range(10):
            pair = chance.choice(ids), chance.choice(ids)
            both.agree_on("SELECT happens_before(%s, %s, %s)", trace, *pair)
            both.agree_on("SELECT * FROM explain_order(%s, %s, %s)", trace, *pair)

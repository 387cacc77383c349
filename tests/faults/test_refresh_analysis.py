"""What is known of all traces: whatever came, changed, went or died meanwhile, after a refresh it is what it would be if it
were made anew of the events that are there, and that is what the events say."""

import json
import time
from collections import defaultdict

import pytest

from support.aging import Call
from support.chance import chance_of, times
from support.cluster import PostgresCluster
from support.crashes import CRASHES
from support.editions import EDITIONS, create_database
from support.fleet import KEPT, LONG_NAME, baselines, fleet_events, operation, pairs_between
from support.server import RacewayServer
from support.sessions import DatabaseError, Session
from support.store import Store
from support.wait import wait_until

BUCKET = 1.02


def contents(session):
    """All that is kept, but when; in any order, also within an array."""
    def row_of(json):
        return sorted((name, sorted(value) if isinstance(value, list) else str(value)) for name, value in json.items())
    return {table: sorted(row_of(row) for row, in session.run(f"SELECT to_jsonb(t) - 'analysed_at' FROM {table} t")) for table in KEPT}


def post(session, events):
    answer, = session.ingest([json.dumps(events).encode()])
    assert answer["stored"] == len(events), answer


def assert_as_if_made_anew(session):
    """Refreshes, and does so again from nothing."""
    session.run("CALL refresh_analysis()")
    state, = session.run("SELECT pending_traces, failed_traces, last_error FROM analysis_state")
    assert state == (0, 0, None)
    kept = contents(session)
    session.run(f"TRUNCATE {', '.join(KEPT)}")
    session.run("CALL refresh_analysis()")
    assert kept == contents(session)
    assert kept["variable_totals"] and kept["duration_buckets"] and kept["trace_calls_kept"] or session.value("SELECT count(*) FROM traces") == 0


class Fleet:
    """Traces that come, go on and go, in the database and in a plain dictionary."""

    def __init__(self, session, chance):
        self.session, self.chance = session, chance
        self.traces = {}
        self.number = 0

    def come(self, count):
        for _ in range(count):
            self.number += 1
            events = fleet_events(self.chance, f"t{self.number}", self.chance.randint(1, 25), self.chance.randrange(300))
            now = self.chance.randint(1, len(events))
            self.traces[f"t{self.number}"] = events[:now]
            self.later = events[now:]
            post(self.session, events[:now])
            if self.later and self.chance.random() < 0.5:
                self.traces[f"t{self.number}"] = events
                if self.chance.random() < 0.5:
                    self.session.run("CALL refresh_analysis()")
                post(self.session, self.later)

    def go(self, count):
        gone = self.chance.sample(sorted(self.traces), min(count, len(self.traces)))
        self.session.run("DELETE FROM traces WHERE trace_id = ANY (%s::varchar[])", gone)
        for trace_id in gone:
            del self.traces[trace_id]


@pytest.fixture(params=EDITIONS)
def edition(request):
    return request.param


@pytest.fixture
def rolled_up(cluster, edition):
    database = create_database(cluster, edition)
    yield database
    database.drop()


@pytest.fixture
def session(rolled_up):
    with Session(rolled_up) as one:
        yield one


@pytest.fixture
def fleet(session, request):
    return Fleet(session, chance_of(request.node.originalname))


def test_after_any_changes_it_is_as_if_made_anew(fleet):
    session, chance = fleet.session, fleet.chance
    for _ in range(times(4)):
        fleet.come(chance.randint(1, 20))
        session.run("CALL refresh_analysis(%s)", chance.choice([1, 3, None]))
        fleet.go(chance.randint(0, 8))
        if chance.random() < 0.5:
            session.run("CALL cleanup(max_traces => 30)")
            fleet.traces = {name: fleet.traces[name] for name, in session.run("SELECT trace_id::text FROM traces")}
        assert_as_if_made_anew(session)
    fleet.go(len(fleet.traces))
    assert_as_if_made_anew(session)
    assert all(not rows for rows in contents(session).values())


@pytest.mark.parametrize("layout", ["none", "day"])
def test_cleanup_and_repartition_leave_it_exact(cluster, edition, layout):
    database = create_database(cluster, edition, f"raceway.migrate('{layout}')")
    with Session(database) as session:
        fleet = Fleet(session, chance_of(f"cleanup {layout}"))
        fleet.come(40)
        session.run("CALL refresh_analysis()")
        known = contents(session)
        if layout == "none":
            session.run("CALL repartition('day')")
            session.run("CALL refresh_analysis()")
            assert contents(session) == known
        session.run("CALL cleanup(max_traces => 20)")
        assert session.value("SELECT count(*) FROM traces") == 20
        assert_as_if_made_anew(session)
        post(session, fleet_events(chance_of("much later"), "later", 9, 3 * 86_400_000))
        session.run("CALL refresh_analysis()")
        session.run("CALL cleanup(older_than => (now() AT TIME ZONE 'UTC') - timestamp '%s')" % session.value("SELECT min(end_time) + interval '2 days' FROM traces"))
        assert session.run("SELECT trace_id FROM traces") == [("later",)]
        assert_as_if_made_anew(session)
        session.run("TRUNCATE traces, events")
        assert session.value("SELECT pending_traces FROM analysis_state") > 0
        assert_as_if_made_anew(session)
    database.drop()


def test_pairs_between_traces_are_those_that_looking_at_each_finds(fleet):
    fleet.come(25)
    fleet.session.run("CALL refresh_analysis()")
    expected = pairs_between(list(fleet.traces.values()))
    name_of = {fleet.session.value("SELECT roll_up_name(%s)", name): name for name in [*expected, LONG_NAME]}
    for window, columns in (("", "0"), ("'-infinity', 'infinity'", "overlapping")):
        rows = fleet.session.run(f"SELECT variable, cross_ww::bigint, cross_rw::bigint, {columns}::bigint FROM race_totals({window})")
        told = {name_of[name]: counts for name, *counts in rows}
        assert {name: [ww, rw, overlapping if window else 0] for name, (ww, rw, overlapping) in expected.items()} == {
            name: counts for name, counts in told.items() if any(counts)}
    assert LONG_NAME in expected
    for variable, (ww, rw, overlapping) in expected.items():
        for only_overlapping, count in ((True, overlapping), (False, ww + rw)):
            pairs = fleet.session.run("SELECT event1, event2, class, trace1, trace2 FROM cross_trace_races(%s, %s, NULL)", variable, only_overlapping)
            assert len({frozenset(pair[:2]) for pair in pairs}) == len(pairs) == count
        assert sum(pair[2] == "write-write" for pair in pairs) == ww
        assert fleet.session.run("SELECT event1, event2, class, trace1, trace2 FROM cross_trace_races(%s, false, 3)", variable) == pairs[:3]


def test_a_window_takes_the_traces_that_ended_in_it(fleet):
    fleet.come(30)
    session = fleet.session
    session.run("CALL refresh_analysis()")
    middle = session.value("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY end_time) FROM traces")
    chosen = {name for name, in session.run("SELECT trace_id::text FROM traces WHERE end_time < %s", middle)}
    moment = f"timestamptz '{middle} UTC'"
    expected = pairs_between([events for name, events in fleet.traces.items() if name in chosen])
    rows = session.run(f"SELECT variable, cross_ww::bigint, cross_rw::bigint, overlapping::bigint FROM race_totals(NULL, {moment}) WHERE length(variable) < 100")
    assert {name: counts for name, *counts in rows if any(counts)} == {name: counts for name, counts in expected.items() if name != LONG_NAME}
    whole, before, after = ({row[:3]: row[3:] for row in session.run(
        f"SELECT service, kind, operation, events, durations FROM performance({window})")} for window in ("", f"NULL, {moment}", moment))
    assert before and after
    for key, counts in whole.items():
        assert counts == tuple(a + b for a, b in zip(before.get(key, (0, 0)), after.get(key, (0, 0))))
    total = sum(calls for *_, calls in session.run("SELECT from_service, to_service, link, calls FROM service_calls()"))
    assert total == session.value(f"SELECT sum(calls) FROM (SELECT calls FROM service_calls(NULL, {moment}) UNION ALL SELECT calls FROM service_calls({moment})) AS parts")
    assert total == session.value("SELECT sum(c.calls) FROM traces t, trace_calls(t.trace_id) c")


def test_baselines_are_those_of_the_durations(fleet):
    fleet.come(40)
    session = fleet.session
    session.run("CALL refresh_analysis()")
    events = [event for trace in fleet.traces.values() for event in trace]
    expected = {(service, session.value("SELECT roll_up_name(%s)", name)): values for (service, name), values in baselines(events).items()}
    told = {(service, name): values for service, name, *values in session.run(
        "SELECT service, operation, n, mean, sd, median, p95, p99 FROM duration_baseline()")}
    assert told.keys() == expected.keys()
    for key, (count, mean, deviation, *quantiles) in expected.items():
        assert told[key][0] == count
        assert told[key][1:3] == pytest.approx((mean, deviation), rel=1e-9, abs=1e-6)
        for ours, exact in zip(told[key][3:], quantiles):
            assert ours == pytest.approx(exact, rel=BUCKET - 1) or exact < 0.001 and ours < 0.002
    # Without a trace, and of one operation alone.
    trace_id, trace = next((name, trace) for name, trace in fleet.traces.items() if len(trace) > 5)
    rest = baselines([event for event in events if event["trace_id"] != trace_id])
    for service, name in {(event["metadata"]["service_name"], operation(event)) for event in trace}:
        ours = session.run("SELECT n, mean FROM duration_baseline(%s, %s, %s)", service, name, trace_id)
        assert ours == ([pytest.approx(rest[service, name][:2], rel=1e-9, abs=1e-6)] if (service, name) in rest else [])


def test_anomalies_by_deviation_are_those_of_the_http_contract(fleet):
    """As the server in memory tells them, which keeps its own books."""
    fleet.come(40)
    fleet.session.run("CALL refresh_analysis()")
    found = 0
    long_name = f"StateChange({LONG_NAME})"
    name_of = {long_name: fleet.session.value("SELECT roll_up_name(%s)", long_name)}
    with Store("memory", None, "refresh") as memory:
        memory.post_all(json.dumps(trace).encode() for trace in fleet.traces.values())
        for trace_id in fleet.traces:
            theirs = [(each["event_id"], each["event_kind"], each["severity"]) for each in memory.trace(trace_id)["anomalies"] or []]
            ours = fleet.session.run("SELECT event_id, operation, severity FROM anomalies(%s, 'deviation')", trace_id)
            assert sorted(ours) == sorted((one, name_of.setdefault(name, name), severity) for one, name, severity in theirs)
            found += len(ours)
    assert found > 0


def test_a_slow_call_is_an_anomaly_and_does_not_excuse_itself(session):
    for number in range(20):
        post(session, [{"event_id": f"e{number}", "trace_id": f"t{number}", "kind": "FunctionCall", "timestamp": "2026-01-01T00:00:00Z",
                        "duration_ms": 10 + number % 3 if number else 500, "metadata": {"service_name": "bank", "function_name": "pay"}}])
    session.run("CALL refresh_analysis()")
    for method in ("robust", "deviation"):
        row, = session.run("SELECT event_id, operation, round(duration::numeric, 3), severity, direction, n FROM anomalies('t0', %s)", method)
        assert row == ("e0", "FunctionCall(pay)", 500, "Critical", "slow", 19)
        assert session.run("SELECT * FROM anomalies('t1', %s)", method) == []


def test_lost_updates_are_found_within_a_trace_and_between_traces(session):
    def access(trace_id, number, thread, kind, millis, parent=None):
        return {"event_id": f"{trace_id}-{number}", "trace_id": trace_id, "kind": "StateChange", "timestamp": f"2026-01-01T00:00:00.{millis:03}Z",
                "metadata": {"service_name": "bank", "instance_id": trace_id, "thread_id": thread, "variable": "balance", "access_type": kind, "new_value": number,
                             **({"parent_id": f"{trace_id}-{parent}"} if parent else {})}}
    post(session, [access("a", 1, "x", "Read", 0), access("a", 2, "y", "Read", 1), access("a", 3, "x", "Write", 2), access("a", 4, "y", "Write", 3),
                   # One that read after the other had written, by a link between them.
                   access("b", 1, "x", "Read", 10), access("b", 2, "x", "Write", 11), access("b", 3, "y", "Read", 12, parent=2), access("b", 4, "y", "Write", 13)])
    assert session.run("SELECT * FROM lost_updates('a', 'balance')") == [("a", "a-1", "a-3", "a", "a-2", "a-4")]
    assert session.run("SELECT * FROM lost_updates('b', 'balance')") == []
    assert session.run("SELECT * FROM lost_updates('a', 'other')") == []
    post(session, [access("c", 1, "x", "Read", 2), access("c", 2, "x", "Write", 4)])
    session.run("CALL refresh_analysis()")
    pairs = session.run("SELECT trace1, write1, trace2, write2 FROM lost_updates(NULL, 'balance')")
    assert sorted(pairs) == [("a", "a-3", "c", "c-2"), ("a", "a-4", "c", "c-2")]
    assert len(session.run("SELECT * FROM lost_updates(NULL, 'balance', 1)")) == 1


def test_what_is_suppressed_is_known_by_name_and_place(session):
    session.run("INSERT INTO race_suppressions (variable, location, reason) VALUES ('hits*', '*', 'a counter'), ('bal_nce', '*', 'nothing'), ('*', 'old/*.py:%', 'dead')")
    for arguments, found in ((("hits.today", "a", "b"), 1), (("balance", "a", "b"), None), (("bal_nce", None, None), 2), (("x", "y", "old/z.py:%"), 3),
                             (("x", "old/z.py:7", None), None)):
        assert session.value("SELECT suppression_of(%s, %s, %s)", *arguments) == found


def test_a_trace_that_cannot_be_analysed_is_named_and_left_out(session, rolled_up, edition):
    chance = chance_of("too large")
    for number in range(5):
        post(session, fleet_events(chance, f"t{number}", 10, 0))
    large = fleet_events(chance, "large", 3000, 0)
    post(session, large[:5])
    session.run("CALL refresh_analysis()")
    post(session, large[5:])
    limit = {"extension": "max_analysis_bytes = '1MB'", "portable": "max_portable_analysis_events = 1000"}[edition]
    rolled_up.sql(f'ALTER DATABASE "{rolled_up.name}" SET raceway.{limit}', user="postgres")
    with Session(rolled_up) as limited:
        limited.run("CALL refresh_analysis()")
        assert limited.run("SELECT pending_traces, failed_traces, last_error FROM analysis_state") == [(0, 1, None)]
        assert limited.run("SELECT trace_id FROM trace_analyses WHERE error LIKE %s", f"%{limit.split()[0]}%") == [("large",)]
        for table in KEPT:
            if table.startswith("trace_") and table != "trace_analyses":
                assert limited.run(f"SELECT * FROM {table} WHERE trace_id = 'large'") == [], "it was known while it was small"
        assert limited.value("SELECT count(DISTINCT trace_id) FROM trace_services") == 5
        assert limited.value("SELECT sum(events) FROM service_totals") == 50


def test_who_may_only_read_gets_every_answer(fleet, rolled_up):
    fleet.come(5)
    fleet.session.run("CALL refresh_analysis()")
    rolled_up.sql("DROP ROLE IF EXISTS analyst; CREATE ROLE analyst LOGIN", "postgres")
    rolled_up.sql("GRANT USAGE ON SCHEMA raceway TO analyst; GRANT SELECT ON ALL TABLES IN SCHEMA raceway TO analyst")
    with Session(rolled_up, "analyst") as analyst:
        for question in ("analysis_state", "race_totals()", "race_totals('-infinity')", "cross_trace_races('stock')", "lost_updates(NULL, 'stock')",
                         "lost_updates('t1', 'stock')", "suppression_of('a', 'b', 'c')", "duration_baseline()", "anomalies('t1')", "service_calls()",
                         "hot_variables()", "hot_calls()", "latency_percentiles()", "performance()", "performance('-infinity')"):
            assert analyst.run(f"SELECT * FROM {question}") == fleet.session.run(f"SELECT * FROM {question}")
        with pytest.raises(DatabaseError) as raised:
            analyst.run("CALL refresh_analysis()")
        assert raised.value.pgcode == "42501"
    rolled_up.sql("DROP OWNED BY analyst; DROP ROLE analyst", "postgres")


def test_several_refresh_at_once_beside_writers(rolled_up, session):
    chance = chance_of("at once")
    fleets = [[fleet_events(chance, f"w{writer}-{number}", 12, number) for number in range(times(30))] for writer in range(2)]
    refreshers = [Call(rolled_up, "CALL refresh_analysis(7)") for _ in range(2)]
    for traces in zip(*fleets):
        for trace in traces:
            post(session, trace[:6])
            post(session, trace[6:])
        refreshers = [each if each.is_alive() else Call(rolled_up, "CALL refresh_analysis(7)") for each in refreshers]
    for each in refreshers:
        each.join(timeout=60)
    assert_as_if_made_anew(session)


def test_it_goes_on_after_crashes_at_any_moment():
    chance = chance_of("crashes of refresh")
    with PostgresCluster("refresh-crashes", {"full_page_writes": "on", "max_wal_size": "32MB"}) as cluster:
        database = cluster.create_database(migrated=True)
        with Session(database) as session:
            Fleet(session, chance).come(60)
        for crash in chance.sample(list(CRASHES), 2):
            call = Call(database, "CALL refresh_analysis()")
            time.sleep(chance.random() * 0.15)
            CRASHES[crash](cluster, call.session.pid)
            call.join(timeout=60)
        with Session(database) as session:
            assert_as_if_made_anew(session)
        assert cluster.complaints() == []


EVERY_SECOND = {"storage.postgres": {"refresh_analysis_seconds": 1}}


def test_a_server_refreshes_by_itself(rolled_up, session):
    trace = fleet_events(chance_of("by itself"), "t", 20, 0)
    with RacewayServer(EVERY_SECOND, rolled_up, name="refreshes") as server, server.client() as client:
        client.post(trace).ok()
        wait_until(lambda: session.run("SELECT sum(events) FROM service_totals") == [(20,)], 30, "it has refreshed")
        session.run("DELETE FROM traces")
        wait_until(lambda: session.run("SELECT * FROM service_totals") == [], 30, "and again")


def test_a_server_that_may_not_refresh_says_so_once_and_serves(rolled_up, session):
    session.run("REVOKE ALL ON trace_analyses FROM raceway")
    with RacewayServer(EVERY_SECOND, rolled_up, name="may-not-refresh") as server, server.client() as client:
        said = "are not kept up to date by this server: "
        wait_until(lambda: said in server.log_text(), 30, "it says so")
        client.post(fleet_events(chance_of("may not"), "t", 5, 0)).ok()
        assert server.stop() == 0
        assert server.log_text().count(said) == 1 and "permission denied for table trace_analyses" in server.log_text()

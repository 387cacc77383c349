"""Races, happened-before and what follows from them, over HTTP on both backends, against every pair of events."""

import itertools
import json
import random
import uuid
from collections import Counter

import pytest

from support import shiviz
from support.brute_force import Trace
from support.model import format_instant
from support.traffic import BASE_NANOS, RECORDED, recorded_bodies, sdk_event


def traces_of(store):
    listed = store.get("/api/traces", page=1, page_size=1000)["traces"]
    return [store.trace(trace["trace_id"]) for trace in listed]


def counted(trace):
    """As Trace.races() counts them; the list must be whole."""
    analysis = trace["analysis"]
    assert len(analysis["race_details"]) == analysis["race_details_total"] == analysis["potential_races"]
    return Counter((race["variable"], race["severity"]) for race in analysis["race_details"])


def compare_with_all_pairs(store):
    races = 0
    for trace in traces_of(store):
        by_pairs = Trace(trace["events"])
        assert [event["id"] for event in trace["events"]] == [by_pairs.events[n]["id"] for n in by_pairs.order]
        assert counted(trace) == by_pairs.races(), trace["trace_id"]
        for race in trace["analysis"]["race_details"]:
            a, b = by_pairs.ids[race["event1_id"]], by_pairs.ids[race["event2_id"]]
            assert by_pairs.relation(a, b) == "concurrent"
            common = by_pairs.before[a] & by_pairs.before[b]
            last = [n for n in by_pairs.order if common >> n & 1]
            assert race["last_common_id"] == (by_pairs.events[last[-1]]["id"] if last else None)
        races += len(trace["analysis"]["race_details"])
    return races


@pytest.mark.parametrize("capture", RECORDED)
def test_recorded_traffic_has_the_races_that_all_pairs_have(store, capture):
    store.post_all(recorded_bodies(capture))
    races = compare_with_all_pairs(store)
    assert (races > 0) == (capture == "distributed")


def test_the_order_of_arrival_changes_no_byte(open_store, backend):
    events = [event for capture in RECORDED for body in recorded_bodies(capture) for event in json.loads(body)["events"]]
    stores = [open_store(backend), open_store(backend)]
    stores[0].post_all(events[at:at + 50] for at in range(0, len(events), 50))
    random.Random(4).shuffle(events)
    stores[1].post_all(events[at:at + 7] for at in range(0, len(events), 7))
    stores[1].post_all(events[at:at + 90] for at in range(0, len(events), 90))  # and again
    for trace in stores[0].get("/api/traces", page=1, page_size=1000)["traces"]:
        one, two = (store.client.get(f"/api/traces/{trace['trace_id']}").ok().body for store in stores)
        assert one == two


def random_trace(seed):
    """Requests that call each other and share variables, without contradictions: times rise along every cause."""
    choose = random.Random(seed)
    trace_id = str(uuid.UUID(int=choose.getrandbits(128), version=4))
    requests, events = [], []
    for number in range(choose.randint(1, 6)):
        caller = choose.choice([None, *requests])
        service, instance = choose.choice("AB"), choose.choice("12")
        requests.append({"service": service, "instance": instance, "span": f"{seed:04x}{number:012x}", "count": 0,
                         "upstream": caller and caller["span"], "last": None, "held": set(),
                         "clock": dict(caller["clock"]) if caller else {}, "caller": caller})
        if caller:
            caller["count"] += 1  # the call itself takes a number
            requests[-1]["clock"][f"{caller['service']}#{caller['instance']}"] = caller["count"]
            own = f"{service}#{instance}"
            requests[-1]["count"] = requests[-1]["clock"].get(own, 0)
    for step in range(choose.randint(0, 40)):
        request = choose.choice(requests)
        request["count"] += 1
        request["clock"][f"{request['service']}#{request['instance']}"] = request["count"]
        kind = choose.choice([{"StateChange": {"variable": choose.choice("xy"), "new_value": step, "location": f"at {step % 3}",
                                               "access_type": choose.choice(["Read", "Write", "AtomicRead", "AtomicRMW"])}}] * 4
                             + [{"LockAcquire": {"lock_id": "l", "lock_type": "Mutex", "location": ""}},
                                {"LockRelease": {"lock_id": "l", "lock_type": "Mutex", "location": ""}}])
        event = sdk_event(trace_id, id=str(uuid.UUID(int=choose.getrandbits(128), version=4)), kind=kind,
                          timestamp=format_instant(BASE_NANOS + step * 1000), parent_id=request["last"],
                          causality_vector=[[name, count] for name, count in request["clock"].items()])
        event["metadata"].update(service_name=request["service"], instance_id=request["instance"],
                                 thread_id=f"request {request['span']}", distributed_span_id=request["span"],
                                 upstream_span_id=request["upstream"])
        request["last"] = event["id"]
        events.append(event)
    return events


def test_random_requests_have_the_races_and_relations_that_all_pairs_have(store):
    for seed in range(40):
        if events := random_trace(seed):
            store.post(events)
    assert compare_with_all_pairs(store) > 100
    choose = random.Random(9)
    for trace in traces_of(store)[:10]:
        by_pairs = Trace(trace["events"])
        for _ in range(10):
            a, b = choose.choice(trace["events"])["id"], choose.choice(trace["events"])["id"]
            answer = store.get(f"/api/traces/{trace['trace_id']}/relation", a=a, b=b)
            assert answer["relation"] == by_pairs.relation(by_pairs.ids[a], by_pairs.ids[b])
            for link, following in itertools.pairwise(answer.get("chain", [])):
                assert by_pairs.relation(by_pairs.ids[link["event_id"]], by_pairs.ids[following["event_id"]]) == "before"


def fixture_f(trace="aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa"):
    """The trace that the contract's black-box cases are about."""
    def event(letter, millis, thread, duration, kind, parent="b"):
        def name(of):
            return of and f"{of * 8}-{of * 4}-4{of * 3}-{of * 4}-{of * 12}"
        return sdk_event(trace, id=name(letter), parent_id=name(parent), kind=kind, causality_vector=[],
                         timestamp=f"2024-01-01T12:00:00.{millis:03d}Z",
                         metadata={"thread_id": thread, "process_id": 1, "service_name": "web", "environment": "test",
                                   "tags": {}, "duration_ns": duration * 10**6})

    def change(old, new, line):
        return {"StateChange": {"variable": "balance", "old_value": old, "new_value": new, "access_type": "Write",
                                "location": f"balance.rs:{line}"}}

    def call(function):
        return {"FunctionCall": {"function_name": function, "module": "m", "args": {}, "file": "f.rs", "line": 1}}
    return [event("b", 0, "thread-main", 17, call("handle_request"), None),
            event("c", 1, "worker-1", 8, change(10, 15, 12)), event("d", 2, "worker-2", 9, change(15, 20, 45)),
            event("e", 5, "thread-main", 3, call("respond"))]


def test_the_fixture_of_the_contract(store):
    events = fixture_f()
    store.post({"events": events})
    trace = store.trace(events[0]["trace_id"])
    [race] = trace["analysis"]["race_details"]
    assert (race["severity"], race["variable"]) == ("CRITICAL", "balance")
    assert [race["event1_thread"], race["event2_thread"]] == ["worker-1", "worker-2"]
    assert [race["event1_location"], race["event2_location"]] == ["balance.rs:12", "balance.rs:45"]
    assert trace["analysis"]["potential_races"] == trace["analysis"]["concurrent_events"] == 1
    assert trace["analysis"]["anomalies"] == [
        "🚨 CRITICAL RACE on balance", "   Event 1: cccccccc @ balance.rs:12 [worker-1]", "           @ 12:00:00.001",
        "           WRITE: 10 → 15", "   Event 2: dddddddd @ balance.rs:45 [worker-2]", "           @ 12:00:00.002",
        "           WRITE: 15 → 20", ""]
    path = trace["critical_path"]
    assert [step["id"] for step in path["path"]] == [events[0]["id"], events[2]["id"]]
    assert [step["kind"] for step in path["path"]] == ["FunctionCall(handle_request)", "StateChange(balance)"]
    assert (float(path["total_duration_ms"]), float(path["trace_total_duration_ms"])) == (26.0, 37.0)
    assert round(float(path["percentage_of_total"]), 2) == 70.27
    assert store.get(f"/api/traces/{events[0]['trace_id']}/critical-path") == path
    first, second = trace["audit_trails"]["balance"]
    assert (first["has_causal_link_to_previous"], first["is_race"]) == (True, False)
    assert (second["has_causal_link_to_previous"], second["is_race"]) == (False, True)
    assert (second["old_value"], second["new_value"], second["access_type"]) == (15, 20, "Write")
    trail = store.get(f"/api/traces/{events[0]['trace_id']}/audit-trail/balance")
    assert trail == {"trace_id": events[0]["trace_id"], "variable": "balance", "accesses": [first, second]}
    assert store.get(f"/api/traces/{events[0]['trace_id']}/audit-trail/nothing")["accesses"] == []
    assert trace["dependencies"] == {"trace_id": events[0]["trace_id"], "services": [{"name": "web", "event_count": 4}],
                                     "dependencies": []}
    assert store.get(f"/api/traces/{events[0]['trace_id']}/anomalies") == {
        "trace_id": events[0]["trace_id"], "anomaly_count": 0, "anomalies": []}


@pytest.mark.parametrize("route", ["critical-path", "dependencies", "audit-trail/x", "relation?a=1&b=2", "graph"])
def test_unknown_traces_and_ids_are_refused(store, route):
    unknown = str(uuid.uuid4())
    assert unknown in store.client.get(f"/api/traces/{unknown}/{route}").refused(404)
    store.client.get(f"/api/traces/not-a-uuid/{route}").refused(400)


def test_anomalies_of_an_unknown_trace_are_none(store):
    unknown = str(uuid.uuid4())
    assert store.get(f"/api/traces/{unknown}/anomalies") == {"trace_id": unknown, "anomaly_count": 0, "anomalies": []}


def test_a_relation_of_unknown_events_names_them(store):
    events = fixture_f()
    store.post(events)
    path = f"/api/traces/{events[0]['trace_id']}/relation"
    assert "nobody" in store.client.get(path, a=events[0]["id"], b="nobody").refused(404)
    store.client.get(path, a=events[0]["id"]).refused(400)


def test_locks_keep_accesses_apart(store):
    events = []
    for worker in ("1", "2"):
        for kind in ({"LockAcquire": {"lock_id": "m", "lock_type": "Mutex", "location": ""}},
                     {"StateChange": {"variable": "x", "new_value": 1, "location": "", "access_type": "Write"}},
                     {"LockRelease": {"lock_id": "m", "lock_type": "Mutex", "location": ""}}):
            events.append(sdk_event("locks", len(events), kind=kind, causality_vector=[]))
            events[-1]["metadata"]["thread_id"] = f"worker-{worker}"
    store.post(events)
    assert store.trace("locks")["analysis"]["potential_races"] == 0


def slow_request(number, millis):
    event = sdk_event(f"trace-{number}", number, kind={"HttpResponse": {"status": 200, "headers": {}, "duration_ms": millis}})
    event["metadata"]["duration_ns"] = millis * 10**6
    return event


def test_durations_are_held_against_those_of_all_other_traces(store):
    store.post([slow_request(number, millis) for number, millis in enumerate([15, 19, 15, 19, 15, 19, 15, 19])])
    store.post([slow_request(100, 17), slow_request(101, 40)])
    assert store.trace("trace-100")["anomalies"] == []
    for _ in range(2):  # looking teaches nothing
        [anomaly] = store.get("/api/traces/trace-101/anomalies")["anomalies"]
        assert anomaly["event_kind"] == "HttpResponse(200)" and anomaly["severity"] == "Critical"
        assert float(anomaly["actual_duration_ms"]) == 40.0
        assert float(anomaly["expected_duration_ms"]) == 17.0
        assert store.trace("trace-101")["anomalies"] == [anomaly]


def test_questions_about_all_traces(store):
    for capture in RECORDED:
        store.post_all(recorded_bodies(capture))
    traces = traces_of(store)
    pairs = Counter()
    between = 0
    accesses = {}
    for trace in traces:
        within = Counter()
        for event in trace["events"]:
            change = event["kind"].get("StateChange")
            if change:
                within[change["variable"], change["access_type"]] += 1
        for variable in {variable for variable, _ in within}:
            reads, writes = within[variable, "Read"], within[variable, "Write"]
            all_reads, all_writes = accesses.get(variable, (0, 0))
            between += writes * all_writes + writes * all_reads + reads * all_writes
            accesses[variable] = (all_reads + reads, all_writes + writes)
        pairs += Trace(trace["events"]).races()
    everything = store.get("/api/analyze/global")
    assert everything["races_within_traces"] == sum(pairs.values())
    assert everything["races_between_traces"] == between
    assert everything["potential_races"] == between + sum(pairs.values())
    assert (everything["total_traces"], everything["pending_traces"]) == (len(traces), 0)
    assert len(everything["race_details"]) == 100
    races = store.get("/api/races", page_size=1000)
    assert races["total_races"] == sum(pairs.values()) == sum(race["races"] for race in races["races"])
    for race in races["races"]:
        one = store.get(f"/api/races/{race['key']}")
        assert (one["races"], len(one["examples"])) == (race["races"], race["traces"])
    edges = {(edge["from_service"], edge["to_service"]): edge["call_count"]
             for edge in store.get("/api/distributed/edges")["edges"]}
    assert sum(edges.values()) == 26  # as it was recorded
    for service in {name for edge in edges for name in edge}:
        calls = store.get(f"/api/services/{service}/dependencies")
        assert {call["to"]: call["total_calls"] for call in calls["calls_to"]} == {
            to: count for (caller, to), count in edges.items() if caller == service}
        assert {call["to"]: call["total_calls"] for call in calls["called_by"]} == {
            caller: count for (caller, to), count in edges.items() if to == service}
    hot = store.get("/api/distributed/hotspots")["top_variables"]
    assert hot[0]["access_count"] == max(sum(counts) for counts in accesses.values())
    shared = store.get("/api/distributed/global-races", limit=1000)
    assert {race["variable"]: race["access_count"] for race in shared["races"]}.items() <= {
        variable: sum(counts) for variable, counts in accesses.items()}.items()
    metrics = store.get("/api/performance/metrics", limit=3)
    assert len(metrics["trace_latency"]["slowest_traces"]) == 3
    assert sum(kind["count"] for kind in metrics["event_performance"]["by_type"]) == everything["total_events"]
    health = store.get("/api/services/health", time_window_minutes=10**9)
    assert {service["name"] for service in health} == {service["name"] for service in store.get("/api/services")["services"]}
    assert store.get("/api/services/health", time_window_minutes=0) == []


def test_answers_about_all_traces_follow_what_is_stored_and_deleted(store):
    assert store.get("/api/analyze/global")["total_traces"] == 0
    store.post(fixture_f())
    assert store.get("/api/analyze/global")["potential_races"] == 1
    late = fixture_f()[1]
    late.update(id=str(uuid.uuid4()))
    late["metadata"]["thread_id"] = "worker-3"
    store.post(late)
    assert store.get("/api/analyze/global")["potential_races"] == 3
    if store.database is not None:
        store.database.sql("DELETE FROM raceway.traces")
        assert store.get("/api/analyze/global")["potential_races"] == 0


def test_contradictions_are_named(store):
    events = fixture_f()
    events[0]["parent_id"] = events[3]["id"]
    events[1]["parent_id"] = str(uuid.uuid4())
    store.post(events)
    warnings = store.trace(events[0]["trace_id"])["analysis"]["warnings"]
    assert warnings["parent_cycles"] == 1 and warnings["missing_parents"] == 1


@pytest.mark.parametrize("log", sorted(shiviz.manifest()))
def test_logs_are_ordered_by_their_clocks(store, log):
    store.post(list(shiviz.log_events(log)))
    compare_with_all_pairs(store)
    by_pairs = Trace(store.trace(log)["events"])
    choose = random.Random(2)
    for _ in range(20):
        a, b = choose.choice(by_pairs.events)["id"], choose.choice(by_pairs.events)["id"]
        answer = store.get(f"/api/traces/{log}/relation", a=a, b=b)
        assert answer["relation"] == by_pairs.relation(by_pairs.ids[a], by_pairs.ids[b])

"""A trace as the columns of its diagram, against every pair of its events."""

import json
import random
import uuid

import pytest

from support import shiviz
from support.brute_force import WRITES, Trace
from support.model import instant
from support.traffic import RECORDED, documented_event, recorded_bodies, sdk_event


def graphs_of(store):
    """(the view of a trace, its graph) of each."""
    for trace in store.get("/api/traces", page=1, page_size=1000)["traces"]:
        path = f"/api/traces/{trace['trace_id']}"
        yield store.get(path), store.get(f"{path}/graph")


def causes_of(graph, place):
    return graph["cause"][graph["cause_from"][place]:graph["cause_from"][place + 1]]


COLUMNS = ("id", "lane", "column", "kind", "name", "place", "t", "duration", "flags")


def check_against_all_pairs(view, graph):
    trace = Trace(view["events"])
    order = trace.order
    assert graph["id"] == [view["events"][n]["id"] for n in order]
    count = len(order)
    assert graph["total_events"] == graph["events"] == count
    assert {len(graph[column]) for column in COLUMNS} == {count}
    assert len(graph["cause_from"]) == count + 1 and graph["cause_from"][-1] == len(graph["cause"]) == len(graph["cause_reason"])
    before = [[(trace.before[order[b]] >> order[a]) & 1 for a in range(count)] for b in range(count)]
    last, columns = {}, []
    for b in range(count):
        past = [a for a in range(b) if before[b][a]]
        columns.append(max((columns[a] + 1 for a in past), default=0))
        direct = [a for a in past if not any(before[b][via] and before[via][a] for via in past)]
        assert causes_of(graph, b) == [a for a in direct if graph["lane"][a] != graph["lane"][b]]
        lane = graph["lane"][b]
        if lane in last:
            assert before[b][last[lane]], "a lane is a chain"
        last[lane] = b
    assert graph["column"] == columns
    assert sorted(last) == list(range(len(graph["lanes"])))
    assert graph["all_causes"] and graph["all_races_marked"]
    assert all(0 <= reason < len(graph["reasons"]) for reason in graph["cause_reason"])
    check_races(view, graph)
    check_texts(trace, graph)


def check_races(view, graph):
    races = view["analysis"]["race_details"]
    assert graph["race_pairs"] == view["analysis"]["race_details_total"] == len(races)
    found = {(graph["id"][a], graph["id"][b], graph["names"][variable], kind) for a, b, variable, kind in graph["races"]}
    assert found == {(race["event1_id"], race["event2_id"], race["variable"], ["write-write", "read-write"].index(race["class"])) for race in races}
    racing = {race[end] for race in races for end in ("event1_id", "event2_id")}
    assert racing == {graph["id"][place] for place, flags in enumerate(graph["flags"]) if flags & 8}


def check_texts(trace, graph):
    ids = {event["id"] for event in trace.events}
    start = min(instant(event["timestamp"]) for event in trace.events)
    assert graph["t0"] == start // 1000
    for place, number in enumerate(trace.order):
        event = trace.events[number]
        (kind, details), = event["kind"].items()
        assert graph["kinds"][graph["kind"][place]] == kind
        name = graph["names"][graph["name"][place]]
        if kind == "StateChange":
            assert name == details["variable"]
            assert bool(graph["flags"][place] & 1) == (details["access_type"] in WRITES)
            assert bool(graph["flags"][place] & 2) == ("Read" in details["access_type"] or details["access_type"] == "AtomicRMW")
        elif kind == "HttpRequest":
            assert name == f"{details['method']} {details['url']}"[:120]
        assert graph["t"][place] == instant(event["timestamp"]) // 1000 - start // 1000
        location = details.get("location") or (f"{details['file']}:{details['line']}" if "file" in details else None)
        assert (graph["places"][graph["place"][place]] if graph["place"][place] >= 0 else None) == (location or None)
        nanos = event["metadata"]["duration_ns"]
        assert nanos is None or round(graph["duration"][place] * 1_000_000) == nanos
        assert bool(graph["flags"][place] & 16) == (event["parent_id"] is not None and event["parent_id"] not in ids)
        lane = graph["lanes"][graph["lane"][place]]
        assert lane["service"] == event["metadata"]["service_name"] and (lane["thread"] or "") == event["metadata"]["thread_id"]


@pytest.mark.parametrize("capture", RECORDED)
def test_recorded_traffic_is_drawn_as_all_pairs_have_it(store, capture):
    store.post_all(recorded_bodies(capture))
    drawn = 0
    for view, graph in graphs_of(store):
        check_against_all_pairs(view, graph)
        drawn += len(graph["cause"])
    assert (drawn > 0) == (capture == "distributed")


@pytest.mark.parametrize("log", shiviz.manifest())
def test_a_log_with_true_clocks_has_a_lane_for_each_host(store, log):
    store.post(json.dumps(shiviz.log_events(log)).encode())
    for view, graph in graphs_of(store):
        components = {name for event in view["events"] for name, _ in event["causality_vector"]}
        assert len(graph["lanes"]) <= len(components)
        assert graph["cause"] != []


def worker(number, thread, parent=None, **changes):
    event = sdk_event("drawn", number, causality_vector=[], parent_id=parent, **changes)
    event["metadata"]["thread_id"] = thread
    return event


def test_the_order_of_arrival_changes_no_byte(open_store):
    events = [event for body in recorded_bodies("distributed") for event in json.loads(body)["events"]]
    stores = [open_store("memory"), open_store("memory")]
    stores[0].post({"events": events})
    random.Random(5).shuffle(events)
    for event in events:
        stores[1].post(event)
    for trace in stores[0].get("/api/traces", page=1, page_size=100)["traces"]:
        one, two = (dict(store.get(f"/api/traces/{trace['trace_id']}/graph"), as_of="") for store in stores)
        assert one == two


def test_what_is_odd_of_an_event_is_flagged(store):
    events = [worker(0, "main"), worker(1, "main", parent="nobody"), worker(2, "w", kind={"Error": {"error_type": "E", "message": "gone"}}),
              worker(3, "w", kind={"HttpResponse": {"status": 503}}), worker(4, "w", kind={"HttpResponse": {"status": 200}})]
    alone = documented_event("alone", "drawn", 5, vector_clock={}, metadata={"service_name": "bank"})
    store.post(events)
    store.post(alone)
    graph = store.get("/api/traces/drawn/graph")
    flags = dict(zip(graph["id"], graph["flags"]))
    assert [flags[event["id"]] & 0b10100 for event in events] == [0, 16, 4, 4, 0]
    assert flags["alone"] & 32 and not flags[events[0]["id"]] & 32
    names = dict(zip(graph["id"], (graph["names"][name] for name in graph["name"])))
    assert [names[event["id"]] for event in events[2:]] == ["E gone", "503", "200"]


def test_many_races_are_counted_and_marked_and_the_first_are_listed(store):
    events = [worker(n, f"t{n % 50}") for n in range(1_000)]
    store.post(events)
    graph = store.get("/api/traces/drawn/graph")
    pairs = 1_000 * 999 // 2 - 50 * (20 * 19 // 2)  # but for those of one thread
    assert graph["race_pairs"] == pairs
    assert len(graph["races"]) == 2_000
    assert graph["races"] == sorted(graph["races"], key=lambda race: (race[1], race[0]))
    assert all(flags & 8 for flags in graph["flags"])
    assert len(graph["lanes"]) == 50 and graph["cause"] == []


@pytest.mark.parametrize("size", [1_000, 1_001, 5_000])
def test_an_answer_is_whole_whether_it_is_streamed_or_not(store, size):
    events = [worker(n, f"t{n % 7}") for n in range(size)]
    for parent, child in zip(events, events[1:]):
        child["parent_id"] = parent["id"]
    for at in range(0, size, 1_000):
        store.post(events[at:at + 1_000])
    graph = store.get("/api/traces/drawn/graph")
    assert graph["id"] == [event["id"] for event in events]
    assert graph["column"] == list(range(size))
    assert graph["cause"] == list(range(size - 1))
    assert set(graph["cause_reason"]) == {graph["reasons"].index("parent")}


def test_more_events_than_are_drawn_are_a_closed_past(open_store):
    """The first 250,000 of the order, and how many there are."""
    store = open_store("memory")
    size = 251_000
    for begin in range(0, size, 10_000):
        store.post([documented_event(f"e{n:06d}", "long", n, kind="Tick", location=None, vector_clock={},
                                     metadata={"thread_id": f"t{n % 3}", **({"parent_id": f"e{n - 1:06d}"} if n % 1_000 else {})})
                    for n in range(begin, min(begin + 10_000, size))])
    graph = store.get("/api/traces/long/graph")
    assert graph["total_events"] == size and graph["events"] == 250_000
    assert graph["id"] == [f"e{n:06d}" for n in range(250_000)]
    assert {len(graph[column]) for column in COLUMNS} == {250_000}
    assert len(graph["cause_from"]) == 250_001 and max(graph["cause"]) < 250_000


def test_a_trace_that_is_too_large_to_be_analysed_is_answered_as_elsewhere(open_store, backend):
    store = open_store(backend, {"server": {"max_inflight_bytes": 16 << 20}})
    for begin in range(0, 60_000, 2_000):
        store.post([documented_event(f"e{n}", "large", n) for n in range(begin, begin + 2_000)])
    answers = {path: store.client.get(f"/api/traces/large/{path}") for path in ("critical-path", "graph")}
    assert {answer.status for answer in answers.values()} == {503}
    assert {answer.json["error"] for answer in answers.values()} == {answers["graph"].json["error"]}
    assert all(answer.headers["Retry-After"] is not None for answer in answers.values())


def test_an_id_is_found_however_it_is_written(store):
    trace_id = str(uuid.uuid4())
    store.post(sdk_event(trace_id))
    assert store.get(f"/api/traces/{trace_id.replace('-', '').upper()}/graph")["events"] == 1

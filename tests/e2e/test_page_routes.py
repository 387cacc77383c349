"""What is new, how full the store is, and events by their ids: the routes of the web page beside lists and graphs."""

import json
import uuid

import pytest

from support.model import instant
from support.server import RacewayServer
from support.traffic import RECORDED, documented_event, recorded_bodies, recorded_events, sdk_event


def changed(store, since=None):
    answer = store.get("/api/changes", **({"since": since} if since else {}))
    return answer["cursor"], [trace["trace_id"] for trace in answer["traces"]], answer


def test_from_now_on_what_comes_and_grows_is_told(store):
    store.post(documented_event("old", "before"))
    cursor, traces, _ = changed(store)
    assert traces == []
    store.post([documented_event("a1", "a", 5), documented_event("b1", "b", 9)])
    cursor, traces, answer = changed(store, cursor)
    assert [trace for trace in traces if trace != "before"] == ["b", "a"] and not answer["more"]
    listed = store.get("/api/traces", page=1, page_size=10)["traces"]
    assert [trace for trace in answer["traces"] if trace["trace_id"] != "before"] == [trace for trace in listed if trace["trace_id"] != "before"]
    store.post(documented_event("a2", "a", 6))
    cursor, traces, answer = changed(store, cursor)
    assert next(trace for trace in answer["traces"] if trace["trace_id"] == "a")["event_count"] == 2
    if store.backend == "memory":
        assert traces == ["a"]
        assert changed(store, cursor)[1] == []


def test_of_many_the_last_are_told_and_that_there_are_more(store):
    cursor, _, _ = changed(store)
    store.post([documented_event(f"e{n}", f"t{n}", n) for n in range(250)])
    _, traces, answer = changed(store, cursor)
    assert len(traces) == 100 == len(set(traces)) and answer["more"]


def test_counters_are_told(store):
    store.post([documented_event(f"e{n}", "t", n) for n in range(10)])
    _, _, answer = changed(store)
    assert answer["evicted_traces"] == answer["evicted_events"] == 0
    assert (answer["events_captured"], answer["traces_active"]) == (10, 1)
    assert answer["events_per_second"] >= 0


def test_what_was_evicted_is_counted():
    with RacewayServer({"storage.memory": {"max_traces": 5}}, name="evicting") as server, server.client() as client:
        for n in range(20):
            client.post(documented_event(f"e{n}", f"t{n}", n)).ok()
        told = client.get("/api/changes").data
        assert told["traces_active"] == 5 and told["evicted_traces"] == told["evicted_events"] == 15
        storage = client.get("/api/storage").data
        assert storage["evicted"]["traces"] == {"traces": 15, "events": 15} and storage["limits"]["traces"] == 5


@pytest.mark.parametrize("since", ["x", "-1", ""])
def test_a_cursor_that_is_none_is_refused(store, since):
    store.client.get("/api/changes", since=since).refused(400)


def test_the_store_tells_what_it_is_and_names_nobody(store):
    store.post([{"event_id": "bad"}, documented_event("x" * 300, "t"), documented_event("e", "t")])
    told = store.get("/api/storage")
    assert told["backend"] == ("memory" if store.backend == "memory" else "postgres")
    assert told["edition"] == {"memory": None, "postgres": "extension", "supabase": "portable"}[store.configured_backend]
    assert told["bytes"] > 0 and told["cleanups"] == []
    assert told["listening"] == [f"http://127.0.0.1:{store.server.port}"]
    assert {each["reason"]: each["count"] for each in told["rejected_lately"]} == {"missing_field": 1, "too_long": 1}
    if store.database is not None:
        assert told["partition_by"] == "none" and told["partitions"] == 0
        text = json.dumps(told, default=str)
        assert store.database.name not in text


def test_the_last_cleanups_are_told(open_store):
    store = open_store("postgres")
    store.post([documented_event(f"e{n}", f"t{n}", n) for n in range(10)])
    store.database.sql("CALL raceway.cleanup(max_traces => 4)")
    last = store.get("/api/storage")["cleanups"][0]
    assert last["outcome"] == "done" and last["deleted_traces"] == last["deleted_events"] == 6
    assert instant(last["finished"]) >= instant(last["started"])


def test_events_by_their_ids_are_those_of_the_trace(open_store):
    stores = [open_store("memory"), open_store("postgres")]
    for capture in RECORDED:
        for body in recorded_bodies(capture):
            for store in stores:
                store.post(body)
    by_trace = {}
    for event in recorded_events("distributed"):
        by_trace.setdefault(event["trace_id"], []).append(event["id"])
    for trace_id, ids in list(by_trace.items())[:5]:
        some = [ids[-1], "unknown", ids[0], ids[-1]]
        answers = [store.client.get(f"/api/traces/{trace_id}/events", ids=",".join(some)).ok() for store in stores]
        assert answers[0].body == answers[1].body
        events = {event["id"]: event for event in stores[0].client.get(f"/api/traces/{trace_id}").data["events"]}
        assert answers[0].data == {"trace_id": trace_id, "events": [events[each] for each in dict.fromkeys(some) if each in events]}


def test_events_that_cannot_be_asked_for_are_refused(store):
    trace_id = str(uuid.uuid4())
    store.post(sdk_event(trace_id))
    path = f"/api/traces/{trace_id}/events"
    assert store.get(path, ids="nobody")["events"] == []
    store.client.get(path).refused(400)
    store.client.get(path, ids=",".join(f"e{n}" for n in range(201))).refused(400)
    store.client.get("/api/traces/not-a-uuid/events", ids="a").refused(400)
    store.client.get(f"/api/traces/{uuid.uuid4()}/events", ids="a").refused(404)


@pytest.mark.parametrize("path", ["/api/changes", "/api/storage", "/api/traces?limit=5", "/api/traces/t/graph", "/api/traces/t/events?ids=e"])
def test_without_a_key_nothing_is_told(path):
    sections = {"server": {"auth_enabled": True, "api_keys": ["a-key-of-this-test"]}}
    with RacewayServer(sections, name="keys") as server, server.client() as client:
        client.get(path).refused(401)


def test_an_event_is_found_whose_id_holds_a_comma(store):
    events = [documented_event(name, "t", n) for n, name in enumerate(("a,b", "a", "c"))]
    store.post(events)
    assert {event["id"] for event in store.get("/api/traces/t/events", ids="a,b")["events"]} >= {"a,b"}
    assert [event["id"] for event in store.get("/api/traces/t/events", ids="c,a")["events"]] == ["c", "a"]


def test_as_many_ids_as_may_be_asked_for_are_answered(store):
    store.post([documented_event(f"e{n}", "t", n) for n in range(200)])
    assert len(store.get("/api/traces/t/events", ids=",".join(f"e{n}" for n in range(200)))["events"]) == 200

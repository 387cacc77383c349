"""The documented event format: flat, ids of free text, the clock an object."""

import pytest

from support import model
from support.store import posted
from support.traffic import documented_event, sdk_event


def shapes(events):
    """The bodies in which the same events may come, and how many each holds."""
    return {"wrapped": ({"events": events}, len(events)), "array": (events, len(events)), "single": (events[0], 1)}


@pytest.mark.parametrize("shape", ["wrapped", "array", "single"])
def test_events_come_wrapped_in_an_array_or_alone(store, shape):
    events = [documented_event(f"event {n}", "a trace / of mine", n) for n in range(3)]
    body, count = shapes(events)[shape]
    answer = store.post(body)
    assert answer == {"success": True, "data": posted(count), "error": None, "stored": count, "duplicates": 0,
                      "rejected_count": 0, "rejected": []}
    got = store.get("/api/traces/a%20trace%20%2F%20of%20mine")["events"]
    assert [event["id"] for event in got] == [event["event_id"] for event in events[:count]]


@pytest.mark.parametrize("shape", ["wrapped", "array", "single"])
def test_the_sdk_form_comes_in_the_same_shapes(store, shape):
    events = [sdk_event("6d0e1f5e-1111-4222-8333-944455556666", n) for n in range(3)]
    body, count = shapes(events)[shape]
    assert store.post(body)["stored"] == count
    got = store.trace(events[0]["trace_id"])["events"]
    assert [model.sdk_difference(sent, event) for sent, event in zip(events, got)] == [None] * count


def test_both_formats_stand_in_one_body(store):
    trace_id = "6d0e1f5e-1111-4222-8333-944455556666"
    events = [sdk_event(trace_id, 0), documented_event("free text", trace_id, 1)]
    assert store.post({"events": events})["stored"] == 2
    assert [event["id"] for event in store.trace(trace_id)["events"]] == [events[0]["id"], "free text"]


def test_a_documented_event_reads_back_in_the_sdks_form(store):
    sent = documented_event("e1", "t1", 5, duration_ms=12.5, vector_clock={"b": 2, "aa": 18446744073709551615},
                            metadata={"service_name": "bank", "variable": "balance", "new_value": [1.50, None]})
    store.post(sent)
    (got,) = store.trace("t1")["events"]
    assert set(got) == {"id", "trace_id", "parent_id", "timestamp", "kind", "metadata", "causality_vector", "lock_set"}
    assert (got["id"], got["trace_id"], got["parent_id"], got["lock_set"]) == ("e1", "t1", None, [])
    assert got["timestamp"] == sent["timestamp"]
    assert dict(got["causality_vector"]) == sent["vector_clock"]
    (kind, fields), = got["kind"].items()
    assert kind == "StateChange"
    assert fields["variable"] == "balance" and fields["location"] == sent["location"]
    assert model.difference([1.5, None], fields["new_value"]) is None
    metadata = got["metadata"]
    assert metadata["service_name"] == "bank" and metadata["tags"] == {}
    assert isinstance(metadata["thread_id"], str) and isinstance(metadata["environment"], str)
    assert isinstance(metadata["process_id"], int)


def test_only_ids_kind_and_time_are_required(store):
    least = {"event_id": "e", "trace_id": "t", "kind": "Log", "timestamp": "2026-01-01T00:00:00Z"}
    assert store.post(least)["stored"] == 1
    (got,) = store.trace("t")["events"]
    assert got["causality_vector"] == [] and set(got["kind"]) == {"Log"}
    if store.database:
        assert store.database.rows("SELECT duration_ms, location, vector_clock, metadata FROM events") == [
            {"duration_ms": None, "location": None, "vector_clock": None, "metadata": {}}]


def test_sent_again_it_is_a_duplicate_where_it_says_the_same_and_changes_nothing(store):
    first = documented_event("e", "t", 1)
    store.post(first)
    changed = {**first, "kind": "Other", "timestamp": "2030-01-01T00:00:00Z", "metadata": {"service_name": "other"}}
    answer = store.post([changed, first, dict(reversed(first.items())), changed])
    reason = "event_id is already stored with other contents: kind, timestamp, metadata"
    assert (answer["stored"], answer["duplicates"], answer["rejected"]) == (
        0, 2, [{"index": index, "id": "e", "reason": reason} for index in (0, 3)])
    (got,) = store.trace("t")["events"]
    assert set(got["kind"]) == {"StateChange"} and got["timestamp"] == first["timestamp"]
    (summary,) = store.get("/api/traces", page=1)["traces"]
    assert summary["event_count"] == 1 and summary["services"] == ["bank"]


def test_another_event_of_the_same_id_in_one_body_is_named(store):
    events = [documented_event("e", "t"), documented_event("e", "t", location="elsewhere"), documented_event("e", "t")]
    answer = store.post(events)
    assert (answer["stored"], answer["duplicates"], answer["rejected"]) == (
        1, 1, [{"index": 1, "id": "e", "reason": "event_id is already stored with other contents: location"}])
    assert store.counts() == (1, 1)


def test_an_event_twice_in_one_body_is_stored_once(store):
    event = documented_event("e", "t")
    answer = store.post([event, event, documented_event("f", "t"), event])
    assert (answer["stored"], answer["duplicates"], answer["rejected"]) == (2, 2, [])
    assert store.counts() == (2, 1)


def test_the_same_id_under_another_trace_is_rejected_by_name(store):
    store.post(documented_event("e", "t"))
    answer = store.post([documented_event("before", "u"), documented_event("e", "u"), documented_event("after", "u")])
    assert (answer["stored"], answer["duplicates"]) == (2, 0)
    (rejected,) = answer["rejected"]
    assert (rejected["index"], rejected["id"]) == (1, "e")
    assert "trace" in rejected["reason"]
    assert answer["data"] == posted(2, rejected=1)
    assert {event["id"] for event in store.trace("u")["events"]} == {"before", "after"}
    assert [event["id"] for event in store.trace("t")["events"]] == ["e"]


def test_the_same_id_under_two_traces_in_one_body_keeps_the_first(store):
    answer = store.post([documented_event("e", "t"), documented_event("e", "u")])
    assert answer["stored"] == 1
    assert [(r["index"], r["id"]) for r in answer["rejected"]] == [(1, "e")]
    assert store.counts() == (1, 1)


def test_a_trace_of_which_every_event_is_rejected_does_not_come_to_be(store):
    store.post(documented_event("e", "t"))
    store.post([documented_event("e", "u")])
    assert store.counts() == (1, 1)
    assert store.client.get("/api/traces/u").status in (400, 404)


def test_nanoseconds_survive(store):
    sent = documented_event("e", "t", timestamp="2026-01-01T00:00:00.123456789+05:30")
    store.post(sent)
    (got,) = store.trace("t")["events"]
    assert got["timestamp"] == "2025-12-31T18:30:00.123456789Z"
    (summary,) = store.get("/api/traces", page=1)["traces"]
    assert summary["first_timestamp"] == "2025-12-31T18:30:00.123456+00:00"


def test_parents_and_clocks_order_a_trace_whose_times_run_backwards(store):
    trace = "6d0e1f5e-1111-4222-8333-944455556666"
    ids = [f"00000000-0000-4000-8000-00000000000{9 - n}" for n in range(6)]
    chain = [sdk_event(trace, 100 - n, id=ids[n], parent_id=ids[n - 1] if n else None, causality_vector=[])
             for n in range(3)]
    clocked = [sdk_event(trace, 50 - n, id=ids[3 + n], causality_vector=[["a", n + 1]]) for n in range(3)]
    sent = chain + clocked
    store.post(list(reversed(sent)))
    got = store.trace(trace)["events"]
    assert model.order_violations(got) == []
    place = {event["id"]: i for i, event in enumerate(got)}
    assert place[ids[0]] < place[ids[1]] < place[ids[2]]
    assert place[ids[3]] < place[ids[4]] < place[ids[5]]


def test_parents_in_a_circle_still_give_a_trace(store):
    trace, a, b = "6d0e1f5e-1111-4222-8333-944455556666", "0" * 8 + "-0000-4000-8000-" + "0" * 12, "1" * 8 + "-0000-4000-8000-" + "0" * 12
    store.post([sdk_event(trace, 0, id=a, parent_id=b), sdk_event(trace, 1, id=b, parent_id=a),
                sdk_event(trace, 2, parent_id=None)])
    assert len(store.trace(trace)["events"]) == 3


def test_a_long_chain_of_parents_is_no_trouble(store):
    trace = "6d0e1f5e-1111-4222-8333-944455556666"
    ids = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(20_000)]
    events = [sdk_event(trace, 20_000 - n, id=ids[n], parent_id=ids[n - 1] if n else None, causality_vector=[])
              for n in range(20_000)]
    assert store.post(events)["stored"] == 20_000
    assert [event["id"] for event in store.trace(trace)["events"]] == ids

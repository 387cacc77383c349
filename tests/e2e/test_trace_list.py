"""The list of traces by a cursor: what is found, where it goes on, and where it ends for now."""

import json

import pytest

from support.model import instant
from support.store import Store
from support.traffic import RECORDED, documented_event, recorded_bodies, sdk_event


def pages(store, limit=7, **query):
    """All answers of one search, by the cursor."""
    answers, after = [], {}
    while True:
        answers.append(store.get("/api/traces", limit=limit, **query, **after))
        if answers[-1]["next"] is None:
            return answers
        after = {"after": answers[-1]["next"]}


def found(store, **query):
    return [trace for page in pages(store, **query) for trace in page["traces"]]


def ids(store, **query):
    return [trace["trace_id"] for trace in found(store, **query)]


@pytest.fixture(scope="module")
def recorded(backend, cluster):
    with Store(backend, cluster, "listed") as store:
        for capture in RECORDED:
            store.post_all(recorded_bodies(capture))
        store.views = {trace["trace_id"]: trace for trace in store.get("/api/traces", page=1, page_size=1000)["traces"]}
        store.events = {trace_id: store.trace(trace_id) for trace_id in store.views}
        yield store


def test_the_pages_are_the_list(recorded):
    traces = found(recorded)
    assert [trace["trace_id"] for trace in traces] == list(recorded.views)
    for trace in traces:
        assert {name: trace[name] for name in recorded.views[trace["trace_id"]]} == recorded.views[trace["trace_id"]]
    assert all(len(page["traces"]) == 7 and not page["capped"] for page in pages(recorded)[:-1])


def test_what_is_told_of_a_trace_is_what_its_events_say(recorded):
    for trace in found(recorded, limit=200):
        events = recorded.events[trace["trace_id"]]["events"]
        known = {event["id"] for event in events}
        first = min(events, key=lambda event: (instant(event["timestamp"]) // 1000, event["id"]))
        (kind, details), = first["kind"].items()
        if kind == "HttpRequest":
            assert trace["name"] == f"{details['method']} {details['url']}"[:120]
        assert trace["missing_parent"] == any(event["parent_id"] not in (None, *known) for event in events)
        assert trace["races"] == recorded.events[trace["trace_id"]]["analysis"]["potential_races"]
        micros = [instant(event["timestamp"]) // 1000 for event in events]
        assert round(trace["duration_ms"] * 1000) == max(micros) - min(micros)


def test_filters_select_what_they_say(recorded):
    racing = [trace_id for trace_id, view in recorded.events.items() if view["analysis"]["potential_races"]]
    assert racing and ids(recorded, races=1) == racing
    variable = next(iter(recorded.events[racing[0]]["audit_trails"]))
    assert ids(recorded, variable=variable) == [
        trace_id for trace_id, view in recorded.events.items() if variable in view["audit_trails"]]
    assert ids(recorded, variable="nobody's") == []
    longer = [trace["trace_id"] for trace in found(recorded) if trace["duration_ms"] >= 5]
    assert 0 < len(longer) < len(recorded.views) and ids(recorded, min_duration=5) == longer
    service = recorded.views[racing[0]]["services"][0]
    assert ids(recorded, service=service, limit=50) == [
        trace_id for trace_id, trace in recorded.views.items() if service in trace["services"]]
    assert ids(recorded, q=service.upper()) == [
        trace["trace_id"] for trace in found(recorded) if any(service in text for text in [*trace["services"], trace["name"]])]
    assert ids(recorded, min_events=10) == [trace_id for trace_id, trace in recorded.views.items() if trace["event_count"] >= 10]


def test_a_trace_is_found_by_its_id_in_any_form(recorded):
    for trace_id in list(recorded.views)[:3]:
        assert ids(recorded, q=trace_id) == ids(recorded, q=trace_id.replace("-", "").upper()) == [trace_id]
        assert trace_id in ids(recorded, q=trace_id[3:17])


def test_errors_are_found(store):
    bad = {"failed": {"Error": {"error_type": "E", "message": "m"}}, "answered": {"HttpResponse": {"status": 500}}}
    for n, (trace, kind) in enumerate({**bad, "well": {"HttpResponse": {"status": 404}}}.items()):
        store.post(sdk_event(trace, n, kind=kind))
    assert ids(store, errors=1) == ["answered", "failed"]
    assert [trace["errors"] for trace in found(store)] == [False, True, True]


def test_a_trace_that_grows_is_told_anew(store):
    store.post(documented_event("e2", "t", 2, metadata={"parent_id": "e1", "variable": "x"}))
    assert [(trace["name"], trace["missing_parent"]) for trace in found(store)] == [("x", True)]
    store.post(documented_event("e1", "t", 1, kind="HttpRequest", metadata={"method": "GET", "url": "/"}))
    assert [(trace["name"], trace["missing_parent"]) for trace in found(store)] == [("GET /", False)]


def test_traces_of_one_time_are_each_listed_once(store):
    store.post([documented_event(f"e{n}", f"trace-{n:02d}") for n in range(40)])
    assert ids(store, limit=3) == [f"trace-{n:02d}" for n in range(40)]


def test_a_search_ends_for_now_where_it_has_looked_at_enough(store):
    for begin in range(0, 6_000, 1_000):
        store.post([documented_event(f"e{n}", f"trace-{n}", n) for n in range(begin, begin + 1_000)])
    first, second = pages(store, q="race-17", limit=200)
    assert first["scanned"] == 5_000 and first["capped"] and first["next"] is not None
    assert second["scanned"] == 1_000 and not second["capped"] and second["next"] is None
    assert sorted(ids(store, q="race-17", limit=200)) == sorted(f"trace-{n}" for n in range(6_000) if str(n).startswith("17"))


def test_of_a_large_trace_what_its_events_say_is_not_known(store):
    """And it is not left out where that is asked for."""
    for begin in range(0, 10_001, 5_000):
        store.post([documented_event(f"e{n}", "large", n) for n in range(begin, min(begin + 5_000, 10_001))])
    store.post(documented_event("e", "small"))
    for query in ({}, {"races": 1}, {"errors": 1}, {"variable": "other"}):
        large = next(trace for trace in found(store, **query) if trace["trace_id"] == "large")
        assert [large[name] for name in ("name", "missing_parent", "races", "errors")] == [None] * 4
        assert large["services"] == ["bank"] and large["event_count"] == 10_001


@pytest.mark.parametrize("query", ["after=7", "after=x.y", "after=", "limit=0", "limit=x", "races=maybe", "min_duration=-1", "min_duration=nan"])
def test_what_makes_no_sense_is_refused(store, query):
    store.client.get(f"/api/traces?{query}").refused(400)


def test_both_backends_answer_alike(open_store):
    stores = [open_store("memory"), open_store("postgres")]
    for capture in RECORDED:
        for body in recorded_bodies(capture):
            for store in stores:
                store.post(body)
    for query in ("limit=200", "races=1", "q=a&limit=3", "min_duration=3&limit=5", "limit=11", "errors=1"):
        one, two = (store.client.get(f"/api/traces?{query}") for store in stores)
        assert one.status == two.status == 200 and one.body == two.body, query
        after = json.loads(one.body)["data"]["next"]
        if after:
            one, two = (store.client.get("/api/traces", after=after) for store in stores)
            assert one.body == two.body

"""Memory and PostgreSQL answer the same input with the same bytes."""

import json
import random
from urllib.parse import quote

import pytest

from support import shiviz
from support.store import without_moments
from support.traffic import RECORDED, OverlappingTraffic, documented_event, recorded_bodies, recorded_events, sdk_event


def strange_bodies():
    """Events at the edges of what is kept, and some beyond."""
    text = "é\U0001f600\"\\/\b\f\n\r\t\x01\x7f\u2028"
    numbers = '[0, -0, -0.0, 1.0, 1.50, 1e2, 1E-7, 123456789012345678901234567890, 0.1e1, -1.5e+3, 1e-20]'
    values = {"text": text, "": "an empty key", text: {"a": {"b": [[], {}, None, True, False]}}, "z": 1, "aa": 2}
    return [
        json.dumps(documented_event("e-text", "t-" + text, 0, metadata=values, location=text)).encode(),
        json.dumps(documented_event("e-ascii", "t", 1, metadata=values), ensure_ascii=False).encode(),
        json.dumps(documented_event("e-numbers", "t", 2, metadata={"n": 0})).encode().replace(b'"n": 0', b'"n": ' + numbers.encode()),
        b'{"event_id":"e-twice","trace_id":"t","kind":"A","kind":"B","timestamp":"2026-01-01T00:00:00Z",'
        b'"metadata":{"a":1,"b":2,"a":3}}',
        json.dumps([sdk_event("6d0e1f5e-1111-4222-8333-944455556666", n, id=f"00000000-0000-4000-8000-{n:012d}",
                              causality_vector=[["long-name", 3], ["b", 0], ["a", 18446744073709551615]],
                              lock_set=["l2", "l1"], unknown={"x": 1}, kind=kind)
                    for n, kind in enumerate([{"Custom": {"name": "n", "data": {"k": [1]}}}, {"Never-Seen": {}},
                                              {"Log": {"timestamp": "mine", "parent_id": "mine", "location": 5}}])]).encode(),
        json.dumps([documented_event(f"d{i}", "durations", i, duration_ms=value)
                    for i, value in enumerate([0, 0.1, 1e-3, 12.345678, 1e10, 16777217, 3.4e38])]).encode(),
        json.dumps([documented_event(f"y{i}", "years", 0, timestamp=value, vector_clock={}) for i, value in enumerate(
            ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.5Z",
             "2026-01-01 00:00:00.000000001+14:00", "1582-10-10T00:00:00Z"])]).encode(),
        json.dumps([documented_event("ok-1", "mixed", 1), {"event_id": "bad"}, 7, documented_event("e-text", "mixed"),
                    documented_event("x" * 256, "mixed"), documented_event("ok-2", "mixed", 2)]).encode(),
        json.dumps([documented_event("no-service", "quiet", 1, metadata={}),
                    documented_event("odd-service", "quiet", 2, metadata={"service_name": 5}),
                    documented_event("long-service", "quiet", 3, metadata={"service_name": "s" * 300})]).encode(),
        b'{"events":[]}', b"[]", b"{}", b"7", b"", b"{", b'{"events":[{}]}', b'{"events":7}',
    ]


def post_both(stores, body):
    memory, postgres = (store.client.post(body) for store in stores)
    assert (memory.status, memory.body) == (postgres.status, postgres.body), body[:200]


def compare_every_route(stores):
    """Asks both the same and compares bytes; answers how many answers were compared."""
    with_ids = stores[0].get("/api/traces", page=1, page_size=1000)
    paths = ["/health", "/status", "/api/services", "/api/traces", "/api/traces?page=1&page_size=7",
             "/api/traces?page=3&page_size=7", "/api/traces?min_events=5", "/api/traces?page_size=5&min_events=3",
             "/api/traces/unknown", "/api/traces/6d0e1f5e-9999-4222-8333-944455556666", "/api/traces?page_size=0"]
    for service in stores[0].get("/api/services")["services"]:
        paths += [f"/api/services/{service['name']}/traces", f"/api/traces?page=1&service={service['name']}"]
    for trace in with_ids["traces"]:
        if trace["trace_id"].isprintable() and trace["trace_id"].isascii():
            path = f"/api/traces/{trace['trace_id'].replace(' ', '%20')}"
            last_of_page = stores[0].get(path, limit=3)["next_after"]
            paths += [path, f"{path}/graph", f"{path}?limit=3", *([f"{path}?limit=2&after={quote(last_of_page)}"] if last_of_page else [])]
    for path in paths:
        memory, postgres = (store.client.get(path) for store in stores)
        assert memory.status == postgres.status, path
        assert without_moments(memory.body) == without_moments(postgres.body), path
        assert memory.headers["Content-Type"] == postgres.headers["Content-Type"], path
    return len(paths)


@pytest.fixture(params=["postgres", "supabase"])
def both(open_store, request):
    return open_store("memory"), open_store(request.param)


def test_on_recorded_traffic_in_a_mixed_order(both):
    bodies = [body for capture in RECORDED for body in recorded_bodies(capture)]
    random.Random(1).shuffle(bodies)
    for body in [*bodies, *bodies[:10]]:
        post_both(both, body)
    assert compare_every_route(both) > sum(traces for _, traces in RECORDED.values()) - 20


def test_on_events_at_the_edges(both):
    for body in strange_bodies():
        post_both(both, body)
    compare_every_route(both)


def test_on_logs_with_true_clocks(both):
    for log in shiviz.manifest():
        post_both(both, json.dumps(shiviz.log_events(log)).encode())
    compare_every_route(both)


def test_on_overlapping_batches(both):
    clients = [OverlappingTraffic(client, traces=20, seed=7) for client in range(3)]
    for round_ in range(12):
        post_both(both, json.dumps(clients[round_ % 3].batch(150)).encode())
    compare_every_route(both)


def test_on_recorded_events_sent_one_by_one(both):
    for event in random.Random(2).sample(recorded_events("python"), 150):
        post_both(both, json.dumps(event, default=float).encode())
    compare_every_route(both)

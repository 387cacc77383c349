"""What the GET routes answer: status, lists, filters, pages, services, what is not found, and the export."""

import threading

import pytest

from support.model import format_instant
from support.paths import EXTENSION_VERSION
from support.traffic import BASE_NANOS, documented_event, sdk_event

UNKNOWN_UUID = "6d0e1f5e-9999-4222-8333-944455556666"
WARMUP = {"phase": "completed", "ready": True, "total_traces": 0, "processed_traces": 0, "last_trace": None,
          "started_at": None, "completed_at": None, "last_error": None}


def minute(number):
    return format_instant(BASE_NANOS + int(number * 60) * 10**9)


def minute_text(number):
    """The same as the list writes it."""
    return minute(number).replace("Z", "+00:00")


@pytest.fixture
def ten_traces(store):
    """Traces t0 to t9; tN has N + 1 events, from minute 10 N on, one a minute, of service-(N modulo 3)."""
    for n in range(10):
        store.post([documented_event(f"t{n}/e{e}", f"t{n}", timestamp=minute(10 * n + e),
                                     metadata={"service_name": f"service-{n % 3}"}) for e in range(n + 1)])
    return store


def ids(listing):
    return [trace["trace_id"] for trace in listing["traces"]]


def test_health(store):
    assert store.get("/health") == WARMUP


def test_status_counts_events_and_traces(ten_traces):
    status = ten_traces.get("/status")
    assert isinstance(status.pop("uptime_seconds"), int)
    status.pop("memory", None)
    assert status == {"version": EXTENSION_VERSION, "events_captured": 55, "traces_active": 10, "warmup": WARMUP}


def test_an_empty_store_lists_nothing(store):
    assert store.get("/api/traces", page=1) == {
        "total_traces": 0, "page": 1, "page_size": 20, "total_pages": 0, "traces": []}
    assert store.get("/api/traces") == {"total_traces": 0, "traces": []}
    assert store.get("/api/services") == {"total_services": 0, "services": []}
    assert store.counts() == (0, 0)


def test_the_newest_trace_is_listed_first(ten_traces):
    listing = ten_traces.get("/api/traces", page=1, page_size=4)
    assert {key: listing[key] for key in listing if key != "traces"} == {
        "total_traces": 10, "page": 1, "page_size": 4, "total_pages": 3}
    assert ids(listing) == ["t9", "t8", "t7", "t6"]
    assert listing["traces"][0] == {
        "trace_id": "t9", "event_count": 10, "first_timestamp": minute_text(90), "last_timestamp": minute_text(99),
        "service_count": 1, "services": ["service-0"]}


def test_pages_follow_each_other_and_end(ten_traces):
    pages = [ids(ten_traces.get("/api/traces", page=page, page_size=4)) for page in (1, 2, 3, 4, 10**9)]
    assert pages == [["t9", "t8", "t7", "t6"], ["t5", "t4", "t3", "t2"], ["t1", "t0"], [], []]
    assert ids(ten_traces.get("/api/traces", page_size=4)) == pages[0]
    assert len(ids(ten_traces.get("/api/traces", page=1))) == 10


def test_page_zero_is_the_first_page(ten_traces):
    assert ids(ten_traces.get("/api/traces", page=0, page_size=2)) == ["t9", "t8"]


def test_traces_that_end_together_are_listed_by_id(store):
    store.post([documented_event(f"e-{name}", name) for name in ("b", "a", "C", "é")])
    assert ids(store.get("/api/traces", page=1)) == ["C", "a", "b", "é"]


@pytest.mark.parametrize("query", [
    "page_size=0", "page_size=-1", "page_size=ten", "page_size=", "page_size=1e3", "page_size=99999999999999999999",
    "page=one", "page=-1", "page=1.5", "page=", "min_events=many", "min_events=-1", "from=yesterday",
    "to=2026-13-01T00:00:00Z", "from=2026-01-01T00:00:00", "page=1&page_size=0",
])
def test_a_parameter_that_makes_no_sense_is_a_400_that_names_it(ten_traces, query):
    name = query.split("&")[-1].split("=")[0]
    assert name in ten_traces.client.get(f"/api/traces?{query}").refused(400)
    if name in ("page", "page_size"):
        assert name in ten_traces.client.get(f"/api/services/service-0/traces?{query}").refused(400)


def test_page_size_is_capped(store):
    store.post([documented_event(f"e{n}", f"t{n:04d}", n) for n in range(1500)])
    answer = store.client.get("/api/traces?page=1&page_size=1000000")
    if answer.status == 400:  # a cap may refuse or shorten, but not pretend
        assert "page_size" in answer.refused(400)
    else:
        listing = answer.ok().data
        assert len(listing["traces"]) == listing["page_size"] <= 1000


@pytest.mark.parametrize("filters, expected", [
    ({"service": "service-1"}, ["t7", "t4", "t1"]),
    ({"service": "nobody"}, []),
    ({"min_events": 8}, ["t9", "t8", "t7"]),
    ({"min_events": 0}, ["t9", "t8", "t7", "t6", "t5", "t4", "t3", "t2", "t1", "t0"]),
    ({"from": minute(77)}, ["t9", "t8", "t7"]),
    ({"from": minute(77.5)}, ["t9", "t8"]),
    ({"to": minute(20)}, ["t2", "t1", "t0"]),
    ({"to": minute(19)}, ["t1", "t0"]),
    ({"from": minute(45), "to": minute(66)}, ["t6", "t5"]),
    ({"from": minute(45), "service": "service-2", "min_events": 6}, ["t8", "t5"]),
    ({"from": minute_text(77)}, ["t9", "t8", "t7"]),
])
def test_filters_narrow_the_list_and_the_export(ten_traces, filters, expected):
    filters = {key: str(value) for key, value in filters.items()}
    listing = ten_traces.get("/api/traces", page=1, **filters)
    assert ids(listing) == expected and listing["total_traces"] == len(expected)
    exported = ten_traces.get("/api/traces", **filters)
    assert ids(exported) == expected and exported["total_traces"] == len(expected)
    assert [len(trace["events"]) for trace in exported["traces"]] == [int(t[1:]) + 1 for t in expected]


def test_a_service_lists_its_traces(ten_traces):
    listing = ten_traces.get("/api/services/service-0/traces", page=1, page_size=3)
    assert {key: listing[key] for key in listing if key != "traces"} == {
        "service_name": "service-0", "total_traces": 4, "page": 1, "page_size": 3, "total_pages": 2}
    assert ids(listing) == ["t9", "t6", "t3"]
    assert ids(ten_traces.get("/api/services/service-0/traces")) == ["t9", "t6", "t3", "t0"]
    assert ten_traces.get("/api/services/nobody/traces")["traces"] == []


def test_a_services_name_may_hold_any_character(store):
    name = "naïve/service #1?&%"
    store.post(documented_event("e", "t", metadata={"service_name": name}))
    assert ids(store.get("/api/services/na%C3%AFve%2Fservice%20%231%3F%26%25/traces")) == ["t"]
    assert ids(store.get("/api/traces", page=1, service=name)) == ["t"]


def test_services_are_listed_by_name_with_their_events_and_traces(ten_traces):
    assert ten_traces.get("/api/services") == {"total_services": 3, "services": [
        {"name": "service-0", "event_count": 1 + 4 + 7 + 10, "trace_count": 4},
        {"name": "service-1", "event_count": 2 + 5 + 8, "trace_count": 3},
        {"name": "service-2", "event_count": 3 + 6 + 9, "trace_count": 3}]}


def test_a_trace_of_several_services_counts_for_each(store):
    store.post([documented_event(f"e{n}", "t", n, metadata={"service_name": name})
                for n, name in enumerate(["web", "bank", "web", "Ärger"])])
    (trace,) = store.get("/api/traces", page=1)["traces"]
    assert (trace["services"], trace["service_count"]) == (["bank", "web", "Ärger"], 3)
    assert [(s["name"], s["event_count"]) for s in store.get("/api/services")["services"]] == [
        ("bank", 1), ("web", 2), ("Ärger", 1)]
    for name in ("web", "bank"):
        assert ids(store.get(f"/api/services/{name}/traces")) == ["t"]


def test_a_trace_has_everything_that_user_interfaces_read(store):
    event = sdk_event()
    store.post(event)
    trace = store.trace(event["trace_id"])
    assert set(trace) == {"trace_id", "events", "audit_trails", "analysis", "critical_path", "anomalies",
                          "dependencies"}
    assert trace["trace_id"] == event["trace_id"]
    assert set(trace["analysis"]) == {"concurrent_events", "potential_races", "anomalies", "race_details",
                                      "race_details_total"}
    assert isinstance(trace["audit_trails"], dict) and isinstance(trace["anomalies"], list)
    assert isinstance(trace["analysis"]["anomalies"], list) and isinstance(trace["analysis"]["race_details"], list)


def test_an_unknown_trace_is_a_404(ten_traces):
    assert UNKNOWN_UUID in ten_traces.client.get(f"/api/traces/{UNKNOWN_UUID}").refused(404)


def test_an_unknown_id_that_is_no_uuid_is_a_400(ten_traces):
    assert ten_traces.client.get("/api/traces/not-a-uuid").refused(400) == "Invalid trace ID format"


@pytest.mark.parametrize("spelling", [
    "6D0E1F5E-1111-4222-8333-9444555566AA", "6d0e1f5e1111422283339444555566aa",
    "%7B6d0e1f5e-1111-4222-8333-9444555566aa%7D", "urn:uuid:6d0e1f5e-1111-4222-8333-9444555566aa"])
def test_a_uuid_is_found_however_it_is_spelt(store, spelling):
    store.post(sdk_event("6d0e1f5e-1111-4222-8333-9444555566aa"))
    assert store.trace(spelling)["trace_id"] == "6d0e1f5e-1111-4222-8333-9444555566aa"


def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(store):
    assert store.client.get("/api/nothing").status == 404
    answer = store.client.request("DELETE", "/api/traces")
    assert answer.status == 405 and "GET" in answer.headers["Allow"]
    answer = store.client.get("/events")
    assert answer.status == 405 and "POST" in answer.headers["Allow"]


def test_head_answers_as_get_without_a_body(store):
    for path in ("/health", "/status", "/api/services", "/api/traces?page=1"):
        head = store.client.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Type"] == store.client.get(path).headers["Content-Type"]


@pytest.fixture
def large_store(open_store):
    """60,000 events of 1 KB in 600 traces, written past the server; about 80 MB as JSON."""
    store = open_store("postgres")
    store.database.sql("""
        INSERT INTO traces SELECT 't' || t, 'bulk', '2026-01-01'::timestamp + t * interval '1 minute',
            '2026-01-01'::timestamp + t * interval '1 minute' + interval '99 ms', 100 FROM generate_series(1, 600) t;
        INSERT INTO events SELECT 't' || t || '/' || e, 't' || t, 'Log',
            '2026-01-01'::timestamp + t * interval '1 minute' + e * interval '1 ms', NULL, NULL, NULL,
            jsonb_build_object('service_name', 'bulk', 'text', repeat('x', 1000))
        FROM generate_series(1, 600) t, generate_series(0, 99) e;
    """)
    return store


def test_the_export_is_complete_and_takes_constant_memory(large_store):
    before = large_store.server.resident_bytes()
    peak, done = [before], threading.Event()

    def watch():
        while not done.wait(0.02):
            peak.append(large_store.server.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = large_store.client.get("/api/traces")
    done.set()
    watcher.join()
    exported = answer.ok().data
    assert len(answer.body) > 60_000_000
    assert exported["total_traces"] == 600
    assert ids(exported) == [f"t{t}" for t in range(600, 0, -1)]
    assert {len(trace["events"]) for trace in exported["traces"]} == {100}
    assert max(peak) - before < 24 * 2**20


def test_a_reader_of_the_export_that_goes_away_leaves_the_server_well(large_store):
    for _ in range(15):  # more than the pool has connections
        with large_store.server.client() as reader:
            reader.connection.request("GET", "/api/traces")
            assert reader.connection.getresponse().read(100_000)
    assert len(large_store.get("/api/traces")["traces"]) == 600


def test_a_trace_can_be_read_in_pages_in_causal_order(store):
    events = [documented_event(f"e{n:02d}", "t", n) for n in range(25)]
    store.post(list(reversed(events)))
    whole = store.trace("t")
    assert [event["id"] for event in whole["events"]] == [event["event_id"] for event in events]
    assert "total_events" not in whole and "next_after" not in whole
    pages, after = [], None
    while True:
        page = store.get("/api/traces/t", limit=10, **({"after": after} if after else {}))
        assert page["total_events"] == 25
        pages.append(page["events"])
        after = page["next_after"]
        if after is None:
            break
    assert [len(page) for page in pages] == [10, 10, 5]
    assert sum(pages, []) == whole["events"]
    assert store.get("/api/traces/t", after="e24")["events"] == []
    assert store.get("/api/traces/t", limit=25)["next_after"] is None
    assert "no event x" in store.client.get("/api/traces/t", after="x").refused(400)
    assert "limit" in store.client.get("/api/traces/t", limit=0).refused(400)


def test_a_large_trace_is_sent_as_it_is_made_and_is_the_same(store):
    events = [documented_event(f"e{n:05d}", "t", n, metadata={"text": "x" * 100}) for n in range(3_000)]
    for begin in range(0, len(events), 500):
        store.post(events[begin:begin + 500])
    answer = store.client.get("/api/traces/t").ok()
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert [event["id"] for event in answer.data["events"]] == [event["event_id"] for event in events]
    small = store.client.get("/api/traces/t", limit=1_000).ok()
    assert small.headers["Content-Length"] == str(len(small.body))
    assert small.data["events"] == answer.data["events"][:1_000]

"""Real SDK traffic, recorded, goes in and comes out again: see data/README.md for where it comes from."""

import pytest

from support import model
from support.store import Store, posted
from support.traffic import RECORDED, recorded_bodies, recorded_events


@pytest.fixture(scope="module", params=RECORDED)
def capture(request):
    return request.param


class Recorded:
    """A capture in a store, and what the store answered."""

    def __init__(self, store, capture):
        self.store = store
        self.events = recorded_events(capture)
        self.expected = model.traces_of(model.sdk_row(event) for event in self.events)
        self.answers = store.post_all(recorded_bodies(capture))


@pytest.fixture(scope="module")
def recorded(backend, capture, cluster):
    with Store(backend, cluster, f"recorded-{capture}") as store:
        yield Recorded(store, capture)


def test_every_body_is_stored_whole(recorded, capture):
    sizes = [len(model.read_json(body)["events"]) for body in recorded_bodies(capture)]
    assert [answer["stored"] for answer in recorded.answers] == sizes
    assert [answer["data"] for answer in recorded.answers] == [posted(size) for size in sizes]
    assert all(answer["duplicates"] == 0 and answer["rejected"] == [] for answer in recorded.answers)


def test_events_and_traces_are_as_many_as_were_recorded(recorded, capture):
    assert recorded.store.counts() == RECORDED[capture]
    assert recorded.store.get("/api/traces", page=1, page_size=1)["total_traces"] == RECORDED[capture][1]


def test_every_event_reads_back_as_it_was_sent(recorded):
    sent = {event["id"]: event for event in recorded.events}
    for trace_id, trace in recorded.expected.items():
        got = recorded.store.trace(trace_id)["events"]
        assert sorted(event["id"] for event in got) == sorted(row.event_id for row in trace.rows)
        assert [d for event in got if (d := model.sdk_difference(sent[event["id"]], event))] == []


def test_times_are_written_with_the_shortest_exact_fraction(recorded):
    sent = {event["id"]: model.instant(event["timestamp"]) for event in recorded.events}
    got = [event for trace in recorded.store.export() for event in trace["events"]]
    assert [event["timestamp"] for event in got] == [model.format_instant(sent[event["id"]]) for event in got]


def test_every_trace_is_in_causal_order(recorded):
    for trace_id in recorded.expected:
        assert model.order_violations(recorded.store.trace(trace_id)["events"]) == []


def test_the_list_says_of_each_trace_what_was_sent(recorded):
    expected = [trace.summary() for trace in model.listed(recorded.expected.values())]
    assert recorded.store.get("/api/traces", page=1, page_size=100)["traces"] == expected


def test_the_export_holds_every_trace_with_all_its_events(recorded):
    exported = recorded.store.get("/api/traces")
    for trace in exported["traces"]:
        del trace["as_of"]
    assert exported["total_traces"] == len(recorded.expected)
    for trace, expected in zip(exported["traces"], model.listed(recorded.expected.values()), strict=True):
        summary = {key: value for key, value in trace.items() if key != "events"}
        assert summary == expected.summary()
        assert trace["events"] == recorded.store.trace(expected.trace_id)["events"]


def test_services_are_counted_from_the_events(recorded):
    events, traces = {}, {}
    for trace in recorded.expected.values():
        for row in trace.rows:
            events[row.service] = events.get(row.service, 0) + 1
            traces.setdefault(row.service, set()).add(row.trace_id)
    expected = [{"name": name, "event_count": events[name], "trace_count": len(traces[name])} for name in sorted(events)]
    assert recorded.store.get("/api/services") == {"total_services": len(expected), "services": expected}


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_rows_and_roll_ups_hold_what_was_sent(recorded):
    database = recorded.store.database
    rows = {row["event_id"]: row for row in database.rows(
        "SELECT event_id, trace_id, kind, (extract(epoch FROM timestamp) * 1000000)::bigint AS micros, duration_ms,"
        " location, vector_clock FROM events")}
    expected = [row for trace in recorded.expected.values() for row in trace.rows]
    wrong = [(row, rows.get(row.event_id)) for row in expected
             if rows.get(row.event_id) != {key: value for key, value in vars(row).items() if key != "service"}]
    assert wrong == [] and len(rows) == len(expected)
    assert roll_ups(database) == {trace.trace_id: roll_up(trace) for trace in recorded.expected.values()}


def test_posting_everything_again_changes_nothing(recorded, capture):
    before = recorded.store.export()
    for body, first in zip(recorded_bodies(capture), recorded.answers, strict=True):
        answer = recorded.store.post(body)
        assert (answer["stored"], answer["duplicates"], answer["rejected"]) == (0, first["stored"], [])
        assert answer["data"] == posted(0, duplicates=first["stored"])
    assert recorded.store.export() == before
    assert recorded.store.counts() == RECORDED[capture]


def test_the_reverse_order_gives_the_same_traces(recorded, capture, open_store, backend):
    backwards = open_store(backend)
    answers = backwards.post_all(reversed(recorded_bodies(capture)))
    assert sum(answer["stored"] for answer in answers) == RECORDED[capture][0]
    assert backwards.export() == recorded.store.export()
    if backend == "postgres":
        assert roll_ups(backwards.database) == roll_ups(recorded.store.database)


def test_typescripts_reads_of_a_missing_property_are_kept_without_new_value(backend, open_store):
    """The two events that the peer answers with 422, whereupon the SDK sends the batch again for ever."""
    store = open_store(backend)
    body = recorded_bodies("typescript")[-1]
    strange = [event for event in model.read_json(body)["events"]
               if "StateChange" in event["kind"] and "new_value" not in event["kind"]["StateChange"]]
    assert len(strange) == 2
    assert store.post(body)["rejected"] == []
    for event in strange:
        got = {e["id"]: e for e in store.trace(event["trace_id"])["events"]}[event["id"]]
        assert "new_value" not in got["kind"]["StateChange"]


def test_all_captures_share_one_store(store):
    for capture, (events, _) in RECORDED.items():
        assert sum(answer["stored"] for answer in store.post_all(recorded_bodies(capture))) == events
    every = [event for capture in RECORDED for event in recorded_events(capture)]
    assert store.counts() == (len(every), len({event["trace_id"] for event in every}))


def roll_up(trace):
    return {"event_count": len(trace.rows), "start": trace.first, "end": trace.last, "service": trace.service_name}


def roll_ups(database):
    rows = database.rows("SELECT trace_id, event_count, service_name AS service,"
                         " (extract(epoch FROM start_time) * 1000000)::bigint AS start,"
                         ' (extract(epoch FROM end_time) * 1000000)::bigint AS "end" FROM traces')
    return {row.pop("trace_id"): row for row in rows}

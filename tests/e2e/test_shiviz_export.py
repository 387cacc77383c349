"""What `export --format shiviz` writes: ShiViz takes it, whatever was recorded, and no order changes in it."""

import json
import re

import pytest

from e2e.test_backends_agree import strange_bodies
from e2e.test_moving_events import counts, export, load
from support import shiviz
from support.model import clock_order
from support.shiviz_rules import Refused, read_file
from support.traffic import RECORDED, documented_event, recorded_bodies, recorded_events, sdk_event


def write(store, path, *arguments, by="server"):
    """Exports; {trace: [Shown]} as ShiViz would have it, and what was said."""
    done = export(store, "--format", "shiviz", "-o", str(path), *arguments, by=by)
    return read_file(path.read_bytes().decode()), done.stderr


def sent_clocks(store):
    """{event_id: clock} of all that is stored, without zeros."""
    events = map(json.loads, export(store).stdout.rstrip("\n").split("\n"))
    return {event["event_id"]: {name: n for name, n in event.get("vector_clock", {}).items() if n} for event in events}


def check_order(sent, shown, same_line=True):
    """Shown events with clocks are ordered as by the clocks that were sent; equal clocks may follow each other by line."""
    clocks = {event.fields["id"]: event for event in shown}
    told = [event for event in clocks if sent[event]]
    for a in told:
        for b in told:
            before, after = clock_order(sent[a], sent[b]), clock_order(clocks[a].clock, clocks[b].clock)
            if before == "equal" and a != b:
                follow = same_line and clocks[a].host == clocks[b].host
                assert after in (("before", "after") if follow else ("concurrent",)), (a, b)
            else:
                assert after == before, (a, sent[a], clocks[a], b, sent[b], clocks[b])


def check_line_order(shown):
    """Causes stand before effects in the file."""
    for i, later in enumerate(shown):
        for earlier in shown[i + 1:]:
            assert clock_order(earlier.clock, later.clock) != "before"


@pytest.mark.parametrize("capture", RECORDED)
def test_every_recorded_trace_is_taken_with_all_its_events(store, tmp_path, capture):
    store.post_all(recorded_bodies(capture))
    executions, said = write(store, tmp_path / "log")
    events = {event["id"]: event for event in recorded_events(capture)}
    assert {event.fields["id"] for shown in executions.values() for event in shown} == set(events)
    without = sum(not event["causality_vector"] for event in events.values())
    assert (f"{without} events have no clock and stand where the order of their thread" in said) == (without > 0), said
    assert "left out" not in said
    sent = sent_clocks(store)
    for shown in executions.values():
        check_order(sent, shown)
        check_line_order(shown)
        for event in shown:
            if not events[event.fields["id"]]["causality_vector"]:  # the request's first
                assert event.own == 1 and len(event.clock) == 1


@pytest.mark.parametrize("log", sorted(shiviz.manifest()))
def test_logs_with_true_clocks_are_taken_as_they_were(store, tmp_path, log):
    store.post(list(shiviz.log_events(log)))
    executions, said = write(store, tmp_path / "log")
    assert said == f"exported {len(shiviz.log_events(log))} events\n"
    assert {event.fields["id"]: event.clock for event in executions[log]} == sent_clocks(store)
    check_line_order(executions[log])


def lines_of(executions):
    """Each event with its host and clock."""
    return {event.fields["id"]: (event.host, event.clock) for shown in executions.values() for event in shown}


def test_what_was_exported_is_imported_with_its_order(open_store, tmp_path):
    first, second = open_store("postgres"), open_store("memory")
    for capture in RECORDED:
        first.post_all(recorded_bodies(capture))
    executions, _ = write(first, tmp_path / "log", by="database")
    total = sum(map(len, executions.values()))
    assert counts(load(second, tmp_path / "log")) == {"stored": total, "duplicates": 0, "rejected": 0}
    assert counts(load(second, tmp_path / "log")) == {"stored": 0, "duplicates": total, "rejected": 0}
    assert sent_clocks(second) == {event.fields["id"]: event.clock for shown in executions.values() for event in shown}
    again, said = write(second, tmp_path / "again")
    assert lines_of(again) == lines_of(executions)
    assert said == f"exported {total} events\n"


def test_strange_events_are_taken_or_left_out_by_number(store, tmp_path):
    for body in strange_bodies():
        store.client.post(body)
    executions, said = write(store, tmp_path / "log")
    left_out = sum(int(n) for n in re.findall(r"^(\d+) events are left out", said, re.M))
    shown = sum(map(len, executions.values()))
    assert shown + left_out == store.counts()[0] and said.endswith(f"exported {shown} events\n")
    sent = sent_clocks(store)
    for events in executions.values():
        check_order(sent, events)


NASTY = ["constructor", "__proto__", "hasOwnProperty", "a b", "a {", "{}", "100%", "x\u2028y", "x\u2029y", "\u3000", "\ufeffbom",
         "line\nend", "tab\tcr\r", "\x1b[31m", "\u0085", "é ✓", "\"quoted\\", "=== t ==="]


def test_no_name_spoils_the_log(open_store, tmp_path):
    store, other = open_store("memory"), open_store("memory")
    events = [documented_event(f"{name}-{n}", name, n, kind=name[:50], vector_clock={name: n + 1, **({NASTY[i - 1]: 1} if n else {})},
                               metadata={"event": name, "host": name})
              for i, name in enumerate(NASTY) for n in range(3)]
    events += [documented_event(f"{name}-first", name, 0, vector_clock={NASTY[i - 1]: 1}, metadata={"event": name, "host": NASTY[i - 1]})
               for i, name in enumerate(NASTY)]
    store.post(events)
    executions, _ = write(store, tmp_path / "log")
    assert len(executions) == len(NASTY) and sum(map(len, executions.values())) == len(events)
    load(other, tmp_path / "log")
    ids = {line["event_id"]: line for line in map(json.loads, export(other).stdout.rstrip("\n").split("\n"))}
    assert {i: (e["trace_id"], e["kind"], e["vector_clock"], e["metadata"]["host"]) for i, e in ids.items()} == {
        e["event_id"]: (e["trace_id"], e["kind"], e["vector_clock"], e["metadata"]["host"]) for e in events}


def test_events_that_nothing_places_are_left_out_and_counted(store, tmp_path):
    store.post([documented_event("a", "t", 0), documented_event("b", "t", 1, vector_clock={}, metadata={}),
                documented_event("c", "bare", 2, vector_clock={}, metadata={"service_name": "bank"})])
    executions, said = write(store, tmp_path / "log")
    assert {trace: [event.fields["id"] for event in shown] for trace, shown in executions.items()} == {"t": ["a"]}
    assert "2 events are left out: they have no clock" in said and "exported 1 events" in said


def test_a_host_whose_clocks_restart_is_shown_as_its_threads(store, tmp_path):
    def event(thread, number, *heard):
        metadata = {**sdk_event()["metadata"], "thread_id": thread}
        return sdk_event("7d0e1f5e-1111-4222-8333-944455556666", number, metadata=metadata,
                         causality_vector=[*heard, ["bank#bank-1", number]])
    store.post([event("one", n) for n in (1, 2, 3)] + [event("two", n, ["web#1", 7]) for n in (1, 2)])
    executions, said = write(store, tmp_path / "log")
    (shown,) = executions.values()
    assert {event.host for event in shown} == {"bank#bank-1/one", "bank#bank-1/two"} and "1 hosts are shown as several" in said


def test_events_of_one_clock_and_host_stand_by_time(store, tmp_path):
    store.post([documented_event(f"e{n}", "t", n, vector_clock={"bank": 4}) for n in range(3)])
    executions, said = write(store, tmp_path / "log")
    assert [(event.fields["id"], event.clock) for event in executions["t"]] == [(f"e{n}", {"bank": n + 1}) for n in range(3)]
    assert "2 events have the same clock as another of their host" in said


def test_the_rules_refuse_what_shiviz_refuses():
    head = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})" + "\n\n"
    read_file(head + 'a\nh {"h":1}\nb\nh {"h":2,"x":0}\n')
    for log in ('a\nh {}\n', 'a\nh {"h":2}\n', 'a\nh {"h":1}\nb\nh {"h":1}\n', 'a\nh {"h":1}\nb\nh {"h":3}\n', 'a\nh {"h":1,"x":1}\n',
                'a\nh {"h":1}\nb\ni {"i":1,"h":2}\n', 'a\nh {"h":0}\n', 'a\nh {h}\n', 'a\nconstructor {"constructor":1}\n', '', 'a b c\n'):
        with pytest.raises(Refused):
            read_file(head + log)
    labelled = head[:-1] + "=== (?<trace>.*) ===\n"
    read_file(labelled + '=== t ===\na\nh {"h":1}\n=== u ===\na\nh {"h":1}\n')
    for log in ('=== t ===\na\nh {"h":1}\n=== t ===\na\nh {"h":1}\n', '=== t ===\na\n=== u ===\na\nh {"h":1}\n',
                '=== toString ===\na\nh {"h":1}\n'):
        with pytest.raises(Refused):
            read_file(labelled + log)

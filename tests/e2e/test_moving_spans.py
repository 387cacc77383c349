"""Files of spans: OTLP, Jaeger and Zipkin are imported by what they hold; spans come out again as OTLP."""

import json

import pytest

from support import otlp, paths
from support.otlp import TRACE, request, send, span
from support.server import run_raceway

SPANS = paths.ROOT / "tests" / "data" / "spans"


def many_spans():
    clock = {"kvlistValue": {"values": [otlp.attribute("a", 3)]}}
    return [
        span("00000000000000a1", "GET /cart", kind=2, moments=[("read it", {"n": 1}), ("", {})], traceState="a=b", flags=257,
             attributes={"http.request.method": "GET", "url.path": "/cart", "ratio": 2.0, "whole": 2}),
        span("00000000000000a2", "add", parent="00000000000000a1", nanos=-5, status={"code": 2, "message": "late"}, droppedEventsCount=3,
             moments=[("balance", {"raceway.variable": "balance", "raceway.access": "write", "raceway.old": 1, "raceway.new": 2}),
                      ("exception", {"exception.type": "E", "exception.stacktrace": "a\n\nb"})],
             links=[{"traceId": TRACE, "spanId": "00000000000000a1", "attributes": [otlp.attribute("why", "batch")]},
                    {"traceId": "f" * 32, "spanId": "00000000000000a1", "attributes": []}]),
        {**span("00000000000000a3", "later"), "endTimeUnixNano": "0",
         "attributes": [{"key": "raceway.clock", "value": clock}, {"key": "bytes", "value": {"bytesValue": "AAEC"}},
                        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"doubleValue": 1.5}]}}}]},
        {**span("00000000000000a4", "unbegun"), "startTimeUnixNano": "0"},
    ]


def comparable(requests):
    """Spans by id with all that they say, whatever the order of attributes and requests."""
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items() if each not in ([], "", {}, 0, "0") or key == "stringValue"}
        if isinstance(value, list):
            return sorted((plain(each) for each in value), key=lambda each: json.dumps(each.get("key", "")) if isinstance(each, dict) else "")
        return value

    found = {}
    for whole in requests:
        for resource in whole["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for each in scope["spans"]:
                    found[each["spanId"]] = plain({"resource": resource["resource"], "scope": scope["scope"], "span": each})
    return found


def exported(store, path, *arguments):
    done = run_raceway("export", "--from", store.server.url, "--format", "otlp", "--output", path, *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in path.read_text().splitlines()], done.stderr


def test_what_came_in_as_otlp_goes_out_as_otlp(store, open_store, backend, tmp_path):
    sent = [request(many_spans()[:2], **{"host.name": "h"}), request(many_spans()[2:], service="other")]
    for whole in sent:
        send(store.client, whole)
    requests, _ = exported(store, tmp_path / "spans.ndjson")
    assert comparable(requests) == comparable(sent)
    again = open_store(backend)
    done = run_raceway("import", tmp_path / "spans.ndjson", "--to", again.server.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert again.export() == store.export()


def test_events_of_no_span_stay_at_home_and_are_counted(store, tmp_path):
    store.post({"event_id": "e", "trace_id": otlp.TRACE, "kind": "Log", "timestamp": "2024-01-01T00:00:00Z", "metadata": {}})
    send(store.client, request([span("00000000000000a1")]))
    requests, said = exported(store, tmp_path / "spans.ndjson")
    assert list(comparable(requests)) == ["00000000000000a1"]
    assert "1 events are of no span and left out" in said and "exported 2 events" in said


@pytest.mark.parametrize("name, explicit, events", [("jaeger.json", "jaeger", 6), ("zipkin.json", "zipkin", 8)])
def test_files_of_jaeger_and_zipkin_are_told_by_what_they_hold(store, open_store, name, explicit, events):
    imported = run_raceway("import", SPANS / name, "--to", store.server.url)
    assert imported.returncode == 0, imported.stdout + imported.stderr
    assert store.counts()[0] == events
    again = run_raceway("import", SPANS / name, "--format", explicit, "--to", store.server.url)
    assert again.returncode == 0 and f"duplicates {events}" in again.stdout, again.stdout
    posted = open_store("memory")
    posted.post((SPANS / name).read_text())
    assert posted.export() == store.export()


def test_a_file_of_protobuf_and_a_pipe_of_lines_are_read(store, tmp_path):
    (tmp_path / "spans.pb").write_bytes(otlp.protobuf(request(many_spans())))
    assert run_raceway("import", tmp_path / "spans.pb", "--to", store.server.url).returncode == 0
    whole = store.export()
    lines = "".join(json.dumps(request([each])) + "\n" for each in many_spans())
    done = run_raceway("import", "-", "--to", store.server.url, stdin=lines)
    assert done.returncode == 0 and "stored 0," in done.stdout
    assert store.export() == whole


def test_a_span_that_cannot_be_kept_is_named_and_the_others_are_in(store, tmp_path):
    (tmp_path / "spans.json").write_text(json.dumps(request([span("00000000000000a1"), span("0" * 16)])))
    done = run_raceway("import", tmp_path / "spans.json", "--to", store.server.url)
    assert done.returncode == 1 and "span 1: the span's id is all zeros" in done.stdout + done.stderr
    assert store.counts()[0] == 2


def test_races_in_a_file_of_spans_are_found_without_a_server(tmp_path):
    writes = [span(f"00000000000000b{number}", parent="00000000000000a1", moments=[
        ("balance", {"raceway.variable": "balance", "raceway.access": "write", "raceway.new": number, "code.file.path": "bank.py",
                     "code.line.number": 14})]) for number in (1, 2)]
    (tmp_path / "spans.json").write_text(json.dumps(request([span("00000000000000a1"), *writes])))
    done = run_raceway("races", tmp_path / "spans.json", "--fail-on", "critical")
    assert done.returncode == 1 and "bank.py:14" in done.stdout, done.stdout + done.stderr

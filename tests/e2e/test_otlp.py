"""Programs with OpenTelemetry send their spans: both encodings, what is answered, and what is found in them."""

import json
import uuid

import pytest

from support import otlp, otlp_bank
from support.client import Client
from support.otlp import PROTOBUF, TRACE, read_messages, request, send, span
from support.server import RacewayServer, run_raceway
from support.wait import free_port

UUID = str(uuid.UUID(TRACE))


def spans():
    """One of each kind, of three services."""
    return [
        span("00000000000000a1", "GET /cart", moments=[("read it", {"n": 1})], kind=2,
             attributes={"http.request.method": "GET", "url.path": "/cart", "http.response.status_code": 200}),
        span("00000000000000a2", "SELECT", parent="00000000000000a1", kind=3, attributes={"db.system.name": "postgresql", "db.query.text": "SELECT 1"}),
        span("00000000000000a3", "add", parent="00000000000000a1", attributes={"share": 0.5, "whole": 7, "yes": True},
             moments=[("balance", {"raceway.variable": "balance", "raceway.access": "write", "raceway.old": 1, "raceway.new": 2}),
                      ("exception", {"exception.type": "E", "exception.message": "m", "exception.stacktrace": "a\nb"})],
             links=[{"traceId": TRACE, "spanId": "00000000000000a2", "attributes": [otlp.attribute("why", "batch")]}],
             status={"code": 2, "message": "late"}),
    ]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_spans_become_chains_of_events_by_either_encoding(store, open_store, backend, encoding):
    answer = send(store.client, request(spans()), encoding)
    assert (answer.status, answer.body) == (200, b"" if encoding == "protobuf" else b"{}")
    assert answer.headers["Content-Type"] == (PROTOBUF if encoding == "protobuf" else "application/json")
    events = {event["id"]: event for event in store.trace(UUID)["events"]}
    assert len(events) == 9

    def event(span_id, suffix=""):
        return events[str(uuid.uuid5(uuid.UUID(TRACE), span_id + suffix))]

    root = event("00000000000000a1")
    assert root["kind"]["HttpRequest"]["method"] == "GET" and root["parent_id"] is None
    assert event("00000000000000a2")["parent_id"] == root["id"]
    assert event("00000000000000a1", ":1")["parent_id"] == root["id"]
    assert event("00000000000000a1", ":end")["metadata"]["duration_ns"] == 2_500_000
    assert event("00000000000000a1", ":end")["kind"]["HttpResponse"]["status"] == 200
    assert event("00000000000000a3", ":1")["kind"]["StateChange"]["new_value"] == 2
    other = open_store(backend)
    send(other.client, request(spans()), "json" if encoding == "protobuf" else "protobuf", compressed=True)
    assert other.export() == store.export()


def test_everything_twice_gives_the_same_rows(store):
    send(store.client, request(spans()))
    once = store.export()
    for encoding in ("protobuf", "json"):
        answer = send(store.client, request(spans()), encoding)
        assert answer.status == 200 and answer.body in (b"", b"{}")
    assert store.export() == once


def test_a_child_may_come_before_its_parent_and_in_another_request(store):
    parent, child = spans()[:2]
    send(store.client, request([child]))
    assert store.get(f"/api/traces/{UUID}")["events"][0]["parent_id"]
    send(store.client, request([parent]))
    ids = [event["id"] for event in store.trace(UUID)["events"]]
    start = [str(uuid.uuid5(uuid.UUID(TRACE), each["spanId"])) for each in (parent, child)]
    assert ids.index(start[0]) < ids.index(start[1])


def test_what_cannot_be_kept_is_told_in_the_requests_encoding(store):
    whole = request([span("00000000000000a1"), span("0000000000000000"), span("00000000000000a2", trace="0" * 32)])
    partial = json.loads(send(store.client, whole, "json").body)["partialSuccess"]
    assert partial["rejectedSpans"] == "2"
    assert partial["errorMessage"] == ("span 1: the span's id is all zeros; span 2 (00000000000000a2): the trace's id is all zeros")
    fields = read_messages(read_messages(send(store.client, whole, "protobuf").body)[1])
    assert (fields[1], fields[2].decode()) == (2, partial["errorMessage"])


def test_a_span_that_says_something_else_than_the_one_that_stands_is_named(store):
    send(store.client, request([span("00000000000000a1", "pay")]))
    answer = json.loads(send(store.client, request([span("00000000000000a1", "steal")]), "json").body)
    assert answer["partialSuccess"]["rejectedSpans"] == "1"
    assert "already stored with other contents" in answer["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"resourceSpans":[]}', b" {\n} "])
def test_an_empty_request_is_fine(store, body):
    headers = {"Content-Type": PROTOBUF if not body else "application/json; charset=utf-8"}
    answer = store.client.request("POST", "/v1/traces", body, headers)
    assert (answer.status, answer.body) == (200, body and b"{}")
    assert store.counts() == (0, 0)


def test_errors_are_a_status_in_the_requests_encoding(open_store):
    store = open_store("memory", {"server": {"max_body_bytes": 4096}})

    def told(body, content_type=PROTOBUF, path="/v1/traces", **headers):
        answer = store.client.request("POST", path, body, {"Content-Type": content_type, **headers})
        if answer.headers["Content-Type"] == PROTOBUF:
            fields = read_messages(answer.body)
            return answer.status, fields[1], fields[2].decode()
        status = json.loads(answer.body)
        return answer.status, status["code"], status["message"]

    good = otlp.protobuf(request([span("00000000000000a1")]))
    assert told(good[:-3]) == (400, 3, "the body is no ExportTraceServiceRequest in protobuf: end of buffer exception")
    assert told(b"nonsense") == (400, 3, "The body is no ExportTraceServiceRequest in protobuf")
    assert told(b"\n\x05\x12\x03\x12\x05\x01")[:2] == (400, 3)
    assert told(b"[1", "application/json")[:2] == (400, 3)
    snake = told(b'{"resource_spans":[]}', "application/json")
    assert snake[:2] == (400, 3) and "resourceSpans" in snake[2]
    assert told(good, "application/json")[:2] == (400, 3)
    assert told(good, "text/plain") == (
        415, 3, "Content-Type is text/plain; send Content-Type: application/json or application/x-protobuf")
    assert told(good, **{"Content-Encoding": "br"})[:2] == (415, 3)
    assert told(good * 40)[:2] == (413, 3)
    for signal in ("metrics", "logs"):
        status, code, message = told(good, path=f"/v1/{signal}")
        assert (status, code) == (404, 5) and f"OTEL_{signal.upper()}_EXPORTER=none" in message


def test_a_key_is_asked_for_and_too_many_requests_are_told_to_wait(open_store):
    store = open_store("memory", {"server": {"auth_enabled": True, "api_keys": ["k" * 20], "rate_limit_enabled": True, "rate_limit_rpm": 20}})
    body = otlp.protobuf(request([span("00000000000000a1")]))
    key = {"Authorization": "Bearer " + "k" * 20, "Content-Type": PROTOBUF}
    refused = store.client.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
    assert refused.status == 401 and read_messages(refused.body)[1] == 16
    answers = [store.client.request("POST", "/v1/traces", body, key) for _ in range(25)]
    assert answers[0].status == 200
    assert answers[-1].status == 429 and read_messages(answers[-1].body)[1] == 8 and int(answers[-1].headers["Retry-After"]) > 0


def test_a_database_that_is_away_is_worth_coming_again(open_store):
    store = open_store("postgres", {"engine": {"ack_timeout_seconds": 1}, "storage.postgres": {"connection_timeout_seconds": 1}})
    send(store.client, request([span("00000000000000a1")]))
    with store.database.held("LOCK TABLE raceway.events, raceway.traces"):
        answer = send(store.client, request([span("00000000000000a2")]))
    assert answer.status == 503 and read_messages(answer.body)[1] == 14 and int(answer.headers["Retry-After"]) > 0


def test_sql_takes_the_same_bodies(open_store):
    store, by_sql = open_store("postgres"), open_store("postgres")
    send(store.client, request(spans()))
    for body in (otlp.protobuf(request(spans())), json.dumps(request(spans())).encode()):
        taken = by_sql.database.value(f"SELECT stored + duplicates FROM raceway.ingest('\\x{body.hex()}'::bytea)")
        assert taken == 9
    assert by_sql.export() == store.export()


def test_spans_are_taken_where_programs_send_them_by_default():
    port = free_port()
    with RacewayServer({"otlp": {"port": port}}, name="otlp") as server:
        with Client(port) as client:
            assert send(client, request(spans())).status == 200
            assert client.get("/status").ok().data["events_captured"] == 9
        second = RacewayServer({"otlp": {"port": port}}, name="otlp-second")
        with second, second.client() as client:
            assert send(client, request(spans())).status == 200
            assert "otlp.port" in second.log_text()


def test_a_lost_update_in_an_instrumented_program_is_found(store):
    assert otlp_bank.run(store.server.url) in (80, 90)
    found = run_raceway("races", store.server.url, "--trace", UUID, "--fail-on", "critical")
    assert found.returncode == 1, found.stdout + found.stderr
    assert "bank.py:14" in found.stdout and "balance" in found.stdout


def test_a_span_that_failed_makes_its_trace_one_with_errors(store):
    send(store.client, request([span("00000000000000a1", status={"code": 1}), span("00000000000000a2", trace="a" * 32, status={"code": 2})]))
    found = store.get("/api/traces", errors=1)["traces"]
    assert [trace["trace_id"] for trace in found] == [str(uuid.UUID("a" * 32))]

"""OpenTelemetry's own SDK sends to the server: a program in Node with both of its exporters, see support/otlp_sdk."""

import json
import uuid

import pytest

from e2e.test_readme import blocks, run_in_shell
from support import otlp_sdk
from support.otlp import TRACE
from support.otlp_sdk import Program, run_guide
from support.server import run_raceway
from support.wait import wait_until

UUID = uuid.UUID(TRACE)
# The spans, by the order in which they begin.
ROOT, ONE, OTHER, SETTLING = (f"{number:016x}" for number in (1, 2, 3, 4))
EVENTS = 2 + 3 + 3 + 3


def event_id(span, suffix=""):
    return str(uuid.uuid5(UUID, span + suffix))


@pytest.fixture
def directory(tmp_path_factory):
    """directory(): a new one for a program that can run here."""
    if reason := otlp_sdk.missing():
        pytest.skip(reason)
    return lambda: tmp_path_factory.mktemp("program")


@pytest.fixture
def start(directory):
    """start(store, ENCODING, OPTION..): the program, started."""
    return lambda store, *words: Program(directory(), store.server.url, *words)


@pytest.fixture
def sent(start, store):
    """A store with what the program sends."""
    start(store).wait()
    return store


def test_both_exporters_give_the_same_rows_compressed_or_not(start, open_store, backend):
    stores = []
    for encoding, compression in (("protobuf", "none"), ("protobuf", "gzip"), ("json", "none"), ("json", "gzip")):
        stores.append(open_store(backend))
        program = start(stores[-1], encoding, "--compression", compression).wait()
        assert program.complaints() == []
        [answer] = program.answers()
        assert answer["status"] == 200
        assert answer["type"] == f"application/{'x-protobuf' if encoding == 'protobuf' else 'json'}"
        assert answer.get("encoding") == (None if compression == "none" else "gzip")
    first, *others = [store.export() for store in stores]
    assert [len(trace["events"]) for trace in first] == [EVENTS]
    assert others == [first] * 3


def test_parents_links_and_events_are_causes(sent):
    def relation(a, b):
        return sent.get(f"/api/traces/{UUID}/relation", a=event_id(*a), b=event_id(*b))["relation"]

    for parent, child in ((ROOT, ONE), (ROOT, OTHER), (ROOT, SETTLING), (ONE, SETTLING), (OTHER, SETTLING)):
        assert relation([parent], [child]) == "before"
    for span in (ONE, OTHER, SETTLING):
        assert relation([span], [span, ":1"]) == relation([span, ":1"], [span, ":end"]) == "before"
    # Spans are sent when they end, and a parent may end first: nothing is made up.
    for a, b in (([ONE], [OTHER]), ([ONE, ":end"], [SETTLING]), ([SETTLING, ":end"], [ROOT, ":end"])):
        assert relation(a, b) == "concurrent"


def test_what_the_program_told_is_kept(sent):
    events = {event["id"]: event for event in sent.trace(UUID)["events"]}
    request = events[event_id(ROOT)]
    assert request["kind"]["HttpRequest"] == {**request["kind"]["HttpRequest"], "method": "POST", "url": "/transfer"}
    assert events[event_id(ROOT, ":end")]["kind"]["HttpResponse"]["status"] == 409
    tags = request["metadata"]["tags"]
    assert (tags["share"], tags["whole"], tags["yes"], tags["list"]) == (0.5, 2**53 - 1, True, ["a", "b"])
    assert "upstream_span_id" not in events[event_id(ONE)]["metadata"]
    assert events[event_id(OTHER)]["metadata"]["upstream_span_id"] == ROOT
    change = events[event_id(OTHER, ":1")]["kind"]["StateChange"]
    assert (change["variable"], change["old_value"], change["new_value"], change["location"]) == ("balance", 100, 80, "bank.mjs:21")
    error = events[event_id(SETTLING, ":1")]["kind"]["Error"]
    assert (error["error_type"], error["message"], error["stack_trace"]) == ("Overdrawn", "by 10", ["a", "b"])


def test_its_lost_update_is_found(sent):
    found = run_raceway("races", sent.server.url, "--fail-on", "critical")
    assert found.returncode == 1, found.stdout + found.stderr
    assert all(words in found.stdout for words in ("balance", "bank.mjs:12", "bank.mjs:21"))


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_the_sdk_tells_of_spans_that_were_not_kept(start, open_store, encoding):
    store = open_store("memory")
    program = start(store, encoding, "--zero").wait()
    [answer] = program.answers()
    assert answer["status"] == 200
    [complaint] = program.complaints()
    assert "Partial Success" in complaint
    partial = json.loads(complaint[complaint.index("{"):])
    assert int(partial["rejectedSpans"]) == 1 and "the span's id is all zeros" in partial["errorMessage"]
    assert store.counts() == (EVENTS, 1)


def test_spans_that_a_database_did_not_take_are_sent_again(start, open_store):
    store = open_store("postgres", {"engine": {"ack_timeout_seconds": 1}})
    with store.database.held("LOCK TABLE raceway.events, raceway.traces"):
        program = start(store)
        wait_until(program.answers, 60, "the SDK was refused")
    answers = program.wait().answers()
    assert answers[0]["status"] == 503 and int(answers[0]["retryAfter"]) > 0
    assert answers[-1]["status"] == 200 and program.complaints() == []
    assert store.counts() == (EVENTS, 1)


def test_spans_that_came_too_often_are_sent_again(start, open_store):
    store = open_store("memory", {"server": {"rate_limit_enabled": True, "rate_limit_rpm": 20}})
    program = start(store)
    while not program.answers():  # it gets none of what the limit lets through
        store.client.get("/status")
    answers = program.wait().answers()
    assert answers[0]["status"] == 429 and int(answers[0]["retryAfter"]) > 0
    assert answers[-1]["status"] == 200 and program.complaints() == []
    assert len(wait_until(lambda: store.client.get(f"/api/traces/{UUID}").json.get("data"), 60, "there is a read")["events"]) == EVENTS


def test_a_shutdown_sends_all_that_waits(start, store):
    more = 3000
    program = start(store, "protobuf", "--compression", "gzip", "--more", str(more)).wait()
    answers = program.answers()
    assert len(answers) > 1 and {answer["status"] for answer in answers} == {200}
    assert program.complaints() == []
    assert store.counts() == (EVENTS + 2 * more, 1)


def test_the_guides_variables_and_its_event_lead_to_the_server(directory, open_store):
    store = open_store("memory")
    exports, *_ = blocks("Programs with OpenTelemetry", "sh", "server/README.md")
    [block] = blocks("Programs with OpenTelemetry", "js", "server/README.md")
    told = run_in_shell(f"{exports}\nenv -0", store.server.port, "/").split("\0")
    environment = dict(line.split("=", 1) for line in told if line.startswith("OTEL_"))
    assert run_guide(directory(), block, environment) == ""
    [trace] = store.export()
    [change] = [event for event in trace["events"] if "StateChange" in event["kind"]]
    assert change["metadata"]["service_name"] == "bank"
    assert change["kind"]["StateChange"]["location"] == "bank.js:12"

"""`raceway races` and `raceway explain`: what people read, what programs read, and exit codes for CI."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from support import shiviz
from support.brute_force import Trace
from support.server import run_raceway
from support.traffic import RECORDED, recorded_bodies, recorded_events, sdk_event

FIRST_RACE = {"events": [
    {"event_id": "e1", "trace_id": "transfer", "kind": "HttpRequest", "timestamp": "2024-01-01T12:00:00.000Z",
     "vector_clock": {"web": 1}, "metadata": {"service_name": "bank", "thread_id": "main", "method": "POST", "url": "/transfer"}},
    {"event_id": "e2", "trace_id": "transfer", "kind": "StateChange", "timestamp": "2024-01-01T12:00:00.001Z",
     "location": "bank.js:12", "vector_clock": {"web": 1, "worker-1": 1},
     "metadata": {"service_name": "bank", "thread_id": "worker-1", "variable": "balance", "old_value": 100, "new_value": 70,
                  "access_type": "Write"}},
    {"event_id": "e3", "trace_id": "transfer", "kind": "StateChange", "timestamp": "2024-01-01T12:00:00.002Z",
     "location": "bank.js:45", "vector_clock": {"web": 1, "worker-2": 1},
     "metadata": {"service_name": "bank", "thread_id": "worker-2", "variable": "balance", "old_value": 100, "new_value": 50,
                  "access_type": "Write"}}]}


@pytest.fixture
def first_race(tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(FIRST_RACE))
    return file


def test_a_race_is_told_on_one_screen_and_fails(first_race):
    done = run_raceway("races", first_race)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == "1 race (1 pair of accesses) in 1 trace, 3 events"
    for text in ("CRITICAL  balance  1 pair in 1 trace", "bank.js:12  Write  bank / worker-1  100 -> 70",
                 "bank.js:45  Write  bank / worker-2  100 -> 50", "Nothing orders them after HttpRequest(POST /transfer)",
                 "raceway explain 'transfer' 'e2' 'e3'"):
        assert text in done.stdout


def test_the_next_command_that_it_names_explains_the_race(first_race):
    done = run_raceway("explain", "transfer", "e2", "e3", "--from", first_race)
    assert done.returncode == 0 and done.stdout.startswith("Nothing orders them. The last event that happened before both:\n  e1")
    ordered = run_raceway("explain", "transfer", "e3", "e1", "--from", first_race)
    assert ordered.returncode == 0 and ordered.stdout.startswith("e1 happened before e3:")


@pytest.mark.parametrize("arguments", [("explain", "transfer", "e2", "nobody"), ("explain", "nothing", "e2", "e3")])
def test_unknown_events_and_traces_are_errors(first_race, arguments):
    done = run_raceway(*arguments, "--from", first_race)
    assert done.returncode == 2 and ("nobody" in done.stderr or "nothing" in done.stderr)


def test_only_what_is_asked_for_fails(first_race, tmp_path):
    assert run_raceway("races", first_race, "--variable", "other").returncode == 0
    assert run_raceway("races", first_race, "--trace", "transfer").returncode == 1
    events = FIRST_RACE["events"]
    reading = [events[0], events[1], {**events[2], "metadata": {**events[2]["metadata"], "access_type": "Read"}}]
    file = tmp_path / "reading.json"
    file.write_text(json.dumps(reading))
    assert run_raceway("races", file).returncode == 1
    critical = run_raceway("races", file, "--fail-on", "critical")
    assert critical.returncode == 0 and "WARNING  balance" in critical.stdout


def test_known_races_are_suppressed_counted_and_named_where_they_are_gone(first_race, tmp_path):
    known = tmp_path / "known.txt"
    known.write_text("# what is known\nbal*  bank.js:12  # the old ledger\nledger *\n")
    done = run_raceway("races", first_race, "--suppressions", known)
    assert done.returncode == 0
    assert "No races in 1 trace, 3 events; 1 suppressed" in done.stdout
    assert "Suppression of line 3 matched nothing: ledger *" in done.stdout
    known.write_text("balance\n")
    broken = run_raceway("races", first_race, "--suppressions", known)
    assert broken.returncode == 2 and f"{known}:1" in broken.stderr


def test_programs_read_json_sarif_and_junit(first_race):
    outcome = json.loads(run_raceway("races", first_race, "--format", "json").stdout)
    [race] = outcome["races"]
    assert (outcome["critical"], outcome["warnings"], race["pairs"]) == (1, 0, 1)
    assert [race["site1"], race["site2"]] == ["bank.js:12", "bank.js:45"]
    assert race["example"]["event1"]["new_value"] == 70 and race["example"]["last_common"]["id"] == "e1"
    [result] = json.loads(run_raceway("races", first_race, "--format", "sarif").stdout)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert result["level"] == "error" and place["artifactLocation"]["uri"] == "bank.js" and place["region"]["startLine"] == 12
    suite = ElementTree.fromstring(run_raceway("races", first_race, "--format", "junit").stdout)
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    quiet = ElementTree.fromstring(run_raceway("races", first_race, "--format", "junit", "--variable", "other").stdout)
    assert (quiet.get("tests"), quiet.get("failures")) == ("1", "0")


@pytest.mark.parametrize("capture", RECORDED)
def test_recorded_bodies_give_the_pairs_that_all_pairs_give(capture):
    text = "\n".join(body.decode() for body in recorded_bodies(capture))
    outcome = json.loads(run_raceway("races", "-", "--format", "json", stdin=text).stdout)
    traces = {}
    for event in recorded_events(capture):
        traces.setdefault(event["trace_id"], []).append(
            {**event, "lock_set": [], "causality_vector": [[name, int(count)] for name, count in event["causality_vector"]]})
    expected = sum((Trace(events).races() for events in traces.values()), start=type(Trace([]).races())())
    assert outcome["traces"] == len(traces)
    assert outcome["critical"] == sum(count for (_, severity), count in expected.items() if severity == "CRITICAL")
    assert outcome["warnings"] == sum(count for (_, severity), count in expected.items() if severity == "WARNING")


def test_a_server_and_a_database_are_asked_the_same_way(store):
    store.post(FIRST_RACE)
    url = f"http://127.0.0.1:{store.server.port}"
    assert run_raceway("races", url).stdout == run_raceway("races", "-", stdin=json.dumps(FIRST_RACE)).stdout
    assert run_raceway("explain", "transfer", "e1", "e2", "--from", url).returncode == 0
    assert "has no trace nothing" in run_raceway("races", url, "--trace", "nothing").stderr
    if store.database is not None:
        assert run_raceway("races", store.database.connection_string()).returncode == 1


def test_a_log_of_shiviz_is_read_by_its_parser():
    for log, parser in shiviz.manifest().items():
        done = run_raceway("races", shiviz.LOGS / log, "--parser", parser)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("No races in ") and f", {len(shiviz.log_events(log))} events" in done.stdout


def test_what_cannot_be_read_is_no_success(tmp_path):
    file = tmp_path / "torn.ndjson"
    file.write_text(json.dumps(sdk_event()) + '\n{"event_id":')
    done = run_raceway("races", file)
    assert done.returncode == 2 and "unreadable" in done.stderr and done.stdout.startswith("No races in 1 trace")
    missing = run_raceway("races", tmp_path / "nothing")
    assert missing.returncode == 2 and "there is no file" in missing.stderr


def test_hostile_texts_do_nothing_to_a_terminal(tmp_path):
    events = json.loads(json.dumps(FIRST_RACE))
    events["events"][1]["location"] = "\x1b[2J\u202e.js:1"
    file = tmp_path / "hostile.json"
    file.write_text(json.dumps(events))
    for form in ("text", "json", "sarif", "junit"):
        shown = run_raceway("races", file, "--format", form).stdout
        assert "\x1b" not in shown and "\u202e" not in shown

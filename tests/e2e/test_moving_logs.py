"""ShiViz logs by `raceway import` and `raceway export`: no event is lost, none is twice, and order stays what it was."""

import json
import random
import re
import signal
import subprocess

import pytest

from e2e.test_moving_events import counts, export, load, url
from support import paths, shiviz
from support.server import server_environment
from support.wait import wait_until

USUAL = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"
DATED = r"(?<date>.*) \| (?<event>.*)\n(?<host>\S*) (?<clock>{.*})"


def entry(text, host, **clock):
    return f"{text}\n{host} {json.dumps(clock)}\n"


def texts(store, trace):
    """What happened, by host and text, with each event's clock."""
    return sorted((event["kind"]["Log"]["host"], event["kind"]["Log"]["event"], sorted(event["causality_vector"]))
                  for event in store.trace(trace)["events"])


def read_log(store, path, text, *arguments, status=0, parser=USUAL):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, newline="")
    return load(store, path, "--parser", parser, *arguments, status=status)


# --- there and back ---


def events_of(store, log):
    """{(host, text, time, clock): event} as they came in; no two of the logs' events are the same in all that."""
    events = {}
    for event in store.trace(log)["events"]:
        said = event["kind"]["Log"]
        events[event["id"]] = (said["host"], said["event"], event["timestamp"], dict(event["causality_vector"]))
    return events


@pytest.mark.parametrize("by", ["server", "database"])
def test_shiviz_logs_keep_every_pair_there_and_back(open_store, tmp_path, by):
    first, second = open_store("postgres"), open_store("postgres")
    for log, parser in shiviz.manifest().items():
        done = load(first, shiviz.LOGS / log, "--parser", parser, by=by)
        assert counts(done) == {"stored": len(shiviz.log_events(log)), "duplicates": 0, "rejected": 0}
        assert counts(load(first, shiviz.LOGS / log, "--parser", parser, by=by))["stored"] == 0
    export(first, "--format", "shiviz", "--gzip", "-o", str(tmp_path / "log"), by=by)
    load(second, tmp_path / "log", by=by)
    for log in shiviz.manifest():
        sent = sorted(json.dumps([e["metadata"]["host"], e["metadata"]["event"], e["vector_clock"]], sort_keys=True)
                      for e in shiviz.log_events(log))
        before, after = events_of(first, log), events_of(second, log)
        assert sorted(json.dumps([host, text, clock], sort_keys=True) for host, text, _, clock in before.values()) == sent
        assert {i: event[:3] for i, event in before.items()} == {i: event[:3] for i, event in after.items()}
        pairs = [shiviz.all_pairs([{"event_id": i, "vector_clock": e[3]} for i, e in events.items()])
                 for events in (before, after)]
        assert pairs[0] == pairs[1]


def test_a_shiviz_log_reads_by_its_own_first_line(store, tmp_path):
    store.post(list(shiviz.log_events("simpledb.log")))
    export(store, "--format", "shiviz", "-o", str(tmp_path / "log"))
    parser, delimiter, blank, *rest = (tmp_path / "log").read_text().split("\n")
    assert blank == "" and shiviz.python_regex(delimiter).fullmatch(rest[0])["trace"] == "simpledb.log"
    matches = list(shiviz.python_regex(parser).finditer("\n".join(rest[1:])))
    wanted = {event["event_id"]: event["vector_clock"] for event in shiviz.log_events("simpledb.log")}
    assert {match["id"]: json.loads(match["clock"]) for match in matches} == wanted
    assert all(match["host"] in json.loads(match["clock"]) for match in matches)


# --- an event is what it is, wherever it stands ---


def test_a_log_of_each_process_goes_into_one_trace(store, tmp_path):
    alice = entry("sends", "alice", alice=1) + entry("waits", "alice", alice=2)
    bob = entry("starts", "bob", bob=1) + entry("hears", "bob", alice=1, bob=2)
    for name, text in (("alice.log", alice), ("bob.log", bob)):
        assert counts(read_log(store, tmp_path / name, text, "--trace", "run1"))["stored"] == 2
    assert texts(store, "run1") == [("alice", "sends", [["alice", 1]]), ("alice", "waits", [["alice", 2]]),
                                    ("bob", "hears", [["alice", 1], ["bob", 2]]), ("bob", "starts", [["bob", 1]])]
    assert counts(read_log(store, tmp_path / "both.log", bob + alice, "--trace", "run1"))["duplicates"] == 4


def test_files_of_one_name_in_different_directories_are_all_stored(store, tmp_path):
    for host in ("alice", "bob"):
        text = "".join(entry("works", host, **{host: n}) for n in range(1, 51))
        assert counts(read_log(store, tmp_path / host / "app.log", text)) == {"stored": 50, "duplicates": 0, "rejected": 0}
    assert len(texts(store, "app.log")) == 100


def test_of_a_log_that_grew_or_was_rotated_only_what_is_new_is_stored(store, tmp_path):
    entries = [entry(f"step {n // 3}", "h", h=n) for n in range(1, 101)]
    for first, last, new in [(0, 40, 40), (0, 70, 30), (50, 90, 20), (50, 90, 0), (90, 100, 10), (0, 100, 0)]:
        done = counts(read_log(store, tmp_path / "app.log", "rotated\n" * (first % 7) + "".join(entries[first:last])))
        assert done == {"stored": new, "duplicates": last - first - new, "rejected": 0}
    assert texts(store, "app.log") == sorted(("h", f"step {n // 3}", [["h", n]]) for n in range(1, 101))


def test_events_of_one_host_and_clock_that_differ_are_all_stored(store, tmp_path):
    text = entry("one", "h", h=1) + entry("other", "h", h=1) + entry("one", "h", h=1, x=1) + entry("one", "", h=1)
    assert counts(read_log(store, tmp_path / "a", text))["stored"] == 4
    assert counts(read_log(store, tmp_path / "a", text))["duplicates"] == 4


def test_an_event_that_is_there_in_another_trace_is_named(store, tmp_path):
    own = (f"(?<date>\\S+) (?<kind>\\S+) (?<id>\\S+) (?<event>.*)\\n(?<host>.*?) (?<clock>\\{{.*\\}})\n^=== (?<trace>.*) ===$\n\n")
    for trace, status in [("one", 0), ("other", 1)]:
        log = f"{own}=== {trace} ===\n"
        (tmp_path / "a").write_text(f"{log}2026-01-01T00:00:00Z Log id says\nh {{\"h\":1}}\n")
        done = load(store, tmp_path / "a", status=status)
        assert counts(done) == {"stored": 1 - status, "duplicates": 0, "rejected": status}
    assert f'rejected: line 5, byte {len(log)}, event 0, id "id": ' in done.stderr, done.stderr


def test_equal_events_without_a_clock_of_their_own_are_all_stored(store, tmp_path):
    text = (entry("tick", "h") + entry("tock", "h", x=3)) * 5
    assert counts(read_log(store, tmp_path / "a", text))["stored"] == 10
    assert counts(read_log(store, tmp_path / "a", text + entry("tick", "h"))) == {
        "stored": 1, "duplicates": 10, "rejected": 0}


def test_an_import_of_a_log_that_is_killed_goes_on_when_it_is_run_again(open_store, tmp_path):
    store = open_store("postgres")
    text = "".join(entry("works", f"h{n % 9}", **{f"h{n % 9}": n // 9 + 1}) if n % 10 else entry("no clock", "h") for n in range(20_000))
    (tmp_path / "a").write_text(text)
    command = [str(paths.SERVER), "import", str(tmp_path / "a"), "--to", url(store), "--parser", USUAL, "--batch-size", "20", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server_environment()) as process:
        more = random.Random(7).randrange(500, 3_000)
        wait_until(lambda: store.counts()[0] > more or process.poll() is not None, 60, "some events are in")
        process.send_signal(signal.SIGKILL)
    assert store.counts()[0] < 20_000
    load(store, tmp_path / "a", "--parser", USUAL)
    assert store.counts()[0] == 20_000
    assert counts(load(store, tmp_path / "a", "--parser", USUAL)) == {"stored": 0, "duplicates": 20_000, "rejected": 0}


def test_two_executions_of_one_name_are_named_and_kept_apart(store, tmp_path):
    log = (f"{USUAL}\n=== (?<trace>.*) ===\n\n=== run ===\n{entry('first', 'h', h=1)}"
           f"=== run ===\n{entry('second', 'h', h=1)}")
    (tmp_path / "a").write_text(log)
    done = load(store, tmp_path / "a")
    assert "warning: line 8, " in done.stderr and "another execution is called run" in done.stderr
    assert [texts(store, trace) for trace in ("run", "run~2")] == [[("h", "first", [["h", 1]])], [("h", "second", [["h", 1]])]]
    assert counts(load(store, tmp_path / "a"))["duplicates"] == 2


# --- how logs are written ---


def test_dates_are_read_or_refused_by_name(store, tmp_path):
    log = "".join(f"{date} | {text}\nh {json.dumps({'h': n + 1})}\n" for n, (date, text) in enumerate([
        ("10/13/2014 14:37:20.543", "american"), ("13.10.2014", "a day"), ("Mon Oct 13 14:37:20 2014", "ctime"),
        ("1413211040.25", "epoch"), ("05/06/2014", "open"), ("Oct 13 14:37:20", "syslog"), ("whenever", "none")]))
    done = read_log(store, tmp_path / "a", log, parser=DATED, status=1)
    assert counts(done) == {"stored": 4, "duplicates": 0, "rejected": 0, "unreadable places": 3}
    for line, words in [(9, "--date-order"), (11, "has no year"), (13, "none of the forms that are read: 2014-10-13 ")]:
        assert re.search(f"unreadable: line {line}, .*{re.escape(words)}", done.stderr), done.stderr
    done = read_log(store, tmp_path / "a", log, "--date-order", "dmy", parser=DATED, status=1)
    assert "as --date-order says" in done.stderr
    times = {event["kind"]["Log"]["event"]: event["timestamp"] for event in store.trace("a")["events"]}
    assert times["american"].startswith("2014-10-13T14:37:20.543") and times["open"].startswith("2014-06-05T00:00:00")
    assert times["ctime"].startswith("2014-10-13T14:37:20") and times["epoch"].startswith("2014-10-13T14:37:20.250")


def test_clocks_of_tla_plus_and_lines_of_windows_are_read(store, tmp_path):
    log = "".join(f'State {n}: <{what}>\r\n/\\ Host = {host}\r\n/\\ Clock = "{clock}"\r\n\r\n' for n, what, host, clock in [
        (1, "sends", "n1", r'{\"n1\":1,\"n2\":0}'), (2, "hears", "n2", r'{\"n1\":1,\"n2\":1}')])
    parser = r'^State \d+: <(?<event>.*)>\n/\\ Host = (?<host>.*)\n/\\ Clock = "(?<clock>.*)"'
    assert counts(read_log(store, tmp_path / "a", log, parser=parser))["stored"] == 2
    assert [(host, text) for host, text, _ in texts(store, "a")] == [("n1", "sends"), ("n2", "hears")]
    assert counts(read_log(store, tmp_path / "a", log.replace("\r", ""), parser=parser))["duplicates"] == 2

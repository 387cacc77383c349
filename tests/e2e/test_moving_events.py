"""`raceway export` and `raceway import`: nothing is lost between stores and files, nothing is silent, nothing is twice."""

import gzip
import json
import os
import random
import shlex
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from e2e.test_backends_agree import compare_every_route, strange_bodies
from support import paths, shiviz
from support.server import run_raceway, server_environment
from support.traffic import RECORDED, documented_event, recorded_bodies, recorded_events, sdk_event
from support.wait import wait_until


def url(store):
    return store.server.url


def where(store, by):
    """The store through its server, or past it straight in its database."""
    return url(store) if by == "server" else store.database.connection_string()


def export(store, *arguments, by="server", status=0):
    done = run_raceway("export", "--from", where(store, by), *arguments)
    assert done.returncode == status, done.stderr
    return done


def load(store, file, *arguments, by="server", status=0):
    """Imports; the CompletedProcess."""
    done = run_raceway("import", str(file), "--to", where(store, by), *arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def counts(done):
    """The numbers of an import's summary by their names."""
    words = [part.rsplit(" ", 1) for part in done.stdout.strip().split(", ")]
    return {name: int(number) for name, number in words}


def lines_of(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.fixture
def full(open_store):
    """A store in memory with recorded traffic, true clocks and events at the edges."""
    store = open_store("memory")
    for capture in RECORDED:
        store.post_all(recorded_bodies(capture))
    for log in shiviz.manifest():
        store.post(list(shiviz.log_events(log)))
    for body in strange_bodies():
        store.client.post(body)
    return store


# --- nothing is lost ---


@pytest.mark.parametrize("by", ["server", "database"])
def test_memory_to_ndjson_to_postgres_to_json_gz_to_memory_loses_nothing(full, open_store, tmp_path, by):
    postgres, memory = open_store("postgres"), open_store("memory")
    export(full, "-o", str(tmp_path / "a.ndjson"))
    total = full.counts()[0]
    assert counts(load(postgres, tmp_path / "a.ndjson", by=by)) == {"stored": total, "duplicates": 0, "rejected": 0}
    compare_every_route((full, postgres))
    export(postgres, "--format", "json", "--gzip", "-o", str(tmp_path / "b.json.gz"), by=by)
    assert counts(load(memory, tmp_path / "b.json.gz"))["stored"] == total
    compare_every_route((full, memory))


def test_a_database_comes_back_row_by_row(full, open_store, tmp_path):
    one, other = open_store("postgres"), open_store("postgres")
    export(full, "-o", str(tmp_path / "a.ndjson"))
    load(one, tmp_path / "a.ndjson", by="database")
    export(one, "-o", str(tmp_path / "b.ndjson"), by="database")
    load(other, tmp_path / "b.ndjson", by="database")
    for table in ("events", "traces"):
        rows = f"SELECT md5(string_agg((to_jsonb(x) - 'created_at')::text, ';' ORDER BY to_jsonb(x)->>'trace_id', to_jsonb(x)->>'event_id')) FROM {table} x"
        assert one.database.sql(rows) == other.database.sql(rows)


def test_what_comes_from_a_store_is_a_duplicate_there(full, open_store, tmp_path):
    """Rows of a database, whatever they hold; through a server, what SDKs sent."""
    postgres, memory = open_store("postgres"), open_store("memory")
    export(full, "-o", str(tmp_path / "all"))
    load(postgres, tmp_path / "all", by="database")
    memory.post_all([body for capture in RECORDED for body in recorded_bodies(capture)])
    for store, by in ((postgres, "database"), (memory, "server")):
        export(store, "-o", str(tmp_path / by), by=by)
        assert counts(load(store, tmp_path / by, by=by)) == {"stored": 0, "duplicates": store.counts()[0], "rejected": 0}


def test_an_event_in_a_file_is_what_the_sdk_sent(store, tmp_path):
    sent = sdk_event(lock_set=["b", "a"], causality_vector=[["z", 1], ["a", 2]], timestamp="2026-01-01T00:00:00.123456789Z",
                     parent_id="6d0e1f5e-1111-4222-8333-944455556666")
    store.post([sent])
    export(store, "-o", str(tmp_path / "a"))
    (line,) = (tmp_path / "a").read_text().splitlines()
    event = json.loads(line)
    assert event["timestamp"] == sent["timestamp"] and event["metadata"]["parent_id"] == sent["parent_id"]
    assert event["metadata"]["lock_set"] == ["b", "a"] and event["metadata"]["causality_vector"] == [["z", 1], ["a", 2]]


def test_import_takes_what_the_api_answers(full, open_store, tmp_path):
    memory = open_store("memory")
    (tmp_path / "all.json").write_bytes(full.client.get("/api/traces").ok().body)
    trace = recorded_events("python")[0]["trace_id"]
    (tmp_path / "one.json").write_bytes(full.client.get(f"/api/traces/{trace}").ok().body)
    in_trace = len(full.trace(trace)["events"])
    assert counts(load(memory, tmp_path / "one.json")) == {"stored": in_trace, "duplicates": 0, "rejected": 0}
    assert counts(load(memory, tmp_path / "all.json"))["duplicates"] == in_trace
    assert memory.counts() == full.counts()


def test_import_takes_bodies_behind_each_other_from_stdin(store):
    bodies = b"".join(body for capture in RECORDED for body in recorded_bodies(capture))
    total = sum(events for events, _ in RECORDED.values())
    for text in (bodies, gzip.compress(bodies)):
        done = subprocess.run([str(paths.SERVER), "import", "-", "--to", url(store)], input=text, capture_output=True,
                              check=True, env=server_environment(), cwd="/")
        assert b"rejected 0" in done.stdout
    assert store.counts()[0] == total


def test_a_pipe_from_store_to_store(full, open_store):
    postgres = open_store("postgres")
    raceway = shlex.quote(str(paths.SERVER))
    command = f"{raceway} export --from {url(full)} | {raceway} import - --to '{where(postgres, 'database')}'"
    subprocess.run(["bash", "-eo", "pipefail", "-c", command], check=True, capture_output=True, env=server_environment())
    compare_every_route((full, postgres))


# --- a part of it ---


@pytest.mark.parametrize("by", ["server", "database"])
def test_export_of_chosen_traces(open_store, by):
    store = open_store("postgres")
    for number, service in enumerate(["bank", "shop", "bank"]):
        store.post([documented_event(f"e{number}-{i}", f"t{number}", 3_600_000 * number + i, metadata={"service_name": service})
                    for i in range(3)])
    between = store.trace("t1")["events"][0]["timestamp"]

    def traces(*arguments, status=0):
        done = export(store, *arguments, by=by, status=status)
        return sorted({json.loads(line)["trace_id"] for line in done.stdout.splitlines()}), done.stderr

    assert traces()[0] == ["t0", "t1", "t2"]
    assert traces("--service", "bank")[0] == ["t0", "t2"]
    assert traces("--since", between)[0] == ["t1", "t2"]
    assert traces("--until", between)[0] == ["t0", "t1"]
    assert traces("--since", between, "--service", "bank")[0] == ["t2"]
    assert traces("--trace", "t0", "--trace", "t2")[0] == ["t0", "t2"]
    found, said = traces("--trace", "t1", "--trace", "nowhere", status=1)
    assert found == ["t1"] and "there is no trace nowhere" in said
    missing = "6d0e1f5e-9999-4222-8333-944455556666"
    assert missing in traces("--trace", missing, status=1)[1]


# --- damage ---


@pytest.fixture
def events():
    return [documented_event(f"e{i}", f"t{i % 7}", i) for i in range(3_000)]


def test_a_gzip_file_that_is_cut_off_gives_what_it_holds(store, events, tmp_path):
    packed = gzip.compress(lines_of(*events))
    (tmp_path / "a.gz").write_bytes(packed[:len(packed) // 2])
    done = load(store, tmp_path / "a.gz", status=1)
    assert f"cut off near byte {len(packed) // 2}" in done.stderr
    assert 500 < counts(done)["stored"] == store.counts()[0] < 3_000
    (tmp_path / "a.gz").write_bytes(packed)
    assert counts(load(store, tmp_path / "a.gz"))["stored"] == 3_000 - counts(done)["stored"]
    assert store.counts()[0] == 3_000


def test_a_json_document_that_is_cut_off_names_the_place(store, events, tmp_path):
    text = json.dumps({"events": events[:100]}).encode()
    last = text.rindex(b'{"trace_id"')
    (tmp_path / "a.json").write_bytes(text[:last + 50])
    done = load(store, tmp_path / "a.json", status=1)
    assert f"unreadable: line 1, byte {last}, event 99: the text ends inside the event" in done.stderr
    assert store.counts()[0] == 99


def test_garbage_in_the_middle_costs_nothing_else(store, events, tmp_path):
    lines = [json.dumps(event).encode() for event in events[:1_000]]
    lines[100] = lines[100][:-20]
    lines[200] = os.urandom(300).replace(b"\n", b"x")
    lines[300] = lines[300].replace(b'"bank"', b"bank")
    lines[400] = b'{"event_id":"no-trace","kind":"K","timestamp":"2026-01-01T00:00:00Z"}'
    (tmp_path / "a").write_bytes(b"\n".join(lines))
    done = load(store, tmp_path / "a", status=1)
    assert store.counts()[0] == 996
    for line in (101, 201, 301, 401):
        assert f": line {line}, " in done.stderr or f": line {line + 1}, " in done.stderr, done.stderr[:2000]
    assert 'event 399, id "no-trace": trace_id is missing' in done.stderr or '"no-trace": trace_id is missing' in done.stderr


def test_an_event_that_is_there_with_other_contents_is_named_and_does_not_replace_it(store, events, tmp_path):
    (tmp_path / "a").write_bytes(lines_of(*events[:100]))
    load(store, tmp_path / "a")
    before = export(store).stdout
    (tmp_path / "b").write_bytes(lines_of(*events[:50], {**events[50], "location": "elsewhere"}, *events[51:101]))
    done = load(store, tmp_path / "b", status=1)
    assert counts(done) == {"stored": 1, "duplicates": 99, "rejected": 1}
    assert '"e50": event_id is already stored with other contents: location' in done.stderr
    assert set(before.splitlines()) < set(export(store).stdout.splitlines())


def test_what_cannot_be_done_is_told_and_exits_with_2(store, tmp_path):
    (tmp_path / "a").write_bytes(lines_of(documented_event()))
    nowhere = ["--to", "http://127.0.0.1:1", "--give-up", "0"]
    for arguments, words in [
        (["import", str(tmp_path / "none"), "--to", url(store)], "cannot be opened"),
        (["import", str(tmp_path / "a"), *nowhere], "cannot be reached"),
        (["import", str(tmp_path / "a"), "--to", "nothing-like-it"], "neither a http(s):// URL nor"),
        (["import", str(tmp_path / "a"), "--wrong"], "--wrong"),
        (["import", str(tmp_path / "a"), "--format", "shiviz", "--to", url(store)], "needs its regular expression"),
        (["export", "--from", "http://127.0.0.1:1"], "cannot be reached"),
        (["export", "--from", url(store), "-o", "/nowhere/a"], "/nowhere/a.part cannot be written"),
        (["export", "--from", url(store), "--since", "soon"], "--since"),
    ]:
        done = run_raceway(*arguments)
        assert done.returncode == 2 and words in done.stderr, (arguments, done.returncode, done.stderr)


def test_an_empty_store_makes_a_file_that_imports_nothing(store, tmp_path):
    for form in ("ndjson", "json", "shiviz"):
        export(store, "--format", form, "-o", str(tmp_path / form))
        assert counts(load(store, tmp_path / form)) == {"stored": 0, "duplicates": 0, "rejected": 0}


# --- keys ---


def test_keys_open_the_door_and_are_never_shown(open_store, tmp_path):
    store = open_store("memory", {"server": {"auth_enabled": True, "api_keys": ["the-secret-key"]}})
    (tmp_path / "a").write_bytes(lines_of(documented_event("e")))
    for key, status in [("the-secret-key", 0), ("another-secret", 2)]:
        for arguments in (["import", str(tmp_path / "a"), "--to", url(store)], ["export", "--from", url(store)]):
            by_variable = run_raceway(*arguments, environment={"RACEWAY_API_KEY": key})
            by_option = run_raceway(*arguments, "--api-key", key)
            for done in (by_variable, by_option):
                assert done.returncode == status, done.stderr
                assert "secret" not in done.stdout + done.stderr
                assert status == 0 or "Unauthorized" in done.stderr
    configured = run_raceway("export", "--config", str(store.server.config))
    assert configured.returncode == 0 and '"e"' in configured.stdout


# --- interruptions ---


def test_an_import_that_is_killed_goes_on_when_it_is_run_again(open_store, tmp_path):
    store = open_store("postgres")
    events = [documented_event(f"e{i}", f"t{i % 50}", i) for i in range(40_000)]
    (tmp_path / "a").write_bytes(lines_of(*events))
    command = [str(paths.SERVER), "import", str(tmp_path / "a"), "--to", url(store), "--batch-size", "50"]
    kills = 0
    chance = random.Random(4)
    while store.counts()[0] < 30_000 and kills < 20:
        before = store.counts()[0]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server_environment()) as process:
            wait_until(lambda: store.counts()[0] > before + chance.randrange(100, 3_000) or process.poll() is not None, 60,
                       "some more events are in")
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
    assert kills >= 2
    there = store.counts()[0]
    done = counts(load(store, tmp_path / "a"))
    # The last bodies of the import that was killed, two at a time, may have been stored after they were counted here.
    assert 40_000 - there - 2 * 50 <= done["stored"] <= 40_000 - there
    assert done == {"stored": done["stored"], "duplicates": 40_000 - done["stored"], "rejected": 0}
    assert store.counts() == (40_000, 50)


def test_an_import_goes_on_when_its_server_was_killed(open_store, tmp_path):
    store = open_store("postgres")
    (tmp_path / "a").write_bytes(lines_of(*[documented_event(f"e{i}", f"t{i % 50}", i) for i in range(30_000)]))
    command = [str(paths.SERVER), "import", str(tmp_path / "a"), "--to", url(store), "--batch-size", "50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server_environment()) as process:
        wait_until(lambda: store.counts()[0] > 1_000 or process.poll() is not None, 60, "some events are in")
        store.server.kill()
        time.sleep(0.5)
        store.server.start()
        said, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "waiting, and trying again" in told
    assert store.counts() == (30_000, 50)
    assert sum(int(part.split()[1]) for part in said.split(", ")[:2]) == 30_000


class BusyDoor(BaseHTTPRequestHandler):
    """Passes requests on to a real server, and turns every other one away with 503."""

    protocol_version = "HTTP/1.1"
    behind = None
    turned_away = 0
    passed = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if BusyDoor.turned_away <= BusyDoor.passed:
            BusyDoor.turned_away += 1
            status, answer = 503, b'{"success":false,"data":null,"error":"the buffer is full"}'
        else:
            BusyDoor.passed += 1
            passed_on = BusyDoor.behind.client.post(body)
            status, answer = passed_on.status, passed_on.body
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_503_while_importing_is_waited_for(open_store, events, tmp_path):
    store = open_store("memory")
    BusyDoor.behind, BusyDoor.turned_away, BusyDoor.passed = store, 0, 0
    with HTTPServer(("127.0.0.1", 0), BusyDoor) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        (tmp_path / "a").write_bytes(lines_of(*events))
        done = run_raceway("import", str(tmp_path / "a"), "--to", f"http://127.0.0.1:{door.server_port}", "--jobs", "1",
                           "--batch-size", "300")
        door.shutdown()
    assert (done.returncode, BusyDoor.turned_away, BusyDoor.passed) == (0, 10, 10), done.stderr
    assert done.stderr.count("the buffer is full") == 1
    assert counts(done) == {"stored": 3_000, "duplicates": 0, "rejected": 0}


# --- size ---


def test_what_is_held_does_not_grow_with_the_file(store, tmp_path):
    """One array on one line, and one trace, of 60 MB each."""
    event = documented_event("e", "t", metadata={"text": "x" * 1_000})
    with open(tmp_path / "a.json", "w", encoding="ascii") as file:
        file.write('{"events":[')
        for i in range(60_000):
            file.write(("," if i else "") + json.dumps({**event, "event_id": f"e{i}"}))
        file.write("]}")

    def peak(*arguments):
        script = "import resource,subprocess,sys; subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL); " \
                 "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        done = subprocess.run(["/usr/bin/python3", "-c", script, str(paths.SERVER), *arguments], check=True, capture_output=True,
                              text=True, env=server_environment(), cwd="/")
        return int(done.stdout) * 1024

    assert peak("import", str(tmp_path / "a.json"), "--to", url(store)) < 45_000_000
    assert store.counts() == (60_000, 1)
    assert peak("export", "--from", url(store), "-o", str(tmp_path / "b")) < 45_000_000
    if store.database is not None:
        assert peak("export", "--from", where(store, "database"), "-o", str(tmp_path / "c")) < 45_000_000
    assert sum(1 for _ in open(tmp_path / "b", "rb")) == 60_000

"""One large trace, read whole."""

import json
import subprocess
import time
from statistics import median

from bench import options
from bench.figures import Figure, Goal, number
from support.server import RacewayServer
from support.traffic import documented_event

TITLE = "Reading a trace"
EXPLANATION = """\
  GET /api/traces/ID of {events:,} events, each with a clock of eight components, to one client that drops what comes.
  Ratios are to `cat` of the same bytes into a pipe. What it takes is the most that the server's resident memory grew
  beyond what it was before, for each byte that the trace takes where it is stored."""
EVENTS = 100_000
ROUNDS = 3
MB = 1 << 20


def _fill(client, events):
    clock = {f"thread-{n}": 1 for n in range(8)}
    for begin in range(0, events, 2_000):
        body = [documented_event(f"event-{n:07d}", "large", n, vector_clock={**clock, f"thread-{n % 8}": n + 2},
                                 metadata={"service_name": "bank", "parent_id": f"event-{max(n - 1, 0):07d}", "n": n})
                for n in range(begin, min(begin + 2_000, events))]
        assert client.post(body).ok().json["stored"] == len(body)


def _timed(*command):
    """Seconds until all that the command writes has been read from a pipe, and how many bytes that were."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        size = 0
        while piece := process.stdout.read(MB):
            size += len(piece)
    assert process.returncode == 0, command
    return time.monotonic() - began, size


def _backend(name, events, database, stored_bytes):
    with RacewayServer(database=database, name=f"bench-reading-{name}") as server, server.client() as client:
        _fill(client, events)
        stored = stored_bytes(client)
        before = server.resident_bytes()
        url = f"{server.url}/api/traces/large"
        answer = server.directory / "answer.json"
        answer.write_bytes(client.get("/api/traces/large").ok().body)
        assert len(json.loads(answer.read_bytes())["data"]["events"]) == events
        grown = server.peak_memory() - before
        ratios, rates = [], []
        for _ in range(ROUNDS):
            copied, size = _timed("cat", str(answer))
            read, got = _timed("curl", "-s", url)
            assert got == size
            ratios.append(copied / read)
            rates.append(size / MB / read)
        return [Figure(f"{name}: a trace read whole", ratios, beside={"MB/s": number(median(rates)), "MB": number(size / MB)}),
                Figure(f"{name}: what reading it takes, a byte stored", [grown / stored], "B", Goal(3, at_most=True),
                       beside={"MB": number(grown / MB), "MB stored": number(stored / MB)})]


def run(report, database):
    events = options.events(EVENTS)
    database.empty()
    figures = _backend("memory", events, None, lambda client: client.get("/status").ok().data["memory"]["bytes"])
    figures += _backend("PostgreSQL", events, database.database, lambda _: int(database.database.sql(
        "SELECT pg_relation_size('raceway.events')", "postgres")))
    report.section(TITLE, EXPLANATION.format(events=events), figures)

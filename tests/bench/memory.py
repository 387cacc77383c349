"""Events posted to a server that keeps them in memory."""

import subprocess
from statistics import median

from bench import options
from bench.database import interleaved
from bench.drive import PROGRAMS, drive
from bench.figures import Figure, Goal, rate_text
from bench.redis import RedisServer
from support import paths
from support.server import RacewayServer
from support.wait import free_port, wait_until

TITLE = "Over HTTP into memory"
EXPLANATION = """\
  Bodies of 100 events, {clients} clients. Ratios are to P: the same HTTP door in front of a route that reads the
  body, has simdjson parse it, and answers. Redis: XADD of each event's JSON, 100 pipelined, as many clients, over
  loopback, nothing on disk; how the memory store stands to it is a line of its own."""
CLIENTS = 8
BODY = 100
EVENTS = 300_000
RESIDENT_EVENTS = 1_000_000


class BodyServer:
    """build/bench/body_server, see body_server.cpp."""

    def __enter__(self):
        self.port = free_port()
        self.process = subprocess.Popen(["setpriv", "--pdeathsig=KILL", str(PROGRAMS / "body_server"), str(self.port)],
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(self._answers, 30, "body_server answers")
        return self

    def _answers(self):
        try:
            return self.post("/read", BODY).events > 0
        except RuntimeError:
            return False

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=30)

    def post(self, path, events, clients=1):
        return drive("http", port=self.port, path=path, batch=BODY, clients=clients, events=events)


def _posting():
    with RacewayServer(name="bench-memory") as server:
        load = drive("http", port=server.port, batch=BODY, clients=CLIENTS, events=options.events(EVENTS))
    assert load.stored == load.events, f"events are missing: {load}"
    return load


def _adding():
    with RedisServer() as redis:
        return drive("redis", port=redis.port, batch=BODY, clients=CLIENTS, events=options.events(EVENTS))


def _resident():
    """What an event adds to the resident size of the server: bytes."""
    events = options.events(RESIDENT_EVENTS)
    with RacewayServer(name="bench-resident") as server:
        before = server.resident_bytes()
        load = drive("http", port=server.port, batch=1000, clients=2, events=events)
        assert load.stored == events, f"events are missing: {load}"
        return (server.resident_bytes() - before) / events


def _in_store():
    """The same of the store alone, without a server, and what for: {part: bytes}, see memory_bytes.cpp."""
    done = subprocess.run([str(PROGRAMS / "memory_bytes"), str(options.events(RESIDENT_EVENTS)), str(BODY),
                           str(paths.DATA / "sdk")], capture_output=True, text=True, check=True)
    return {part: float(value) for part, value in (word.split("=") for word in done.stdout.split())}


def _in_redis():
    events = options.events(EVENTS)
    with RedisServer() as redis:
        before = redis.used_bytes()
        drive("redis", port=redis.port, batch=BODY, clients=1, events=events)
        return (redis.used_bytes() - before) / events


def run(report):
    store, read, added = "into the memory store", "reading the body only", "Redis streams, XADD"
    with BodyServer() as bodies:
        results, parse_rates = interleaved(
            lambda: bodies.post("/parse", options.events(EVENTS), CLIENTS).rate,
            {store: _posting, read: lambda: bodies.post("/read", options.events(EVENTS), CLIENTS), added: _adding}, 3)

    figures = [Figure("P: reading and parsing the body only", [1.0], beside={"events/s": rate_text(parse_rates)})]
    for name in (read, added, store):
        loads = [load for load, _ in results[name]]
        figures.append(Figure(name, [ratio for _, ratio in results[name]], goal=Goal(0.6) if name == store else None,
                              beside={"events/s": rate_text([load.rate for load in loads]),
                                      "ms p50": median(load.p50_ms for load in loads),
                                      "ms p99": median(load.p99_ms for load in loads)}))
    to_redis = [ours.rate / theirs.rate for (ours, _), (theirs, _) in zip(results[store], results[added])]
    parts = _in_store()
    resident = parts.pop("resident")
    parts.pop("events")
    most = Goal(125, at_most=True)
    figures += [Figure("the memory store to Redis streams", to_redis, goal=Goal(2.0)),
                Figure("resident memory of the store, an event", [resident], "B", most,
                       beside={f"B {part}": value for part, value in parts.items()}),
                Figure("resident memory of the server, an event", [_resident()], "B", most,
                       beside={"B in a Redis stream": _in_redis()})]
    report.section(TITLE, EXPLANATION.format(clients=CLIENTS), figures)

"""An honest client beside many that behave badly, each in a way of its own: it is served as if they were not there, and
the server takes no more memory than it was given. RACEWAY_HOSTILE_SECONDS is how long; the soak run takes ten minutes."""

import gzip
import http.client
import json
import os
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from support.traffic import documented_event

MB = 1 << 20
SECONDS = float(os.environ.get("RACEWAY_HOSTILE_SECONDS", "15"))
MAX_BYTES, IN_FLIGHT, ITSELF = 64 * MB, 128 * MB, 64 * MB
HONEST = ("127.0.0.2", 0)  # an address of its own
BOMB = gzip.compress(b'{"events":[{}' + b",{}" * (20 * MB) + b"]}")


class Hostile:
    """Threads that do one thing again and again until they are told to stop; what the server does to them is no matter."""

    def __init__(self, port):
        self.port = port
        self.stopping = threading.Event()
        self.rounds = {}
        self.threads = []

    def start(self, deed, times):
        def again():
            while not self.stopping.is_set():
                try:
                    deed()
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
                self.rounds[deed.__name__] = self.rounds.get(deed.__name__, 0) + 1
        for _ in range(times):
            self.threads.append(threading.Thread(target=again, daemon=True))
            self.threads[-1].start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def connect(self, receive=None):
        connection = socket.socket()
        connection.settimeout(5)
        if receive:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def wait(self, seconds):
        self.stopping.wait(seconds)

    def reads_slowly(self):
        with self.connect(receive=4096) as connection:
            connection.sendall(b"GET /api/traces HTTP/1.1\r\nHost: localhost\r\n\r\n")
            until = time.monotonic() + 5
            while time.monotonic() < until and not self.stopping.is_set() and connection.recv(512):
                self.wait(0.05)

    def sends_slowly(self):
        with self.connect() as connection:
            connection.sendall(b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               b"Content-Length: 60000000\r\n\r\n")
            until = time.monotonic() + 5
            while time.monotonic() < until and not self.stopping.is_set():
                connection.sendall(b" ")
                self.wait(0.2)

    def promises_a_body(self):
        with self.connect() as connection:
            connection.sendall(b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n")
            self.wait(5)

    def sends_a_bomb(self):
        self.request("POST", BOMB, {"Content-Encoding": "gzip", "Content-Type": "application/json"})

    def sends_much(self):
        events = [documented_event(f"{threading.get_ident()}-{time.monotonic_ns()}-{n}", "large", n) for n in range(500)]
        self.request("POST", json.dumps(events).encode(), {"Content-Type": "application/json"})

    def reads_the_largest_trace(self):
        self.request("GET", None, {}, "/api/traces/large")

    def opens_connections(self):
        connections = [self.connect() for _ in range(50)]
        self.wait(0.5)
        for connection in connections:
            connection.close()

    def request(self, method, body, headers, path="/events"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            connection.getresponse().read()
        finally:
            connection.close()


class Honest:
    """Posts 100 events a second and reads a trace each second."""

    def __init__(self, port):
        self.port = port
        self.stored = 0
        self.latencies = []
        self.problems = []

    def ask(self, method, path, body=None):
        began = time.monotonic()
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        self.latencies.append(time.monotonic() - began)
        if answer.status != 200:
            self.problems.append((method, path, answer.status, text[:200]))
        return text

    def run(self, seconds):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=HONEST)
        until = time.monotonic() + seconds
        tick = 0
        while time.monotonic() < until:
            began = time.monotonic()
            events = [documented_event(f"honest-{tick}-{n}", f"honest-{tick // 10}", n) for n in range(10)]
            self.ask("POST", "/events", json.dumps(events).encode())
            self.stored += 10
            if tick % 10 == 0:
                text = self.ask("GET", f"/api/traces/honest-{tick // 10}")
                if b'"honest-%d-9"' % tick not in text:
                    self.problems.append(("GET", "what was stored is not there", text[:200]))
            tick += 1
            time.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
        self.connection.close()


@contextmanager
def hostile_to(store):
    for begin in range(0, 20_000, 2_000):
        store.post([documented_event(f"large-{n}", "large", n) for n in range(begin, begin + 2_000)])
    hostile = Hostile(store.server.port)
    for deed, times in ((hostile.reads_slowly, 10), (hostile.sends_slowly, 20), (hostile.promises_a_body, 64),
                        (hostile.sends_a_bomb, 2), (hostile.sends_much, 1), (hostile.reads_the_largest_trace, 2),
                        (hostile.opens_connections, 2)):
        hostile.start(deed, times)
    try:
        yield hostile
    finally:
        hostile.stop()


@pytest.mark.parametrize("backend", ["memory", "postgres"])
def test_an_honest_client_is_served_beside_hostile_ones(open_store, backend):
    store = open_store(backend, {"server": {"max_inflight_bytes": IN_FLIGHT, "drain_timeout_seconds": 5},
                                 "storage.memory": {"max_bytes": MAX_BYTES}})
    with hostile_to(store) as hostile:
        honest = Honest(store.server.port)
        honest.run(SECONDS)
        assert honest.problems == []
        assert all(hostile.rounds.get(deed, 0) > 0 for deed in ("sends_a_bomb", "sends_much", "opens_connections")), hostile.rounds
        assert honest.stored >= 30 * SECONDS
        # How fast it is served is for the soak run to judge, on a machine of its own.
        if "RACEWAY_HOSTILE_SECONDS" in os.environ:
            slowest = sorted(honest.latencies)[len(honest.latencies) * 99 // 100]
            print(f"p99 {slowest * 1000:.0f} ms of {len(honest.latencies)}; {hostile.rounds}")
            assert slowest < 0.25
        # Beside what is counted: in memory the store, with PostgreSQL what libpq sends from and reads into.
        limit = IN_FLIGHT + ITSELF + (MAX_BYTES * 6 // 5 if backend == "memory" else 32 * MB)
        assert store.server.peak_memory() <= limit, store.server.peak_memory() // MB

"""Clients that take their answers slowly: nobody else waits for them, neither those who send nor the database."""

import json
import socket
from datetime import datetime, timezone

import pytest

from support.metrics import figure
from support.sessions import Session
from support.store import posted
from support.traffic import documented_event
from support.wait import wait_until

READERS = 10
CONNECTIONS = 4


class SlowReader:
    """Asks for a path, takes the first bytes of the answer, and then nothing more."""

    def __init__(self, port, path):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is on its way
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        self.got = self.socket.recv(64)

    def rest(self):
        """All that is left of the answer, now fast."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        while piece := self.socket.recv(1 << 20):
            self.got += piece
        self.socket.close()
        return self.got


def chunks(answer):
    """The body of an answer that came in chunks."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"chunked" in head.lower(), head
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if int(size, 16) == 0:
            return body
        body += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]


@pytest.fixture
def filled(open_store):
    store = open_store("postgres", {"storage.postgres": {"max_connections": CONNECTIONS, "connection_timeout_seconds": 2},
                                    "server": {"write_timeout_seconds": 600}})
    for trace in range(20):
        store.post([documented_event(f"e{trace}-{n}", f"t{trace}", n, metadata={"text": "x" * 2_000}) for n in range(500)])
    return store


@pytest.mark.parametrize("path", ["/api/traces", "/api/traces/t7"])
def test_who_reads_slowly_keeps_neither_connections_nor_snapshots(filled, path):
    if path != "/api/traces":
        filled.post([documented_event(f"more-{n}", "t7", n, metadata={"text": "x" * 4_000}) for n in range(1_500)])
    readers = [SlowReader(filled.server.port, path) for _ in range(READERS)]
    assert all(reader.got.startswith(b"HTTP/1.1 200") for reader in readers)
    with Session(filled.database, "postgres") as session:
        busy = ("SELECT count(*) FROM pg_stat_activity WHERE usename = 'raceway' AND"
                " (state <> 'idle' OR backend_xmin IS NOT NULL)")
        wait_until(lambda: session.value(busy) == 0, 60, "no reader has anything of the database")
    assert filled.client.get("/health/ready").status == 200
    for number in range(20):
        answer = filled.client.post([documented_event(f"meanwhile-{number}", "new")]).ok().json
        assert answer["data"] == posted(1)
    assert filled.get("/api/traces", page=1)["total_traces"] == 21
    for reader in readers[1:]:
        reader.socket.close()
    whole = json.loads(chunks(readers[0].rest()))
    assert whole["success"] is True
    events = (whole["data"]["events"] if path != "/api/traces" else
              [event for trace in whole["data"]["traces"] for event in trace["events"]])
    assert len(events) == len({event["id"] for event in events}) == (2_000 if path != "/api/traces" else 10_000)


def test_readers_never_take_the_connections_of_those_who_write(filled):
    """A statement that reads hangs in each connection that readers may have."""
    with Session(filled.database, "postgres") as session:
        session.run("BEGIN; LOCK TABLE raceway.traces IN ACCESS EXCLUSIVE MODE")
        readers = []
        for _ in range(CONNECTIONS * 2):
            asking = socket.create_connection(("127.0.0.1", filled.server.port))
            asking.sendall(b"GET /api/traces?page=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            readers.append(asking)
        wait_until(lambda: figure(filled.client, "raceway_database_pool_waiting") > 0, 20, "readers wait for a connection")
        assert figure(filled.client, "raceway_database_pool_connections", '{state="in_use"}') < CONNECTIONS
        assert filled.client.get("/health/ready").status == 200
        session.run("ROLLBACK")
        for asking in readers:
            asking.close()
    assert filled.client.post([documented_event("after", "new")]).ok().json["stored"] == 1


@pytest.mark.parametrize("backend", ["memory", "postgres"])
def test_an_export_says_as_of_when_each_trace_is(open_store, backend):
    store = open_store(backend)
    store.post([documented_event(f"e{n}", f"t{n}") for n in range(3)])
    before = datetime.now(timezone.utc)
    traces = store.get("/api/traces")["traces"]
    after = datetime.now(timezone.utc)
    assert len(traces) == 3
    for trace in traces:
        assert before <= datetime.fromisoformat(trace["as_of"]) <= after


def test_a_trace_that_grows_or_goes_during_an_export_is_shown_once_or_not_at_all(filled):
    reader = SlowReader(filled.server.port, "/api/traces")
    # Traces are told newest first: these move to the front of what was not told yet, or go.
    filled.post([documented_event(f"late-{n}", f"t{n}", timestamp="2030-01-01T00:00:00Z") for n in range(10)])
    with Session(filled.database, "postgres") as session:
        session.run("DELETE FROM raceway.traces WHERE trace_id = 't10'")
    traces = json.loads(chunks(reader.rest()))["data"]["traces"]
    ids = [trace["trace_id"] for trace in traces]
    assert len(ids) == len(set(ids)) and {f"t{n}" for n in range(20) if n != 10} <= set(ids) <= {f"t{n}" for n in range(20)}
    for trace in traces:
        assert trace["event_count"] == len(trace["events"])

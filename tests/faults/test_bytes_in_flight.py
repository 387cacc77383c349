"""What requests hold together is counted in bytes and has a limit: whoever brings more is told to come again, and the
server takes no more memory than that, whatever is sent."""

import gzip
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.metrics import figure
from support.server import RacewayServer
from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until

MB = 1 << 20
# The process itself, with what malloc keeps of small things.
ITSELF = 60 * MB


def in_flight(client):
    return figure(client, "raceway_inflight_bytes")


def large_body(name, size):
    """One event of about `size` bytes."""
    return json.dumps([documented_event(name, name, metadata={"text": "x" * size})]).encode()


BOMBS = {
    "empty events": (b'{"events":[{}', b",{}", b"]}"),
    "one event of many numbers": (json.dumps(documented_event("e", "t"))[:-1].encode() + b',"metadata":{"a":[1', b",1", b"]}}"),
    "one event of empty texts": (json.dumps(documented_event("e", "t"))[:-1].encode() + b',"metadata":{"a":[1', b',""', b"]}}"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(bomb):
    begin, piece, end = BOMBS[bomb]
    body = gzip.compress(begin + piece * (60 * MB // len(piece)) + end)
    assert len(body) < 200_000
    with RacewayServer(name="bombs") as server, server.client() as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post_once(server, body, {"Content-Encoding": "gzip"}), range(8)))
        assert {answer.status for answer in answers} == {413}
        assert all("inflates" in answer.json["error"] for answer in answers)
        assert server.peak_memory() < ITSELF + 8 * 20 * MB
        assert client.post([documented_event("e", "t")]).ok().json["stored"] == 1


def post_once(server, body, headers=None):
    with server.client(timeout=60) as client:
        return client.post(body, headers=headers)


def test_a_body_has_a_number_of_events():
    with RacewayServer({"server": {"max_body_events": 10}}, name="events") as server, server.client() as client:
        events = [documented_event(f"e{n}", "t") for n in range(11)]
        answer = client.post(events)
        assert answer.status == 413 and "more than 10 events" in answer.json["error"], answer.body
        assert client.post(events[:10]).ok().json["stored"] == 10
        assert client.post([{}] * 11).status == 413


@pytest.mark.parametrize("shape", ["empty events", "one event of many numbers"])
def test_a_body_as_large_as_allowed_takes_memory_in_proportion(shape):
    begin, piece, end = BOMBS[shape]
    body = begin + piece * (20 * MB // len(piece)) + end
    limit = 160 * MB
    with RacewayServer({"server": {"max_inflight_bytes": limit, "max_body_events": 100_000_000}}, name="large") as server:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: post_once(server, body), range(12)))
        assert {answer.status for answer in answers} <= {200, 503}
        assert 200 in {answer.status for answer in answers}
        assert server.peak_memory() < ITSELF + limit
        with server.client() as client:
            assert in_flight(client) < MB


def test_what_is_being_sent_is_in_flight_and_the_next_is_told_to_come_again():
    limit = 20 * MB
    with RacewayServer({"server": {"max_inflight_bytes": limit}}, name="sending") as server, server.client() as client:
        body = large_body("e1", 8 * MB)
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body[:7 * MB])
            wait_until(lambda: in_flight(client) >= 7 * MB, 20, "what came is counted")
            refused = client.post(large_body("e2", 12 * MB))
            assert refused.status == 503 and refused.headers["Retry-After"] is not None
            assert "max_inflight_bytes" in refused.json["error"]
            assert client.post([documented_event("small", "t")]).ok().json["stored"] == 1
        wait_until(lambda: in_flight(client) < MB, 20, "nothing of it is left")
        assert client.post(large_body("e2", 4 * MB)).ok().json["stored"] == 1


def test_what_is_acknowledged_and_not_stored_yet_is_in_flight(database):
    limit = 64 * MB
    sections = {"server": {"max_inflight_bytes": limit}, "engine": {"ack": "buffered"}}
    with RacewayServer(sections, database, name="buffered") as server, server.client(timeout=60) as client:
        client.post([documented_event("first", "t")]).ok()
        with Session(database, "postgres") as session:
            wait_until(lambda: session.value("SELECT count(*) FROM raceway.events") == 1, 20, "it is stored")
            session.run("BEGIN; LOCK TABLE raceway.events IN ACCESS EXCLUSIVE MODE")
            accepted = []
            for number in range(40):
                answer = client.post(large_body(f"e{number}", 4 * MB))
                assert answer.status in (200, 503)
                if answer.status == 503:
                    assert answer.headers["Retry-After"] is not None
                    break
                accepted.append(number)
            assert 5 < len(accepted) < 16
            assert in_flight(client) <= limit
            assert server.peak_memory() < ITSELF + limit * 1.5  # and what libpq sends from
            session.run("COMMIT")
            wait_until(lambda: session.value("SELECT count(*) FROM raceway.events") == len(accepted) + 1, 60, "all are stored")
        wait_until(lambda: in_flight(client) < MB, 20, "nothing is left")


@pytest.mark.parametrize("path", ["/api/traces/large", "/api/traces/large/graph", "/api/traces"])
@pytest.mark.parametrize("backend", ["memory", "postgres"])
def test_reading_a_large_trace_takes_what_is_counted(open_store, backend, path):
    """And where that is more than there is, the next reader is told to come again."""
    limit = 128 * MB
    store = open_store(backend, {"server": {"max_inflight_bytes": limit}})
    clock = {f"thread-{n}": 1 for n in range(6)}
    for begin in range(0, 60_000, 3_000):
        events = [documented_event(f"event-{n:06d}", "large", n, vector_clock={**clock, f"thread-{n % 6}": n + 2},
                                   metadata={"service_name": "bank", "parent_id": f"event-{max(n - 1, 0):06d}", "n": n})
                  for n in range(begin, begin + 3_000)]
        assert store.post(events)["stored"] == 3_000
    before = store.server.resident_bytes()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: get_once(store.server, path), range(12)))
    assert {answer.status for answer in answers if answer is not None} <= {200, 503}
    # All of them may be refused, each for what the others hold: who comes again alone is not.
    answers.append(get_once(store.server, path))
    assert answers[-1] is not None and answers[-1].status == 200
    for answer in answers:
        if answer is None:
            assert path == "/api/traces"
        elif answer.status == 503:
            assert answer.headers["Retry-After"] is not None
        else:
            whole = answer.data if path != "/api/traces" else answer.data["traces"][0]
            assert len(whole["id" if path.endswith("/graph") else "events"]) == 60_000
    assert store.server.peak_memory() < before + limit + ITSELF
    assert in_flight(store.client) < MB


def get_once(server, path):
    """None where the answer was cut: an export has begun before it comes to a trace for which there is no room."""
    try:
        with server.client(timeout=120) as client:
            return client.get(path)
    except (ConnectionResetError, http.client.IncompleteRead):
        return None

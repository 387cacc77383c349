"""The HTTP door: keys, CORS, rate limits, connection and time limits, and what an operator sees of a request."""

import json
import re
import socket
import statistics
import time

import pytest

from support.client import raw_exchange, raw_post
from support.store import posted
from support.traffic import documented_event
from support.wait import wait_until

ROUTES = ("/health", "/status", "/api/traces", "/api/traces?page=1", "/api/traces/t", "/api/services",
          "/api/services/bank/traces")
KEYS = {"server": {"auth_enabled": True, "api_keys": ["key-one", "Key,2/+="]}}


@pytest.fixture
def locked(open_store):
    return open_store("memory", KEYS)


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "key-one"},
    {"Authorization": "Basic key-one"}, {"X-Raceway-Key": "key-on"}, {"X-Raceway-Key": "key-one2"},
    {"X-Raceway-Key": ""}, {"Authorization": "Bearer wrong", "X-Raceway-Key": "key-one"}])
def test_without_a_good_key_every_route_is_a_401(locked, headers):
    for path in ROUTES:
        assert locked.client.get(path, headers=headers).refused(401) == "Unauthorized"
    assert locked.client.post(documented_event("e", "t"), headers=headers).refused(401) == "Unauthorized"
    good = {"X-Raceway-Key": "key-one"}
    assert locked.client.get("/status", headers=good).ok().data["events_captured"] == 0


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer key-one"}, {"Authorization": "bearer key-one"}, {"X-Raceway-Key": "key-one"},
    {"Authorization": "Bearer Key,2/+="},
    {"Authorization": "Bearer key-one", "X-Raceway-Key": "key-one"}])
def test_a_good_key_opens(locked, headers):
    assert locked.client.post(documented_event("e", "t"), headers=headers).ok().data == posted(1)
    for path in ROUTES:
        locked.client.get(path, headers=headers).ok()


def test_a_large_body_without_a_key_is_not_read(locked):
    began = time.monotonic()
    answer = raw_exchange(locked.server.port, raw_post(b" " * 1_000_000, length=50_000_000), timeout=10)
    assert b" 401 " in answer.split(b"\r\n")[0]
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1:8443", "http://[::1]:8080"])
def test_pages_of_this_machine_are_let_in_by_default(open_store, origin):
    store = open_store("memory")
    for answer in (store.client.get("/health", headers={"Origin": origin}),
                   store.client.post(b"{", headers={"Origin": origin})):
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_any_origin_is_let_in_where_all_are_named(open_store):
    store = open_store("memory", {"server": {"cors_origins": ["*"]}})
    for answer in (store.client.get("/health", headers={"Origin": "http://ui.example"}),
                   store.client.post(b"{", headers={"Origin": "http://ui.example"})):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered_without_a_key(locked):
    answer = locked.client.request("OPTIONS", "/events", headers={
        "Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-raceway-key"})
    assert answer.status in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert allowed == "*" or ("x-raceway-key" in allowed and "content-type" in allowed)


def test_only_the_origins_that_are_named_are_let_in(open_store):
    store = open_store("memory", {"server": {"cors_origins": ["https://ui.example", "http://localhost:3000"]}})
    for origin, allowed in [("https://ui.example", "https://ui.example"), ("https://evil.example", None),
                            ("http://localhost:3000", "http://localhost:3000"), ("http://localhost:3001", None)]:
        answer = store.client.get("/health", headers={"Origin": origin})
        assert answer.status == (200 if allowed else 403)
        assert answer.headers["Access-Control-Allow-Origin"] == allowed
        assert "Origin" in (answer.headers["Vary"] or "")


def test_cors_can_be_switched_off(open_store):
    store = open_store("memory", {"server": {"cors_enabled": False}})
    answer = store.client.get("/health", headers={"Origin": "http://localhost:3000"})
    assert answer.status == 403 and answer.headers["Access-Control-Allow-Origin"] is None
    own = store.client.get("/health", headers={"Origin": store.server.url}).ok()
    assert own.headers["Access-Control-Allow-Origin"] is None


def test_too_many_requests_are_a_429_that_says_when_to_come_again(open_store):
    store = open_store("memory", {"server": {"rate_limit_enabled": True, "rate_limit_rpm": 20}})
    answers = [store.client.get("/status") for _ in range(40)]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429} and 15 <= statuses.count(200) <= 22
    assert answers[-1].refused(429) == "Too Many Requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert store.client.post(documented_event()).status == 429


def test_each_key_has_a_rate_of_its_own(open_store):
    store = open_store("memory", {"server": {**KEYS["server"], "rate_limit_enabled": True, "rate_limit_rpm": 20}})
    one, two = ({"X-Raceway-Key": key} for key in KEYS["server"]["api_keys"])
    assert [store.client.get("/status", headers=one).status for _ in range(40)][-1] == 429
    assert store.client.get("/status", headers=two).status == 200


def test_one_connection_serves_many_requests_quickly(open_store):
    store = open_store("memory")
    body = json.dumps(documented_event("e", "t")).encode()
    store.post(body)
    socket_before = store.client.connection.sock
    seconds = []
    for _ in range(300):
        began = time.monotonic()
        store.post(body)
        seconds.append(time.monotonic() - began)
    assert store.client.connection.sock is socket_before, "the server closed a connection it was to keep"
    assert statistics.median(seconds) < 0.015, "small answers wait for something"


def test_pipelined_requests_are_answered_in_order(open_store):
    store = open_store("memory")
    request = b"GET /api/traces/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    answers = raw_exchange(store.server.port, request % (b"not-a-uuid", b"")
                           + request % (b"6d0e1f5e-9999-4222-8333-944455556666", b"Connection: close\r\n"))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"400", b"404"]


@pytest.mark.parametrize("backend", ["memory", "postgres"], scope="function")
def test_500_idle_connections_do_not_delay_the_501st(open_store, backend):
    store = open_store(backend)
    idle = []
    try:
        for _ in range(500):
            connection = socket.create_connection(("127.0.0.1", store.server.port), timeout=10)
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            idle.append(connection)
        for connection in idle:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        seconds = []
        for n in range(20):
            with store.server.client(timeout=10) as client:
                began = time.monotonic()
                client.post(documented_event(f"e{n}", "t")).ok()
                seconds.append(time.monotonic() - began)
        assert statistics.median(seconds) < 0.25 and max(seconds) < 2
        for connection in idle[::50]:  # and they are still served
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for connection in idle:
            connection.close()


def test_connections_beyond_the_limit_do_no_harm(open_store):
    store = open_store("memory", {"server": {"max_connections": 20, "keep_alive_seconds": 2}})
    idle = []
    for _ in range(60):
        idle.append(socket.create_connection(("127.0.0.1", store.server.port), timeout=10))
    for connection in idle:
        connection.close()

    def is_served():
        try:
            with store.server.client(timeout=5) as client:
                return client.get("/health").status == 200
        except OSError:
            return False

    wait_until(is_served, 10, "the server recovers from too many connections")


def test_idle_connections_are_closed_after_keep_alive(open_store):
    store = open_store("memory", {"server": {"keep_alive_seconds": 1}})
    began = time.monotonic()
    answer = raw_exchange(store.server.port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", timeout=15)
    assert answer.startswith(b"HTTP/1.1 200")
    assert 0.5 < time.monotonic() - began < 8


def test_a_request_id_leads_from_the_answer_to_the_log(open_store):
    store = open_store("memory", {"logging": {"level": "debug"}})
    mine = store.client.get("/status", headers={"X-Request-Id": "my-request.7"})
    assert mine.headers["X-Request-Id"] == "my-request.7"
    fresh = store.client.get("/status").headers["X-Request-Id"]
    refused = store.client.get("/status", headers={"X-Request-Id": "bad id; x"}).headers["X-Request-Id"]
    assert len({fresh, refused, "bad id; x"}) == 3
    log = store.server.log_text()
    assert "my-request.7" in log and fresh in log and "bad id; x" not in log


def test_keys_do_not_stand_in_the_log(open_store):
    store = open_store("memory", {**KEYS, "logging": {"level": "trace"}})
    store.client.get("/status", headers={"X-Raceway-Key": "key-one"}).ok()
    store.client.get("/status", headers={"Authorization": "Bearer a-wrong-key"}).refused(401)
    log = store.server.log_text()
    assert "key-one" not in log and "a-wrong-key" not in log

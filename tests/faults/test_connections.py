"""Crowds of connections that do nothing, or little, keep nobody else from being served."""

import itertools
import os
import resource
import select
import socket
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from support import paths
from support.metrics import figure
from support.server import RacewayServer, server_environment
from support.traffic import documented_event
from support.wait import wait_until

HEAD = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def connections(server, count, send=b""):
    """So many sockets to the server, each of which has sent that much."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
            opened[-1].sendall(send)
        yield opened


def is_served(connection):
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection.recv(65536).startswith(b"HTTP/1.1 200")


def sockets(server):
    """How many it has open."""
    def target(name):
        try:
            return os.readlink(f"/proc/{server.process.pid}/fd/{name}")
        except FileNotFoundError:
            return ""
    return sum(target(name).startswith("socket:") for name in os.listdir(f"/proc/{server.process.pid}/fd"))


def leave_files(server, count):
    """From now on the process can open so many files more. The limit is one of numbers, of which the lowest that is free
    is taken: there may be gaps."""
    used = {int(name) for name in os.listdir(f"/proc/{server.process.pid}/fd")}
    free = (number for number in itertools.count() if number not in used)
    limit = next(itertools.islice(free, count, None))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))


def large_backlog():
    """Events of some megabytes."""
    return {"events": [documented_event(f"e{n}", "t", n, metadata={"text": "x" * 2_000}) for n in range(2_000)]}


@pytest.mark.parametrize("send", [
    HEAD + b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
    HEAD + b"Content-Length: 1000000\r\n\r\n" + b" " * 60_000,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    b"POST /events HT"], ids=["expect", "body", "chunked", "head"])
def test_uploads_that_do_not_go_on_refuse_nobody(send):
    """More of them than the server has threads."""
    with RacewayServer({"server": {"threads": 16}}, name="uploads") as server, server.client() as client, \
            connections(server, 80, send) as waiting:
        if b"Expect" in send:
            assert [connection for connection in waiting if not connection.recv(64).startswith(b"HTTP/1.1 100")] == []
        for _ in range(3):
            client.post(large_backlog()).ok()
        assert figure(client, "raceway_http_requests_refused_total") == 0
        wait_until(lambda: figure(client, "raceway_http_requests_running") == 1, 20, "only who asks has a thread")


def test_idle_connections_are_held_and_others_served():
    crowd = 2_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with RacewayServer(name="idle") as server, server.client() as client, connections(server, crowd) as idle:
        wait_until(lambda: figure(client, "raceway_http_connections") == crowd + 1, 20, "all are held")
        client.post(documented_event("e", "t")).ok()
        assert [connection for connection in idle[::20] if not is_served(connection)] == []
        assert figure(client, "raceway_http_connections_replaced_total") == 0


def test_where_no_file_is_left_an_idle_connection_goes_and_the_operator_is_told():
    with RacewayServer(name="files") as server, server.client() as client, connections(server, 30) as idle:
        wait_until(lambda: figure(client, "raceway_http_connections") == 31, 20, "all are held")
        leave_files(server, 5)
        with connections(server, 20) as more:
            # Nothing is asked of the server meanwhile that opens files, as /metrics does.
            assert [connection.recv(64) for connection in idle[:15]] == [b""] * 15, "those that idled for longest went first"
            assert is_served(more[-1])
        client.post(documented_event("e", "t")).ok()
        assert figure(client, "raceway_http_connections_replaced_total") >= 15
        assert figure(client, "raceway_http_out_of_files_total") >= 15
        assert server.log_text().count("no file descriptor left") == 1


def test_where_no_file_is_left_and_all_are_busy_a_newcomer_is_told():
    with RacewayServer(name="busy-files") as server, connections(server, 30, b"GET /health HTTP/1.1\r\nHost: ") as busy:
        with server.client() as last:  # served after what the others sent
            last.get("/health").ok()
        wait_until(lambda: sockets(server) == 31, 20, "all are held, and one listens, and nobody else is there")
        leave_files(server, 0)
        with connections(server, 5, b"GET /health HTTP/1.1\r\nHost: ") as newcomers:
            told = [newcomer.recv(65536) for newcomer in select.select(newcomers, [], [], 20)[0]]
        assert told and b"HTTP/1.1 503" in told[0] and b"Retry-After: 1" in told[0]
        busy[0].sendall(b"localhost\r\n\r\n")
        assert busy[0].recv(65536).startswith(b"HTTP/1.1 200")


def test_a_start_with_too_few_files_says_what_to_raise():
    server = RacewayServer(name="few-files")
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "prlimit", "--nofile=100", str(paths.SERVER), "serve", "--config",
             str(server.config)],
            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=server_environment())
    with server.await_answer() and server.client() as client, connections(server, 120):
        client.post(documented_event("e", "t")).ok()
        assert "raise the limit to" in server.log_text() and "LimitNOFILE" in server.log_text()
    assert server.stop() == 0

"""How long does a POST take while 10,000 connections are idle?

    tests/soak/run runs it:
    cd tests && CONNECTIONS=10000 /usr/bin/python3 -m soak.idle_connections

Fails where a connection was lost, or the median POST of a fresh connection took longer than 50 ms. Both processes need a
limit of open files beyond the connections.
"""

import os
import resource
import socket
import time
from statistics import median

from support.metrics import figure
from support.server import RacewayServer
from support.traffic import documented_event

CONNECTIONS = int(os.environ.get("CONNECTIONS", "10000"))
MOST_SECONDS = 0.05
POSTS = 200


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard > CONNECTIONS + 1_000, f"the limit of open files is {hard}: raise it (ulimit -Hn)"
    with RacewayServer({"server": {"max_connections": CONNECTIONS + 10, "keep_alive_seconds": 3_600}},
                       name="idle-connections") as server:
        before = server.resident_bytes()
        idle = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(CONNECTIONS)]
        seconds = []
        for number in range(POSTS):
            began = time.monotonic()
            with server.client(timeout=30) as client:
                client.post(documented_event(f"e{number}", "t", number)).ok()
            seconds.append(time.monotonic() - began)
        with server.client() as client:
            held = int(figure(client, "raceway_http_connections"))
        bytes_each = (server.resident_bytes() - before) / CONNECTIONS
        print(f"{held - 1} idle connections, {bytes_each:.0f} bytes each; a POST over a new one takes {median(seconds) * 1000:.1f} ms"
              f" (median), {max(seconds) * 1000:.1f} ms (the slowest of {POSTS})")
        assert held >= CONNECTIONS and median(seconds) < MOST_SECONDS
        for connection in idle:
            connection.close()


if __name__ == "__main__":
    main()

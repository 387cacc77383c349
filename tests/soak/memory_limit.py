"""Does the memory backend keep its limit for as long as one likes?

    tests/soak/run runs it, after the programs that it needs are built:
    cd tests && SECONDS=600 MAX_MB=200 /usr/bin/python3 -m soak.memory_limit

Sends the recorded traffic, multiplied, without an end to a server with `storage.memory.max_bytes`. Fails where the
process occupies more than 1.2 times the limit, or the store says that it takes more than it may, or what was sent last
is not there. SNAPSHOT=1 has it saved every ten seconds, too. A first round comes before the clock starts.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import mean

from bench.drive import drive
from support.server import RacewayServer

SECONDS = float(os.environ.get("SECONDS", "600"))
MAX_BYTES = int(os.environ.get("MAX_MB", "200")) * 1_000_000
SNAPSHOT = os.environ.get("SNAPSHOT", "") not in ("", "0")
MOST = 1.2
CLIENTS = 8
BODY = 100
ROUND = 300_000  # events
COPIES = 400  # that a round has at most


class Resident(threading.Thread):
    """Looks again and again at how much memory the server occupies."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.highest = 0
        self.end = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.join()

    def run(self):
        while not self.end.wait(0.05):
            self.highest = max(self.highest, self.server.resident_bytes())


def rounds(server, client):
    """Yields (rate, status) after each round."""
    until = time.monotonic() + SECONDS
    first_copy = 0
    while time.monotonic() < until:
        load = drive("http", port=server.port, batch=BODY, clients=CLIENTS, events=ROUND, first_copy=first_copy)
        assert load.stored == load.events, f"not everything was new: {load}"
        first_copy += COPIES
        yield load.rate, client.get("/status").ok().data
        newest = client.get("/api/traces", page=1, page_size=100).ok().data["traces"]
        for trace in newest[::10]:
            events = client.get(f"/api/traces/{trace['trace_id']}").ok().data["events"]
            assert len(events) == trace["event_count"], f"a trace that is not whole: {trace['trace_id']}"


def soak(sections):
    before, after = [], []
    with RacewayServer(sections, name="soak-memory") as server, server.client() as client, Resident(server) as resident:
        for rate, status in rounds(server, client):
            memory = status["memory"]
            (after if memory["evicted_traces"] > 0 else before).append(rate)
            print(f"{rate / 1000:6.0f} k events/s  {status['events_captured']:>9} events  "
                  f"store {memory['bytes'] / MAX_BYTES:.3f}  resident {server.resident_bytes() / MAX_BYTES:.3f}, "
                  f"highest {resident.highest / MAX_BYTES:.3f} of the limit", flush=True)
            assert memory["bytes"] <= MAX_BYTES, memory
            assert resident.highest <= MOST * MAX_BYTES, f"{resident.highest} bytes are occupied"
    assert after, "the limit was never reached: more SECONDS, or less MAX_MB"
    print(f"resident at most {resident.highest / MAX_BYTES:.3f} of the limit; {mean(before or [0]) / 1000:.0f} k "
          f"events/s before it was reached, {mean(after) / 1000:.0f} k after")


def main():
    memory = {"max_bytes": MAX_BYTES}
    with tempfile.TemporaryDirectory() as directory:
        if SNAPSHOT:
            memory.update(snapshot=str(Path(directory) / "soak.snapshot"), snapshot_interval_seconds=10)
        soak({"storage.memory": memory})


if __name__ == "__main__":
    sys.exit(main())

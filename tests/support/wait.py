"""Waiting for something to become true, with a limit."""

import random
import socket
import time


def wait_until(condition, seconds, what, every=0.02):
    """Calls `condition` until it answers something true, which is returned. AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(every)


# Below what Linux gives to outgoing connections: one of theirs would take a port before the server does that it is for.
PORTS = range(12000, 32000)


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago. Drawn, so that tests in other processes draw others."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

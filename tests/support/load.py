"""Clients that post without pause, and remember what they were promised."""

import http.client
import threading
import time
from collections import Counter
from contextlib import contextmanager

from support.client import Client
from support.wait import wait_until


class LoadClient(threading.Thread):
    """Posts batches until told to stop. A batch without a 200 is sent again, as an SDK does.

    `acknowledged` are the ids of events that a 200 covered and that were not rejected; `sent` are all events that
    were ever put on the wire, by id; `problems` is what a client must never see.
    """

    def __init__(self, ports, traffic, batch_size=50, may_lose_connection=False, may_be_refused=False):
        super().__init__(daemon=True)
        self._ports = ports
        self._traffic = traffic
        self._batch_size = batch_size
        self._may_lose_connection = may_lose_connection
        self._may_be_refused = may_be_refused
        self._end = threading.Event()
        self.sent = {}
        self.acknowledged = set()
        self.stored = 0
        self.rejected = []
        self.statuses = Counter()
        self.lost_connections = 0
        self.problems = []

    def run(self):
        clients = [Client(port, timeout=60) for port in self._ports]
        turn = 0
        while not self._end.is_set():
            batch = self._traffic.batch(self._batch_size)
            self.sent.update((event["event_id"], event) for event in batch)
            while not self._end.is_set() and not self._post(clients[turn % len(clients)], batch):
                time.sleep(0.05)
            turn += 1
        for client in clients:
            client.close()

    def _post(self, client, batch):
        """Whether the batch need not be sent again."""
        try:
            answer = client.post(batch)
        except (OSError, http.client.HTTPException) as error:
            client.close()
            self.lost_connections += 1
            if not self._may_lose_connection:
                self.problems.append(f"no answer: {error!r}")
            return False
        self.statuses[answer.status] += 1
        if answer.status == 200:
            self._remember(batch, answer.json)
            return True
        if answer.status != 503 or not self._may_be_refused:
            self.problems.append((answer.status, answer.body[:500]))
        elif not (answer.headers["Retry-After"] or "").isdigit():
            self.problems.append((answer.status, "without Retry-After"))
        else:
            answer.refused(503)
        return False

    def _remember(self, batch, answer):
        """Under ack = buffered an answer cannot know what is stored: it counts what was queued."""
        rejected = {entry["index"] for entry in answer["rejected"]}
        if answer["stored"] + answer["duplicates"] + answer["rejected_count"] != len(batch):
            self.problems.append(f"the numbers do not add up to {len(batch)}: {answer}")
        self.stored += answer["stored"]
        self.rejected += answer["rejected"]
        self.acknowledged |= {event["event_id"] for i, event in enumerate(batch) if i not in rejected}

    def end(self):
        self._end.set()


@contextmanager
def load(clients):
    """Runs the clients while the block runs; afterwards they have ended, and none has seen a problem."""
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.end()
        for client in clients:
            client.join(timeout=90)
    assert not any(client.is_alive() for client in clients), "a client waits for an answer for ever"
    assert [problem for client in clients for problem in client.problems][:5] == []


def acknowledged_by(clients):
    return set().union(*(client.acknowledged for client in clients))


def acknowledge_more(clients, more):
    """Waits until the running clients have been promised that many more events."""
    goal = len(acknowledged_by(clients)) + more
    wait_until(lambda: len(acknowledged_by(clients)) >= goal, 30, f"{more} more events are acknowledged", every=0.05)


def sent_by(clients):
    """{event_id: event} of all."""
    return {event_id: event for client in clients for event_id, event in client.sent.items()}

"""Events to send: the recorded ones of real SDKs, and generated ones."""

import random
import time
import uuid
from functools import cache

from support import paths
from support.model import format_instant, read_json

# What was recorded, counted when it was: (events, traces).
RECORDED = {"typescript": (915, 77), "python": (381, 77), "distributed": (993, 24)}
BASE_NANOS = 1_790_000_000 * 10**9


@cache
def recorded_bodies(capture):
    """The bodies as the SDKs sent them, in order."""
    files = sorted((paths.DATA / "sdk" / capture).glob("[0-9]*.json"))
    assert files, f"no bodies in tests/data/sdk/{capture}"
    return tuple(file.read_bytes() for file in files)


@cache
def recorded_events(capture):
    """The events of a capture in the order they were sent."""
    return tuple(event for body in recorded_bodies(capture) for event in read_json(body)["events"])


def recorded_requests():
    """How many bodies there are in all."""
    return sum(len(recorded_bodies(capture)) for capture in RECORDED)


def sdk_event(trace_id=None, number=0, **changes):
    """A plausible event in the SDK's form; `number` moves its time and its clock."""
    event = {
        "id": str(uuid.uuid4()), "trace_id": trace_id or str(uuid.uuid4()), "parent_id": None,
        "timestamp": format_instant(BASE_NANOS + number * 1_000_000),
        "kind": {"StateChange": {"variable": "balance", "old_value": number, "new_value": number + 1,
                                 "location": "bank.py:12", "access_type": "Write"}},
        "metadata": {"thread_id": "main", "process_id": 1, "service_name": "bank", "environment": "test", "tags": {},
                     "duration_ns": None, "instance_id": "bank-1", "distributed_span_id": None,
                     "upstream_span_id": None},
        "causality_vector": [["bank#1", number + 1]], "lock_set": [],
    }
    return {**event, **changes}


def documented_event(event_id=None, trace_id="trace-1", number=0, **changes):
    """A plausible event in the documented form."""
    event = {
        "trace_id": trace_id, "event_id": event_id or f"event-{uuid.uuid4()}", "kind": "StateChange",
        "timestamp": format_instant(BASE_NANOS + number * 1_000_000), "duration_ms": 1.5, "location": "bank.cpp:42",
        "vector_clock": {"bank": number + 1}, "metadata": {"service_name": "bank", "variable": "balance"},
    }
    return {**event, **changes}


class OverlappingTraffic:
    """Batches of many clients over one set of traces: most events are new, some were or will be sent by others too.

    The same event is always the same text, whoever sends it, so the store's end state is known. Not thread-safe: one
    object for each client, all with the same `traces` and `seed`.
    """

    def __init__(self, client, traces=40, seed=1, shared_share=0.4):
        self._random = random.Random(f"{seed}/{client}")
        self._client = client
        self._seed = seed
        self._traces = traces
        self._shared_share = shared_share
        self._own = 0

    def _event(self, name):
        choice = random.Random(f"{self._seed}/{name}")
        trace = choice.randrange(self._traces)
        return documented_event(f"{self._seed}-{name}", f"storm-{self._seed}-{trace}", choice.randrange(10_000_000),
                                metadata={"service_name": f"service-{choice.randrange(5)}", "name": name})

    def batch(self, size):
        """Events of this client alone, and ones that every client may send, among them repeats within the batch."""
        events = []
        for _ in range(size):
            if self._random.random() < self._shared_share:
                events.append(self._event(f"shared-{self._random.randrange(20_000)}"))
            else:
                self._own += 1
                events.append(self._event(f"own-{self._client}-{self._own}"))
        self._random.shuffle(events)
        return events


class UnhurriedTraffic(OverlappingTraffic):
    """The same at a pace that does not fill the disk while something else takes its time."""

    def batch(self, size):
        time.sleep(0.05)
        return super().batch(size)

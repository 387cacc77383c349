"""Traces in which much contradicts itself."""

from support.chance import chance_of
from support.model import format_instant
from support.traffic import BASE_NANOS


def tangled_events(trace, size):
    """Everything that the analysis looks at, at random, and much of it in contradiction with the rest."""
    chance = chance_of(f"tangled {trace}")
    ids = [f"{trace}-{n}" for n in range(size)]

    def details(kind, n):
        if kind == "StateChange":
            return {"variable": chance.choice(["a", "b", "c"]), "new_value": n, **chance.choice([{}, {"old_value": {"n": [n, None]}}]),
                    "access_type": chance.choice(["Read", "Write", "AtomicRead", "AtomicWrite", "AtomicRMW"]),
                    **chance.choice([{}, {}, {"lock_set": ["by hand"]}])}
        if kind in ("AsyncSpawn", "AsyncAwait"):
            return {"task_id" if kind == "AsyncSpawn" else "future_id": f"t{chance.randrange(4)}"}
        return {"lock_id": chance.choice("mn"), "lock_type": chance.choice(["Mutex", "RwLockRead"])} if kind.startswith("Lock") else {}

    def links():
        named = [{"event_id": chance.choice([*ids, "elsewhere", 7])} for _ in range(chance.choice([0, 0, 0, 1, 3]))]
        return {"metadata_fields": {"otel": {"links": chance.choice([named, named, "none"])}}} if named else {}

    def event(n):
        kind = chance.choice(["StateChange"] * 5 + ["LockAcquire", "LockRelease", "AsyncSpawn", "AsyncAwait", "HttpRequest", "DatabaseQuery", "Log"])
        spans = [f"s{chance.randrange(6)}" for _ in range(2)]
        origin = {"service_name": chance.choice(["shop", "bank"]), "instance_id": chance.choice("12"), "thread_id": f"t{chance.randrange(4)}",
                  "distributed_span_id": spans[0], "upstream_span_id": spans[1], "parent_id": chance.choice([*ids, "elsewhere"])}
        return {"event_id": ids[n], "trace_id": trace, "kind": kind, "timestamp": format_instant(BASE_NANOS + chance.randrange(size) * 1_000_500),
                "duration_ms": chance.choice([None, 0.25, 3]), "location": chance.choice([None, "x.py:1", "x.py:2", "dist/auto-track.js:3"]),
                "vector_clock": {name: chance.randrange(5) for name in chance.sample(["t0", "t1", "shop", "bank"], chance.randrange(4))},
                "metadata": {name: value for name, value in origin.items() if chance.random() < 0.6} | details(kind, n) | links()}

    return [{name: value for name, value in event(n).items() if value is not None} for n in range(size)]

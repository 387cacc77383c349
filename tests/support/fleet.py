"""Many small traces of a few services, for what is asked of all traces: accesses to shared variables, calls, durations; and
what those questions must answer, from the events alone."""

import math
import statistics
from collections import defaultdict

from support.model import format_instant, instant
from support.traffic import BASE_NANOS

ACCESSES = ["Read", "Write", "AtomicRead", "AtomicWrite", "AtomicRMW"]
WRITES = {"Write", "AtomicWrite", "AtomicRMW"}
# The tables that refresh_analysis() fills.
KEPT = ("trace_analyses", "trace_variables", "variable_totals", "trace_services", "service_totals", "trace_durations", "duration_totals",
        "duration_buckets", "trace_calls_kept")
LONG_NAME = "a variable whose name no index can hold " + "x" * 3000


def fleet_events(chance, trace_id, count, begins):
    """Events of one trace that begins `begins` milliseconds after the beginning of all, in any order."""
    ids = [f"{trace_id}-{number}" for number in range(count)]

    def event(number):
        kind = chance.choice(["StateChange", "StateChange", "FunctionCall", "HttpRequest", "DatabaseQuery", "Log"])
        details = {"StateChange": lambda: {"variable": chance.choice(["stock", "balance", "hits", LONG_NAME]), "new_value": number,
                                           "access_type": chance.choice(ACCESSES)},
                   "FunctionCall": lambda: {"function_name": chance.choice(["pay", "ship"])},
                   "HttpRequest": lambda: {"method": chance.choice(["GET", "POST", 7])}}.get(kind, dict)()
        origin = {"service_name": chance.choice(["shop", "bank", ""]), "instance_id": "1", "thread_id": f"t{chance.randrange(3)}",
                  "parent_id": chance.choice(ids[:number] or [None]), "distributed_span_id": f"{trace_id}-s{chance.randrange(2)}"}
        duration = chance.choice([{}, {"duration_ms": chance.choice([0, 0.25, 3, 1000])}, {"duration_ns": chance.randrange(10**9)}])
        sent = {"event_id": ids[number], "trace_id": trace_id, "kind": kind, "location": f"x.py:{chance.randrange(3)}",
                "timestamp": format_instant(BASE_NANOS + (begins + chance.randrange(20)) * 1_000_000),
                "duration_ms": duration.get("duration_ms"),
                "metadata": {**{name: value for name, value in origin.items() if value is not None}, **details,
                             **({"duration_ns": duration["duration_ns"]} if "duration_ns" in duration else {})}}
        return {name: value for name, value in sent.items() if value is not None}

    return [event(number) for number in range(count)]


def pairs_between(traces):
    """variable: [write-write, read-write, those in traces that overlap], by looking at each two accesses in two traces.
    `traces` are lists of events."""
    found = defaultdict(lambda: [0, 0, 0])
    moments = [[instant(event["timestamp"]) for event in trace] for trace in traces]
    spans = [(min(moment), max(moment)) for moment in moments]
    accesses = [(number, event["metadata"]["variable"], event["metadata"]["access_type"])
                for number, trace in enumerate(traces) for event in trace if event["kind"] == "StateChange"]
    for at, (trace, variable, access) in enumerate(accesses):
        for other_trace, other_variable, other_access in accesses[:at]:
            writes = (access in WRITES) + (other_access in WRITES)
            both_atomic = access.startswith("Atomic") and other_access.startswith("Atomic")
            if other_trace == trace or other_variable != variable or not writes or both_atomic:
                continue
            found[variable][0 if writes == 2 else 1] += 1
            (first, last), (other_first, other_last) = spans[trace], spans[other_trace]
            found[variable][2] += first <= other_last and other_first <= last
    return found


def operation(event):
    name = {"StateChange": "variable", "FunctionCall": "function_name", "HttpRequest": "method"}.get(event["kind"])
    return f"{event['kind']}({event['metadata'][name]})" if name else event["kind"]


def micros(event):
    """Or None, where it tells no duration."""
    nanos = event["metadata"].get("duration_ns")
    if nanos is not None:
        return nanos // 1000
    return None if event.get("duration_ms") is None else int(event["duration_ms"] * 1000)


def baselines(events):
    """(service, operation): (how many, mean, deviation, median, 95th and 99th percentile) in milliseconds."""
    durations = defaultdict(list)
    for event in events:
        if micros(event) is not None:
            durations[event["metadata"]["service_name"], operation(event)].append(micros(event) / 1000)

    def rank(values, percent):
        return sorted(values)[math.ceil(len(values) * percent / 100) - 1]

    return {key: (len(values), statistics.fmean(values), statistics.pstdev(values), rank(values, 50), rank(values, 95), rank(values, 99))
            for key, values in durations.items()}

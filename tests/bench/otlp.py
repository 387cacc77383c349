"""Spans of OpenTelemetry posted to a server, in memory and in PostgreSQL, beside events."""

from dataclasses import dataclass
from statistics import median

from bench import options
from bench.database import interleaved
from bench.drive import Load, drive
from bench.figures import Figure, Goal, number, rate_text
from support.server import RacewayServer

TITLE = "Spans over OTLP"
EXPLANATION = """\
  POST /v1/traces in protobuf, bodies of {spans} spans, {clients} clients, who share the cores with the server; a span
  is its start, its end, and what is written within it. Ratios are of events/s, to A: the recorded events by
  POST /events, as many in a body as the spans become, into memory, and to B: the same into PostgreSQL (durable)."""
SPANS = 100
EVENTS = 220  # that they become, see spans.hpp
CLIENTS = 8
IN_MEMORY = 150_000
IN_POSTGRES = 60_000
RESIDENT = 500_000


@dataclass(frozen=True)
class Sample:
    """A load, and the events that came of it."""

    load: Load
    events: int

    @property
    def rate(self):
        return self.events / self.load.seconds


def _stored(server):
    with server.client() as client:
        return client.get("/status").ok().data["events_captured"]


def _spans(port, count, clients=CLIENTS):
    return drive("otlp", port=port, batch=SPANS, clients=clients, events=count)


def _events(port, spans):
    return drive("http", port=port, batch=EVENTS, clients=CLIENTS, events=spans * EVENTS // SPANS)


def _served(send, count, database=None):
    """A measurement of `send(port, count of spans)` on a server of its own, with an empty store."""
    def measure():
        if database is not None:
            database.empty()
        with RacewayServer(database=database and database.database, name="bench-otlp") as server:
            load = send(server.port, count)
            sample = Sample(load, _stored(server))
        assert sample.events == (load.stored or load.events * EVENTS // SPANS), f"events are missing: {sample}"
        return sample

    return measure


def _resident(spans):
    """What a span adds to the resident size of the server: bytes."""
    with RacewayServer(name="bench-otlp-resident") as server:
        before = server.resident_bytes()
        _spans(server.port, spans, 2)
        return (server.resident_bytes() - before) / spans


def _beside(samples, spans=False):
    loads = [sample.load for sample in samples]
    of_spans = {"spans/s": rate_text([load.rate for load in loads])} if spans else {}
    return {**of_spans, "events/s": rate_text([sample.rate for sample in samples]),
            "ms p50": median(load.p50_ms for load in loads), "ms p99": median(load.p99_ms for load in loads)}


def _against_events(where, letter, spans, database=None):
    """The figures of spans beside events at one place, and the samples of the spans."""
    events = _served(_events, spans, database)
    name = f"spans into {where}"
    results, rates = interleaved(lambda: events().rate, {name: _served(_spans, spans, database)}, 1)
    samples = [sample for sample, _ in results[name]]
    return [Figure(f"{letter}: POST /events into {where}", [1.0], beside={"events/s": rate_text(rates)}),
            Figure(name, [ratio for _, ratio in results[name]], beside=_beside(samples, spans=True))], samples


def _whole_bodies(spans):
    """At this run's scale, in whole bodies."""
    return options.events(spans) // SPANS * SPANS


def run(report, database):
    in_memory, samples = _against_events("memory", "A", _whole_bodies(IN_MEMORY))
    resident = _resident(_whole_bodies(RESIDENT))
    in_postgres, _ = _against_events("PostgreSQL", "B", _whole_bodies(IN_POSTGRES), database)
    figures = [*in_memory,
               Figure("spans a second into memory, client included", [sample.load.rate for sample in samples], "/s", Goal(100_000)),
               Figure("resident memory of the server, a span", [resident], "B",
                      beside={"B an event": number(resident * SPANS / EVENTS)}),
               *in_postgres]
    report.section(TITLE, EXPLANATION.format(spans=SPANS, clients=CLIENTS), figures)

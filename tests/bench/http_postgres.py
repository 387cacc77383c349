"""Events posted to a server that stores them in PostgreSQL before it answers."""

from dataclasses import dataclass
from statistics import median

from bench import options
from bench.database import interleaved
from bench.drive import Load, drive
from bench.figures import Figure, Goal, number, rate_text
from support.server import RacewayServer

TITLE = "Over HTTP into PostgreSQL"
EXPLANATION = """\
  Each body is answered after its commit (ack = durable); the server as by default. Clients and server share the
  cores; each client has one connection and sends the next body when the last is answered. Ratios are to A, COPY
  BINARY on one connection without any HTTP. A transaction is a commit that the database counted."""
BODIES = (1, 100, 1000)
CLIENTS = (1, 2, 4, 8, 16, 32, 64) if options.FULL else (1, 8, 64)
SECONDS = 2
COPY_EVENTS = 60_000
# More than any machine takes in that time, over all clients.
EVENTS = {1: 120_000, 100: 400_000, 1000: 400_000}
GOALS = {(100, 8): Goal(1.3), (100, 64): Goal(1.07), (1000, 8): Goal(1.6), (1000, 64): Goal(1.05)}


@dataclass(frozen=True)
class Sample:
    load: Load
    transactions: int

    @property
    def rate(self):
        return self.load.rate


def _served(database, send):
    """Runs `send(port)` against a server of its own: (what it answers, transactions in that time)."""
    before = database.transactions()
    with RacewayServer(database=database.database, name="bench-http") as server:
        answer = send(server.port)
    return answer, database.transactions() - before


def _posting(database, body, clients, idle_transactions):
    def measure():
        database.empty()
        load, transactions = _served(database, lambda port: drive(
            "http", port=port, batch=body, clients=clients, events=options.events(EVENTS[body]),
            seconds=options.seconds(SECONDS)))
        assert load.stored == load.events == database.stored_events(), f"events are missing: {load}"
        return Sample(load, max(1, transactions - idle_transactions))

    return measure


def _unbatched(database):
    """Transactions an event, and events a second, with one statement for each event."""
    events = options.events(3000)
    database.empty()
    before = database.transactions()
    load, _ = database.load("unnest", 1, events)
    return (database.transactions() - before) / events, load.rate


def run(report, database):
    database.empty()
    _, idle = _served(database, lambda port: None)
    measurements = {(body, clients): _posting(database, body, clients, idle) for body in BODIES for clients in CLIENTS}
    results, copy_rates = interleaved(lambda: database.copy_rate(options.events(COPY_EVENTS)), measurements, 3)
    unbatched, unbatched_rate = _unbatched(database)

    figures = [Figure("A: COPY BINARY, one connection", [1.0], beside={"events/s": rate_text(copy_rates)}),
               Figure("one INSERT an event, one connection", [unbatched_rate / median(copy_rates)],
                      beside={"events/s": f"{unbatched_rate:,.0f}", "transactions an event": unbatched})]
    for (body, clients), samples in results.items():
        name = f"{body:,} in a body, {clients} client{'s' if clients > 1 else ''}"
        loads = [sample.load for sample, _ in samples]
        figures.append(Figure(name, [ratio for _, ratio in samples], goal=GOALS.get((body, clients)), beside={
            "events/s": rate_text([load.rate for load in loads]),
            "ms p50": median(load.p50_ms for load in loads), "ms p99": median(load.p99_ms for load in loads),
            "events a transaction": number(median(s.load.events / s.transactions for s, _ in samples))}))
    for body in BODIES[1:]:
        samples = [sample for sample, _ in results[body, CLIENTS[-1]]]
        fewer = [unbatched / (sample.transactions / sample.load.events) for sample in samples]
        figures.append(Figure(f"transactions fewer, {body:,} in a body, {CLIENTS[-1]} clients", fewer, goal=Goal(200)))
    report.section(TITLE, EXPLANATION, figures)

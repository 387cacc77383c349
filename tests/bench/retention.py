"""Old traces removed while new ones come in."""

import json
import statistics
import threading
import time

from bench import options
from bench.database import SETTINGS, BenchDatabase
from bench.drive import drive
from bench.figures import Figure, Goal, number
from support.server import RacewayServer
from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until

TITLE = "Removing half of {events:,} events while others come in"
EXPLANATION = """\
  Four clients post bodies of 100 events to a server on the same two cores as fast as they are answered, first alone,
  then while cleanup() removes the older half of what was there, by rows. Ratios are to the clients alone. Then as
  many in partitions by day, written out and not in the file cache, whose older half the same cleanup() drops while
  one client writes an event at a time: how long it takes in all, and how long that client waits. Autovacuum is on."""
SECONDS_PER_COPY = 1200  # of the traffic in partitions, so that it spreads over days
EVENTS = 10_000_000 if options.FULL else 1_000_000
SECONDS = 8
ROUNDS = options.ROUNDS if options.FULL else 1  # the cleanup of fewer events is over soon
CLIENTS = 4


def _clients(server, first_copy):
    """What each round measures; copies are numbered from first_copy on, a million at most."""
    loads = []
    for at in range(ROUNDS):
        load = drive("http", port=server.port, batch=100, clients=CLIENTS, events=options.events(1_200_000),
                     seconds=options.seconds(SECONDS), first_copy=first_copy + at * 100_000)
        assert load.stored == load.events, f"events were refused or lost: {load}"
        loads.append(load)
    return loads


def _median(loads):
    of = lambda name: statistics.median(getattr(load, name) for load in loads)
    return {"events/s": f"{of('rate'):,.0f}", "ms p50": of("p50_ms"), "ms p99": of("p99_ms")}


def _cleanup(database, arguments):
    """(traces, events, seconds)."""
    start = time.monotonic()
    traces, events, _ = database.sql(f"CALL raceway.cleanup({arguments})").split("|")
    return int(traces), int(events), time.monotonic() - start


class _Waits(threading.Thread):
    """One client that writes event after event while the block runs: how long each took, in seconds."""

    def __init__(self, database):
        super().__init__(daemon=True)
        self._session = Session(database)
        self._session.run("SET synchronous_commit = off")
        self._is_over = threading.Event()
        self.seconds = []

    def __enter__(self):
        self.start()
        wait_until(lambda: len(self.seconds) > 100, 10, "it writes")
        self.seconds.clear()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self.join()
        self._session.close()

    def run(self):
        while not self._is_over.is_set():
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            body = json.dumps(documented_event(timestamp=now)).encode()
            start = time.monotonic()
            self._session.ingest([body])
            self.seconds.append(time.monotonic() - start)
            time.sleep(0.001)

    def long_ones(self):
        return [seconds for seconds in self.seconds if seconds > 0.02]


def _by_rows():
    with BenchDatabase({**SETTINGS, "autovacuum": "on"}, "bench-retention") as database:
        events = options.events(EVENTS)
        database.load("ingest", 10_000, events)
        full = database.heap_bytes()
        database.database.sql("VACUUM ANALYZE")
        half = database.database.value("SELECT count(*) / 2 FROM raceway.traces")
        outcome = {}
        with RacewayServer(database=database.database, name="bench-retention") as server:
            alone = _clients(server, 1_000_000)
            kept = database.database.value("SELECT count(*) FROM raceway.traces") - half
            # Those that come meanwhile are newer, so the ones that go are known.
            worker = threading.Thread(target=lambda: outcome.update(
                zip(("traces", "events", "seconds"), _cleanup(database.database, f"max_traces => {kept}"))))
            worker.start()
            beside = _clients(server, 2_000_000)
            worker.join()
        return alone, beside, outcome, database.heap_bytes() / full


def _by_partition():
    with BenchDatabase(SETTINGS, "bench-retention", "raceway.migrate('day')") as database:
        # The traffic was recorded on this day.
        database.database.sql("SELECT raceway.make_partitions('2026-11-22', '2027-01-31')")
        database.load("ingest", 10_000, options.events(EVENTS), seconds_per_copy=SECONDS_PER_COPY)
        database.database.sql("VACUUM ANALYZE")
        middle = database.database.value(
            "SELECT p.upper_bound FROM raceway.event_partitions() p ORDER BY abs((SELECT count(*) FROM raceway.events e"
            " WHERE e.timestamp < p.upper_bound) - (SELECT count(*) / 2 FROM raceway.events)) LIMIT 1")
        database.cool_down()
        with _Waits(database.database) as waits:
            removed = _cleanup(database.database, f"older_than => (now() AT TIME ZONE 'UTC') - '{middle}'")
        return removed, waits


def run(report, _):
    alone, beside, rows, growth = _by_rows()
    (dropped_traces, dropped_events, seconds), waits = _by_partition()
    pairs = list(zip(alone, beside))
    figures = [
        Figure("4 clients, alone", [1.0], beside=_median(alone)),
        Figure("4 clients, with cleanup", [with_it.rate / without.rate for without, with_it in pairs], beside=_median(beside)),
        Figure("  their p99", [with_it.p99_ms / without.p99_ms for without, with_it in pairs], goal=Goal(2, at_most=True)),
        Figure("cleanup by rows", [rows["seconds"]], "s", beside={
            "traces": number(rows["traces"]), "events": number(rows["events"]), "events/s": f"{rows['events'] / rows['seconds']:,.0f}"}),
        Figure("  the tables after it and the clients, to before", [growth]),
        Figure("cleanup by partitions", [seconds], "s", goal=Goal(1, at_most=True),
               beside={"traces": number(dropped_traces), "events": number(dropped_events)}),
        Figure("  the longest that the client waits", [max(waits.seconds)], "s", goal=Goal(0.5, at_most=True),
               beside={"s in all, of waits over 20 ms": sum(waits.long_ones())}),
    ]
    report.section(TITLE.format(events=options.events(EVENTS)), EXPLANATION, figures)

"""What is known of all traces: kept up to date beside writers, and asked."""

import json
import threading
import time
from statistics import median

from bench import options
from bench.database import BenchDatabase
from bench.figures import Figure, Goal, number
from support.chance import chance_of
from support.fleet import KEPT, fleet_events
from support.sessions import Session

TITLE = "What is known of all traces"
EXPLANATION = """\
  refresh_analysis() over {events:,} events that were just written, in one session; its ratio is to reading all of them and
  their metadata by SELECT. Then batches of 1,000 events are written, alone and while another session refreshes what comes.
  Then {traces:,} traces with two variables each, put into the tables as refresh_analysis() leaves them: race_totals() from the
  sums, to the same added up from the rows. Last the portable edition: what is asked of one trace of 1,000 events."""
EVENTS = 500_000
TRACES = 1_000_000
READ_ALL = "SELECT count(*), sum(pg_column_size(metadata)), count(metadata ->> 'variable') FROM raceway.events"
FILL = """
    INSERT INTO raceway.trace_analyses (trace_id, event_count, start_time, end_time)
    SELECT 't' || n, 10, timestamp '2026-01-01' + n * interval '1 s', timestamp '2026-01-01' + n * interval '1 s' + interval '2 s'
    FROM generate_series(1, {traces}) n;
    INSERT INTO raceway.trace_variables
    SELECT a.trace_id, 'variable ' || v.number, a.start_time, a.end_time, 3, 2, 1, 1, 1, 2, 0, 0, 0
    FROM raceway.trace_analyses a, LATERAL (VALUES (hashtext(a.trace_id) & 63), (64 + (hashtext(a.trace_id) & 31))) v (number);
    INSERT INTO raceway.variable_totals
    SELECT variable, count(*), sum(reads), sum(writes), sum(atomic_reads), sum(atomic_writes), sum(write_write), sum(read_write), 0, 0, 0,
           sum(writes * writes), sum(writes * atomic_writes), sum(writes * (reads + atomic_reads) + atomic_writes * reads)
    FROM raceway.trace_variables GROUP BY 1;
    ANALYZE raceway.trace_analyses, raceway.trace_variables, raceway.variable_totals;
"""
ADDED_UP = "SELECT variable, count(*), sum(reads), sum(writes), sum(writes * writes), sum(write_write) FROM raceway.trace_variables GROUP BY 1"


def _seconds(session, statement):
    began = time.monotonic()
    session.run(statement)
    return time.monotonic() - began


def _refreshing(database, events):
    database.empty()
    database.load("ingest", 10_000, events)
    rates, ratios = [], []
    with Session(database.database) as session:
        session.run("VACUUM ANALYZE raceway.traces, raceway.events")
        _seconds(session, READ_ALL)
        for _ in range(options.ROUNDS):
            session.run(f"TRUNCATE {', '.join(KEPT)}")
            reading = _seconds(session, READ_ALL)
            took = _seconds(session, "CALL raceway.refresh_analysis()")
            rates.append(events / took)
            ratios.append(reading / took)
        traces = session.value("SELECT count(*) FROM raceway.trace_analyses")
    return [Figure("refresh_analysis()", rates, "events/s", Goal(50_000), beside={"traces": number(traces)}),
            Figure("  to reading the events", ratios)]


def _beside_writers(database, events):
    ratios = []
    for _ in range(options.ROUNDS):
        rates = []
        for refreshes in (False, True):
            database.empty()
            over = threading.Event()

            def refresh():
                with Session(database.database) as session:
                    while not over.wait(0.2):
                        session.run("CALL raceway.refresh_analysis()")

            worker = threading.Thread(target=refresh)
            if refreshes:
                worker.start()
            load, _ = database.load("ingest", 1_000, events)
            over.set()
            if refreshes:
                worker.join()
            rates.append(load.rate)
        ratios.append(rates[1] / rates[0])
    return [Figure("writing while another session refreshes, to alone", ratios, goal=Goal(0.9))]


def _asking(database, traces):
    database.empty()
    totals, window, ratios = [], [], []
    with Session(database.database) as session:
        session.run(f"TRUNCATE {', '.join(KEPT)}")
        session.run(FILL.format(traces=traces))
        for _ in range(max(options.ROUNDS, 3)):
            added = _seconds(session, ADDED_UP)
            totals.append(1000 * _seconds(session, "SELECT * FROM raceway.race_totals()"))
            window.append(_seconds(session, f"SELECT * FROM raceway.race_totals(timestamptz '2026-01-01 UTC' + {traces} * interval '0.9 s')"))
            ratios.append(1000 * added / totals[-1])
        session.run(f"TRUNCATE {', '.join(KEPT)}")
    return [Figure("race_totals() over all traces", totals, "ms", Goal(100, at_most=True)),
            Figure("  adding up the rows instead, to it", ratios),
            Figure("race_totals() over the last tenth, with overlaps", window, "s")]


def _portable(database):
    figures = []
    portable = BenchDatabase.portable(database.cluster)
    with Session(portable.database) as session:
        session.ingest([json.dumps(fleet_events(chance_of("portable"), "large", 1_000, 0)).encode()])
        for call in ("causal_order('large')", "races('large')", "race_counts('large')", "critical_path('large')"):
            took = [_seconds(session, f"SELECT * FROM raceway.{call}") for _ in range(3)]
            figures.append(Figure(f"portable, 1,000 events: {call}", [median(took)], "s", Goal(1, at_most=True)))
    return figures


def run(report, database):
    events, traces = options.events(EVENTS), options.events(TRACES)
    figures = [*_refreshing(database, events), *_beside_writers(database, events), *_asking(database, traces), *_portable(database)]
    report.section(TITLE, EXPLANATION.format(events=events, traces=traces), figures)

"""Events written straight into PostgreSQL."""

from dataclasses import dataclass
from statistics import median

from bench import options
from bench.database import BenchDatabase, interleaved
from bench.figures import Figure, Goal, number, rate_text

TITLE = "Writing into PostgreSQL"
EXPLANATION = """\
  A: COPY BINARY of the same events, encoded before, into the same empty tables with their keys, foreign key and
  indexes; 10,000 a transaction, one connection; the rows of the traces were copied before and are not in its time.
  Ratios are of events a second. WAL holds the traces' rows in every case. The statement with unnest gets binary
  arrays, encoded before, too; ingest gets the bodies as the SDKs send them. portable is what the server does on the
  portable edition: it reads the bodies and sends columns, which is in its time."""
EVENTS = 150_000


@dataclass(frozen=True)
class Sample:
    """One measurement: `rate` in events a second, WAL in bytes an event (of a replay: in all)."""

    rate: float
    wal: float
    ways: str
    growth: float = 0


def _ways(load):
    """How raceway.ingest wrote the batches."""
    return ", ".join(f"{batches} {way}" for way, batches in load.ways.items())


def _fresh(database, way, batch, **more):
    events = options.events(EVENTS)

    def measure():
        database.empty()
        load, wal = database.load(way, batch, events, **more)
        assert load.stored + load.duplicates == events, f"events are missing: {load}"
        assert load.stored == database.stored_events(), f"the table holds other than was said: {load}"
        return Sample(load.rate, wal / events, _ways(load))

    return measure


def _replay(database, batch):
    events = options.events(EVENTS)

    def measure():
        database.empty()
        database.load("ingest", batch, events)
        database.cluster.sql("CHECKPOINT")
        before = database.heap_bytes() + database.index_bytes()
        load, wal = database.load("ingest", batch, events)
        assert load.duplicates == events, f"a replay stored something: {load}"
        growth = database.heap_bytes() + database.index_bytes() - before
        return Sample(load.rate, wal, _ways(load), growth)

    return measure


GOALS = {"portable, batch 1,000": Goal(0.65), "ingest, batch 100": Goal(0.95), "ingest, batch 1,000": Goal(1.3),
         "ingest, batch 10,000": Goal(1.5), "ingest, batch 1,000, 2 connections": Goal(2.0),
         "ingest, batch 1,000, all sent before": Goal(2.5)}
TO_UNNEST = Goal(1.8)


def _copy(database, traces_ratios, wals):
    """The baseline, which also notes what it would be with the traces' rows in its time, and its WAL an event."""
    events = options.events(EVENTS)
    database.empty()
    load, wal = database.load("copy", 10_000, events)
    assert load.stored == events, f"COPY stored {load.stored} of {events}"
    traces_ratios.append(load.seconds / (load.seconds + load.preparation_seconds))
    wals.append(wal / events)
    return load.rate


def _disk(database):
    """Bytes an event in heap and indexes after ingest in batches of 1,000."""
    events = options.events(EVENTS)
    database.empty()
    database.load("ingest", 1000, events)
    return database.heap_bytes() / events, database.index_bytes() / events


def _to_unnest(results, batch):
    """Ingest to the statement, round by round."""
    pairs = zip(results[f"ingest, batch {batch}"], results[f"INSERT .. unnest, batch {batch}"])
    return Figure(f"ingest to INSERT .. unnest, batch {batch}", [ours / theirs for (_, ours), (_, theirs) in pairs], goal=TO_UNNEST)


def run(report, database):
    portable = BenchDatabase.portable(database.cluster)
    replay = "ingest, batch 1,000, all sent before"
    measurements = {
        "INSERT .. unnest, batch 100": _fresh(database, "unnest", 100),
        "INSERT .. unnest, batch 1,000": _fresh(database, "unnest", 1000),
        "INSERT .. unnest, batch 10,000": _fresh(database, "unnest", 10_000),
        "portable, batch 1,000": _fresh(portable, "portable", 1000),
        "ingest, batch 100": _fresh(database, "ingest", 100),
        "ingest, batch 1,000": _fresh(database, "ingest", 1000),
        "ingest, batch 10,000": _fresh(database, "ingest", 10_000),
        "ingest, batch 1,000, 2 connections": _fresh(database, "ingest", 1000, clients=2),
        "ingest, batch 1,000, 10 % sent before": _fresh(database, "ingest", 1000, duplicates=0.1),
        replay: _replay(database, 1000),
    }
    _fresh(database, "ingest", 1000)()  # warms up: caches, and log files to be used again
    traces_ratios, copy_wals = [], []
    results, copy_rates = interleaved(lambda: _copy(database, traces_ratios, copy_wals), measurements)

    figures = [Figure("A: COPY BINARY, one connection", [1.0], beside={"events/s": rate_text(copy_rates),
                                                                         "B of WAL an event": median(copy_wals)}),
               Figure("A with the rows of the traces in its time", traces_ratios)]
    for name, samples in results.items():
        beside = {"events/s": rate_text([sample.rate for sample, _ in samples])}
        if name != replay:
            beside["B of WAL an event"] = median(sample.wal for sample, _ in samples)
        if samples[-1][0].ways:
            beside["batches"] = samples[-1][0].ways
        figures.append(Figure(name, [ratio for _, ratio in samples], goal=GOALS.get(name), beside=beside))
    figures += [_to_unnest(results, batch) for batch in ("100", "1,000", "10,000")]
    replays = [sample for sample, _ in results[replay]]
    nothing = Goal(0, at_most=True)
    figures += [Figure("  WAL of that whole replay", [sample.wal for sample in replays], "B", nothing),
                Figure("  growth of tables and indexes by it", [s.growth for s in replays], "B", nothing)]
    heap, index = _disk(database)
    figures.append(Figure("on disk, an event with its trace", [heap + index], "B",
                          beside={"in tables": number(heap), "in indexes": number(index)}))
    report.section(TITLE, EXPLANATION, figures)

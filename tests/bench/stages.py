"""What the time of ingest goes into, stage by stage."""

import shutil

from bench import options
from bench.database import interleaved
from bench.drive import PROGRAMS
from bench.figures import Figure, rate_text

TITLE = "The stages of writing into PostgreSQL"
EXPLANATION = """\
  A: COPY BINARY as above. Each stage has those before it in its time; the commit is in each. Read: the body, to events.
  Rows: their columns in the form of the heap. Entries: of all indexes, in key order. The last is ingest: with the
  roll-ups of the traces, their locks, and the answer. By SQL: the same as one statement through SPI. A call: with a
  body of one event, and its commit."""
EVENTS = 100_000
BATCHES = (100, 1000, 10_000)
STAGES = ("read", "rows", "heap", "entries")


def _install(database):
    """Functions that do as ingest does up to a stage."""
    module = database.cluster.directory / "stages.so"
    shutil.copy(PROGRAMS / "stages.so", module)
    module.chmod(0o755)
    database.database.sql("CREATE SCHEMA bench", "postgres")
    for stage in STAGES:
        database.database.sql(f"""
            CREATE FUNCTION bench.to_{stage}(bytea) RETURNS bigint LANGUAGE c AS '{module}', 'bench_{stage}';
            CREATE FUNCTION bench.{stage}(body bytea, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
                LANGUAGE sql AS $$SELECT bench.to_{stage}(body), 0, '[]'::jsonb, '{stage}'$$;
            GRANT USAGE ON SCHEMA bench TO PUBLIC""", "postgres")


def _load(database, batch, way="ingest", events=EVENTS, **more):
    def measure():
        database.empty()
        load, _ = database.load(way, batch, options.events(events), **more)
        assert load.stored == options.events(events), f"events are missing: {load}"
        return load

    return measure


def _by_sql(database, batch):
    """With the session told to."""
    load = _load(database, batch)

    def measure():
        name = database.database.name
        database.cluster.sql(f"ALTER DATABASE {name} SET raceway.ingest_way = 'spi'")
        try:
            return load()
        finally:
            database.cluster.sql(f"ALTER DATABASE {name} RESET raceway.ingest_way")

    return measure


def _measurements(database):
    all_of_them = {}
    for batch in BATCHES:
        of_size = f"batch {batch:,}: "
        all_of_them[of_size + "by SQL"] = _by_sql(database, batch)
        for stage in STAGES:
            all_of_them[of_size + stage] = _load(database, batch, function=f"bench.{stage}")
        all_of_them[of_size + "roll-ups, and all of ingest"] = _load(database, batch)
    return all_of_them


def run(report, database):
    _install(database)
    calls = {"a call of ingest": _load(database, 1, events=5000),
             "a call of INSERT .. unnest": _load(database, 1, "unnest", events=5000)}
    results, rates = interleaved(lambda: database.copy_rate(options.events(EVENTS)), {**_measurements(database), **calls})
    figures = [Figure("A: COPY BINARY, one connection", [1.0], beside={"events/s": rate_text(rates)})]
    for name, samples in results.items():
        if name in calls:
            figures.append(Figure(name, [1000 / load.rate for load, _ in samples], "ms"))
            continue
        cost = [1e6 / load.rate for load, _ in samples]
        figures.append(Figure(name, [ratio for _, ratio in samples], beside={"us an event": sum(cost) / len(cost)}))
    report.section(TITLE, EXPLANATION, figures)

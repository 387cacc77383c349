"""The database under load, and what it says of itself."""

import os
import pathlib

from bench import options
from bench.drive import drive
from support import paths
from support.cluster import PostgresCluster
from support.wait import wait_until

# What differs from PostgreSQL's defaults: a cache that holds what is measured, no checkpoint in a measurement, log
# files that are there already, and nothing running in the background.
SETTINGS = {
    "fsync": "on", "full_page_writes": "on", "shared_buffers": "1GB", "max_wal_size": "16GB", "min_wal_size": "2GB",
    "checkpoint_timeout": "1h", "autovacuum": "off",
}
# Where the tables outgrow the cache: as an operator would run it.
GROWTH_SETTINGS = {
    "fsync": "on", "full_page_writes": "on", "shared_buffers": "1GB", "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}


class BenchDatabase:
    """A migrated database on a cluster of its own."""

    def __init__(self, settings, name, migrate="raceway.migrate()"):
        self.cluster = PostgresCluster(name=name, settings=settings)
        self.database = self.cluster.create_database()
        self.database.sql(f"CREATE EXTENSION raceway; SELECT {migrate}")

    @classmethod
    def portable(cls, cluster):
        """Another database of a running cluster, with the portable edition."""
        created = cls.__new__(cls)
        created.cluster = cluster
        created.database = cluster.create_database()
        created.database.sql(paths.PORTABLE.read_text() + "SELECT raceway.migrate()")
        return created

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cluster.remove()

    def empty(self):
        """Fresh tables and indexes, everything written out."""
        self.database.sql("TRUNCATE raceway.traces, raceway.events")
        self.cluster.sql("CHECKPOINT")

    def cool_down(self):
        """Writes everything out, and has the system forget the tables' files, as it forgets what was not read for long."""
        self.cluster.sql("CHECKPOINT")
        for name in pathlib.Path(self.cluster.sql("SHOW data_directory")).glob("base/*/*"):
            with open(name, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def wal_position(self):
        return int(self.cluster.sql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def heap_bytes(self):
        return self._sum_of("pg_table_size(t)")

    def index_bytes(self):
        return self._sum_of("pg_indexes_size(t)")

    def _sum_of(self, size):
        tables = "'{raceway.events, raceway.traces}'::regclass[]"
        return self.database.value(f"SELECT sum({size}) FROM unnest({tables}) AS t")

    def stored_events(self):
        return self.database.value("SELECT count(*) FROM raceway.events")

    def transactions(self):
        """Committed in it so far. Waits until nobody is connected: sessions report at their end at the latest."""
        name = self.database.name
        sessions = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
        wait_until(lambda: self.cluster.sql(sessions) == "0", 30, "every session has ended")
        return int(self.cluster.sql(f"SELECT xact_commit FROM pg_stat_database WHERE datname = '{name}'"))

    def load(self, way, batch, events, **more):
        """Writes events straight into it: (Load, bytes of WAL)."""
        before = self.wal_position()
        load = drive("sql", connection=self.database.connection_string(), way=way, batch=batch, events=events, **more)
        return load, self.wal_position() - before

    def copy_rate(self, events):
        """Events a second by COPY BINARY into empty tables: the baseline A."""
        self.empty()
        load, _ = self.load("copy", 10_000, events)
        assert load.stored == events, f"COPY stored {load.stored} of {events}"
        return load.rate


def interleaved(baseline, measurements, between=2):
    """Each round runs A B B A B B .. A, so that a machine that drifts drifts in both. {name: [(result, ratio)]}, where
    `measurements` is {name: function}, a result has a `rate`, and the ratio is to the mean of the A before and after;
    and all rates of A."""
    results = {name: [] for name in measurements}
    rates = []
    for _ in range(options.ROUNDS):
        names = list(measurements)
        before = baseline()
        rates.append(before)
        for at in range(0, len(names), between):
            group = [(name, measurements[name]()) for name in names[at:at + between]]
            after = baseline()
            rates.append(after)
            for name, result in group:
                results[name].append((result, result.rate / ((before + after) / 2)))
            before = after
    return results, rates

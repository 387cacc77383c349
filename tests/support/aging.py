"""Traces of a known age."""

import threading

from support.sessions import Session
from support.wait import wait_until

# The age of what was at a time. A minute less, so that it does not depend on when it is asked.
OLD = "(clock_timestamp() AT TIME ZONE 'UTC') - interval '1 minute' - timestamp"

FILL = """
    SELECT (raceway.ingest(jsonb_build_object('events', jsonb_agg(jsonb_build_object(
        'event_id', format('%s-%s-%s', :'name', t, e), 'trace_id', format('%s-%s', :'name', t), 'kind', 'Custom',
        'timestamp', to_char(:'first'::timestamp + (t - 1) * :'apart'::interval + e * interval '1 s',
                             'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'vector_clock', jsonb_build_object('a', e), 'metadata', jsonb_build_object('service_name', 'aged')))))).stored
    FROM generate_series(1, :'traces'::int) t, generate_series(1, :'events'::int) e;
    UPDATE raceway.traces SET created_at = start_time WHERE trace_id LIKE :'name' || '-%';
"""


def fill(database, traces, events=3, name="t", first="2026-01-01", apart="1 hour"):
    """Traces NAME-1, NAME-2 ..., the oldest first: from `first` on, `apart` from each other, created when they start."""
    stored = database.sql(FILL, name=name, first=first, apart=apart, traces=traces, events=events)
    assert int(stored) == traces * events


def traces_left(database, name="t"):
    """The numbers of those that are there, in order."""
    rows = database.rows(f"SELECT trace_id FROM raceway.traces WHERE trace_id LIKE '{name}-%'")
    return sorted(int(row["trace_id"].rpartition("-")[2]) for row in rows)


def partitions(database):
    """The names of those of January 2026 and before."""
    return {row["partition"] for row in database.rows("SELECT relname AS partition FROM raceway.event_partitions() p"
                                                      " JOIN pg_class ON oid = p.partition WHERE lower_bound < '2026-02-01'")}


def last_runs(database, count=1):
    """The newest rows of cleanup_runs, the newest first."""
    return database.rows(f"SELECT * FROM raceway.cleanup_runs ORDER BY run_id DESC LIMIT {count}")


class Call(threading.Thread):
    """A statement that runs in a session of its own; `failure` is what it ended with, None if well."""

    def __init__(self, database, statement):
        super().__init__(daemon=True)
        self._database = database
        self.session = Session(database)
        self._statement = statement
        self.failure = None
        self.start()

    def run(self):
        try:
            self.session.run(self._statement)
        except Exception as error:
            self.failure = error

    def terminate(self):
        """Ends its session wherever it is, and waits until nothing of it is left."""
        with Session(self._database) as other:
            other.run("SELECT pg_terminate_backend(%s)", self.session.pid)
            self.join(timeout=60)
            wait_until(lambda: not other.run("SELECT 1 FROM pg_stat_activity WHERE pid = %s", self.session.pid), 10, "it ends")

    def end(self):
        """Waits until it has; raises what it raised."""
        self.join(timeout=120)
        assert not self.is_alive(), "it runs for ever"
        self.session.close()
        if self.failure is not None:
            raise self.failure

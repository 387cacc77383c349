"""Others at work on the tables at the same time."""

import threading
import time
from contextlib import contextmanager, suppress

from psycopg2.errors import QueryCanceled

from support.sessions import Session
from support.traffic import documented_event
from support.wait import wait_until
from support.ways import ingest


def longest_wait_of_a_writer(database, seconds, **fields):
    """In seconds, of one who writes an event after the other for that long."""
    slowest = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        start = time.monotonic()
        ingest(database, documented_event(**fields))
        slowest = max(slowest, time.monotonic() - start)
    return slowest


WAITS_FOR_LOCK = "datname = current_database() AND wait_event_type = 'Lock'"  # of a row of pg_stat_activity


def await_lock_waiter(database):
    """Until somebody in the database waits for a lock."""
    waiting = f"SELECT count(*) > 0 FROM pg_stat_activity WHERE {WAITS_FOR_LOCK}"
    wait_until(lambda: database.value(waiting), 10, "somebody waits for a lock")


@contextmanager
def slow_vacuum_out_of_line(database, table):
    """VACUUM of what a table stores out of line runs meanwhile, as autovacuum comes to it alone."""
    database.sql(f"""
        ALTER TABLE {table} ALTER metadata SET STORAGE EXTERNAL;
        UPDATE {table} SET metadata = jsonb_build_object('a', repeat('x', 100000)) || metadata""")
    with Session(database, "postgres") as session, Session(database, "postgres") as watch:
        outside = session.value(f"SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = '{table}'::regclass")
        session.run("SET vacuum_cost_delay = 100")
        session.run("SET vacuum_cost_limit = 1")
        session.run("SET statement_timeout = '20 s'")  # whoever waits for it, in vain, goes on then

        def vacuum():
            with suppress(QueryCanceled):
                session.run(f"VACUUM (DISABLE_PAGE_SKIPPING) {outside}")

        thread = threading.Thread(target=vacuum, daemon=True)
        thread.start()
        try:
            at_work = "SELECT 1 FROM pg_stat_progress_vacuum WHERE pid = %s"
            wait_until(lambda: watch.run(at_work, session.pid), 10, "it is at work")
            yield
            assert thread.is_alive(), "it was done too soon"
        finally:
            watch.run("SELECT pg_cancel_backend(%s)", session.pid)
            thread.join(timeout=60)

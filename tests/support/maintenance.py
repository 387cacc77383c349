"""What an administrator does to the tables while they are written."""

from support.contention import Loop
from support.sessions import CANCELLED, DEADLOCK, DUPLICATE_TABLE, DatabaseError, Session

CHANGES = [
    "VACUUM events", "VACUUM (FREEZE, INDEX_CLEANUP ON) events", "VACUUM (INDEX_CLEANUP ON) traces", "ANALYZE events",
    "CREATE INDEX CONCURRENTLY spare_kind ON events (kind)", "DROP INDEX CONCURRENTLY IF EXISTS spare_kind",
    "CREATE INDEX spare_mixed ON events (location, duration_ms DESC)", "DROP INDEX IF EXISTS spare_mixed",
    "CREATE INDEX CONCURRENTLY spare_clock ON events USING gin (vector_clock)", "DROP INDEX IF EXISTS spare_clock",
    "REINDEX INDEX CONCURRENTLY events_pkey", "REINDEX INDEX CONCURRENTLY idx_events_trace_id",
    "REINDEX INDEX CONCURRENTLY traces_pkey", "REINDEX TABLE CONCURRENTLY events", "REINDEX INDEX events_pkey",
    "REINDEX INDEX idx_events_timestamp", "REINDEX TABLE traces", "VACUUM FULL traces", "VACUUM FULL events",
]

LEFT_OVER = """
    SELECT indexrelid::regclass::text FROM pg_index
    WHERE NOT indisvalid AND indrelid IN ('raceway.events'::regclass, 'raceway.traces'::regclass)
"""


def drop_invalid_indexes(session):
    """What a CREATE or REINDEX INDEX CONCURRENTLY leaves behind when it fails."""
    for name, in session.run(LEFT_OVER):
        session.run(f"DROP INDEX IF EXISTS {name}")


class Maintenance(Loop):
    """One change after the other, in a random order."""

    def __init__(self, database, chance, changes=CHANGES, user=None):
        super().__init__(self._change)
        self._session = Session(database, user)
        self._chance = chance
        self._changes = changes
        self.done = 0

    def _change(self):
        try:
            self._session.run(self._chance.choice(self._changes))
            self.done += 1
        except DatabaseError as error:
            if error.pgcode not in (DEADLOCK, CANCELLED, DUPLICATE_TABLE):
                raise
            drop_invalid_indexes(self._session)

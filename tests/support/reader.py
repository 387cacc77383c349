"""Who reads while others write: what an index says is what the rows say, at every moment."""

from support.checks import INEXACT_TRACES
from support.contention import Loop
from support.sessions import DEADLOCK, DatabaseError, Session

RECOVERY_CONFLICT = "40001"

# The same question by an index and by reading everything.
BY_INDEX = "SET LOCAL enable_seqscan = off"
BY_ROWS = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
QUESTIONS = [
    "SELECT trace_id, count(*) FROM events WHERE trace_id = '{trace_id}' GROUP BY 1",
    "SELECT event_id FROM events WHERE event_id = '{event_id}'",
    "SELECT event_id FROM events WHERE event_id > '{event_id}' ORDER BY event_id LIMIT 20",
    "SELECT timestamp, count(*) FROM events WHERE timestamp > '2000-01-01' GROUP BY 1 ORDER BY 1",
    "SELECT trace_id, event_count FROM traces WHERE trace_id = '{trace_id}'",
]


class Reader(Loop):
    """Asks the same by index and without, in one snapshot; the answers agree, and the roll-ups are exact. On a standby,
    too."""

    def __init__(self, database, pool, chance):
        super().__init__(self._ask, 0.01)
        self._session = Session(database, "postgres")
        self._pool = pool
        self._chance = chance

    def _ask(self):
        events = self._pool.batch(self._chance, "reader", 1)
        question = self._chance.choice(QUESTIONS).format(**events[0])
        try:
            with self._session.transaction():
                self._session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                by_index = self._session.run(f"{BY_INDEX}; {question}")
                assert self._session.run(f"{BY_ROWS}; {question}") == by_index, question
                assert self._session.run(INEXACT_TRACES) == []
        except DatabaseError as error:
            if error.pgcode not in (RECOVERY_CONFLICT, DEADLOCK):
                raise

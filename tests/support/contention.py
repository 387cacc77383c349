"""Sessions that offer the same events by different ways at the same time, in every kind of transaction, while others
insert, delete, cancel and rebuild: and books of what was promised to whom committed."""

import json
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager

from support.checks import inexact_traces
from support.replicas import as_number
from support.sessions import CANCELLED, DEADLOCK, FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION, DatabaseError, Session
from support.traffic import documented_event

# What a transaction may fail by. The last two: a plain INSERT, of an id or for a trace that another one changes.
EXPECTED = (DEADLOCK, CANCELLED, UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION)
WAYS_MIX = ("direct", "direct", "checking", "spi", "automatic")


class Pool:
    """Events that every contender may send. An id is always under the same trace, but for a few that come under two."""

    def __init__(self, name, traces=16, shared=3000):
        self.name = name
        self.traces = traces
        self.shared = shared

    def trace(self, number):
        return f"{self.name}-t{number % self.traces:02d}"

    def event(self, event_id, number=None, beside=0):
        """The event of that id, of trace `number`, or of any; `beside` 1 puts it under another trace."""
        draw = random.Random(event_id)
        trace_id = self.trace((draw.randrange(self.traces) if number is None else number) + beside)
        # What the row says of itself shows when a key leads to another row.
        metadata = {"me": [event_id, trace_id], "service_name": f"service-{draw.randrange(4)}"}
        if draw.random() < 0.02:
            metadata["blob"] = draw.randbytes(3000).hex()
        return documented_event(event_id, trace_id, draw.randrange(50), metadata=metadata,
                                location=draw.choice([None, "here", "there" * 40]))

    def batch(self, chance, owner, size):
        """Some that all may send, some of the owner's; repeats among them."""
        events = []
        for _ in range(size):
            draw = chance.random()
            if draw < 0.45:
                events.append(self.event(f"{self.name}-shared-{chance.randrange(self.shared)}"))
            elif draw < 0.5:
                events.append(self.event(f"{self.name}-contested-{chance.randrange(200)}", beside=chance.randrange(2)))
            elif draw < 0.55 and events:
                events.append(chance.choice(events))
            else:
                # Side by side with others of its trace: whole pages are emptied when that is deleted.
                number = chance.randrange(self.traces)
                events.append(self.event(f"{self.name}-{number:02d}-{chance.randrange(10**9)}-{owner}", number))
        return events


class Books:
    """What has been committed. All of it is said by sessions whose COMMIT succeeded."""

    def __init__(self):
        self._lock = threading.Lock()
        self.stored = 0           # how many events were said to be stored, or were inserted
        self.deleted = 0          # how many rows were deleted
        self.standing = set()     # (event_id, trace_id) said to be stored or to stand already
        self.unknown = set()      # the same, offered in transactions of which it is not known whether they committed
        self.journal = []         # (place in the log, what stood there), where it is kept
        self.ways = Counter()
        self.ends = Counter()
        self.problems = []

    def enter(self, page, lsn=None):
        with self._lock:
            if lsn is not None:
                self.journal.append((lsn, page.standing))
            self.stored += page.stored
            self.deleted += page.deleted
            self.standing |= page.standing
            self.ways.update(page.ways)
            self.problems += page.problems

    def enter_unknown(self, page):
        with self._lock:
            self.unknown |= page.offered
            self.ends["unknown"] += 1

    def count(self, what):
        with self._lock:
            self.ends[what] += 1

    def standing_at(self, lsn):
        """What must be there for whoever has the log up to that place."""
        return set().union(*(standing for place, standing in self.journal if place <= lsn))


class Page:
    """What one transaction, or a part of it, is told. Entered in the books when it is committed."""

    def __init__(self):
        self.stored = self.deleted = 0
        self.offered = set()
        self.standing = set()
        self.ways = Counter()
        self.problems = []

    def answer(self, events, answer):
        rejected = {entry["index"]: entry["reason"] for entry in answer["rejected"]}
        self.stored += answer["stored"]
        self.ways[answer["ingest_way"]] += 1
        self.standing |= {(e["event_id"], e["trace_id"]) for i, e in enumerate(events) if i not in rejected}
        if answer["stored"] + answer["duplicates"] + len(rejected) != len(events):
            self.problems.append(f"does not add up to {len(events)}: {answer}")
        self.problems += [reason for reason in rejected.values() if "already stored under trace" not in reason]

    def add(self, other):
        self.stored += other.stored
        self.deleted += other.deleted
        self.standing |= other.standing
        self.ways.update(other.ways)
        self.problems += other.problems


class Contender(threading.Thread):
    """One session that does one transaction after the other until told to end. It may lose its connection, and ends
    then, where `may_be_lost`; it keeps the books' journal where `keeps_journal`."""

    def __init__(self, database, pool, books, name, chance, acts, may_be_lost=False, keeps_journal=False):
        super().__init__(daemon=True, name=name)
        self.session = Session(database)
        self._pool = pool
        self._books = books
        self._chance = chance
        self._acts = acts
        self._may_be_lost = may_be_lost
        self._keeps_journal = keeps_journal
        self._ended = threading.Event()
        self.failure = None

    def end(self):
        self._ended.set()

    def run(self):
        try:
            while not self._ended.is_set() and not self.session.connection.closed:
                self._one_transaction(getattr(self, "do_" + self._chance.choice(self._acts)))
        except BaseException as error:  # whoever joins us raises it
            self.failure = error

    def _one_transaction(self, act):
        page = Page()
        try:
            end = act(page)
        except DatabaseError as error:
            if self._may_be_lost and self.session.is_lost(error):
                self._books.enter_unknown(page)
                return
            if error.pgcode not in EXPECTED:
                raise
            self._books.count(error.pgcode)
            self._roll_back()
            return
        self._books.count(end)
        if end == "COMMIT":
            self._books.enter(page, self._place() if self._keeps_journal else None)

    def _place(self):
        """A place in the log behind our last commit; before any that comes after. None where it is not to be had."""
        try:
            return as_number(self.session.value("SELECT pg_current_wal_insert_lsn()"))
        except DatabaseError:
            return None

    def _roll_back(self):
        while self.session.in_transaction():
            try:
                self.session.run("ROLLBACK")
            except DatabaseError as error:
                if self._may_be_lost and self.session.is_lost(error):
                    return
                if error.pgcode != CANCELLED:  # that may hit this, too
                    raise

    def offer(self, size, way):
        """Offers a batch in the session's transaction, in the thread of the caller; what it was told."""
        page = Page()
        self._ingest(page, size, way)
        return page

    def _ingest(self, page, size=None, way=None):
        events = self._pool.batch(self._chance, self.name, size or self._chance.choice([1, 5, 40, 40, 200]))
        cut = self._chance.randrange(len(events))
        parts = [events] if cut == 0 or self._chance.random() < 0.7 else [events[:cut], events[cut:]]
        page.offered |= {(event["event_id"], event["trace_id"]) for event in events}
        answers = self.session.ingest([json.dumps(part).encode() for part in parts],
                                      way or self._chance.choice(WAYS_MIX))
        for part, answer in zip(parts, answers, strict=True):
            page.answer(part, answer)

    def _end_transaction(self, commits=0.7):
        end = "COMMIT" if self._chance.random() < commits else "ROLLBACK"
        self.session.run(end)
        return end

    def do_single(self, page):
        self._ingest(page)
        return "COMMIT"

    def do_rolled_back(self, page):
        self.session.run("BEGIN")
        self._ingest(page)
        return self._end_transaction(0.2)

    def do_twice(self, page):
        self.session.run("BEGIN")
        self._ingest(page)
        self._ingest(page)
        return self._end_transaction()

    def do_savepoints(self, page):
        """Now and then more of them than a backend tells others of."""
        self.session.run("BEGIN")
        many = self._chance.random() < 0.03
        for number in range(70 if many else self._chance.randint(1, 4)):
            self.session.run(f"SAVEPOINT s{number}")
            part = Page()
            part.offered = page.offered
            self._ingest(part, 2 if many else None)
            if self._chance.random() < 0.5:
                self.session.run(f"ROLLBACK TO s{number}")
            else:
                page.add(part)
                if self._chance.random() < 0.5:
                    self.session.run(f"RELEASE s{number}")
        return self._end_transaction()

    def do_plain_insert(self, page):
        """Rows of the shared ids by an INSERT. Its traces have no roll-ups: see assert_kept()."""
        trace_id = f"plain-{self._chance.randrange(3)}"
        events = [event["event_id"] for event in self._pool.batch(self._chance, self.name, 5)]
        conflict = self._chance.choice(["", "ON CONFLICT DO NOTHING"])
        self.session.run("BEGIN")
        self.session.run("INSERT INTO traces (trace_id) VALUES (%s) ON CONFLICT DO NOTHING", trace_id)
        for event_id in events:
            rows = self.session.run(f"INSERT INTO events (event_id, trace_id, metadata) VALUES (%s, %s, %s) {conflict}"
                                    " RETURNING 1", event_id, trace_id, json.dumps({"me": [event_id, trace_id]}))
            page.stored += len(rows)
        return self._end_transaction(0.4)

    def do_delete(self, page):
        """A trace and its events. Only traces with odd numbers: what is promised of the others can be checked."""
        trace_id = self._pool.trace(self._chance.randrange(self._pool.traces) | 1)
        if self._chance.random() < 0.3:
            trace_id = f"plain-{self._chance.randrange(3)}"
        self.session.run("BEGIN")
        # Locked first: else events would come in between, and would be deleted without being counted.
        if self.session.run("SELECT 1 FROM traces WHERE trace_id = %s FOR UPDATE", trace_id):
            page.deleted += len(self.session.run("DELETE FROM events WHERE trace_id = %s RETURNING 1", trace_id))
            self.session.run("DELETE FROM traces WHERE trace_id = %s", trace_id)
            if self._chance.random() < 0.4:  # some of them again, in the same transaction
                self._ingest(page)
        return self._end_transaction()

    def do_touch(self, page):
        """Moves rows of traces about, at times of those that are grown then."""
        self.session.run("BEGIN")
        self.session.run("UPDATE traces SET created_at = created_at + interval '1 s' WHERE trace_id = %s",
                         self._pool.trace(self._chance.randrange(self._pool.traces)))
        if self._chance.random() < 0.4:
            self._ingest(page)
        return self._end_transaction()


def contenders(database, pool, books, chance, acts, count=4, **options):
    """So many of them, each with a chance of its own."""
    chances = [random.Random(chance.random()) for _ in range(count)]
    return [Contender(database, pool, books, str(own.getrandbits(30)), own, acts, **options) for own in chances]


class Loop(threading.Thread):
    """Calls something again and again until told to end."""

    def __init__(self, step, every=0.0):
        super().__init__(daemon=True)
        self._step = step
        self._every = every
        self._ended = threading.Event()
        self.failure = None
        self.turns = 0

    def end(self):
        self._ended.set()

    def run(self):
        try:
            while not self._ended.wait(self._every):
                self._step()
                self.turns += 1
        except BaseException as error:  # whoever joins us raises it
            self.failure = error


@contextmanager
def running(threads):
    """They run while the block does; then each has ended, and none has failed."""
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.end()
        for thread in threads:
            thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    for thread in threads:
        if thread.failure is not None:
            raise thread.failure


def run_for(threads, seconds, until=lambda: True):
    """Runs them that long, and on until what the test is about has happened (at most a minute); or until one fails."""
    with running(threads):
        begin = time.monotonic()
        while not any(thread.failure for thread in threads):
            passed = time.monotonic() - begin
            if passed > seconds and (until() or passed > seconds + 60):
                break
            time.sleep(0.05)


def rows_there(database):
    """{(event_id, trace_id)} of the table, after checking that each row is what was sent under its id, once."""
    rows = [(row["event_id"], row["trace_id"], row["me"]) for row in
            database.rows("SELECT event_id, trace_id, metadata -> 'me' AS me FROM events")]
    assert len(rows) == len({row[0] for row in rows}), "an event is there twice"
    assert [row for row in rows if row[2] != [row[0], row[1]]] == []
    return {(event_id, trace_id) for event_id, trace_id, _ in rows}


def lasting(pool, promises):
    """Those of traces that nobody deletes."""
    undying = {pool.trace(number) for number in range(0, pool.traces, 2)}
    return {(event_id, trace_id) for event_id, trace_id in promises if trace_id in undying}


def assert_kept(database, books, pool):
    """What the books say is in the tables, and nothing else."""
    assert books.problems[:5] == []
    there = rows_there(database)
    if not books.unknown:
        assert len(there) == books.stored - books.deleted, "said to be stored and not there, or the other way round"
    promises = lasting(pool, books.standing) if books.deleted else books.standing
    assert promises - there == set(), "a promise is broken"
    assert {row for row in there if not row[1].startswith("plain-")} - books.standing - books.unknown == set(), (
        "there, and never committed")
    assert [row for row in inexact_traces(database) if not row["trace_id"].startswith("plain-")] == []

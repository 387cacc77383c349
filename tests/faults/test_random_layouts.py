"""Whatever an administrator makes of the tables: every way of ingest does what plain INSERTs do, and rows are written
below the executor only where the tables are known. See support/random_layouts.

Some draws are the same each time; the others are new, and for make soak. A failed one says what repeats it alone.
"""

import os
import time
from collections import Counter
from contextlib import closing, contextmanager

import pytest

from support.chance import SEED, times
from support.checks import INEXACT_TRACES
from support.cluster import Database
from support.random_layouts.contents import LOG, assert_all_sound, rows_of_all
from support.random_layouts.draw import KINDS, Draw
from support.random_layouts.grounds import Grounds
from support.random_layouts.plain_inserts import rows_of
from support.random_layouts.script import PLAIN, Trial
from support.random_layouts.table_statements import NEW_PARTITION
from support.sessions import Session
from support.ways import WAYS

FIXED = "fixed"   # a seed


@pytest.fixture(scope="module")
def grounds(cluster):
    prepared = Grounds(cluster)
    yield prepared
    prepared.close()


def assert_agree(results):
    """All that is promised. Answers a Counter of what was known of the calls: "known", "hindered", "who knows"."""
    for way in WAYS:
        assert_taken_where_known(results[way].trial)
        assert_ways_agree(results[way], results["spi"])
    assert_plain_agree(results["spi"], results[PLAIN])
    return Counter("who knows" if judged.in_the_way is None else "hindered" if judged.in_the_way else "known"
                   for way in WAYS for judged in results[way].trial.judged)


def assert_ways_agree(result, by_spi):
    """They answer the same, and leave the same behind."""
    way = result.trial.way
    for number, (step, expected) in enumerate(zip(result.trial.steps, by_spi.trial.steps, strict=True)):
        assert step == expected, f"{way}, and not spi, answers to step {number}: {step}, and not {expected}"
    # A query that names events waits for each partition; a way below it waits for those that its events belong to.
    assert all(expected or not waits for waits, expected in zip(result.trial.waits, by_spi.trial.waits, strict=True)), way
    assert differing(result.rows, by_spi.rows) == [], f"of {way} and spi"
    assert result.log == by_spi.log, f"{way} and spi"


def differing(some, others):
    return sorted((Counter(some) - Counter(others)) + (Counter(others) - Counter(some)))[:6]


def assert_taken_where_known(trial):
    """The way that was asked for where nothing is in the way, SQL elsewhere."""
    for judged in trial.judged:
        if judged.in_the_way is None:
            continue
        if judged.in_the_way or isinstance(judged.answers, str):
            assert judged.in_the_way, f"an error where nothing is in the way: {judged.answers}"
            assert judged.taken in (set(), {"spi"}), f"{judged.taken} beside {judged.in_the_way}"
            continue
        reasons = [entry["reason"] for answer in judged.answers for entry in answer["rejected"]]
        by_database = any("the database refuses it" in reason for reason in reasons)
        assert judged.taken == ({"spi"} if by_database else {trial.way}), "nothing is in the way"


def simply(steps):
    """Answers without the reasons in words."""
    return [[(a["stored"], a["duplicates"], [entry["index"] for entry in a["rejected"]]) for a in step]
            if isinstance(step, list) else step for step in steps]


def fired(log, *levels):
    """Who fired, and for what: Counters of (name, row), of row triggers after INSERT; of those before; after UPDATE .."""
    return Counter((name, is_event, key) for name, timing, op, level, is_event, key, _ in log if (timing, op, level) == levels)


def assert_log_follows(log, plain):
    """A row trigger fires once for each new row after it, and for the same rows before it; how often the others fire
    depends on how many rows a statement has: an event that is the second of a new trace updates it if it comes alone."""
    assert fired(log, "AFTER", "INSERT", "ROW") == fired(plain, "AFTER", "INSERT", "ROW")
    assert fired(log, "BEFORE", "INSERT", "ROW").keys() == fired(plain, "BEFORE", "INSERT", "ROW").keys()
    for timing in ("BEFORE", "AFTER"):
        assert fired(log, timing, "UPDATE", "ROW").keys() <= fired(plain, timing, "UPDATE", "ROW").keys()
        for op in ("INSERT", "UPDATE"):
            assert fired(log, timing, op, "STATEMENT").keys() >= fired(plain, timing, op, "STATEMENT").keys()


def assert_plain_agree(by_spi, plain):
    """As far as one INSERT of many rows can do what many of one row do."""
    if not by_spi.trial.known.compared:
        return
    for number, (step, expected) in enumerate(zip(simply(by_spi.trial.steps), simply(plain.trial.steps), strict=True)):
        assert step == expected, f"spi, and not plain INSERTs, answers to step {number}: {step}, and not {expected}"
    assert differing(by_spi.rows, plain.rows) == [], "of spi and plain INSERTs"
    assert_log_follows(by_spi.log, plain.log)


def assert_left_whole(session, trial):
    """What a way has written is sound; the roll-ups are exact."""
    if trial.way == PLAIN:
        return
    if session.in_transaction() and trial.steps[-1] is not None:
        return   # what is deferred fails
    if trial.way in ("direct", "checking"):
        assert_all_sound(session)
    if trial.known.exact and trial.known.is_sure and not trial.known.hindered("events", "traces"):
        assert session.run(INEXACT_TRACES) == []


def draws(kind):
    """(What repeats it, a Draw): the only one that is asked for; or the fixed ones, and where RACEWAY_STRESS or RACEWAY_SEED
    asks for more, new ones for so many seconds."""
    if alone := os.environ.get("RACEWAY_DRAW"):
        yield alone, kind.draw(alone)
        return
    yield from ((f"{FIXED} {number}", kind.draw(f"{FIXED} {number}")) for number in range(kind.fixed))
    if not {"RACEWAY_STRESS", "RACEWAY_SEED"} & os.environ.keys():
        return
    end, number = time.monotonic() + times(kind.seconds), 0
    while number == 0 or time.monotonic() < end:
        yield f"{SEED} {number}", kind.draw(f"{SEED} {number}")
        number += 1
    print(f"{number} new draws of {kind.name}")


class OneSession:
    """Each script is run in the same session for each way, which has judged the tables as others left them."""

    name = "one session"
    fixed = len(KINDS)
    seconds = 8.0

    def __init__(self, grounds):
        self._grounds = grounds
        self._empty = Session(grounds.empty)
        self._sessions = {name: Session(database, "postgres") for name, database in grounds.databases.items()}

    def draw(self, name):
        """The fixed ones are one of each kind."""
        seed, number = name.split()
        if seed == FIXED:
            return Draw(self._grounds, name, KINDS[int(number)]).of_one_kind(KINDS[int(number)])
        return Draw(self._grounds, name).for_one_session()

    def run(self, draw):
        rows, session = rows_of(self._empty, draw.cards), self._sessions[draw.layout]
        results = {}
        for way in draw.chance.sample([*WAYS, PLAIN], 4):
            with session.transaction("ROLLBACK"):
                results[way] = Result(session, Trial(way, session, rows), draw.script)
        return results

    def close(self):
        for session in [self._empty, *self._sessions.values()]:
            session.close()


class TwoSessions:
    """Each way has a database of its own, and what it does is committed."""

    name = "two sessions"
    fixed = 6
    seconds = 15.0

    def __init__(self, grounds):
        self._grounds = grounds
        self._empty = Session(grounds.empty)
        self._template = Session(grounds.administration, "postgres")

    def draw(self, name):
        if name in (f"{FIXED} 0", f"{FIXED} 1"):
            return Draw(self._grounds, name, NEW_PARTITION).with_a_partition_meanwhile()
        return Draw(self._grounds, name).for_two_sessions()

    def run(self, draw):
        rows, results = rows_of(self._empty, draw.cards), {}
        for way in [*draw.chance.sample(WAYS, 3), PLAIN]:
            waits = list(results["spi"].trial.waits) if way == PLAIN else []
            with self._copy_of(draw.layout) as database, Session(database, "postgres") as session, \
                    Session(database, "postgres") as other:
                results[way] = Result(session, Trial(way, session, rows, other, waits), draw.script)
        return results

    @contextmanager
    def _copy_of(self, layout):
        copy = Database(self._grounds.cluster, "random_layout", "raceway")
        self._template.run(f"CREATE DATABASE {copy.name} TEMPLATE {self._grounds.databases[layout].name} STRATEGY file_copy")
        try:
            yield copy
        finally:
            self._template.run(f"DROP DATABASE {copy.name} WITH (FORCE)")

    def close(self):
        self._empty.close()
        self._template.close()


class Result:
    """What came of a script by one way."""

    def __init__(self, session, trial, script):
        trial.run(script)
        self.trial = trial
        self.rows = rows_of_all(session)
        self.log = sorted(session.run(LOG), key=repr)
        assert_left_whole(session, trial)


@contextmanager
def told(draw, name):
    try:
        yield
    except BaseException:
        print(f"to repeat this one alone: RACEWAY_DRAW='{name}'\n{draw.told()}")
        raise


@pytest.mark.parametrize("sessions", [OneSession, TwoSessions])
def test_whatever_is_made_of_the_tables(grounds, sessions):
    calls = Counter()
    with closing(sessions(grounds)) as kind:
        for name, draw in draws(kind):
            with told(draw, name):
                calls += assert_agree(kind.run(draw))
    print(dict(calls))
    assert "RACEWAY_DRAW" in os.environ or (calls["known"] and calls["hindered"])

"""Whatever an administrator makes of the tables: every way of ingest does what plain INSERTs do, and rows are written
below the executor only where the tables are known.

Random statements, of all that PostgreSQL lets him do to a table, between, before and during random calls. RACEWAY_DRAW
is the number of a draw that is to be repeated alone.
"""

import os
import random
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from support.chance import SEED, chance_of, times
from support.checks import INEXACT_TRACES
from support.cluster import Database
from support.deck import Shape
from support.edge_deck import EdgeDeck
from support.everything import LOG, assert_all_sound, rows_of_all
from support.grammar_of_rows import PREPARATION
from support.grammar_of_tables import FAMILIES
from support.known_tables import PARTITIONS, ROLES, WRITER
from support.plain_inserts import rows_of
from support.random_layouts import PLAIN, Call, Do, Send, Together, Trial, WhileChanging, WhileSending
from support.sessions import Session
from support.statements import Administrator
from support.ways import WAYS, install_checkers

SHAPE = Shape(traces=8, large=0.03, spoiled=0.04, recorded=0.03)

# The partitions of migrate() are about today: two days of the deck get some, the others share the default one.
SURPLUS = """
    DO $$DECLARE gone text; BEGIN
        FOR gone IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'raceway.events'::regclass
                    AND inhrelid::regclass::text NOT SIMILAR TO '%(default|2024_03_(30|31|01)|2024_04_01)' LOOP
            EXECUTE 'DROP TABLE ' || gone;
        END LOOP;
    END$$;
"""
LAYOUTS = {
    "plain": ("SELECT raceway.migrate()", ""),
    "by day": ("SELECT raceway.migrate('day'); SELECT raceway.make_partitions('2024-03-30', '2024-03-31')", SURPLUS),
    "by month": ("SELECT raceway.migrate('month'); SELECT raceway.make_partitions('2024-03-30', '2024-03-31')", SURPLUS),
    "repartitioned": ("SELECT raceway.migrate()", "CALL raceway.repartition('month');" + SURPLUS),
}
GRANTS = "; ".join([
    *(f"GRANT USAGE ON SCHEMA raceway TO {role}" for role in ROLES[:2]), f"GRANT INSERT, SELECT ON raceway.events TO {WRITER}",
    f"GRANT INSERT, SELECT, UPDATE ON raceway.traces TO {WRITER}"])
NO_VACUUM = """
    DO $$DECLARE leaf text; BEGIN
        FOR leaf IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'raceway'::regnamespace AND relkind = 'r' LOOP
            EXECUTE 'ALTER TABLE ' || leaf || ' SET (autovacuum_enabled = off)';
        END LOOP;
    END$$;
"""


def new_deck(chance):
    deck = EdgeDeck(chance, "e", SHAPE)
    return deck, deck.stand_before()


class Grounds:
    """Databases to begin with, one of each layout, and one whose tables stay empty."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.administration = Database(cluster, "postgres", "postgres")
        for role in ROLES:
            cluster.sql(f"CREATE ROLE {role}")
        self.empty = cluster.create_database(migrated=True)
        self.databases = {name: self._lay_out(*sql) for name, sql in LAYOUTS.items()}

    def _lay_out(self, before, after):
        database = self.cluster.create_database()
        install_checkers(database)
        database.sql(PREPARATION, "postgres")
        database.sql(f"CREATE EXTENSION raceway; {before}")
        deck, cards = new_deck(random.Random(0))
        with Session(database) as session:
            session.ingest([deck.body(cards)], "spi")
        database.sql(after)
        database.sql(f"{GRANTS}; {NO_VACUUM}; UPDATE raceway.events SET created_at = '2024-05-05';"
                     "UPDATE raceway.traces SET created_at = '2024-05-05'", "postgres")
        return database

    def partitions(self, layout):
        return {name: bound for name, bound in map(dict.values, self.databases[layout].rows(PARTITIONS))}

    def close(self):
        for database in [self.empty, *self.databases.values()]:
            database.drop()
        for role in ROLES:
            self.cluster.sql(f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def grounds(cluster):
    prepared = Grounds(cluster)
    yield prepared
    prepared.close()


class Draw:
    """A layout, and a script for it."""

    def __init__(self, grounds, name, number):
        self.chance = random.Random(f"{SEED}/{name}/{number}")
        self.layout = self.chance.choice(list(LAYOUTS))
        self._deck, _ = new_deck(self.chance)
        self._administrator = Administrator(self.chance, FAMILIES, grounds.partitions(self.layout))
        self.cards = []
        self.script = []

    def call(self):
        hands = [self._deck.hand(self.chance.randint(1, 12)) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        self.cards += [card for hand in hands for card in hand]
        user = self.chance.choice(["raceway", "raceway", "raceway", "postgres", WRITER])
        return Call(hands, [self._deck.body(hand) for hand in hands], user)

    def _change(self, *without):
        return self._administrator.change(without)

    def for_one_session(self):
        for number in range(self.chance.randint(1, 6)):
            if self.chance.random() < 0.3:
                self.script.append(Send(self.call()))
            self.script.append(Do(self._change("alone")))
            if number == 0 and self.chance.random() < 0.7:
                self.script.append(Send(self.call()))
        self.script.append(Send(self.call()))
        return self

    def for_two_sessions(self):
        for _ in range(self.chance.randint(1, 3)):
            self.script += self.chance.choice([self._one_after_the_other, self._together, self._while_changing, self._while_sending])()
        self.script.append(Send(self.call()))
        return self

    def _one_after_the_other(self):
        by_other = self.chance.random() < 0.6
        change = Do(self._change("session") if by_other else self._change(), by_other)
        return [Send(self.call()), change, Send(self.call())]

    def _together(self):
        begin = self.chance.choice(["BEGIN", "BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE"])
        steps = [Send(self.call()), Do(self._change("alone")), Send(self.call())]
        return [Together(steps[self.chance.randrange(2):], begin, self.chance.choice(["COMMIT", "COMMIT", "ROLLBACK"]))]

    def _while_changing(self):
        return [WhileChanging(self._change("alone", "data", "session"), self.chance.choice(["COMMIT", "COMMIT", "ROLLBACK"]), self.call())]

    def _while_sending(self):
        change = self._administrator.change(("data", "session")) if self.chance.random() < 0.6 else self._administrator.change(
            [family for family in FAMILIES if family != "alone"])
        again = change.alone and "DETACH" not in change.sql
        return [WhileSending(self.call(), change, self.call() if again else None)]

    def told(self):
        return "\n".join([f"on tables laid out {self.layout}:", *(f"  {step}" for step in self.script)])


def assert_agree(results):
    """All that is promised."""
    for way in WAYS:
        assert_taken_where_known(results[way].trial)
        assert_ways_agree(results[way], results["spi"])
    assert_plain_agree(results["spi"], results[PLAIN])


def assert_ways_agree(result, by_spi):
    """They answer the same, and leave the same behind."""
    way = result.trial.way
    for number, (step, expected) in enumerate(zip(result.trial.steps, by_spi.trial.steps, strict=True)):
        assert step == expected, f"{way}, and not spi, answers to step {number}: {step}, and not {expected}"
    assert result.trial.waits == by_spi.trial.waits, way
    assert differing(result.rows, by_spi.rows) == [], f"of {way} and spi"
    assert result.log == by_spi.log, f"{way} and spi"


def differing(some, others):
    return sorted((Counter(some) - Counter(others)) + (Counter(others) - Counter(some)))[:6]


def assert_taken_where_known(trial):
    """The way that was asked for where nothing is in the way, SQL elsewhere."""
    for judged in trial.judged:
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
    if not (by_spi.trial.known.compared and plain.trial.known.compared):
        return
    for number, (step, expected) in enumerate(zip(simply(by_spi.trial.steps), simply(plain.trial.steps), strict=True)):
        assert step == expected, f"spi, and not plain INSERTs, answers to step {number}: {step}, and not {expected}"
    assert differing(by_spi.rows, plain.rows) == [], "of spi and plain INSERTs"
    assert_log_follows(by_spi.log, plain.log)


def assert_left_whole(session, trial):
    """What a way has written is sound; the roll-ups are exact."""
    if session.in_transaction() and trial.steps[-1] is not None:
        return   # what is deferred fails
    if trial.way in ("direct", "checking"):
        assert_all_sound(session)
    if trial.known.exact and not trial.known.hindered("events", "traces"):
        assert session.run(INEXACT_TRACES) == []


def numbers(name, seconds):
    """Of draws, one after the other for so long; or of the only one that is asked for."""
    chance_of(name)
    if alone := os.environ.get("RACEWAY_DRAW"):
        yield int(alone)
        return
    end, number = time.monotonic() + times(seconds), 0
    while time.monotonic() < end:
        yield number
        number += 1
    print(f"{number} draws of {name}")


class OneSession:
    """Each script is run in the same session for each way, which has judged the tables as others left them."""

    name = "one session"

    def __init__(self, grounds):
        self._grounds = grounds
        self._empty = Session(grounds.empty)
        self._sessions = {name: Session(database, "postgres") for name, database in grounds.databases.items()}

    def draw(self, number):
        return Draw(self._grounds, self.name, number).for_one_session()

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

    def __init__(self, grounds):
        self._grounds = grounds
        self._empty = Session(grounds.empty)
        self._template = Session(grounds.administration, "postgres")

    def draw(self, number):
        return Draw(self._grounds, self.name, number).for_two_sessions()

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
def told(draw, name, number):
    try:
        yield
    except BaseException:
        print(f"RACEWAY_DRAW={number} of {name}:\n{draw.told()}")
        raise


@pytest.mark.parametrize("sessions", [OneSession, TwoSessions])
def test_whatever_is_made_of_the_tables(grounds, sessions):
    kind = sessions(grounds)
    for number in numbers(kind.name, 40.0):
        draw = kind.draw(number)
        with told(draw, kind.name, number):
            assert_agree(kind.run(draw))
    kind.close()

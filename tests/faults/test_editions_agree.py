"""The extension and the portable edition, side by side in one cluster: the same answers, errors and rows.

RACEWAY_STRESS=200 makes it 100,000 cases of clocks, and in two layouts as many events. The owner of the databases is a plain role.
"""

import json

import pytest

from support.chance import chance_of, times
from support.checks import inexact_traces
from support.clock_cases import ANSWERS, some_case
from support.deck import Deck, Shape
from support.editions import EDITIONS, create_database
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.ways import table_rows

SHAPES = {
    "mixed traffic": Shape(),
    "what SDKs sent, cut and shuffled": Shape(recorded=0.95, spoiled=0.02),
    "one trace, all at one moment": Shape(traces=1, times="one", ids="growing"),
    "at a few moments": Shape(traces=5, times="few"),
    "ids as wide as can be": Shape(traces=10, ids="wide"),
    "mostly bad events": Shape(spoiled=0.8),
    "large metadata": Shape(large=0.3, huge=0.02),
}
LAYOUTS = {"plain": "raceway.migrate()", "by month": "raceway.migrate(partition_by => 'month')"}


class Editions:
    """A session in a database of each edition."""

    def __init__(self, cluster, migrate):
        self.databases = {edition: create_database(cluster, edition, migrate) for edition in EDITIONS}
        self.sessions = {edition: Session(database) for edition, database in self.databases.items()}

    def both(self, ask):
        """ask(session) of each."""
        return [ask(self.sessions[edition]) for edition in EDITIONS]

    def close(self):
        for edition in EDITIONS:
            self.sessions[edition].close()
            self.databases[edition].drop()


@pytest.fixture(scope="module", params=LAYOUTS)
def editions(cluster, request):
    them = Editions(cluster, LAYOUTS[request.param])
    yield them
    them.close()


@pytest.fixture(scope="module")
def plain(cluster):
    them = Editions(cluster, LAYOUTS["plain"])
    yield them
    them.close()


def answered(session, bodies):
    """What ingest answers, but for the way; or the SQLSTATE of its error."""
    try:
        return [{key: value for key, value in answer.items() if key != "ingest_way"} for answer in session.ingest(bodies)]
    except DatabaseError as error:
        return error.pgcode


def test_clocks_of_any_kind_have_the_same_answers_and_errors(plain):
    chance = chance_of("clocks of both editions")
    plain.both(lambda session: session.run(ANSWERS))
    left = times(500)
    while left > 0:
        cases = [some_case(chance) for _ in range(min(left, 500))]
        left -= len(cases)
        extension, portable = plain.both(lambda session, cases=cases: [row for (row,) in session.run(
            "SELECT pg_temp.answers(%s)", json.dumps(cases))])
        for case, expected, found in zip(cases, extension, portable, strict=True):
            assert expected == found, case


@pytest.mark.parametrize("shape", SHAPES)
def test_random_batches_have_the_same_answers_and_rows(editions, shape):
    """With repeats, conflicts and bad events, in both formats, several bodies at once."""
    chance = chance_of(f"batches of both editions, {shape}")
    deck = Deck(chance, "e", SHAPES[shape])
    editions.both(lambda session: session.run("TRUNCATE traces, events"))
    left = times(72)
    while left > 0:
        bodies = [deck.body(deck.hand(chance.randint(1, 30))) for _ in range(chance.choice([1, 1, 2, 3]))]
        left -= sum(body.count(b"timestamp") for body in bodies)
        extension, portable = editions.both(lambda session, bodies=bodies: answered(session, bodies))
        assert extension == portable
    rows = [sorted(table_rows(editions.databases[edition])) for edition in EDITIONS]
    assert rows[0] == rows[1]
    assert inexact_traces(editions.databases["portable"]) == []


def mutated(chance, body):
    """The body with some bytes changed, lost, doubled or put in: mostly no JSON any more."""
    body = bytearray(body)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(body) + 1)
        kind = chance.randrange(5)
        if kind == 0 and body:
            body[at % len(body)] = chance.choice(b'"\\{}[],:0 -+.eEtfn\x00\x01\x80\xff\xc3\n') if chance.random() < 0.8 else chance.randrange(256)
        elif kind == 1:
            del body[at:at + chance.randint(1, 3)]
        elif kind == 2:
            body[at:at] = chance.choice([b'"', b"\\", b"\\u0000", b"\\ud800", b"\\u00e9", b"{}", b"[]", b",", b"null", b"1e5", b"-0",
                                         b"01", b"1.", b"\xef\xbb\xbf", b" ", b"\t", b"\x0b", b'"events":7,', b'"id":"x",', b"[" * 200])
        elif kind == 3:
            body[at:] = b""
        else:
            body[at:at] = body[at:at + chance.randint(1, 40)]
    return bytes(body)


def test_broken_bodies_are_judged_alike(plain):
    """Each with a neighbour in the same call that is whole, at times."""
    chance = chance_of("broken bodies of both editions")
    deck = Deck(chance, "b", Shape(spoiled=0.1, large=0))
    errors = 0
    for _ in range(times(120)):
        bodies = [mutated(chance, deck.body(deck.hand(chance.randint(1, 4))))]
        if chance.random() < 0.1:
            bodies.append(deck.body(deck.hand(1)))
        extension, portable = plain.both(lambda session, bodies=bodies: answered(session, bodies))
        assert extension == portable, bodies
        errors += isinstance(extension, str)
    assert errors > 10


def test_a_table_that_refuses_events_has_them_named_alike(plain):
    plain.both(lambda session: session.run("TRUNCATE traces, events"))
    plain.both(lambda session: session.run("ALTER TABLE events ADD CONSTRAINT no_log CHECK (kind <> 'Log')"))
    try:
        deck = Deck(chance_of("refused by both editions"), "r", Shape(spoiled=0, large=0))
        for size in (1, 7, 60):
            bodies = [deck.body(deck.hand(size))]
            extension, portable = plain.both(lambda session, bodies=bodies: answered(session, bodies))
            assert extension == portable
        assert sorted(table_rows(plain.databases["extension"])) == sorted(table_rows(plain.databases["portable"]))
    finally:
        plain.both(lambda session: session.run("ALTER TABLE events DROP CONSTRAINT no_log"))


def test_what_is_refused_speaks_for_its_id_under_another_time(plain):
    """Where the key is the id alone, a second event of that id is not stored in place of the first."""
    plain.both(lambda session: session.run("TRUNCATE traces, events"))
    plain.both(lambda session: session.run("ALTER TABLE events ADD CONSTRAINT no_log CHECK (kind <> 'Log')"))
    try:
        events = [documented_event("e", "t", 1, kind="Log"), documented_event("e", "t", 2, kind="Error"),
                  documented_event("e", "other", 3, kind="Error"), documented_event("fine", "t", 4)]
        extension, portable = plain.both(lambda session: answered(session, [json.dumps(events).encode()]))
        assert extension == portable
        assert (portable[0]["stored"], len(portable[0]["rejected"])) == (1, 3)
    finally:
        plain.both(lambda session: session.run("ALTER TABLE events DROP CONSTRAINT no_log"))


@pytest.mark.parametrize("arguments", ["NULL::bytea", "NULL::jsonb", "ARRAY['{}'::bytea, NULL]", "'{}'::bytea[]", "''::bytea"])
def test_odd_arguments_are_answered_alike(plain, arguments):
    def ask(session):
        try:
            return session.run(f"SELECT stored, duplicates, rejected FROM ingest({arguments})")
        except DatabaseError as error:
            return error.pgcode
    extension, portable = plain.both(ask)
    assert extension == portable


def test_public_functions_have_the_same_signatures(plain):
    """All that is in the extension, but what the state of its aggregates is made of."""
    def signatures(session):
        return set(session.run("""
            SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prokind, p.proisstrict,
                   p.provolatile, obj_description(p.oid, 'pg_proc')
            FROM pg_proc p WHERE p.pronamespace = 'raceway'::regnamespace AND pg_get_function_arguments(p.oid) !~ 'internal'
              AND coalesce(obj_description(p.oid, 'pg_proc'), '') NOT LIKE 'internal to vclock%%' """))
    extension, portable = plain.both(signatures)
    assert extension - portable == set()

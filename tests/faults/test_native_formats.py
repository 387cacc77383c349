"""What the extension knows of PostgreSQL's formats beyond its public interfaces changes nothing but the time it takes."""

import json

import pytest

from support.chance import chance_of, times
from support.clock_cases import ANSWERS, some_case
from support.cluster import PG_CONFIG, PostgresCluster, copy_of_extension, found_under, stage_extension
from support.deck import Deck, Shape
from support.sessions import CANCELLED, DatabaseError, Session
from support.ways import assert_whole

SHAPES = {"mixed traffic": Shape(), "wide ids, large metadata": Shape(ids="wide", large=0.2), "as SDKs send": Shape(recorded=0.95)}
SIZES = """
    SELECT e.event_id, pg_column_size(e.metadata), e.metadata::text, pg_column_size(e.vector_clock), e.vector_clock::text,
           jsonb_hash(e.metadata), jsonb_hash(e.vector_clock)
    FROM events e ORDER BY event_id COLLATE "C"
"""


def assert_same(session, switch):
    """The same answers, errors and rows, whether `switch` is on or off."""
    chance = chance_of("formats")
    session.run(ANSWERS)
    cases = json.dumps([some_case(chance) for _ in range(times(150))])
    answers = {}
    for value in ("on", "off"):
        session.run(switch(value))
        answers[value] = session.run("SELECT pg_temp.answers(%s)", cases)
    assert answers["on"] == answers["off"]
    for shape in SHAPES.values():
        deck = Deck(chance, "e", shape)
        bodies = [deck.body(deck.hand(60)) for _ in range(times(2))]
        rows = {}
        for value in ("on", "off"):
            session.run(f"TRUNCATE traces, events; {switch(value)}")
            rows[value] = [session.ingest([body], "direct") for body in bodies], session.run(SIZES)
        assert rows["on"] == rows["off"]


def test_switched_off_everything_is_as_before(migrated):
    with Session(migrated, "postgres") as session:
        assert_same(session, lambda value: f"SET raceway.native_formats = {value}")
    assert_whole(migrated)


def test_the_library_can_be_loaded_again_where_loading_it_was_cancelled(migrated):
    """Whenever it was: nothing of it is left behind half done."""
    cancelled = 0
    for number in range(300):
        with Session(migrated) as session:
            session.run("SELECT 'vclock_size(jsonb)'::regprocedure, '{}'::jsonb")
            session.run(f"SET statement_timeout = {1 + number % 12}")
            loaded = is_cancelled = False
            while not loaded:
                try:
                    if is_cancelled:
                        session.run("RESET statement_timeout")
                    loaded = session.value("SELECT vclock_size('{}')") == 0
                except DatabaseError as error:
                    assert error.pgcode == CANCELLED
                    is_cancelled = True
            cancelled += is_cancelled
    assert cancelled


def test_only_a_dba_switches_it(migrated):
    with Session(migrated) as session, pytest.raises(Exception, match="permission denied"):
        session.run("SELECT vclock_size('{}'); SET raceway.native_formats = off")


@pytest.fixture(scope="module")
def misled():
    """A cluster whose library expects a number to be stored in another way than PostgreSQL stores it."""
    extension = copy_of_extension() / "extension"
    source = extension / "src" / "postgres" / "native_formats.cpp"
    expected = '{"10001", true, 10001}'
    assert expected in source.read_text()
    source.write_text(source.read_text().replace(expected, '{"10001", true, 10002}'))
    with PostgresCluster("misled", found_under(stage_extension(extension, PG_CONFIG))) as cluster:
        yield cluster


def test_a_format_that_is_not_known_is_said_and_not_used(misled):
    database = misled.create_database(migrated=True)
    with Session(database, "postgres") as session:
        session.run("SELECT vclock_size('{}')")
        assert "does not know how this PostgreSQL stores numeric or jsonb" in "".join(session.connection.notices)
        assert_same(session, lambda value: f"SET raceway.native_formats = {value}")
        assert session.value("SELECT vclock_compare('{\"a\":10001}', '{\"a\":10002,\"b\":1}')") == "before"
    assert_whole(database)

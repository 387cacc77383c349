"""Indexes of a user's own are filled by the fast way as by an INSERT: each answers as reading the whole table does."""

import base64
import itertools
import json

import pytest

from support.chance import chance_of, times
from support.contention import Books, Loop, Pool, assert_kept, contenders, run_for
from support.deck import Deck, Shape
from support.indexes import INDEXES, PREPARATION, assert_answers, create
from support.maintenance import drop_invalid_indexes
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.ways import WAYS, assert_sound, assert_whole, ingest, table_rows

SHAPE = Shape(traces=8, spoiled=0, large=0.02)


@pytest.fixture
def prepared(migrated):
    migrated.sql(PREPARATION, "postgres")
    return migrated


def assert_all_answer(database, names=INDEXES):
    with Session(database) as session:
        for name in names:
            assert_answers(session, name)


def test_indexes_of_every_kind_are_filled(prepared):
    """Some exist before the first event, the others are made while there are events; rows are deleted in between."""
    chance = chance_of("indexes")
    deck = Deck(chance, "e", SHAPE)
    later = chance.sample(list(INDEXES), len(INDEXES) // 2)
    with Session(prepared) as session:
        for name in INDEXES.keys() - set(later):
            session.run(create(name))
        for number in range(times(12)):
            hand = deck.hand(150)
            answer, = session.ingest([deck.body(hand)], chance.choice(["direct", "direct", "checking"]))
            assert answer["ingest_way"] != "spi"
            assert (answer["stored"], answer["duplicates"]) == deck.answer(hand)[:2]
            if number == 5:
                for name in later:
                    session.run(create(name))
            if number == 8:
                session.run("DELETE FROM traces WHERE trace_id IN ('e-t-1', 'e-t-4')")
                deck.forget_traces({"e-t-1", "e-t-4"})
                session.run("VACUUM events")
    assert_all_answer(prepared)
    assert_whole(prepared)
    assert_all_answer(prepared)


def test_indexes_are_made_and_dropped_while_many_write(prepared):
    chance, pool, books = chance_of("indexes at once"), Pool("p"), Books()
    writers = contenders(prepared, pool, books, chance, ["single", "single", "savepoints"], 3)
    prepared.sql(f"ALTER DATABASE {prepared.name} SET deadlock_timeout = '30ms'", "postgres")
    builder = Session(prepared)
    names, made = chance.sample(list(INDEXES), len(INDEXES)), []

    def change():
        try:
            if names and (len(made) < 8 or chance.random() < 0.5):
                builder.run(create(names[-1], chance.choice(["", "CONCURRENTLY"])))
                made.append(names.pop())
            elif made:
                builder.run(f"DROP INDEX {chance.choice(['', 'CONCURRENTLY'])} raceway.my_{made.pop(0)}")
        except DatabaseError:
            drop_invalid_indexes(builder)

    run_for([*writers, Loop(change, 0.05)], times(1.5), until=lambda: made and books.ways["direct"])
    drop_invalid_indexes(builder)
    assert_kept(prepared, books, pool)
    assert_sound(prepared)
    assert made and books.ways["direct"]
    existing = {row["name"].removeprefix("my_") for row in
                prepared.rows("SELECT relname AS name FROM pg_class WHERE relname LIKE 'my%' AND relkind = 'i'")}
    assert_all_answer(prepared, [name for name in INDEXES if name in existing])


TOO_LARGE = {
    "a btree on metadata": "CREATE INDEX ON events (metadata)",
    "a btree that includes metadata": "CREATE INDEX ON events (kind) INCLUDE (metadata)",
    "a btree on metadata and others": "CREATE INDEX ON events (trace_id, location, kind, metadata)",
    "metadata that may not be moved out": "ALTER TABLE events ALTER metadata SET STORAGE PLAIN",
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_an_entry_that_is_too_large_is_refused_by_name(migrated, name):
    """And its neighbours are kept, by every way; what is large and can be compressed is a neighbour, if it may be."""
    refused = ["e05", "e07", "e11"] if "PLAIN" in TOO_LARGE[name] else ["e05", "e11"]
    chance = chance_of(name)
    blobs = {5: base64.b64encode(chance.randbytes(9000)).decode(), 7: "x" * 9000,
             11: base64.b64encode(chance.randbytes(9000)).decode()}
    events = [documented_event(f"e{n:02d}", "t", n, metadata={"blob": blobs.get(n)}) for n in range(16)]
    answers, rows = {}, {}
    migrated.sql(f"SET search_path = raceway; {TOO_LARGE[name]}")
    for way in WAYS:
        migrated.sql("TRUNCATE traces, events")
        answers[way] = ingest(migrated, events, way)
        rows[way] = table_rows(migrated)
        assert_whole(migrated)
    for answer in answers.values():
        answer.pop("ingest_way")
        assert [entry["id"] for entry in answer["rejected"]] == refused
    assert answers["direct"] == answers["checking"] == answers["spi"]
    assert rows["direct"] == rows["checking"] == rows["spi"]


# Around what a btree takes of one entry, a third of a page; and around what the heap would still take.
SIZES = [2_000, *range(2_640, 2_720, 8), 3_000, 6_000, 8_191, 9_000]


@pytest.mark.parametrize("layout", ["none", "day"])
def test_what_a_btree_takes_does_not_depend_on_how_full_its_pages_are(cluster, layout):
    """Nor on the way. An index that takes what nbtree refuses could not be rebuilt."""
    database = cluster.create_database()
    database.sql(f"CREATE EXTENSION raceway; SELECT raceway.migrate('{layout}');"
                 "CREATE INDEX ON raceway.events (trace_id, event_id) INCLUDE (metadata)")
    chance = chance_of("sizes of entries")
    events = [documented_event(f"e{size:05d}", "t", number, metadata={"blob": base64.b85encode(chance.randbytes(size)).decode()[:size]})
              for number, size in enumerate(SIZES)]
    refused = {}
    with Session(database) as session:
        for way, before in itertools.product(WAYS, (1, 1_000)):
            session.run("TRUNCATE raceway.traces, raceway.events")
            few = [documented_event(f"e{n:05d}-", "t", n, metadata={"n": n}) for n in range(before)]
            session.ingest([json.dumps(few).encode()], way)
            answers = [session.ingest([json.dumps(event).encode()], way)[0] for event in events]
            refused[way, before] = tuple(entry["id"] for answer in answers for entry in answer["rejected"])
            assert_whole(database)
            session.run("REINDEX TABLE raceway.events")
    assert len(set(refused.values())) == 1, refused
    assert 0 < len(refused["spi", 1]) < len(SIZES)
    database.drop()

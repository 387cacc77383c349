"""Rows and index entries one byte below, at and above what PostgreSQL takes: every way of ingest stores what an INSERT
stores, refuses what it refuses, and keeps values in the form that it gives them.

The limits are PostgreSQL's own: each is looked for by INSERTs.
"""

import json
import random
from dataclasses import dataclass

import pytest

from support.random_layouts.contents import assert_all_sound
from support.random_layouts.edge_deck import noise
from support.sessions import DatabaseError, Session
from support.traffic import documented_event
from support.ways import WAYS, install_checkers

TOO_LARGE = "54000"
NOISE = noise(random.Random("sizes"), 10_000)
WIDE = "".join(chr(random.Random(n).randrange(0x10000, 0x1FFFF)) for n in range(1_100))   # four bytes each

INSERT = """INSERT INTO events (event_id, trace_id, kind, "timestamp", location, metadata) VALUES (%s, %s, %s, %s, %s, %s)"""

# In which form values are kept, too.
ROWS = """SELECT event_id, trace_id, kind, location, metadata::text, pg_column_size(location), pg_column_size(metadata)
          FROM events WHERE trace_id <> 'before' ORDER BY event_id"""


@dataclass(frozen=True)
class Shape:
    """An index, and whether it is the location that grows, by bytes, beside the longest ids, or the metadata."""

    index: str
    grows: str = "metadata"
    most: int = 9_000

    def event(self, size):
        if self.grows == "metadata":
            return documented_event(f"e{size:05}", "t", kind="Log", location="here", metadata={"blob": NOISE[:size]})
        wide, rest = divmod(size, 4)
        return documented_event(f"e{size:05}" + WIDE[600:849], WIDE[:255], kind=WIDE[300:350],
                                location=WIDE[500:500 + wide] + "x" * rest, metadata={})


SHAPES = {
    "btree, key": Shape("(metadata)"),
    "btree, included": Shape("(kind) INCLUDE (metadata)"),
    "btree, included beside the row's id": Shape("(trace_id, event_id) INCLUDE (metadata)"),
    "btree, several": Shape("(trace_id, location, kind, event_id)", "location", 1_990),
    "gist": Shape("USING gist (location gist_trgm_ops) INCLUDE (metadata)"),
    "spgist": Shape("USING spgist (kind) INCLUDE (metadata)"),
    "brin": Shape("USING brin (location, location, location, location, location, location)", "location", 1_990),
}


@pytest.fixture(scope="module", params=["none", "day"])
def administrator(cluster, request):
    """A superuser's session; what it does is rolled back each time."""
    database = cluster.create_database()
    install_checkers(database)
    database.sql("CREATE EXTENSION pg_trgm SCHEMA public", "postgres")
    database.sql(f"CREATE EXTENSION raceway; SELECT raceway.migrate('{request.param}')")
    with Session(database, "postgres") as session:
        session.ingest([json.dumps(documented_event("before", "before", metadata={})).encode()], "spi")
        yield session
    database.drop()


def is_taken(session, event):
    """Whether an INSERT stores the event; it is taken back."""
    session.run("SAVEPOINT one")
    try:
        session.run(INSERT, *(event[name] for name in ("event_id", "trace_id", "kind", "timestamp", "location")),
                    json.dumps(event["metadata"]))
        return True
    except DatabaseError as error:
        assert error.pgcode == TOO_LARGE
        return False
    finally:
        session.run("ROLLBACK TO one")


def largest_taken(session, shape):
    """A size that is taken, while the next one is not."""
    low, high = 0, shape.most
    assert is_taken(session, shape.event(low)) and not is_taken(session, shape.event(high)), "there is no limit between"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(session, shape.event(middle)) else (low, middle)
    return low


def sent(session, way, events):
    """(The answer, the rows, the way that was taken); then it is taken back."""
    session.run("SAVEPOINT sent")
    answer, = session.ingest([json.dumps(events).encode()], way)
    rows = session.run(ROWS)
    assert_all_sound(session)
    session.run("ROLLBACK TO sent")
    return (answer["stored"], [entry["index"] for entry in answer["rejected"]]), rows, answer["ingest_way"]


@pytest.mark.parametrize("name", SHAPES)
def test_index_entries_around_the_largest(administrator, name):
    shape = SHAPES[name]
    with administrator.transaction("ROLLBACK"):
        administrator.run(f"CREATE INDEX mine ON events {shape.index}")
        administrator.run("INSERT INTO traces (trace_id) VALUES ('t'), (%s)", WIDE[:255])
        limit = largest_taken(administrator, shape)
        # An entry is a multiple of eight bytes.
        events = [shape.event(size) for size in range(limit - 9, limit + 10)]
        taken = [is_taken(administrator, event) for event in events]
        good = [event for event, is_good in zip(events, taken) if is_good]
        refused = [at for at, is_good in enumerate(taken) if not is_good]
        assert good and refused
        some, all_good = ({way: sent(administrator, way, offer) for way in WAYS} for offer in (events, good))
    for way in WAYS:
        assert some[way] == ((len(good), refused), some["spi"][1], "spi")
        assert all_good[way] == ((len(good), []), some["spi"][1], way)
        assert [row[0] for row in all_good[way][1]] == [event["event_id"] for event in good]


def test_rows_around_what_a_page_takes(administrator):
    """Where a value's header grows, and where values are compressed or moved out of the row."""
    sizes = [*range(60, 140), *range(490, 530), *range(1_750, 2_060), *range(7_900, 8_200, 7)]
    location = Shape("", "location")
    for events in ([Shape("").event(size) for size in sizes], [location.event(size) for size in sizes if size < 2_000],
                   [{**Shape("").event(size), "metadata": {"blob": "ab" * size}} for size in sizes]):
        with administrator.transaction("ROLLBACK"):
            answers = {way: sent(administrator, way, events) for way in WAYS}
        for way in WAYS:
            assert answers[way] == ((len(events), []), answers["spi"][1], way)

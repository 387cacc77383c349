"""The same random bodies by every way, and into memory: the same answers, and the same in the end."""

import pytest

from support.chance import chance_of, times
from support.deck import Deck, Shape
from support.sessions import Session
from support.server import RacewayServer
from support.store import Store, without_moments
from support.ways import WAYS, assert_whole, table_rows

# How the ways of a name are chosen; "automatic" is what a user has.
NAMES = (*WAYS, "automatic")

# name: (what the events are like, calls, events in each at most)
SHAPES = {
    "mixed traffic": (Shape(), 15, 120),
    "what SDKs sent, cut and shuffled": (Shape(recorded=0.95, spoiled=0.02), 12, 150),
    "one trace": (Shape(traces=1, spoiled=0.01), 6, 300),
    "a trace for each event": (Shape(traces=0, ids="random"), 6, 300),
    "all at one moment": (Shape(traces=3, times="one", ids="growing"), 6, 300),
    "at a few moments": (Shape(traces=5, times="few"), 10, 150),
    "the latest first": (Shape(traces=5, times="descending", ids="growing"), 6, 200),
    "ids as wide as can be": (Shape(traces=10, ids="wide"), 6, 200),
    "large metadata": (Shape(large=0.6, huge=0.1), 5, 40),
    "mostly bad events": (Shape(spoiled=0.8), 10, 100),
    "ten thousand events": (Shape(traces=3000, large=0.001, spoiled=0.002), 2, 10_000),
}

# The rejections of a body that are told by name.
MOST_TOLD = 1000

CHANGES = [
    "VACUUM events", "VACUUM FREEZE events", "VACUUM FULL events", "CLUSTER events USING idx_events_trace_id",
    "REINDEX TABLE events", "REINDEX TABLE CONCURRENTLY events", "REINDEX INDEX traces_pkey", "VACUUM FULL traces",
    "CREATE INDEX mine ON events (kind, duration_ms)", "DROP INDEX IF EXISTS mine", "ANALYZE events",
    "ALTER TABLE events SET (fillfactor = 60)", "ALTER INDEX events_pkey SET (deduplicate_items = off)",
    "ALTER TABLE events ALTER metadata SET STORAGE EXTERNAL", "TRUNCATE traces, events",
]

DIGEST = """
    SELECT count(*) || ' ' || sum(hashtextextended(row, 0)) FROM (
        SELECT 'e' || (to_jsonb(e) - 'created_at')::text FROM events e
        UNION ALL SELECT 't' || (to_jsonb(t) - 'created_at')::text FROM traces t) AS rows (row)
"""


class Rivals:
    """A database for each way, each with one session that is kept all along."""

    def __init__(self, cluster):
        self.databases = {name: cluster.create_database(migrated=True) for name in NAMES}
        self.sessions = {name: Session(database) for name, database in self.databases.items()}

    def ingest(self, bodies):
        """What each of them answers; they agree. Each went its own way."""
        answers = {name: session.ingest(bodies, name) for name, session in self.sessions.items()}
        taken = {name: {answer.pop("ingest_way") for answer in answers[name]} for name in NAMES}
        for name in NAMES:
            assert answers[name] == answers["spi"], name
        if any(answer["stored"] + answer["duplicates"] for answer in answers["spi"]):
            assert all(taken[way] == {way} for way in WAYS), taken
        return answers["spi"]

    def run(self, statement, *arguments):
        for session in self.sessions.values():
            session.run(statement, *arguments)

    def assert_equal(self):
        """They hold the same, whole."""
        digests = {name: session.value(DIGEST) for name, session in self.sessions.items()}
        if len(set(digests.values())) > 1:
            rows = {name: table_rows(database) for name, database in self.databases.items()}
            for name in NAMES:
                other = set(rows[name]) ^ set(rows["spi"])
                assert not other, f"{name} and spi differ in {len(other)} rows: {sorted(other)[:4]}"
                assert sorted(rows[name]) == sorted(rows["spi"]), f"{name} and spi differ in how often a row is there"
        for name in ("direct", "checking"):
            assert_whole(self.databases[name])

    def close(self):
        for name, session in self.sessions.items():
            session.close()
            self.databases[name].drop()


@pytest.fixture(scope="module")
def kept_rivals(cluster):
    them = Rivals(cluster)
    yield them
    them.close()


@pytest.fixture
def rivals(kept_rivals):
    """Sessions that have seen other tests, on empty tables."""
    kept_rivals.run("TRUNCATE traces, events")
    return kept_rivals


def calls(deck, count, most):
    """`count` calls of ingest: each a list of hands, one for each body. Some are an earlier call again."""
    earlier = []
    for number in range(count):
        if earlier and deck.chance.random() < 0.15:
            yield deck.chance.choice(earlier)
            continue
        bodies = deck.chance.choice([1, 1, 1, 2, 4])
        size = most if number == 0 else deck.chance.randint(1, min(most, 3000))
        hands = [deck.hand(max(1, size // bodies)) for _ in range(bodies)]
        earlier.append(hands)
        yield hands


def assert_answer(deck, hand, answer):
    """As the deck's own books say."""
    stored, duplicates, rejected = deck.answer(hand)
    assert (answer["stored"], answer["duplicates"]) == (stored, duplicates)
    assert [entry["index"] for entry in answer["rejected"]] == sorted(rejected)[:MOST_TOLD]
    assert answer["rejected_count"] == len(rejected)
    for entry in answer["rejected"]:
        reason = rejected[entry["index"]]
        assert reason is None or entry == {"index": entry["index"], "id": hand[entry["index"]].event_id, "reason": reason}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_and_memory_agree_on(rivals, shape):
    description, count, most = SHAPES[shape]
    deck = Deck(chance_of(shape), "e", description)
    with Store("memory", None, "agree", {"server": {"max_body_bytes": 2**28}}) as memory:
        for hands in calls(deck, times(count), most):
            bodies = [deck.body(hand) for hand in hands]
            for hand, body, answer in zip(hands, bodies, rivals.ingest(bodies), strict=True):
                assert_answer(deck, hand, answer)
                posted = memory.post(body)
                assert {key: posted[key] for key in answer} == answer
        rivals.assert_equal()
        with RacewayServer(database=rivals.databases["direct"], name="agree") as server, server.client() as client:
            for path in ("/api/traces", "/api/services", "/api/traces?page=1&page_size=500"):
                ours, theirs = client.get(path).ok().body, memory.client.get(path).ok().body
                assert without_moments(ours) == without_moments(theirs), path


def test_every_way_agrees_while_the_tables_are_rewritten_between_the_batches(rivals):
    """A session that is kept, and pages that are freed, moved and used again behind its back."""
    chance = chance_of("rewritten")
    deck = Deck(chance, "e", Shape(traces=12, times="few", spoiled=0))
    for hands in calls(deck, times(25), 150):
        bodies = [deck.body(hand) for hand in hands]
        for hand, answer in zip(hands, rivals.ingest(bodies), strict=True):
            assert_answer(deck, hand, answer)
        gone = {trace for trace in sorted({card.trace_id for card in deck.standing.values()}) if chance.random() < 0.15}
        rivals.run("DELETE FROM traces WHERE trace_id = ANY (%s)", sorted(gone))
        deck.forget_traces(gone)
        rivals.run("VACUUM (INDEX_CLEANUP ON) events")  # so that rows come to lie before older ones of their trace
        change = chance.choice(CHANGES)
        if change.startswith("CREATE INDEX"):
            rivals.run("DROP INDEX IF EXISTS mine")
        if change.startswith("TRUNCATE"):
            deck.standing.clear()
        rivals.run(change)
    rivals.assert_equal()

"""More than the server can take, and events that the database refuses."""

import http.client
import threading
import time

import pytest

from support.checks import check_promises, inexact_traces, stored_events
from support.load import LoadClient, acknowledged_by, load, sent_by
from support.others import WAITS_FOR_LOCK, await_lock_waiter
from support.store import posted
from support.traffic import OverlappingTraffic, documented_event
from support.wait import wait_until


class Poster(threading.Thread):
    """Posts one body on a connection of its own; `answer` when it has come."""

    def __init__(self, store, body):
        super().__init__(daemon=True)
        self._store = store
        self._body = body
        self.answer = None
        self.start()

    def run(self):
        try:
            with self._store.server.client(timeout=60) as client:
                self.answer = client.post(self._body)
        except (OSError, http.client.HTTPException) as error:
            self.answer = error

    def wait(self):
        self.join(timeout=60)
        return self.answer


@pytest.mark.parametrize("ack", ["durable", "buffered"])
def test_a_full_buffer_is_a_503_and_nothing_acknowledged_is_lost(open_store, ack):
    store = open_store("postgres", {"engine": {"ack": ack, "buffer_size": 200, "batch_size": 100}})
    batches = [[documented_event(f"{b}-{n}", f"t{b}", n) for n in range(50)] for b in range(30)]
    with store.database.held("LOCK TABLE raceway.events, raceway.traces"):
        posters = [Poster(store, batch) for batch in batches]
        wait_until(lambda: sum(p.answer is not None for p in posters) >= 20, 20, "what does not fit is refused")
        refused = [p.answer for p in posters if p.answer is not None and p.answer.status != 200]
        assert len(refused) >= 15
        for answer in refused:
            answer.refused(503)
            assert answer.headers["Retry-After"].isdigit()
    answers = [poster.wait() for poster in posters]
    assert {answer.status for answer in answers} == {200, 503}
    acknowledged = {event["event_id"] for batch, answer in zip(batches, answers) if answer.status == 200
                    for event in batch}
    wait_until(lambda: acknowledged <= set(stored_events(store.database)), 10, "what was acknowledged is stored")
    if ack == "durable":
        assert set(stored_events(store.database)) == acknowledged, "what was refused is not to be half stored"
    assert inexact_traces(store.database) == []
    assert store.post(documented_event("after", "t"))["success"] is True


def test_a_body_larger_than_the_buffer_is_not_refused_for_ever(open_store):
    """It can never fit: an SDK that sends it again and again would never get rid of it."""
    store = open_store("postgres", {"engine": {"buffer_size": 100, "batch_size": 50}})
    answer = store.client.post([documented_event(f"e{n}", "t", n) for n in range(500)])
    assert answer.status in (200, 413)
    assert store.counts()[0] == (500 if answer.status == 200 else 0)


def test_a_backlog_of_5_megabytes_is_taken(store):
    events = [documented_event(f"e{n}", f"t{n % 50}", n, metadata={"text": "x" * 300}) for n in range(10_000)]
    assert store.post({"events": events})["data"] == posted(10_000)
    assert store.post({"events": events})["data"] == posted(0, duplicates=10_000)
    assert store.counts() == (10_000, 50)


@pytest.fixture
def picky(open_store):
    """A store whose table has a user's own constraint and trigger."""
    store = open_store("postgres")
    store.database.sql("""
        ALTER TABLE events ADD CONSTRAINT no_poison CHECK (kind <> 'Poison');
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'venom is not welcome' USING ERRCODE = '23514'; END $$;
        CREATE TRIGGER venom BEFORE INSERT ON events FOR EACH ROW WHEN (new.kind = 'Venom') EXECUTE FUNCTION refuse();
    """)
    return store


def test_a_poison_event_is_rejected_by_name_and_its_neighbours_are_stored(picky):
    events = [documented_event(f"e{n:03}", f"t{n % 3}", n) for n in range(200)]
    events[17]["kind"], events[18]["kind"], events[150]["kind"] = "Poison", "Venom", "Poison"
    answer = picky.post(events)
    assert (answer["stored"], answer["duplicates"]) == (197, 0)
    assert sorted((r["index"], r["id"]) for r in answer["rejected"]) == [(17, "e017"), (18, "e018"), (150, "e150")]
    reasons = {r["id"]: r["reason"] for r in answer["rejected"]}
    assert "no_poison" in reasons["e017"] and "venom is not welcome" in reasons["e018"]
    assert set(stored_events(picky.database)) == {e["event_id"] for e in events} - {"e017", "e018", "e150"}
    assert inexact_traces(picky.database) == []


def test_a_body_of_nothing_but_poison_makes_no_trace(picky):
    answer = picky.post([documented_event(f"e{n}", "t", kind="Poison") for n in range(20)])
    assert (answer["stored"], len(answer["rejected"])) == (0, 20)
    assert picky.counts() == (0, 0)


def test_poison_of_one_client_does_not_reach_the_bodies_of_others(picky):
    """Bodies that wait together are written together."""
    clean = [[documented_event(f"{b}-{n}", f"t{b}", n) for n in range(20)] for b in range(12)]
    foul = [documented_event(f"foul-{n}", "t0", n, kind="Poison" if n % 2 else "Log") for n in range(20)]
    with picky.database.held("LOCK TABLE raceway.events, raceway.traces"):
        posters = [Poster(picky, body) for body in [*clean[:6], foul, *clean[6:]]]
        time.sleep(0.5)
    answers = [poster.wait().ok().json for poster in posters]
    assert [(a["stored"], len(a["rejected"])) for a in answers] == [(20, 0)] * 6 + [(10, 10)] + [(20, 0)] * 6
    assert [r["index"] for r in answers[6]["rejected"]] == list(range(1, 20, 2))
    assert inexact_traces(picky.database) == []


def test_under_load_with_poison_every_promise_holds(picky):
    class Poisoned(OverlappingTraffic):
        def _event(self, name):
            event = super()._event(name)
            return {**event, "kind": "Poison"} if name.endswith("7") else event

    clients = [LoadClient([picky.server.port], Poisoned(client)) for client in range(3)]
    with load(clients):
        time.sleep(2)
    assert all(client.rejected for client in clients)
    check_promises(picky.database, acknowledged_by(clients), sent_by(clients))
    assert picky.database.value("SELECT count(*) FROM events WHERE kind = 'Poison'") == 0


def test_a_privilege_taken_away_is_no_fault_of_the_events(open_store, cluster):
    """What the database refuses for other reasons than the event's content is a 503, not a rejection."""
    store = open_store("postgres")
    store.post(documented_event("before", "t"))
    cluster.sql("ALTER TABLE raceway.events OWNER TO postgres; REVOKE ALL ON raceway.events FROM raceway",
                database=store.database.name)
    answer = store.client.post(documented_event("during", "t"))
    assert answer.status in (500, 503)
    answer.refused(answer.status)
    cluster.sql("ALTER TABLE raceway.events OWNER TO raceway", database=store.database.name)
    assert store.post(documented_event("during", "t"))["stored"] == 1
    assert inexact_traces(store.database) == []


def test_a_write_that_is_cancelled_is_not_a_rejection(open_store):
    """query_canceled while a batch waits: the client is told to come again, and then it works."""
    store = open_store("postgres")
    with store.database.held("LOCK TABLE raceway.events, raceway.traces"):
        poster = Poster(store, documented_event("e", "t"))
        await_lock_waiter(store.database)
        store.database.sql(f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {WAITS_FOR_LOCK}", user="postgres")
        time.sleep(0.5)
    answer = poster.wait()
    if answer.status == 200:  # it was tried again and stored
        assert answer.json["stored"] == 1 and answer.json["rejected"] == []
    else:
        answer.refused(503)
    assert store.post(documented_event("e", "t"))["rejected"] == []
    assert set(stored_events(store.database)) == {"e"}

"""A standby that analysts ask and that takes over, with the servers that follow: no acknowledged event is lost."""

import json
import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest

from support.checks import check_promises, stored_events
from support.cluster import PostgresCluster
from support.estate import LAYOUTS, assert_goes_on, create_database, settle
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.replicas import PRIMARY_SETTINGS, Standby
from support.server import RacewayServer
from support.sessions import DatabaseError, Session
from support.traffic import OverlappingTraffic, documented_event
from support.wait import wait_until
from support.ways import WAYS

# What analysts ask: every function of clocks, the aggregates, the operators, and views on top of them.
QUESTIONS = [
    "SELECT trace_id, vclock_merge_agg(vector_clock), vclock_meet_agg(vector_clock), vclock_frontier(vector_clock)"
    " FROM events GROUP BY 1 ORDER BY 1",
    "SELECT vclock_compare(a.vector_clock, b.vector_clock) AS answer, count(*),"
    " sum((a.vector_clock << b.vector_clock)::int), sum((a.vector_clock <<= b.vector_clock)::int),"
    " sum((a.vector_clock >> b.vector_clock)::int),"
    " sum((a.vector_clock >>= b.vector_clock)::int), sum((a.vector_clock <||> b.vector_clock)::int),"
    " sum(vclock_comparable(a.vector_clock, b.vector_clock)::int),"
    " sum(vclock_equal(a.vector_clock, b.vector_clock)::int)"
    " FROM events a JOIN events b USING (trace_id) WHERE trace_id LIKE 'estate-%' GROUP BY 1 ORDER BY 1",
    "SELECT event_id, vclock_merge(vector_clock, '{\"x\": 1}'), vclock_meet(vector_clock, '{\"bank-1\": 4}'),"
    " vclock_diff(vector_clock, '{\"bank-1\": 4}'), vclock_without(vector_clock, '{bank-1}'),"
    " vclock_valid(vector_clock), vclock_components(vector_clock), vclock_size(vector_clock), vclock_sum(vector_clock),"
    " vclock_normalize(vector_clock), vclock_get(vector_clock, 'bank-1'), service_of(metadata),"
    " vclock_increment(vector_clock, 'bank-1', 2) FROM events ORDER BY event_id",
    "SELECT * FROM my_pairs ORDER BY 1, 2", "SELECT * FROM my_clocks ORDER BY 1",
    "SELECT trace_id, vclock_sum(clock) FROM my_marks ORDER BY 1",
]


@pytest.fixture
def primary():
    with PostgresCluster("leading", PRIMARY_SETTINGS) as running:
        yield running


def test_a_standby_answers_analysts_and_refuses_events_clearly(primary):
    databases = [create_database(primary, layout) for layout in LAYOUTS]
    for database in databases:
        settle(database, database.name)
    with Standby(primary, "asked") as standby:
        standby.catch_up()
        for database in databases:
            assert_is_for_reading(standby.database(database), database)
        standby.assert_consistent()


def assert_is_for_reading(copy, database):
    """A standby's database gives the same answers as its primary's, to SQL and over HTTP, and refuses to store."""
    for question in QUESTIONS:
        expected = database.sql(f"SET search_path = raceway, public; {question}")
        assert expected and copy.sql(f"SET search_path = raceway, public; {question}") == expected
    assert "nothing to do" in copy.sql("SELECT raceway.migrate()")
    for way in WAYS:
        with Session(copy) as session, pytest.raises(DatabaseError, match="read-only") as refused:
            session.ingest([json.dumps(documented_event()).encode()], way)
        assert refused.value.pgcode == "25006"

    with RacewayServer({"storage.postgres": {"connection_timeout_seconds": 1}}, copy, name="reading") as server, \
            server.client() as client:
        assert client.get("/api/traces/estate-1").ok().data["events"]
        assert client.get("/api/services").ok().data["services"]
        answer = client.post(documented_event("e", "t"))
        assert answer.refused(503) and answer.headers["Retry-After"].isdigit()
        assert "read-only" in server.log_text(), "the operator is told why, the client is not"
        assert "e" not in stored_events(copy)


class Onlooker(threading.Thread):
    """Reads from the servers without pause while the block runs. `statuses` are those of the answers, `odd` is what
    nobody should see."""

    def __init__(self, servers):
        super().__init__(daemon=True)
        self._servers = servers
        self._end = threading.Event()
        self.statuses, self.odd = set(), []

    def run(self):
        clients = [server.client(timeout=60) for server in self._servers]
        while not self._end.is_set():
            for client in clients:
                answer = client.get("/api/traces", page=1)
                self.statuses.add(answer.status)
                if answer.status != 200 and (answer.status != 503 or not answer.headers["Retry-After"].isdigit()):
                    self.odd.append((answer.status, answer.body[:300]))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self._end.set()
        self.join(timeout=60)
        assert kind is not None or not self.is_alive() and self.odd == []


def follow(primary, standby, database):
    """The connection string of a server that goes to whichever of the two takes writes."""
    return (f"host={primary.host},{standby.host} port={primary.port},{standby.port} dbname={database.name}"
            " user=raceway target_session_attrs=read-write")


def set_and_reload(cluster, setting, value):
    cluster.sql(f"ALTER SYSTEM SET {setting} = '{value}'")
    cluster.sql("SELECT pg_reload_conf()")


def make_synchronous(primary, level):
    """From now on a commit is told only after the standby has it."""
    set_and_reload(primary, "synchronous_commit", level)
    set_and_reload(primary, "synchronous_standby_names", "*")
    wait_until(lambda: primary.sql("SELECT string_agg(sync_state, ',') FROM pg_stat_replication") == "sync", 30,
               "the standby is synchronous")


@contextmanager
def deaf(standby):
    """While the block runs, the standby receives nothing."""
    receiver = int(standby.sql("SELECT pid FROM pg_stat_wal_receiver"))
    os.kill(receiver, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(receiver, signal.SIGCONT)


@pytest.mark.parametrize("layout, level", [("plain", "remote_apply"), ("partitioned", "on")])
def test_servers_follow_a_promoted_standby_and_nothing_acknowledged_is_lost(primary, layout, level):
    database = create_database(primary)
    settle(database, layout)
    before = stored_events(database)
    with Standby(primary, "taking-over") as standby:
        make_synchronous(primary, level)
        sections = {"storage.postgres": {"connection_string": follow(primary, standby, database),
                                         "connection_timeout_seconds": 2}}
        with RacewayServer(sections, database, name="follower-1") as one, \
                RacewayServer(sections, database, name="follower-2") as other:
            clients = [LoadClient([one.port, other.port], OverlappingTraffic(client, shared_share=0.2),
                                  may_be_refused=True) for client in range(4)]
            with Onlooker([one, other]) as onlooker, load(clients):
                acknowledge_more(clients, 2000)
                with deaf(standby):
                    time.sleep(1)  # whatever were acknowledged now would be lost
                    primary.kill()
                wait_until(lambda: all(client.statuses[503] for client in clients), 30, "every client is refused")
                promised = acknowledged_by(clients)
                copy = standby.database(database)
                wait_until(lambda: promised <= set(stored_events(copy)), 30, "the standby has what was acknowledged")
                standby.promote()
                acknowledge_more(clients, 2000)
        assert set().union(*(client.statuses for client in clients)) == {200, 503} == onlooker.statuses
        sent = sent_by(clients) | {event_id: {"trace_id": trace} for event_id, trace in before.items()}
        check_promises(copy, acknowledged_by(clients) | set(before), sent)
        assert_goes_on(copy)
        assert standby.complaints() == []


def test_while_the_synchronous_standby_is_away_nothing_is_acknowledged(primary):
    """A commit that only one machine has is no answer yet. When the standby is back, or is given up, it goes on."""
    database = primary.create_database(migrated=True)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with Standby(primary, "going-away") as standby:
        make_synchronous(primary, "remote_apply")
        with RacewayServer({"engine": {"writers": 1}}, database, name="waiting") as server:
            clients = [LoadClient([server.port], OverlappingTraffic(client)) for client in range(3)]
            with load(clients):
                for end in (standby.start, lambda: set_and_reload(primary, "synchronous_standby_names", "")):
                    acknowledge_more(clients, 500)
                    standby.stop_immediately()
                    wait_until(lambda: primary.sql(waiting) == "1", 30, "the only writer waits for the standby")
                    time.sleep(0.3)  # for answers that are on their way
                    before = acknowledged_by(clients)
                    time.sleep(0.7)
                    assert acknowledged_by(clients) == before
                    end()
                    acknowledge_more(clients, 500)
        check_promises(database, acknowledged_by(clients), sent_by(clients))

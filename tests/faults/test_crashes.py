"""Servers and databases that die in the middle of load: what was acknowledged is there, once."""

import http.client
import time

import pytest

from support.checks import check_promises, stored_events
from support.cluster import PostgresCluster
from support.load import LoadClient, acknowledged_by, load, sent_by
from support.others import await_lock_waiter
from support.server import RacewayServer
from support.traffic import OverlappingTraffic, documented_event
from support.ways import assert_sound
from support.wait import wait_until


def load_clients(server, count=4, **options):
    return [LoadClient([server.port], OverlappingTraffic(client, shared_share=0.2), **options)
            for client in range(count)]


def answers_200(server):
    """Whether a POST is answered with 200; otherwise it must be a 503 with Retry-After."""
    with server.client(timeout=30) as client:
        answer = client.post(documented_event("probe", "probe"))
    if answer.status != 200:
        answer.refused(503)
        assert answer.headers["Retry-After"].isdigit()
    return answer.status == 200


def acknowledge_some(clients, more):
    """Waits until the clients have been promised that many more events."""
    goal = len(acknowledged_by(clients)) + more
    wait_until(lambda: len(acknowledged_by(clients)) >= goal, 30, f"{more} more events are acknowledged", every=0.05)


def test_kill_9_of_the_server_loses_nothing_acknowledged(database):
    server = RacewayServer(database=database, name="killed").start()
    try:
        clients = load_clients(server, may_lose_connection=True)
        with load(clients):
            for _ in range(4):
                acknowledge_some(clients, 1000)
                server.kill()
                assert acknowledged_by(clients) - set(stored_events(database)) == set()
                server.start()
            acknowledge_some(clients, 1000)
        assert all(client.lost_connections for client in clients)
        assert set().union(*(client.statuses for client in clients)) == {200}
        check_promises(database, acknowledged_by(clients), sent_by(clients))
        assert_sound(database)
    finally:
        assert server.stop() == 0


@pytest.fixture
def own_cluster():
    with PostgresCluster(name="crashing") as running:
        yield running


def test_an_immediate_stop_of_postgresql_is_a_503_and_heals_by_itself(own_cluster):
    database = own_cluster.create_database()
    with RacewayServer({"storage.postgres": {"connection_timeout_seconds": 2}}, database, name="healing") as server:
        clients = load_clients(server, may_be_refused=True)
        with load(clients):
            for _ in range(3):
                acknowledge_some(clients, 1000)
                own_cluster.stop_immediately()
                refused = sum(client.statuses[503] for client in clients)
                # The Python and Go SDKs drop a batch that has no answer after 10 s.
                wait_until(lambda: sum(client.statuses[503] for client in clients) > refused, 9, "clients get a 503")
                own_cluster.start()
                wait_until(lambda: answers_200(server), 15, "the server heals by itself", every=0.2)
            acknowledge_some(clients, 1000)
        assert set().union(*(client.statuses for client in clients)) == {200, 503}
        check_promises(database, acknowledged_by(clients), sent_by(clients) | {"probe": {"trace_id": "probe"}})
        assert_sound(database)


def test_while_the_database_is_away_reading_is_a_503_too(own_cluster):
    with RacewayServer({"storage.postgres": {"connection_timeout_seconds": 1}}, own_cluster.create_database(),
                       name="reading") as server, server.client() as client:
        client.post(documented_event("e", "t")).ok()
        own_cluster.stop_immediately()
        answers = [client.get(path) for path in ("/api/traces?page=1", "/api/traces", "/api/traces/t", "/api/services")]
        answers.append(client.post(documented_event("during", "t")))
        for answer in answers:
            answer.refused(503)
            assert answer.headers["Retry-After"].isdigit()
        assert [place for place in (own_cluster.host, str(own_cluster.port), "user", "socket")
                for answer in answers if place in answer.refused(503)] == [], "that is nobody's business"
        assert str(own_cluster.port) in server.log_text()
        assert client.get("/health").status in (200, 503)
        own_cluster.start()
        wait_until(lambda: client.get("/api/traces/t").status == 200, 15, "reading heals", every=0.2)


def test_a_restart_of_postgresql_between_requests_is_not_noticed(own_cluster):
    with RacewayServer(database=own_cluster.create_database(), name="restart") as server, server.client() as client:
        client.post(documented_event("before", "t")).ok()
        own_cluster.stop()
        own_cluster.start()
        assert client.get("/api/traces/t").ok().data["events"][0]["id"] == "before"
        client.post(documented_event("after", "t")).ok()


def test_connections_cut_by_the_administrator_are_replaced(cluster, open_store):
    store = open_store("postgres")
    clients = load_clients(store.server, count=3, may_be_refused=True)
    with load(clients):
        for _ in range(10):
            acknowledge_some(clients, 100)
            cluster.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        f" WHERE datname = '{store.database.name}' AND pid <> pg_backend_pid()")
        acknowledge_some(clients, 100)
    check_promises(store.database, acknowledged_by(clients), sent_by(clients))
    assert_sound(store.database)


@pytest.mark.parametrize("ack", ["durable", "buffered"])
def test_sigterm_under_load_exits_0_and_loses_nothing_acknowledged(database, ack):
    for round_ in range(3):
        with RacewayServer({"engine": {"ack": ack}}, database, name=f"sigterm-{ack}") as server:
            clients = [LoadClient([server.port], OverlappingTraffic(client, seed=round_), may_lose_connection=True,
                                  may_be_refused=True) for client in range(4)]
            with load(clients):
                acknowledge_some(clients, 1500)
                began = time.monotonic()
                server.terminate()
                assert server.wait(40) == 0, server.log_text()[-3000:]
                assert time.monotonic() - began < 20
            lost = acknowledged_by(clients) - set(stored_events(database))
            assert lost == set(), f"round {round_}: {len(lost)} of {len(acknowledged_by(clients))} lost"
    database_traces = database.value("SELECT sum(event_count) FROM traces")
    assert database_traces == len(stored_events(database))


def test_sigterm_in_memory_exits_0(open_store):
    store = open_store("memory")
    clients = [LoadClient([store.server.port], OverlappingTraffic(client), may_lose_connection=True,
                          may_be_refused=True) for client in range(2)]
    with load(clients):
        acknowledge_some(clients, 1000)
        store.server.terminate()
        assert store.server.wait(40) == 0
    store.server.start()


def test_sigterm_waits_for_a_request_that_is_arriving(open_store):
    store = open_store("postgres")
    connection = http.client.HTTPConnection("127.0.0.1", store.server.port, timeout=30)
    body = b'{"event_id":"late","trace_id":"t","kind":"Log","timestamp":"2026-01-01T00:00:00Z"}'
    connection.putrequest("POST", "/events")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:10])
    time.sleep(0.3)
    store.server.terminate()
    time.sleep(0.3)
    connection.send(body[10:])
    answered = connection.getresponse().status
    assert store.server.wait(40) == 0
    assert answered in (200, 503)
    assert ("late" in stored_events(store.database)) == (answered == 200)
    store.server.start()


def test_a_second_sigterm_exits_at_once(database):
    """The first waits for the database, which hangs; the second does not."""
    server = RacewayServer(database=database, name="twice").start()
    try:
        clients = load_clients(server, count=2, may_lose_connection=True, may_be_refused=True)
        with load(clients):
            acknowledge_some(clients, 100)
            with database.held("LOCK TABLE raceway.events, raceway.traces"):
                await_lock_waiter(database)
                server.terminate()
                time.sleep(1)
                assert server.process.poll() is None, "the first SIGTERM is to drain"
                server.terminate()
                server.wait(3)
    finally:
        if server.process.poll() is None:
            server.kill()


def test_a_start_while_the_database_is_away_waits_or_says_so(own_cluster):
    database = own_cluster.create_database(migrated=True)
    own_cluster.stop()
    server = RacewayServer({"storage.postgres": {"connection_timeout_seconds": 1}}, database, name="early").launch()
    time.sleep(1)
    own_cluster.start()
    try:
        if server.process.poll() is None:
            wait_until(lambda: answers_200_or_nothing(server), 20, "the server that waited answers", every=0.2)
        else:
            assert server.process.returncode > 0 and "connect" in server.log_text().lower()
    finally:
        server.stop()


def answers_200_or_nothing(server):
    try:
        return answers_200(server)
    except OSError:
        return False

"""Databases that hang: they neither answer nor fail. Clients get an answer in time, and nothing promised is lost."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.checks import check_promises, stored_events
from support.cluster import PASSWORD, PostgresCluster
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.relay import Relay
from support.server import RacewayServer
from support.traffic import OverlappingTraffic, documented_event
from support.wait import wait_until

# Short, so that the tests are; what it is by default, the units say.
SHORT = {"engine": {"ack_timeout_seconds": 1}, "server": {"drain_timeout_seconds": 1},
         "storage.postgres": {"query_timeout_seconds": 1, "connection_timeout_seconds": 2}}
READS = ("/status", "/api/traces?page=1", "/api/traces", "/api/traces/t", "/api/services")


@pytest.fixture(scope="module")
def own_cluster():
    with PostgresCluster(name="hanging") as running:
        yield running


class Hang:
    """Some way in which the database of a server hangs."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.database = cluster.create_database(migrated=True)

    def connection_string(self):
        return self.database.connection_string()

    reads_hang = True
    other_sessions_work = False


class AbsentStandby(Hang):
    """COMMIT waits for a synchronous standby that does not come. Reading works."""

    reads_hang = False

    def begin(self):
        self._name("nowhere")

    def end(self):
        self._name("")

    def _name(self, standbys):
        # Over a connection of its own, for no statement that writes would return.
        self.cluster.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
        self.cluster.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.cluster.sql("SHOW synchronous_standby_names") == standbys, 10, "it is so")


class StoppedProcesses(Hang):
    """Every process of the cluster stands still, the one that takes connections, too."""

    def _pids(self):
        postmaster = self.cluster.process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

    def _send(self, number):
        for pid in self._pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def begin(self):
        self._send(signal.SIGSTOP)

    def end(self):
        self._send(signal.SIGCONT)


class StoppedBackends(StoppedProcesses):
    """The sessions stand still; new ones can be had."""

    reads_hang = False
    other_sessions_work = True

    def _pids(self):
        if not hasattr(self, "_stopped"):
            self._stopped = self.cluster.sql(
                f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.database.name}'").split()
        return [int(pid) for pid in self._stopped]

    def end(self):
        super().end()
        del self._stopped


class SilentNetwork(Hang):
    """Nothing comes through any more, while the other end of each connection stands."""

    def __init__(self, cluster):
        super().__init__(cluster)
        self.relay = Relay(("127.0.0.1", cluster.port))

    def connection_string(self):
        return (f"host=127.0.0.1 port={self.relay.port} dbname={self.database.name} user={self.database.owner} "
                f"password={PASSWORD}")

    def begin(self):
        self.relay.go_silent()

    def end(self):
        self.relay.go_on()


@pytest.fixture(params=[AbsentStandby, StoppedProcesses, StoppedBackends, SilentNetwork],
                ids=lambda kind: kind.__name__)
def hang(request, own_cluster):
    made = request.param(own_cluster)
    yield made
    made.database.drop()


def serving(hang, name, **engine):
    sections = {**SHORT, "engine": {**SHORT["engine"], **engine}, "storage": {"backend": "postgres"},
                "storage.postgres": {**SHORT["storage.postgres"], "connection_string": hang.connection_string()}}
    return RacewayServer(sections, name=f"{name}-{type(hang).__name__}")


@contextmanager
def hanging(hang):
    hang.begin()
    try:
        yield
    finally:
        hang.end()


def refused_for_now(answer):
    reason = answer.refused(503)
    assert answer.headers["Retry-After"].isdigit()
    return reason


def test_a_post_is_answered_in_time_and_may_be_sent_again(hang):
    with serving(hang, "hang") as server, server.client(timeout=9) as client:  # SDKs wait 10 s
        client.post(documented_event("before", "t")).ok()
        with hanging(hang):
            reason = refused_for_now(client.post(documented_event("during", "t")))
            assert "may be stored or not" in reason and "again" in reason
            later = client.post(documented_event("later", "t"))
            if later.status != 200 or not hang.other_sessions_work:
                refused_for_now(later)
        wait_until(lambda: client.post(documented_event("during", "t")).status == 200, 15, "it heals", every=0.2)
        client.post(documented_event("later", "t")).ok()
        assert set(stored_events(hang.database)) == {"before", "during", "later"}


def test_readers_are_answered_in_time(hang):
    with serving(hang, "reading") as server, server.client() as client:
        client.post(documented_event("e", "t")).ok()
        with hanging(hang), ThreadPoolExecutor(len(READS)) as readers:
            for answer in readers.map(lambda path: read(server, path), READS):
                if answer.status != 200 or hang.reads_hang:
                    refused_for_now(answer)
        wait_until(lambda: client.get("/api/traces/t").status == 200, 15, "reading heals", every=0.2)


def read(server, path):
    with server.client(timeout=15) as client:
        return client.get(path)


@pytest.mark.parametrize("hang", [AbsentStandby, StoppedProcesses], indirect=True, ids=lambda kind: kind.__name__)
def test_under_load_every_promise_holds(hang):
    with serving(hang, "load") as server:
        clients = [LoadClient([server.port], OverlappingTraffic(client), may_be_refused=True) for client in range(4)]
        with load(clients):
            acknowledge_more(clients, 500)
            with hanging(hang):
                wait_until(lambda: sum(client.statuses[503] for client in clients) >= 8, 20,
                           "clients are told to come again")
            acknowledge_more(clients, 500)
    check_promises(hang.database, acknowledged_by(clients), sent_by(clients))


def test_sigterm_ends_a_server_whose_database_hangs(hang):
    end_while_hanging(hang, "durable")


def test_sigterm_while_the_database_hangs_tells_of_what_was_promised(own_cluster):
    hang = StoppedProcesses(own_cluster)
    end_while_hanging(hang, "buffered")
    hang.database.drop()


def end_while_hanging(hang, ack):
    server = serving(hang, f"ending-{ack}", ack=ack).start()
    try:
        with server.client() as client:
            client.post(documented_event("before", "t")).ok()
        wait_until(lambda: "before" in stored_events(hang.database), 10, "it is stored")
        with hanging(hang):
            posters = [threading.Thread(target=post_and_read, args=(server, number), daemon=True)
                       for number in range(4)]
            for poster in posters:
                poster.start()
            time.sleep(0.5)
            server.terminate()
            # What was acknowledged and is not known to be stored is told by the exit status.
            assert server.wait(20) == (0 if ack == "durable" else 1), server.log_text()[-3000:]
            for poster in posters:
                poster.join(20)
        assert "before" in stored_events(hang.database)
        assert ("could not be stored" in server.log_text()) == (ack == "buffered")
    finally:
        if server.process.poll() is None:
            server.kill()


def post_and_read(server, number):
    try:
        with server.client(timeout=20) as client:
            client.post(documented_event(f"during-{number}", "t"))
            client.get("/api/services")
    except OSError:
        pass


def test_sigterm_ends_a_start_that_waits_for_the_database(own_cluster):
    hang = StoppedProcesses(own_cluster)
    server = serving(hang, "starting")
    try:
        with hanging(hang):
            server.launch()
            time.sleep(0.5)
            assert server.process.poll() is None
            server.terminate()
            assert server.wait(5) == 128 + signal.SIGTERM
    finally:
        if server.process.poll() is None:
            server.kill()
        hang.database.drop()


def test_a_limit_leaves_nothing_set_in_a_session(own_cluster):
    """A pooler may hand the session to someone else."""
    database = own_cluster.create_database(migrated=True)
    with RacewayServer({"storage.postgres": {"max_connections": 1, "min_connections": 1}, "engine": {"writers": 1}},
                       database, name="nothing-set") as server, server.client() as client:
        database.sql("CREATE TABLE seen (setting text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
                     "$$ BEGIN INSERT INTO seen SELECT current_setting('statement_timeout'); RETURN NULL; END $$;"
                     "CREATE TRIGGER see AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION see()")
        for number in range(3):
            for path in READS:
                client.get(path)
            client.post(documented_event(f"e{number}", "t")).ok()
        assert {row["setting"] for row in database.rows("SELECT * FROM seen")} == {"0"}
    database.drop()

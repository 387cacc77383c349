"""Through PgBouncer in transaction mode: no statement may lean on its session."""

import os
import signal
import time

import pytest

from support import model
from support.checks import check_promises
from support.load import LoadClient, acknowledged_by, load, sent_by
from support.pgbouncer import PgBouncer
from support.server import RacewayServer
from support.store import Store
from support.traffic import RECORDED, OverlappingTraffic, documented_event, recorded_bodies, recorded_events
from support.wait import wait_until


class PooledStore(Store):
    """A store whose server reaches its database through PgBouncer."""

    def __init__(self, cluster, bouncer, name, **engine):
        super().__init__("postgres", cluster, name)
        self.server = RacewayServer({"engine": engine, "storage": {"backend": "postgres"}, "storage.postgres": {
            "connection_string": bouncer.connection_string(self.database)}}, name=name)
        self.client = self.server.client()


@pytest.fixture
def bouncer(cluster):
    with PgBouncer(cluster, server_connections=1) as running:
        yield running


def test_recorded_traffic_passes_over_one_server_connection(cluster, bouncer):
    with PooledStore(cluster, bouncer, "pooled") as store:
        for capture, (events, _) in RECORDED.items():
            answers = store.post_all(recorded_bodies(capture))
            assert sum(answer["stored"] for answer in answers) == events
        every = [event for capture in RECORDED for event in recorded_events(capture)]
        assert store.counts() == (len(every), len({event["trace_id"] for event in every}))
        sent = {event["id"]: event for event in every}
        got = [event for trace in store.export() for event in trace["events"]]
        assert len(got) == len(sent)
        assert [d for event in got if (d := model.sdk_difference(sent[event["id"]], event))] == []


def test_two_servers_share_one_server_connection_under_load(cluster, bouncer):
    with PooledStore(cluster, bouncer, "pooled-1") as store:
        second = RacewayServer({"storage": {"backend": "postgres"}, "storage.postgres": {
            "connection_string": bouncer.connection_string(store.database)}}, name="pooled-2")
        with second:
            clients = [LoadClient([port], OverlappingTraffic(f"{port}-{c}"))
                       for port in (store.server.port, second.port) for c in range(2)]
            with load(clients):
                time.sleep(3)
                while len(acknowledged_by(clients)) < 1000:
                    time.sleep(0.1)
                    store.get("/api/traces", page=1)
        check_promises(store.database, acknowledged_by(clients), sent_by(clients))


def test_writes_go_on_once_the_pooler_gives_up_a_database_that_stands_still(cluster):
    """Its own end of each connection is well all the while: only the pooler can tell."""
    with (PgBouncer(cluster, more="query_timeout = 3\n") as bouncer,
          PooledStore(cluster, bouncer, "still", ack_timeout_seconds=1) as store):
        store.post(documented_event("before", "t"))
        stuck, = store.database.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'").split()
        os.kill(int(stuck), signal.SIGSTOP)
        try:
            refused = store.client.post(documented_event("during", "t"))
            assert refused.refused(503) and refused.headers["Retry-After"].isdigit()
            wait_until(lambda: store.client.post(documented_event("after", "t")).status == 200, 30, "another session takes it")
            assert store.post(documented_event("during", "t"))["duplicates"] == 1, "what was under way went in, too"
        finally:
            os.kill(int(stuck), signal.SIGCONT)
        assert store.database.value("SELECT event_count FROM raceway.traces") == 3

"""Many clients, two servers, one database: overlapping traces, overlapping ids."""

import os
import re
import time

import pytest

from support import model
from support.checks import check_promises, stored_events
from support.load import LoadClient, acknowledged_by, load, sent_by
from support.server import RacewayServer
from support.traffic import OverlappingTraffic, documented_event
from support.ways import assert_sound, assert_whole

SECONDS = float(os.environ.get("RACEWAY_STORM_SECONDS", "60"))
CLIENTS = 4


# Where the disk stands still for seconds, clients are to be told (test_hangs.py); this is about clients in each other's way.
PATIENT = {"engine": {"ack_timeout_seconds": 50}}


@pytest.fixture
def two_servers(database):
    with RacewayServer(PATIENT, database, name="storm-1") as first, RacewayServer(
            PATIENT, database, name="storm-2") as second:
        yield first, second


def log_since(cluster, place):
    with open(cluster.log, encoding="utf-8", errors="replace") as log:
        log.seek(place)
        return log.read()


@pytest.mark.storm
def test_overlapping_batches_from_4_clients_to_each_of_2_servers(cluster, database, two_servers):
    log_place = cluster.log.stat().st_size
    clients = [LoadClient([server.port], OverlappingTraffic(f"{s}-{c}"), batch_size=20 + 30 * c)
               for s, server in enumerate(two_servers) for c in range(CLIENTS)]
    with load(clients):
        time.sleep(SECONDS)
    sent = sent_by(clients)
    assert [problem for client in clients for problem in client.problems] == []
    assert set().union(*(client.statuses for client in clients)) == {200}
    assert [client.rejected for client in clients if client.rejected] == []
    check_promises(database, acknowledged_by(clients), sent)
    assert_sound(database)

    stored = stored_events(database)
    assert sum(client.stored for client in clients) == len(stored), "an event was counted as stored twice or never"
    traces = model.traces_of(model.documented_row(sent[event_id]) for event_id in stored)
    got = {row["trace_id"]: row for row in database.rows("SELECT trace_id, event_count, service_name FROM traces")}
    assert {trace_id: (row["event_count"], row["service_name"]) for trace_id, row in got.items()} == {
        trace_id: (len(trace.rows), trace.service_name) for trace_id, trace in traces.items()}

    # Not what others of the cluster say: autovacuum gives way to whoever needs its locks, as an error of its own.
    said = [line for line in log_since(cluster, log_place).splitlines() if f"@{database.name} " in line]
    assert [line for line in said if re.search(" ERROR: | FATAL: |deadlock", line)] == []
    for server in two_servers:
        assert [line for line in server.log_text().splitlines() if re.search("warn|error", line)] == []
    print(f"{sum(client.statuses[200] for client in clients)} batches, {len(stored)} events")


class Contested(OverlappingTraffic):
    """The same ids under the client's own traces: of each id only one trace can win."""

    def batch(self, size):
        numbers = self._random.sample(range(1500), size)
        return [documented_event(f"contested-{n}", f"of-{self._client}-{n % 7}", n) for n in numbers]


def test_one_id_under_many_traces_is_stored_once_and_else_rejected(database, two_servers):
    clients = [LoadClient([server.port], Contested(f"{s}-{c}")) for s, server in enumerate(two_servers)
               for c in range(2)]
    with load(clients):
        time.sleep(min(SECONDS, 4))
    stored = stored_events(database)
    assert len(stored) > 1000
    assert sum(client.stored for client in clients) == len(stored)
    assert all(client.rejected for client in clients)
    assert {entry["id"] for client in clients for entry in client.rejected} <= set(stored)
    assert_whole(database)


def test_two_migrations_at_once_make_one_schema(cluster):
    """Servers that start together on an empty database: all come up, nothing is there twice."""
    for _ in range(3):
        database = cluster.create_database()
        servers = [RacewayServer(database=database, name=f"migrating-{n}").launch() for n in range(3)]
        try:
            for server in servers:
                server.await_answer()
            assert database.value("SELECT count(*) FROM schema_migrations") == database.value(
                "SELECT max(version) FROM schema_migrations")
            for n, server in enumerate(servers):
                with server.client() as client:
                    client.post(documented_event(f"e{n}", "t")).ok()
        finally:
            assert [server.stop() for server in servers] == [0, 0, 0]

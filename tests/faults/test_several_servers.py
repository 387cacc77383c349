"""Any number of servers on one database, nginx in front: they come, go and die without anybody noticing."""

import re
import subprocess
from collections import Counter

import pytest

from support import paths
from support.checks import check_promises, stored_events
from support.cluster import PostgresCluster
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.nginx import Nginx
from support.server import RacewayServer, server_environment
from support.traffic import OverlappingTraffic, documented_event
from support.ways import assert_sound
from support.wait import wait_until


@pytest.fixture
def own_cluster():
    with PostgresCluster(name="several") as running:
        yield running


@pytest.fixture
def servers(own_cluster):
    """Four servers on one empty database, none of them started."""
    database = own_cluster.create_database()
    made = [RacewayServer(database=database, name=f"several-{number}") for number in range(4)]
    for server in made:
        server.database = database
    yield made
    for server in made:
        if server.process is not None and server.process.poll() is None:
            server.stop()


def refusals(clients):
    return sum(client.statuses[503] for client in clients)


def events_through(server):
    """How many requests it has had, by its log."""
    return len(re.findall(r"POST /events", server.log_text()))


def test_servers_die_and_come_and_the_database_restarts_behind_one_address(own_cluster, servers):
    for server in servers:
        server.config.write_text(server.config.read_text() + '[logging]\nlevel = "debug"\n')
    database = servers[0].database
    for server in servers[:3]:
        server.launch()  # at the same time: each of them finds an empty database
    for server in servers[:3]:
        server.await_answer()
    with Nginx([server.port for server in servers]) as nginx:
        clients = [LoadClient([nginx.port], OverlappingTraffic(client, shared_share=0.2), may_be_refused=True)
                   for client in range(6)]
        with load(clients):
            acknowledge_more(clients, 1000)
            assert all(events_through(server) > 0 for server in servers[:3]), "each has its part"
            servers[0].kill()
            acknowledge_more(clients, 1000)
            servers[3].start()
            wait_until(lambda: events_through(servers[3]) > 0, 20, "the server that came gets its part")
            acknowledge_more(clients, 1000)
            assert refusals(clients) == 0, "no client noticed so far"
            own_cluster.stop()
            wait_until(lambda: refusals(clients) > 0, 20, "the database is away: clients are told to come again")
            own_cluster.start()
            acknowledge_more(clients, 1000)
            refused = refusals(clients)
            servers[1].terminate()
            assert servers[1].wait(40) == 0
            acknowledge_more(clients, 1000)
            assert refusals(clients) == refused, "nobody noticed the server that was ended"
        assert set().union(*(client.statuses for client in clients)) <= {200, 503}
    check_promises(database, acknowledged_by(clients), sent_by(clients))
    assert_sound(database)


def test_with_no_server_left_nginx_answers_as_they_would(servers):
    servers[0].start()
    with Nginx([server.port for server in servers]) as nginx, nginx.client() as client:
        client.post(documented_event("e", "t")).ok()
        large = client.post(b"x" * (65 << 20))
        large.refused(413)
        servers[0].stop()
        answer = client.post(documented_event("f", "t"))
        answer.refused(503)
        assert answer.headers["Retry-After"].isdigit()
        servers[1].start()
        wait_until(lambda: client.post(documented_event("f", "t")).status == 200, 10, "another server takes over")
    assert set(stored_events(servers[0].database)) == {"e", "f"}


def test_migrations_at_the_same_time_follow_each_other(own_cluster):
    """Each finds the database as the one before has left it."""
    database = own_cluster.create_database()
    done = at_once(database, 6, "migrate")
    assert [errors for _, _, errors in done if errors] == []
    said = Counter(re.sub(r"version \d+", "version N", text.strip()) for _, text, _ in done)
    assert said == {"the extension, schema version N, was 0": 1, "the extension, schema version N, nothing to do": 5}
    versions = database.rows("SELECT version FROM schema_migrations")
    assert len(versions) == len({row["version"] for row in versions})


def test_cleanups_at_the_same_time_remove_everything_once(own_cluster):
    database = own_cluster.create_database(migrated=True)
    with RacewayServer(database=database, name="cleaning") as server, server.client() as client:
        for part in range(6):
            client.post([documented_event(f"{part}-{n}", f"t{part}-{n % 500}", n) for n in range(1000)]).ok()
        database.sql("UPDATE traces SET created_at = created_at - interval '40 days', end_time = end_time - interval "
                     "'40 years', start_time = start_time - interval '40 years'")
        done = at_once(database, 3, "cleanup", "--older-than", "30 days", "--batch-size", "100")
        client.post(documented_event("after", "t")).ok()
    assert [errors for status, _, errors in done if status != 0] == []
    removed = [re.fullmatch(r"removed (\d+) traces, (\d+) events\n|nothing was done\n", text) for _, text, _ in done]
    assert all(removed), done
    assert sum(int(match[1] or 0) for match in removed) == 3000
    assert sum(int(match[2] or 0) for match in removed) == 6000
    assert set(stored_events(database)) == {"after"}


def at_once(database, count, *words):
    """Runs a command so many times at the same time; (status, stdout, stderr) of each."""
    environment = server_environment({"RACEWAY_STORAGE_BACKEND": "postgres", "RACEWAY_LOGGING_LEVEL": "error",
                                      "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": database.connection_string()})
    running = [subprocess.Popen([str(paths.SERVER), *words], text=True, env=environment, cwd="/",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(count)]
    ended = [process.communicate(timeout=60) for process in running]
    return [(process.returncode, *said) for process, said in zip(running, ended)]

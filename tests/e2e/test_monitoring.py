"""/metrics, as a real Prometheus reads it, the health of a server, and the files that go with them."""

import json
import re
import signal
import socket

import pytest

from support import paths
from support.cluster import PostgresCluster
from support.metrics import metrics
from support.prometheus import Prometheus, promtool
from support.server import RacewayServer
from support.traffic import documented_event
from support.wait import free_port, wait_until

MONITORING = paths.ROOT / "server" / "monitoring"
KEYS = {"server": {"auth_enabled": True, "api_keys": ["key-one"]}}


def event(number, trace="t", **other):
    return documented_event(f"e{number}", trace, **other)


def send_some(store):
    """Good ones, two again, and two bad ones of different kinds."""
    assert store.post([event(n) for n in range(10)])["stored"] == 10
    answer = store.post([event(8), event(9), event(10), event(11, timestamp="yesterday"), event(1, trace="another")])
    assert (answer["stored"], answer["duplicates"], len(answer["rejected"])) == (1, 2, 2)
    assert store.client.post("no JSON").status == 400
    assert store.client.get("/api/traces/none-such").status == 400
    assert store.client.get("/nowhere/at/all").status == 404


SENT = {
    "raceway_events_stored_total": 11,
    "raceway_events_duplicate_total": 2,
    "raceway_events_lost_total": 0,
    "raceway_events_rejected_total": 2,
    'raceway_events_rejected_total{reason="bad_timestamp"}': 1,
    'raceway_events_rejected_total{reason="other_trace"}': 1,
    'raceway_http_requests_total{method="POST",route="/events",status="2xx"}': 2,
    'raceway_http_requests_total{method="POST",route="/events",status="4xx"}': 1,
    'raceway_http_requests_total{route="/api/traces/:id",status="4xx"}': 1,
    'raceway_http_requests_total{route="none"}': 1,
    'raceway_http_request_duration_seconds_count{route="/events"}': 3,
}


def test_prometheus_reads_the_numbers_that_were_sent(store):
    send_some(store)
    with Prometheus([store.server.port], rules=[MONITORING / "alerts.yml"]) as prometheus:
        for query, expected in SENT.items():
            prometheus.await_value(query, expected)
        prometheus.await_value(f'raceway_build_info{{backend="{store.configured_backend}"}}', 1)
        if store.backend == "memory":
            prometheus.await_value("raceway_memory_events", 11)
            prometheus.await_value("raceway_memory_traces", 1)
            assert 0 < prometheus.value("raceway_memory_bytes") < prometheus.value("raceway_memory_max_bytes")
        else:
            # Both bodies with good events went as a batch each: the second was sent after the first was acknowledged.
            prometheus.await_value("raceway_ingest_batch_events_count", 2)
            assert prometheus.value("raceway_ingest_batch_events_sum") == 15
            assert prometheus.value("raceway_ingest_flush_duration_seconds_count") == 2
            assert prometheus.value("raceway_ingest_flush_duration_seconds_sum") > 0
            assert prometheus.value("raceway_ingest_buffer_events") == 0
            prometheus.await_value("raceway_database_reachable", 1)
            assert prometheus.value('raceway_database_pool_connections{state="idle"}') >= 1
        store.post([event(n) for n in range(100, 150)])
        prometheus.await_value("raceway_events_stored_total", 61)
        assert prometheus.value('up{job="raceway"}') == 1


def test_promtool_finds_nothing_to_complain_of(store):
    send_some(store)
    checked = promtool("check", "metrics", text=store.client.get("/metrics").body.decode())
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_clients_cannot_make_the_metrics_grow(open_store):
    store = open_store("memory")
    metrics(store.client)
    before = len(metrics(store.client))
    for n in range(50):
        store.client.get(f"/api/traces/trace-{n}")
        store.client.get(f"/no/such/path-{n}")
        store.client.request(f"METHOD{n}", "/events")
        store.client.post([event(n, timestamp=f"bad {n}"), {"event_id": f"{n}", f"key {n}": 1}])
    after = metrics(store.client)
    per_route = 18
    assert len(after) <= before + 3 * per_route + 10, sorted(after)
    assert after["raceway_http_requests_total", '{method="other",route="none",status="4xx"}'] == 50


def test_evictions_are_counted_by_limit(open_store):
    store = open_store("memory", {"storage.memory": {"max_traces": 5}})
    for n in range(8):
        store.post([event(f"{n}a", f"t{n}"), event(f"{n}b", f"t{n}")])
    seen = metrics(store.client)
    assert seen["raceway_memory_evicted_traces_total", '{limit="traces"}'] == 3
    assert seen["raceway_memory_evicted_events_total", '{limit="traces"}'] == 6
    assert seen["raceway_memory_evicted_traces_total", '{limit="bytes"}'] == 0
    assert seen["raceway_memory_traces", ""] == 5


def test_health_and_metrics_need_no_key_and_health_of_the_contract_does(open_store):
    store = open_store("memory", KEYS)
    assert store.client.get("/health/live").ok().data == {"live": True}
    assert store.client.get("/health/ready").ok().data == {"ready": True}
    metrics(store.client)
    store.client.get("/health").refused(401)


@pytest.mark.parametrize("access, without, with_key", [("open", 200, 200), ("key", 401, 200), ("off", 401, 404)])
def test_metrics_are_open_or_need_a_key_or_are_not_there(open_store, access, without, with_key):
    store = open_store("memory", {"server": {**KEYS["server"], "metrics": access}})
    assert store.client.get("/metrics").status == without
    assert store.client.get("/metrics", headers={"Authorization": "Bearer key-one"}).status == with_key


def test_who_watches_is_not_held_to_the_rate_limit(open_store):
    store = open_store("memory", {"server": {"rate_limit_enabled": True, "rate_limit_rpm": 2}})
    while store.client.get("/status").status != 429:
        pass
    for path in ("/metrics", "/health/live", "/health/ready"):
        assert store.client.get(path).status == 200


def test_a_server_without_its_database_lives_and_is_not_ready():
    with PostgresCluster(name="readiness") as cluster:
        database = cluster.create_database()
        with RacewayServer(database=database, name="readiness") as server, server.client() as client:
            wait_until(lambda: client.get("/health/ready").status == 200, 10, "it is ready")
            cluster.stop_immediately()
            wait_until(lambda: client.get("/health/ready").status == 503, 20, "it is not ready")
            answer = client.get("/health/ready")
            assert answer.refused(503) == "not ready: the database cannot be reached"
            assert answer.headers["Retry-After"] == "1"
            assert client.get("/health/live").status == 200 and client.get("/health").status == 200
            assert metrics(client)["raceway_database_reachable", ""] == 0
            cluster.start()
            wait_until(lambda: client.get("/health/ready").status == 200, 20, "it is ready again")
            assert metrics(client)["raceway_database_reachable", ""] == 1
            log = server.log_text()
            assert log.count("the database cannot be reached: ") == 1 and "the database answers again" in log


def test_a_server_that_is_stopping_is_not_ready():
    with RacewayServer(name="draining") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n")
            with server.client() as client:  # what came before it has been read
                client.get("/health").ok()
            server.terminate()
            wait_until(lambda: "no new connections" in server.log_text(), 10, "it stops")
            wait_until(lambda: not listens(server.port), 10, "it does not listen any more")
            connection.sendall(b"\r\n")
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503") and b"not ready: the server is stopping" in answer
        assert server.wait() == 0


def stored_by(client):
    return client.get("/status").ok().data["events_captured"]


def test_a_server_that_leaves_says_so_and_serves_on_until_its_time_is_over(migrated):
    with RacewayServer({"server": {"drain_seconds": 3}}, migrated, name="leaving") as server, server.client() as client:
        server.terminate()
        wait_until(lambda: client.get("/health/ready").status == 503, 10, "it is not ready any more")
        with server.client() as newcomer:  # the port is open, and all else is as before
            assert newcomer.get("/health/ready").refused(503) == "not ready: the server is stopping"
            assert newcomer.get("/health/live").status == 200
            assert newcomer.post([event(1)]).ok().json["stored"] == 1
            assert stored_by(newcomer) == 1
        assert server.wait(30) == 0
        assert not listens(server.port)


def test_a_second_signal_cuts_the_notice_short_and_nothing_is_lost(tmp_path):
    kept = {"storage.memory": {"snapshot": str(tmp_path / "all")}}
    with RacewayServer({"server": {"drain_seconds": 3600}, **kept}, name="hurried") as server, server.client() as client:
        server.terminate()
        wait_until(lambda: client.get("/health/ready").status == 503, 10, "it is not ready any more")
        assert client.post([event(1)]).ok().json["stored"] == 1
        server.terminate()
        assert server.wait(30) == 0
    with RacewayServer(kept, name="hurried") as server, server.client() as client:
        assert stored_by(client) == 1


def test_ctrl_c_is_given_no_notice():
    with RacewayServer({"server": {"drain_seconds": 3600}}, name="interrupted") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


def test_every_line_of_a_request_in_json_names_its_id_and_no_secret(open_store):
    store = open_store("memory", {**KEYS, "logging": {"level": "trace", "format": "json"}})
    store.client.get("/status", headers={"X-Raceway-Key": "key-one", "X-Request-Id": "mine-1"}).ok()
    store.client.get("/status", headers={"X-Raceway-Key": "guessed-key", "X-Request-Id": "mine-2"}).refused(401)
    # The line is written when the answer is on its way already.
    wait_until(lambda: store.server.log_text().count(" /status ") == 2, 10, "both are in the log")
    log = store.server.log_text()
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    access = {entry.get("request_id"): entry for entry in entries if " /status " in entry["message"]}
    assert " 200 " in access["mine-1"]["message"] and " 401 " in access["mine-2"]["message"]
    assert access["mine-1"]["level"] == "debug"
    assert "key-one" not in log and "guessed-key" not in log


def test_the_password_of_a_database_that_is_away_is_nowhere():
    nobody = f"postgresql://me:hunter2secret@127.0.0.1:{free_port()}/x"
    server = RacewayServer({"storage": {"backend": "postgres"}, "logging": {"level": "trace", "format": "json"},
                            "storage.postgres": {"connection_string": nobody, "connection_timeout_seconds": 1}},
                           name="password")
    server.launch()
    try:  # at the start it waits for a database, and says so
        wait_until(lambda: "refused" in server.log_text(), 20, "it says that nobody answers")
    finally:
        server.kill()
    assert "hunter2secret" not in server.log_text()


def names_in(text):
    """Names of metrics in a PromQL expression; a histogram's without its suffix."""
    names = set(re.findall(r"\b(?:raceway|process)_[a-z_]+\b", text))
    return {re.sub(r"(_seconds|_events)_(bucket|count|sum)$", r"\1", name) for name in names}


def test_each_metric_of_the_dashboard_and_the_alerts_exists(open_store):
    shown = set()
    for backend in ("memory", "postgres"):
        store = open_store(backend)
        send_some(store)
        shown |= set(re.findall(r"^# TYPE (\S+)", store.client.get("/metrics").body.decode(), re.MULTILINE))
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for expression in expressions for name in names_in(expression)}
    alerts = (MONITORING / "alerts.yml").read_text()
    asked_by_alerts = {name for line in re.findall(r"expr: (.*)", alerts) for name in names_in(line)}
    assert asked and asked_by_alerts and asked | asked_by_alerts <= shown, (asked | asked_by_alerts) - shown


def test_prometheus_can_parse_every_expression_of_the_dashboard(tmp_path):
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    rules = [{"record": f"panel:{panel['id']}:{target['refId']}",
              "expr": target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")}
             for panel in dashboard["panels"] for target in panel["targets"]]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", str(file))
    assert checked.returncode == 0 and f"{len(rules)} rules found" in checked.stdout, checked.stdout + checked.stderr


def test_alerts_fire_when_they_should():
    checked = promtool("check", "rules", str(MONITORING / "alerts.yml"))
    assert checked.returncode == 0, checked.stderr
    tested = promtool("test", "rules", str(paths.TESTS / "data" / "alerts_test.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_slow_statements_come_from_pg_stat_statements():
    with PostgresCluster(name="statements", settings={"shared_preload_libraries": "pg_stat_statements"}) as cluster:
        database = cluster.create_database(migrated=True)
        database.sql("CREATE EXTENSION pg_stat_statements", user="postgres")
        database.sql("SELECT count(*) AS to_be_found FROM raceway.events")
        found = database.rows("SELECT calls, query FROM raceway.slow_statements(1000) WHERE query LIKE '%to_be_found%'")
        assert any(row["calls"] == 1 for row in found), found
        assert not cluster.complaints()

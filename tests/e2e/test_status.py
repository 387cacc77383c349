"""`raceway status`: what a running server says of itself, for people and for programs."""

import json
import re
import subprocess

from support import paths
from support.server import RacewayServer, run_raceway, server_environment
from support.terminal import on_a_terminal
from support.traffic import documented_event
from support.wait import free_port

METRICS = paths.ROOT / "server" / "src" / "status" / "metrics.cpp"


def status_of(server):
    """{name: text} of its lines."""
    shown = run_raceway("status", "--url", server.url)
    assert shown.returncode == 0, shown.stderr
    return dict(line.split(None, 1) for line in shown.stdout.splitlines())


def test_status_shows_every_metric_that_it_looks_for(store):
    """Were one renamed, here or in the server, its part of the line would be missing."""
    assert store.post([documented_event(f"e{n}", "t") for n in range(3)])["stored"] == 3
    answer = store.post([documented_event("e1", "t"), documented_event("bad", "t", timestamp="yesterday"),
                         documented_event("worse", "t", timestamp="never")])
    assert (answer["duplicates"], len(answer["rejected"])) == (1, 2)
    lines = status_of(store.server)
    assert lines["ingest"] == "3 stored, 1 duplicates, 2 rejected since the start"
    if store.backend == "memory":
        assert not {"database", "buffer", "pool"} & set(lines)
    else:
        assert lines["database"] == "reachable"
        assert re.fullmatch(r"0 of [\d,]+ events", lines["buffer"])
        assert re.fullmatch(r"idle \d+, in_use \d+ of 10, waiting 0|in_use \d+, idle \d+ of 10, waiting 0", lines["pool"])


def test_what_status_asks_for_is_exported(open_store):
    exported = set()
    for backend in ("memory", "postgres"):
        store = open_store(backend)
        store.post(documented_event("e", "t"))
        text = store.client.get("/metrics").body.decode()
        exported |= set(re.findall(r"^(raceway_\w+)[{ ]", text, re.MULTILINE))
    asked = set(re.findall(r'"(raceway_\w+)"', METRICS.read_text()))
    assert len(asked) >= 8 and asked <= exported, asked - exported


def test_status_shows_what_the_server_holds(open_store):
    store = open_store("memory")
    store.post(documented_event("e", "t"))
    url = store.server.url
    lines = status_of(store.server)
    assert lines["backend"] == "memory" and lines["events"] == "1" and lines["traces"] == "1"
    assert lines["evicted"].startswith("0 traces") and " of " in lines["memory"]
    as_json = json.loads(run_raceway("status", "--url", url, "--json").stdout)
    assert as_json["url"] == url and as_json["status"]["events_captured"] == 1
    assert "\x1b[" in on_a_terminal("status", "--url", url)


def test_status_finds_the_configured_server_and_its_key(tmp_path):
    with RacewayServer({"server": {"auth_enabled": True, "api_keys": ["sesame"]}}, name="status") as server:
        assert run_raceway("status", "--config", str(server.config)).returncode == 0
        refused = run_raceway("status", "--url", f"127.0.0.1:{server.port}")
        assert refused.returncode == 2 and "--api-key" in refused.stderr
        assert run_raceway("status", "--url", f"127.0.0.1:{server.port}", environment={"RACEWAY_API_KEY": "sesame"}).returncode == 0


def test_status_says_so_when_nothing_answers():
    port = free_port()
    silent = run_raceway("status", "--url", f"http://127.0.0.1:{port}")
    assert silent.returncode == 2 and silent.stdout == ""
    assert f"nothing answers at http://127.0.0.1:{port}" in silent.stderr


def test_status_goes_on_with_rates(open_store):
    store = open_store("postgres")
    watching = subprocess.Popen(
        [str(paths.SERVER), "status", "--url", store.server.url, "--watch", "1", "--json"],
        stdout=subprocess.PIPE, text=True, env=server_environment())
    try:
        first = json.loads(watching.stdout.readline())
        store.post(documented_event("e", "t"))
        second = json.loads(watching.stdout.readline())
    finally:
        watching.kill()
        watching.communicate()
    assert first["events_per_second"] is None and first["status"]["events_captured"] == 0
    assert second["events_per_second"] > 0 and second["status"]["events_captured"] == 1

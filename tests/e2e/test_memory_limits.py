"""The memory backend within its limits, and its snapshots: what is kept, what goes, what is there after a restart."""

import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support import paths
from support.chance import chance_of, times
from support.server import RacewayServer, server_environment, wait_for_refusal
from support.traffic import documented_event
from support.wait import wait_until


def events_of(name, trace, padding=2_000):
    """The five events of the trace NAME/trace."""
    return [documented_event(f"{name}/{trace}/{n}", f"{name}/{trace}", location="l" * 400 + str(trace),
                             metadata={"service_name": name, "text": f"{trace}" * (padding // 8)}) for n in range(5)]


def fill(client, name, traces, padding=2_000):
    """Posts traces NAME/0, NAME/1 ..., each whole in one body."""
    for trace in range(traces):
        answer = client.post(events_of(name, trace, padding)).ok().json
        assert answer["stored"] == 5, answer


def status(client):
    return client.get("/status").ok().data


def export(client):
    traces = client.get("/api/traces").ok().data["traces"]
    for trace in traces:
        del trace["as_of"]
    return traces


@pytest.fixture
def snapshot(tmp_path):
    return tmp_path / "raceway.snapshot"


def server_with(snapshot, **memory):
    return RacewayServer({"storage.memory": {"snapshot": str(snapshot), **memory}}, name="snapshot")


def test_limits_hold_while_several_clients_send_and_the_newest_traces_are_there():
    with RacewayServer({"storage.memory": {"max_traces": 100}}, name="limits") as server:
        clients = [server.client() for _ in range(4)]
        threads = [threading.Thread(target=fill, args=(client, f"client-{n}", 150)) for n, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with server.client() as reader:
                assert status(reader)["traces_active"] <= 100 + 2 * len(clients)
        fill(clients[0], "newest", 100)
        now = status(clients[0])
        assert (now["traces_active"], now["events_captured"]) == (100, 500)
        assert now["memory"]["evicted_traces"] == 600 and now["memory"]["evicted_events"] == 3_000
        assert now["memory"]["evicted_by"]["traces"] == {"traces": 600, "events": 3_000}
        assert {trace["trace_id"] for trace in export(clients[0])} == {f"newest/{n}" for n in range(100)}
        assert clients[0].get("/api/services").ok().data["total_services"] == 1
        for client in clients:
            client.close()


def test_bytes_hold_and_one_trace_larger_than_all_is_rejected():
    limit = 16 * 2**20
    with RacewayServer({"storage.memory": {"max_bytes": limit}}, name="bytes") as server, server.client() as client:
        rejected = 0
        for body in range(100):
            events = [documented_event(f"{body}/{n}", "giant", metadata={"text": f"{body}/{n}" * 100}) for n in range(400)]
            answer = client.post(events).ok().json
            rejected += len(answer["rejected"])
            assert answer["stored"] + len(answer["rejected"]) == 400
            assert all("max_bytes" in entry["reason"] for entry in answer["rejected"])
            assert status(client)["memory"]["bytes"] <= limit
        assert rejected > 0
        fill(client, "after", 10)
        assert len(client.get("/api/traces/after%2F9").ok().data["events"]) == 5


@pytest.mark.parametrize("padding", [0, 300])
def test_a_trace_that_grows_alone_never_evicts_itself(padding):
    limit = 8 * 2**20
    with RacewayServer({"storage.memory": {"max_bytes": limit}}, name="alone") as server, server.client() as client:
        stored = rejected = 0
        for body in range(200):
            events = [documented_event(f"{body}/{n}", "alone", metadata={"n": n, "text": "x" * padding}) for n in range(1_000)]
            answer = client.post(events).ok().json
            stored += answer["stored"]
            rejected += answer["rejected_count"]
            if rejected > 5_000:
                break
        assert stored > 5_000 and rejected > 5_000
        now = status(client)
        assert now["events_captured"] == stored and now["memory"]["evicted_events"] == 0
        assert now["memory"]["bytes"] <= limit
        assert len(export(client)[0]["events"]) == stored
        # Others still find room, at its cost where there is no more.
        assert client.post([documented_event(f"other-{n}", f"other-{n}") for n in range(50)]).ok().json["stored"] == 50
        assert client.get("/api/traces/other-0").status == 200


def test_a_trace_that_has_not_grown_goes_when_its_time_has_come():
    with RacewayServer({"storage.memory": {"max_age_seconds": 1}}, name="age") as server, server.client() as client:
        fill(client, "old", 3)
        wait_until(lambda: status(client)["memory"]["evicted_by"]["age"] == {"traces": 3, "events": 15}, 30, "they go")
        assert status(client)["traces_active"] == 0


def test_everything_is_there_after_a_restart(snapshot):
    server = server_with(snapshot)
    with server, server.client() as client:
        fill(client, "kept", 50)
        before = export(client)
    with server, server.client() as client:
        assert export(client) == before
        again = client.post(events_of("kept", 0)).ok().json
        assert (again["stored"], again["duplicates"]) == (0, 5)
    assert [path.name for path in snapshot.parent.iterdir()] == [snapshot.name]


def test_a_terminal_that_is_closed_stops_the_server_as_sigterm_does(snapshot):
    server = server_with(snapshot)
    with server, server.client() as client:
        fill(client, "kept", 5)
        server.process.send_signal(signal.SIGHUP)
        assert server.wait() == 0
    with server, server.client() as client:
        assert status(client)["traces_active"] == 5


def test_under_nohup_a_closed_terminal_is_nothing(snapshot):
    server = server_with(snapshot)
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "nohup", str(paths.SERVER), "serve", "--config", str(server.config)], cwd="/",
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=server_environment())
    server.await_answer()
    server.process.send_signal(signal.SIGHUP)
    with server.client() as client:
        fill(client, "served", 5)
    assert server.stop() == 0
    assert "SIGHUP" not in server.log_text() and "Hangup" not in server.log_text()


def test_two_servers_do_not_share_a_snapshot(snapshot):
    with server_with(snapshot) as first, first.client() as client:
        fill(client, "kept", 5)
        for name in (snapshot, snapshot.parent / ".." / snapshot.parent.name / snapshot.name):
            status_of_second, log, _ = wait_for_refusal(server_with(name))
            assert status_of_second == 1 and f"{snapshot}.lock is locked" in log
        first.kill()
    with server_with(snapshot):
        assert Path(f"{snapshot}.lock").exists(), "what is left of a server that was killed locks nobody out"
    assert [path.name for path in snapshot.parent.iterdir()] == [snapshot.name]


def test_the_port_is_asked_for_before_anything_is_loaded(snapshot):
    with server_with(snapshot) as server, server.client() as client:
        fill(client, "kept", 5)
    with RacewayServer(name="first") as first:
        second = server_with(snapshot)
        second.config.write_text(second.config.read_text().replace(f"port = {second.port}", f"port = {first.port}"))
        status_of_second, log, _ = wait_for_refusal(second)
        assert status_of_second == 1 and str(first.port) in log and "loaded" not in log


def kill_while_saving(server, snapshot, after):
    """Waits for a file beside the snapshot, and kills the server `after` so many seconds."""
    def is_saving():
        return any(path not in (snapshot, Path(f"{snapshot}.lock")) for path in snapshot.parent.iterdir())
    wait_until(lambda: not is_saving(), 30, "what an earlier kill has left is gone", every=0.002)
    wait_until(is_saving, 30, "it is saved at its interval", every=0.0005)
    time.sleep(after)
    server.kill()


def test_killed_while_it_saves_the_file_loads_each_time(snapshot):
    chance = chance_of("kills while saving")
    server = server_with(snapshot, snapshot_interval_seconds=1)
    with server, server.client() as client:
        fill(client, "first", 1000, padding=8_000)
    saved = 1000
    for turn in range(times(4)):
        server.start()
        with server.client() as client:
            there = status(client)["traces_active"]
            assert there >= saved
            saved = there
            fill(client, f"turn-{turn}", 20)
        kill_while_saving(server, snapshot, chance.random() * 0.05)
    server.start()
    with server.client() as client:
        assert len([t for t in export(client) if t["trace_id"].startswith("first/") and len(t["events"]) == 5]) == 1000
    assert server.stop() == 0
    assert "damaged" not in server.log_text()
    assert [path.name for path in snapshot.parent.iterdir()] == [snapshot.name]


@pytest.mark.parametrize("spoil", [lambda content: content[:-100], lambda content: content[:500] + b"#" + content[501:]],
                         ids=["cut", "changed"])
def test_a_damaged_file_is_told_of_and_kept_aside_and_the_rest_is_loaded(snapshot, spoil):
    server = server_with(snapshot)
    with server, server.client() as client:
        fill(client, "kept", 50)
        before = {trace["trace_id"]: trace for trace in export(client)}
    damaged = spoil(snapshot.read_bytes())
    snapshot.write_bytes(damaged)
    with server, server.client() as client:
        rest = export(client)
        assert len(rest) >= 40 and all(trace == before[trace["trace_id"]] for trace in rest)
        assert f"{snapshot}: " in server.log_text() and " byte" in server.log_text()
    aside = [path for path in snapshot.parent.iterdir() if ".damaged-" in path.name]
    assert len(aside) == 1 and aside[0].read_bytes() == damaged
    assert snapshot.exists(), "a good one is saved in the end"


def test_a_snapshot_that_cannot_be_saved_is_told_of_in_the_end(tmp_path):
    server = server_with(tmp_path / "missing" / "raceway.snapshot")
    server.start()
    assert server.stop() == 1
    assert "not saved" in server.log_text()

"""An import whose process, server or database dies at any moment: it is run again to its end, and nothing is twice."""

import json
import subprocess
import time

import pytest

from support import paths
from support.chance import chance_of, times
from support.checks import inexact_traces
from support.cluster import PostgresCluster
from support.crashes import CRASHES
from support.server import RacewayServer, server_environment
from support.traffic import documented_event
from support.ways import assert_whole

EVENTS = 12_000
TRACES = 50


@pytest.fixture(scope="module")
def crashing():
    with PostgresCluster("import-crashes") as running:
        yield running


def kill_the_import(_, __, process):
    process.kill()


def kill_the_server(_, server, __):
    server.kill()
    server.start()


def kill_the_database(cluster, _, __):
    CRASHES["kill -9 of all of it"](cluster, None)


KILLS = (kill_the_import, kill_the_server, kill_the_database)


def begin_import(server, file):
    command = [str(paths.SERVER), "import", str(file), "--to", f"http://127.0.0.1:{server.port}", "--batch-size", "50"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server_environment())


def test_an_import_comes_to_its_end_after_kills_at_any_moment(crashing, tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text("".join(json.dumps(documented_event(f"e{n}", f"t{n % TRACES}", n)) + "\n" for n in range(EVENTS)))
    chance = chance_of("kills of an import")
    for _ in range(times(2)):
        database = crashing.create_database()
        with RacewayServer(database=database, name="import-crashes") as server:
            process = begin_import(server, file)
            for kill in chance.sample(KILLS, len(KILLS)):
                time.sleep(chance.random() * 0.3)
                kill(crashing, server, process)
                assert inexact_traces(database) == []
                if process.poll() is not None:
                    process.communicate()
                    process = begin_import(server, file)
            said, told = process.communicate(timeout=120)
            assert process.returncode == 0, (said, told)
        assert database.sql("SELECT count(*), count(DISTINCT trace_id) FROM raceway.events") == f"{EVENTS}|{TRACES}"
        assert_whole(database)
        database.drop()
    assert crashing.complaints() == []

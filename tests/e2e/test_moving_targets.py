"""Databases that are not there, and passwords: what `export` and `import` do about them, and what they say."""

import subprocess

import pytest

from e2e.test_moving_events import counts, lines_of
from support import paths
from support.cluster import PostgresCluster
from support.server import run_raceway, server_environment
from support.traffic import documented_event
from support.wait import wait_until

PASSWORDS = ["sEcrEt@pArt/two", "sEcrEt@pArt", "pArt/sEcrEt", "pArt?sEcrEt", "pArt#sEcrEt", "pArt:sEcrEt@x", "sEcrEt@pArt:1/two",
             "%zzsEcrEt", "sEcrEt pArt"]


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a").write_bytes(lines_of(documented_event("e")))
    return str(tmp_path / "a")


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("command", ["export", "import"])
def test_no_part_of_a_password_is_shown_however_it_is_written(file, command, password):
    where = f"postgresql://u:{password}@127.0.0.1:1/db"
    arguments = ["export", "--from", where] if command == "export" else ["import", file, "--to", where, "--give-up", "0"]
    done = run_raceway(*arguments)
    assert done.returncode == 2
    for part in ("sEcrEt", "pArt", "two"):
        assert part not in done.stdout + done.stderr, done.stderr
    assert any(words in done.stderr for words in ("connection string", "Connection refused")), done.stderr


@pytest.mark.parametrize("arguments", [
    ["import", "a", "postgresql://u:sEcrEt@h/db"], ["export", "--too", "postgresql://u:sEcrEt@h/db"],
    ["export", "password=sEcrEt"], ["export", "--api-keys", "sEcrEt"], ["export", "--api-keys=sEcrEt"]])
def test_nor_where_it_is_not_expected(arguments):
    done = run_raceway(*arguments)
    assert done.returncode == 2 and "sEcrEt" not in done.stdout + done.stderr, done.stderr


def test_an_encoded_password_is_not_in_the_way(file):
    done = run_raceway("import", file, "--to", "postgresql://u:sEcrEt%40pArt%2Ftwo@127.0.0.1:1/db", "--give-up", "0")
    assert done.returncode == 2 and "Connection refused" in done.stderr and "sEcrEt" not in done.stderr


@pytest.mark.parametrize("seconds", ["0", "1"])
def test_a_database_that_refuses_connections_is_given_up_on(file, seconds):
    done = run_raceway("import", file, "--to", "postgresql://u@127.0.0.1:1/db", "--give-up", seconds)
    assert done.returncode == 2 and done.stdout.startswith("stored 0, duplicates 0, rejected 0; not finished")
    assert f"given up after {seconds} s, as --give-up says: " in done.stderr and "Connection refused" in done.stderr


def test_a_database_that_starts_meanwhile_is_waited_for(file):
    with PostgresCluster(name="late") as cluster:
        database = cluster.create_database()
        cluster.stop()
        command = [str(paths.SERVER), "import", file, "--to", database.connection_string(), "--give-up", "60"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server_environment()) as process:
            told = []
            wait_until(lambda: told.append(process.stderr.readline()) or "waiting for the database" in told[-1], 60, "it waits")
            cluster.start()
            said, rest = process.communicate(timeout=60)
        assert process.returncode == 0, (told, rest)
        assert said.startswith("stored 1, ")
        again = run_raceway("import", file, "--to", database.connection_string())
        assert counts(again)["duplicates"] == 1

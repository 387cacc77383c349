"""`raceway doctor`: a good set-up gives no finding, and what is wrong with one is found, and gone after its mend."""

import json
import resource
import socket

import pytest

from support.patient import MEMORY
from support.server import RacewayServer, run_raceway
from support.surroundings import TABLES
from support.terminal import on_a_terminal
from support.wait import free_port


def test_a_good_set_up_gives_no_finding(well):
    assert well.examine() == {}
    shown = run_raceway("--config", str(well.file), "doctor", "--memory", MEMORY)
    assert shown.returncode == 0 and "0 errors, 0 warnings" in shown.stdout, shown.stdout


def test_extension_and_tables_are_missed(well):
    empty = well.cluster.create_database()
    well.add("storage.postgres", {"connection_string": empty.connection_string()})
    well.database, full = empty, well.database
    try:
        found = well.examine()
        assert list(found) == ["edition"] and found["edition"]["severity"] == "error"
        well.apply(found["edition"])
        found = well.examine()
        assert list(found) == ["retention"]  # without pg_cron here, by a command
        well.apply(found["retention"])
        assert well.examine() == {}
        empty.sql(f"DROP TABLE {', '.join(TABLES['plain'])}")
        found = well.examine()
        assert list(found) == ["schema"] and found["schema"]["severity"] == "error"
    finally:
        well.database = full
        empty.drop()


def test_partitions_are_missed_before_they_are_needed(well):
    by_day = well.cluster.create_database()
    by_day.sql("CREATE EXTENSION raceway; SELECT raceway.migrate(partition_by => 'day'); "
               "CALL raceway.cleanup(older_than => '30 days')")
    well.add("storage.postgres", {"connection_string": by_day.connection_string()})
    well.database, whole = by_day, well.database
    try:
        assert well.examine() == {}
        for row in by_day.rows("SELECT partition::text AS name FROM event_partitions() WHERE lower_bound > now() at time zone 'UTC'"):
            by_day.sql(f"DROP TABLE {row['name']}")
        by_day.sql("DROP INDEX idx_events_timestamp")
        found = well.examine()
        assert sorted(found) == ["indexes", "partitions"]
        for finding in found.values():
            well.apply(finding)
        assert well.examine() == {}
    finally:
        well.database = whole
        by_day.drop()


def test_a_database_of_another_encoding_is_an_error(well):
    well.cluster.sql("CREATE DATABASE latin OWNER raceway ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    well.add("storage.postgres", {"connection_string": well.database.connection_string() + " dbname=latin"})
    found = well.examine()
    well.apply(found["encoding"])
    well.add("storage.postgres", {"connection_string": well.database.connection_string() + " dbname=latin_utf8"})
    assert "encoding" not in well.examine()
    well.cluster.sql("DROP DATABASE latin")
    well.cluster.sql("DROP DATABASE latin_utf8")


@pytest.mark.parametrize("shift, severity", [("+10s", "warning"), ("-10s", "warning"), ("+1h", "error")])
def test_a_clock_that_is_wrong_is_found(well, shift, severity):
    found = well.examine("faketime", "-f", shift)
    assert list(found) == ["clock"] and found["clock"]["severity"] == severity
    assert ("behind" if shift.startswith("+") else "ahead") in found["clock"]["found"]
    assert well.examine() == {}


def test_a_port_that_others_hold_is_found(well):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        well.add("server", {"port": other.getsockname()[1]})
        found = well.examine()
        assert list(found) == ["port"] and found["port"]["severity"] == "error"
        well.apply(found["port"])
        assert well.examine() == {}


def test_a_port_that_the_server_itself_holds_is_no_finding(well):
    with RacewayServer(database=well.database, name="doctor") as server:
        well.add("server", {"port": server.port})
        assert well.examine() == {}


def test_an_open_door_is_found(well):
    well.add("server", {"host": "0.0.0.0"})
    found = well.examine()
    assert list(found) == ["access"]
    well.apply(found["access"])
    assert well.examine() == {}


def test_a_server_for_every_web_page_is_found(well):
    well.add("server", {"cors_origins": ["*"]})
    found = well.examine()
    assert list(found) == ["web pages"]
    well.apply(found["web pages"])
    assert well.examine() == {}


def test_too_few_files_are_found(well):
    def examine():
        return well.examine("prlimit", "--nofile=1024:1024")
    found = examine()
    assert list(found) == ["open files"]
    well.apply(found["open files"])
    assert examine() == {}
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 1024


# The memory backend.

def memory_patient(patient, tmp_path, **memory):
    patient.configure(storage={"backend": "memory"}, storage__memory=memory)
    return patient


def test_a_good_memory_backend_gives_no_finding(patient, tmp_path):
    assert memory_patient(patient, tmp_path, snapshot=str(tmp_path / "snapshot")).examine() == {}
    assert run_raceway("doctor", environment={"RACEWAY_SERVER_PORT": str(free_port())}).returncode == 0


@pytest.mark.parametrize("fault", ["directory missing", "a directory itself"])
def test_a_snapshot_that_cannot_be_saved_is_found(patient, tmp_path, fault):
    snapshot = tmp_path / "a b" / "snapshot"
    if fault == "a directory itself":
        snapshot.mkdir(parents=True)
    well = memory_patient(patient, tmp_path, snapshot=str(snapshot))
    found = well.examine()
    assert list(found) == ["snapshot"] and found["snapshot"]["severity"] == "error"
    well.apply(found["snapshot"])
    assert well.examine() == {}


def test_more_memory_than_there_is_is_found(patient, tmp_path):
    well = memory_patient(patient, tmp_path, max_bytes=1 << 50)
    found = well.examine()
    assert list(found) == ["memory"] and found["memory"]["severity"] == "error"
    well.apply(found["memory"])
    assert well.examine() == {}


# What it looks like.

def test_colours_and_width_are_those_of_the_terminal(well):
    arguments = ["--config", str(well.file), "doctor", "--memory", "64GB"]
    assert "\x1b[3" in on_a_terminal(*arguments)
    assert "\x1b" not in on_a_terminal(*arguments, environment={"NO_COLOR": "1"})
    assert "\x1b" not in run_raceway(*arguments).stdout
    for columns in (60, 100):
        lines = on_a_terminal(*arguments, environment={"NO_COLOR": "1"}, columns=columns).splitlines()
        statements = (" " * 11 + "ALTER", " " * 11 + "SELECT")
        prose = [line for line in lines if not line.startswith(statements) and "/" not in line]  # a path is not broken
        assert max(map(len, prose)) <= columns and len(prose) > 20, prose

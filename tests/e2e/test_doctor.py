"""`raceway doctor`: a good set-up gives no finding, and each fault is found, and gone after what was printed was run."""

import json
import os
import pty
import resource
import socket
import subprocess
from dataclasses import dataclass

import pytest

from support import paths
from support.cluster import PostgresCluster, staged_extension
from support.server import RacewayServer, run_raceway, server_environment, toml
from support.traffic import documented_event
from support.wait import free_port

MEMORY = "1GB"
GOOD_SETTINGS = {
    "shared_buffers": "256MB", "effective_cache_size": "768MB", "work_mem": "4MB", "maintenance_work_mem": "64MB",
    "wal_buffers": "8MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "checkpoint_completion_target": "0.9",
    "fsync": "on", "full_page_writes": "on", "shared_preload_libraries": "pg_cron", "cron.database_name": "test_1",
    "autovacuum_naptime": "1d",  # so that nobody cleans up what a test has spoiled
}


class Patient:
    """A database in good order, and the configuration of a server in front of it."""

    def __init__(self, cluster, directory):
        self.cluster = cluster
        self.database = cluster.create_database(migrated=True)
        self.database.sql("CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO raceway", "postgres")
        self.database.sql("SELECT schedule_cleanup('0 3 * * *', older_than => '30 days')")
        self.file = directory / "raceway.toml"
        self.configure()

    def configure(self, **sections):
        self.sections = {"server": {"port": free_port()}, "storage": {"backend": "postgres"},
                         "storage.postgres": {"connection_string": self.database.connection_string()}}
        for section, keys in sections.items():
            self.add(section.replace("__", "."), keys)
        self.file.write_text(toml(self.sections))

    def add(self, section, keys):
        self.sections.setdefault(section, {}).update(keys)
        self.file.write_text(toml(self.sections))

    def examine(self, *before, environment=None):
        """{check: finding} of all that is not ok; the exit status says the same."""
        done = subprocess.run([*before, str(paths.SERVER), "--config", str(self.file), "doctor", "--json", "--memory", MEMORY],
                              capture_output=True, text=True, timeout=60, check=False, cwd="/",
                              env=server_environment(environment))
        assert done.stderr == "", done.stderr
        report = json.loads(done.stdout)
        assert done.returncode == ["ok", "warning", "error"].index(report["worst"])
        assert len(report["findings"]) >= 5
        return {each["check"]: each for each in report["findings"] if each["severity"] != "ok"}

    def restart(self):
        self.cluster.stop()
        self.cluster.start()

    def apply(self, finding):
        """Does what was printed, as it was printed."""
        assert finding["mend"], finding
        for mend in finding["mend"]:
            if mend["place"] == "sql":
                user = {"superuser": "postgres", "owner": "raceway"}[mend["as"]]
                self.database.sql("\n".join(mend["lines"]), user)
                if mend["then"] == "restart PostgreSQL":
                    self.restart()
            elif mend["place"] == "raceway.toml":
                section, *lines = mend["lines"]
                keys = dict(line.split(" = ", 1) for line in lines)
                self.add(section.strip("[]"), {name: json.loads(value) for name, value in keys.items()})
            else:
                for line in mend["lines"]:
                    subprocess.run(["bash", "-euc", line], check=True, env=server_environment(
                        {"PATH": f"{paths.BUILD}:{os.environ['PATH']}", "RACEWAY_CONFIG": str(self.file)}))


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LD_PRELOAD", "libeatmydata.so")  # fsync is on, as the doctor wants it, and costs nothing
        with PostgresCluster(name="doctor", settings=GOOD_SETTINGS) as cluster:
            yield Patient(cluster, tmp_path_factory.mktemp("doctor"))


@pytest.fixture
def well(patient):
    """The patient, with a configuration of the test's own; settings are reset after it."""
    patient.configure()
    yield patient
    patient.database.sql("ALTER SYSTEM RESET ALL;\nSELECT pg_reload_conf();", "postgres")
    if patient.database.value("SELECT count(*) FROM pg_settings WHERE pending_restart") > 0:
        patient.restart()


def test_a_good_set_up_gives_no_finding(well):
    assert well.examine() == {}
    shown = run_raceway("--config", str(well.file), "doctor", "--memory", MEMORY)
    assert shown.returncode == 0 and "0 errors, 0 warnings" in shown.stdout, shown.stdout


@dataclass
class Fault:
    """What spoils the patient, and what must be said of it."""

    check: str
    severity: str
    sql: str
    user: str = "postgres"
    restart: bool = False

    def __str__(self):
        return self.check


def system(name, value, severity="warning", restart=False):
    return Fault(name, severity, f"ALTER SYSTEM SET {name} = '{value}';\nSELECT pg_reload_conf();", restart=restart)


FAULTS = [
    system("shared_buffers", "16MB", restart=True),
    system("shared_buffers", "700MB", restart=True),
    system("work_mem", "64kB"),
    system("work_mem", "512MB"),
    system("maintenance_work_mem", "1MB"),
    system("effective_cache_size", "64MB"),
    system("effective_cache_size", "4GB"),
    system("wal_buffers", "64kB", restart=True),
    system("max_wal_size", "64MB"),
    system("checkpoint_timeout", "30s"),
    system("checkpoint_completion_target", "0.1"),
    system("fsync", "off", "error"),
    system("full_page_writes", "off", "error"),
    system("autovacuum", "off", "error"),
    system("track_counts", "off", "error"),
    system("synchronous_commit", "off", "error"),
    system("statement_timeout", "5s"),
    system("lock_timeout", "100ms"),
    system("idle_session_timeout", "2s"),
    system("max_connections", "12", "error", restart=True),
    system("max_connections", "14", restart=True),
    Fault("synchronous_commit", "error", "ALTER ROLE raceway SET synchronous_commit = off"),
    Fault("statement_timeout", "warning", "ALTER ROLE raceway IN DATABASE test_1 SET statement_timeout = '2s'"),
    Fault("work_mem", "warning", "ALTER DATABASE test_1 SET work_mem = '64kB'", "raceway"),
    Fault("primary", "error", "ALTER DATABASE test_1 SET default_transaction_read_only = on"),
    Fault("connection limit of the role", "error", "ALTER ROLE raceway CONNECTION LIMIT 3"),
    Fault("connection limit of the database", "error", "ALTER DATABASE test_1 CONNECTION LIMIT 3"),
    Fault("edition", "warning", "UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'raceway'"),
    Fault("schema", "error", "DROP TABLE cleanup_runs; DELETE FROM schema_migrations WHERE version > 2", "raceway"),
    Fault("privileges", "error", "REVOKE INSERT ON events FROM raceway", "raceway"),
    Fault("privileges", "error", "REVOKE USAGE ON SCHEMA raceway FROM raceway", "raceway"),
    Fault("primary keys", "error", "ALTER TABLE events DROP CONSTRAINT events_pkey", "raceway"),
    Fault("foreign key", "error", "ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey", "raceway"),
    Fault("indexes", "warning", "DROP INDEX idx_events_trace_id", "raceway"),
    Fault("indexes", "warning", "DROP INDEX idx_events_timestamp", "raceway"),
    Fault("indexes", "warning", "DROP INDEX idx_traces_service", "raceway"),
    Fault("indexes", "warning", "DROP INDEX idx_traces_end_time", "raceway"),
    Fault("invalid indexes", "warning",
          "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'raceway.idx_events_timestamp'::regclass"),
    Fault("autovacuum of the tables", "error", "ALTER TABLE events SET (autovacuum_enabled = false)", "raceway"),
    Fault("dead rows", "warning", "INSERT INTO traces SELECT 'dead-' || i FROM generate_series(1, 12000) i; DELETE FROM traces",
          "raceway"),
    Fault("statistics", "warning", "CREATE TABLE copy (LIKE traces INCLUDING ALL); INSERT INTO copy SELECT 't-' || i FROM "
          "generate_series(1, 12000) i; ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey; DROP TABLE traces; "
          "ALTER TABLE copy RENAME TO traces; ALTER TABLE events ADD FOREIGN KEY (trace_id) REFERENCES traces ON DELETE CASCADE",
          "raceway"),
    Fault("repartition", "warning", "INSERT INTO traces (trace_id) VALUES ('r'); INSERT INTO events (event_id, trace_id, timestamp) "
          "VALUES ('r', 'r', now() AT TIME ZONE 'UTC'); SELECT begin_repartition('day')", "raceway"),
    Fault("retention", "warning", "SELECT unschedule_cleanup()", "raceway"),
    Fault("retention", "warning", "SELECT cron.alter_job(jobid, active => false) FROM cron.job"),
    Fault("retention", "warning", "DELETE FROM cron.job; REVOKE USAGE ON SCHEMA cron FROM raceway"),
]


@pytest.fixture(scope="module")
def older_extension():
    """An upgrade from an older version, so that one may be installed."""
    (control,) = staged_extension().glob("**/extension/raceway.control")
    script = control.parent / f"raceway--0.0.1--{paths.EXTENSION_VERSION}.sql"
    script.write_text("SELECT;\n")
    yield
    script.unlink()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_found_and_gone_after_its_mend(well, older_extension, fault):
    well.database.sql(fault.sql, fault.user)
    if fault.restart:
        well.restart()
    found = well.examine()
    assert list(found) == [fault.check], found
    assert found[fault.check]["severity"] == fault.severity
    well.apply(found[fault.check])
    assert well.examine() == {}


def test_a_setting_that_waits_for_a_restart_is_named(well):
    well.database.sql("ALTER SYSTEM SET max_connections = 70;\nSELECT pg_reload_conf();", "postgres")
    found = well.examine()
    assert list(found) == ["pending_restart"] and "max_connections" in found["pending_restart"]["found"]
    well.restart()
    assert well.examine() == {}


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
        empty.sql("DROP TABLE events, traces, schema_migrations, layout, cleanup_runs")
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


@pytest.mark.parametrize("change, mended_by", [
    ("dbname=nowhere", "CREATE DATABASE nowhere"), ("user=nobody_knows", "CREATE ROLE nobody_knows")])
def test_a_refused_connection_is_an_error_with_what_to_create(well, change, mended_by):
    well.add("storage.postgres", {"connection_string": well.database.connection_string() + " " + change})
    (finding,) = well.examine().values()
    assert (finding["check"], finding["severity"]) == ("connection", "error")
    assert finding["mend"][0]["lines"][0].startswith(mended_by)
    well.apply(finding)
    found = well.examine()
    assert "connection" not in found and found
    well.cluster.sql("DROP DATABASE IF EXISTS nowhere")
    well.cluster.sql("DROP ROLE IF EXISTS nobody_knows")


def test_no_postgresql_a_wrong_password_and_a_bad_configuration_are_errors(well):
    port = free_port()
    well.add("storage.postgres", {"connection_string": f"host=127.0.0.1 port={port} user=raceway"})
    found = well.examine()
    assert list(found) == ["connection"] and f"pg_isready -h 127.0.0.1 -p {port}" in found["connection"]["mend"][0]["lines"]
    well.add("storage.postgres", {"connection_string": well.database.tcp_connection_string("hunter2")})
    found = well.examine()
    assert list(found) == ["connection"] and "hunter2" not in json.dumps(found)
    well.file.write_text("[server]\nprot = 1\n")
    bad = run_raceway("--config", str(well.file), "doctor")
    assert bad.returncode == 2 and "server.prot" in bad.stdout


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

def on_a_terminal(*arguments, environment=None, columns=100):
    """What a command prints on a terminal of so many columns."""
    mine, its = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=its, check=True)
    process = subprocess.Popen([str(paths.SERVER), *arguments], stdout=its, stdin=subprocess.DEVNULL,
                               env=server_environment({"TERM": "xterm", **(environment or {})}))
    os.close(its)
    shown = b""
    try:
        while piece := os.read(mine, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(mine)
    process.wait(timeout=30)
    return shown.decode().replace("\r\n", "\n")


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


def test_status_shows_what_the_server_holds(open_store):
    store = open_store("memory")
    store.post(documented_event("e", "t"))
    url = f"http://127.0.0.1:{store.server.port}"
    shown = run_raceway("status", "--url", url)
    assert shown.returncode == 0, shown.stderr
    lines = dict(line.split(None, 1) for line in shown.stdout.splitlines())
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
        [str(paths.SERVER), "status", "--url", f"http://127.0.0.1:{store.server.port}", "--watch", "1", "--json"],
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

"""`raceway doctor`: what keeps PostgreSQL from tidying up, as it is after hours, days and years."""

import subprocess
from pathlib import Path

import pytest

from support.cluster import become_postgres, binary, temporary_directory
from support.patient import GoodCluster, Patient

YEARS = 1_700_000_000  # transactions


class AgingCluster(GoodCluster):
    """Its clock can be put forward while it runs."""

    def __init__(self, directory):
        self._ahead = directory / "ahead"
        self._hours = 0
        self.pass_hours(0)
        super().__init__("aging", {"max_prepared_transactions": 4}, {
            "LD_PRELOAD": "libeatmydata.so:/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME_TIMESTAMP_FILE": self._ahead,
            "FAKETIME_NO_CACHE": 1, "FAKETIME_DONT_FAKE_MONOTONIC": 1})

    def _end(self, number):
        super()._end(number)
        for left in Path("/dev/shm").glob(f"*faketime_s*_{self.process.pid}"):  # of a library that only tidies up at exit()
            left.unlink()

    def pass_hours(self, hours):
        self._hours += hours
        self._ahead.write_text(f"+{self._hours}h\n")

    def pass_transactions(self, to):
        """The next transaction and the next multixact are `to`, as if all those before had been."""
        self.stop()
        for log, numbers_in_file in (("pg_xact", 1 << 20), ("pg_multixact/offsets", 1 << 16)):
            file = self.data / log / f"{to // numbers_in_file:04X}"
            subprocess.run([*become_postgres(), "dd", "if=/dev/zero", f"of={file}", "bs=256k", "count=1"], check=True,
                           capture_output=True)
        subprocess.run([*become_postgres(), binary("pg_resetwal"), "-D", str(self.data), "-x", str(to), "-m", f"{to},1"],
                       check=True, cwd="/", capture_output=True)
        self.start()


@pytest.fixture(scope="module")
def aging():
    # PostgreSQL's user looks at the clock in there; what pytest makes, each pytest that starts beside closes to others.
    directory = temporary_directory("aging-")
    with AgingCluster(directory) as cluster:
        yield Patient(cluster, directory).clean_up()


@pytest.fixture
def old(aging):
    aging.configure()
    yield aging
    aging.database.sql("ALTER SYSTEM RESET ALL;\nSELECT pg_reload_conf();", "postgres")


def found_in(patient):
    found = patient.examine()
    found.pop("clock", None)  # it is ahead, of course
    return found


def assert_found_and_mended(patient, check, severity):
    found = found_in(patient)
    assert list(found) == [check] and found[check]["severity"] == severity, found
    patient.apply(found[check])
    assert found_in(patient) == {}
    return found[check]["found"]


def test_a_transaction_that_stays_open_is_found_where_the_role_may_see_it(old):
    assert old.verdict("open transactions")["found"] == "none older than an hour"
    with old.database.held("INSERT INTO raceway.traces (trace_id) VALUES ('open')"):
        assert found_in(old) == {}, "a moment is no time"
        old.cluster.pass_hours(3)
        said = old.verdict("open transactions")
        assert said["severity"] == "ok" and "GRANT pg_read_all_stats TO raceway" in said["found"], "it is a superuser's"
        old.database.sql("GRANT pg_read_all_stats TO raceway", "postgres")
        assert "has one for 03:0" in assert_found_and_mended(old, "open transactions", "warning")


def test_a_forgotten_prepared_transaction_is_found(old):
    old.database.sql("BEGIN; INSERT INTO traces (trace_id) VALUES ('p'); PREPARE TRANSACTION 'nobody''s';")
    assert found_in(old) == {}
    old.cluster.pass_hours(1)
    assert "nobody" in assert_found_and_mended(old, "prepared transactions", "warning")
    assert old.database.value("SELECT count(*) FROM traces") == 0


def write_log(database, megabytes):
    for _ in range(megabytes // 16):
        database.sql("SELECT pg_logical_emit_message(false, 'doctor', 'x'); SELECT pg_switch_wal();", "postgres")


def left_slot(patient, megabytes):
    patient.database.sql("CHECKPOINT", "postgres")  # what was written before it needs no slot
    patient.database.sql("SELECT pg_create_physical_replication_slot('left_behind', true)", "postgres")
    assert found_in(patient) == {}, "as long as it holds little, its reader may come back"
    write_log(patient.database, megabytes)


def test_a_slot_that_nobody_reads_is_found_before_it_fills_the_disk(old):
    left_slot(old, 96)
    found = found_in(old)
    assert list(found) == ["replication slots"] and found["replication slots"]["severity"] == "warning"
    old.database.sql("ALTER SYSTEM SET max_wal_size = '64MB';\nSELECT pg_reload_conf();", "postgres")
    worse = found_in(old)
    assert worse.pop("max_wal_size") and list(worse) == ["replication slots"]
    assert worse["replication slots"]["severity"] == "error", "more than PostgreSQL would keep by itself"
    old.database.sql("ALTER SYSTEM RESET max_wal_size;\nSELECT pg_reload_conf();", "postgres")
    assert "left_behind" in assert_found_and_mended(old, "replication slots", "warning")
    assert old.database.value("SELECT current_setting('max_slot_wal_keep_size')") == "10GB"


def test_a_slot_whose_log_is_gone_is_found(old):
    old.database.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB';\nSELECT pg_reload_conf();", "postgres")
    left_slot(old, 64)
    old.database.sql("CHECKPOINT", "postgres")
    assert "is gone" in assert_found_and_mended(old, "replication slots", "warning")


def test_a_table_that_is_mostly_air_is_found_by_the_statistics_and_by_pgstattuple(old):
    old.database.sql("""
        INSERT INTO traces (trace_id) VALUES ('b');
        INSERT INTO events (event_id, trace_id, timestamp, location, metadata)
        SELECT 'b' || i, 'b', now() AT TIME ZONE 'UTC', repeat('x', 490), jsonb_build_object('a', repeat('y', 900))
        FROM generate_series(1, 40000) i;
        """)
    old.database.sql("VACUUM (ANALYZE) events")
    assert found_in(old) == {}, "full is not bloated"
    old.database.sql("DELETE FROM events WHERE substr(event_id, 2)::int % 4 <> 0")
    old.database.sql("VACUUM (ANALYZE) events")
    found = found_in(old)
    assert list(found) == ["bloat"] and "estimated" in found["bloat"]["found"]
    old.database.sql("CREATE EXTENSION pgstattuple SCHEMA public", "postgres")
    assert "estimated" in found_in(old)["bloat"]["found"], "the role may not use it"
    old.database.sql("GRANT pg_stat_scan_tables TO raceway", "postgres")
    assert "measured" in assert_found_and_mended(old, "bloat", "warning")
    old.database.sql("REVOKE pg_stat_scan_tables FROM raceway", "postgres")
    assert found_in(old) == {} and "estimated" in old.verdict("bloat")["found"]


def test_an_index_that_is_mostly_air_is_found_though_its_table_is_not(old):
    old.database.sql("CREATE INDEX idx_of_mine ON events (location); INSERT INTO traces (trace_id) VALUES ('i')")
    insert = """INSERT INTO events (event_id, trace_id, timestamp, location, metadata)
                SELECT '{0}' || i, 'i', now() AT TIME ZONE 'UTC', {1} FROM generate_series(1, 100000) i;
                VACUUM (ANALYZE) events"""
    old.database.sql(insert.format("i", "'i' || lpad(i::text, 489, '0'), NULL"))
    assert found_in(old) == {}, "full is not bloated, and half full is usual"
    old.database.sql("DELETE FROM events WHERE event_id LIKE 'i%' AND substr(event_id, 2)::int % 16 <> 0")
    old.database.sql("VACUUM events")
    old.database.sql(insert.format("j", "NULL, jsonb_build_object('a', repeat('y', 480))"))  # goes into the table's air
    said = assert_found_and_mended(old, "bloat", "warning")
    assert "idx_of_mine" in said and "estimated" in said
    old.database.sql("DROP INDEX idx_of_mine")


def test_room_out_of_line_that_is_mostly_air_is_found(old):
    old.database.sql("CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public", "postgres")
    old.database.sql("""
        ALTER TABLE events ALTER metadata SET STORAGE EXTERNAL;
        INSERT INTO traces (trace_id) VALUES ('o');
        INSERT INTO events (event_id, trace_id, timestamp, metadata)
        SELECT 'o' || i, 'o', now() AT TIME ZONE 'UTC', jsonb_build_object('a', repeat('y', 9900)) FROM generate_series(1, 8000) i;
        """)
    old.database.sql("VACUUM (ANALYZE) events")
    assert found_in(old) == {}, "full is not bloated"
    old.database.sql("DELETE FROM events WHERE trace_id = 'o' AND substr(event_id, 2)::int % 4 <> 0")
    old.database.sql("VACUUM (ANALYZE) events")
    assert "estimated" in found_in(old)["bloat"]["found"]
    old.database.sql("GRANT pg_stat_scan_tables TO raceway", "postgres")
    said = assert_found_and_mended(old, "bloat", "warning")
    assert "events stores out of line" in said and "measured" in said
    old.database.sql("REVOKE pg_stat_scan_tables FROM raceway", "postgres")


def test_numbers_of_transactions_that_run_out_are_found(old):
    assert found_in(old) == {}
    old.cluster.pass_transactions(YEARS)
    found = found_in(old)
    assert sorted(found) == ["wraparound", "wraparound of the tables"]
    assert {each["severity"] for each in found.values()} == {"error"}
    for finding in old.report():
        if finding["check"] == "wraparound of the tables" and finding["mend"]:
            old.apply(finding)
    found = found_in(old)
    assert list(found) == ["wraparound"]
    old.apply(found["wraparound"])
    assert found_in(old) == {}
    assert old.database.value("SELECT max(age(datfrozenxid)) FROM pg_database") < 1000

"""`raceway doctor`: each fault of settings, roles and tables is found, and gone after what was printed was run."""

from dataclasses import dataclass

import pytest

from support import paths
from support.cluster import staged_extension
from support.surroundings import ROLL_UPS


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
    Fault("schema", "error", f"DROP TABLE {', '.join(ROLL_UPS)}; DELETE FROM schema_migrations WHERE version > 3", "raceway"),
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


def test_a_setting_that_waits_for_a_restart_is_named_and_in_force_after_it(well):
    well.database.sql("ALTER SYSTEM SET max_connections = 70;\nSELECT pg_reload_conf();", "postgres")
    found = well.examine()
    assert list(found) == ["pending_restart"] and "max_connections" in found["pending_restart"]["found"]
    well.apply(found["pending_restart"])
    assert well.examine() == {}
    assert well.database.value("SELECT current_setting('max_connections')") == "70"


def test_a_cost_of_spinning_disks_is_a_hint_and_no_fault(well):
    hint = well.verdict("random_page_cost")
    assert hint["severity"] == "ok" and "SSD" in hint["found"]
    well.apply(hint)
    assert well.verdict("random_page_cost")["mend"] == []


def test_what_the_role_may_not_look_at_is_said_and_is_no_fault(well):
    well.database.sql("REVOKE EXECUTE ON FUNCTION pg_prepared_xact() FROM PUBLIC", "postgres")
    try:
        said = well.verdict("prepared transactions")
        assert said["severity"] == "ok" and said["found"].startswith("raceway may not look at it")
        assert well.examine() == {}
    finally:
        well.database.sql("GRANT EXECUTE ON FUNCTION pg_prepared_xact() TO PUBLIC", "postgres")

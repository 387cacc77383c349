"""Schedules in a real pg_cron."""

import pytest

from support.aging import fill, last_runs, traces_left
from support.cluster import PostgresCluster, SqlError
from support.wait import wait_until


@pytest.fixture(scope="module")
def cron_cluster():
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": "test_1", "cron.use_background_workers": "on"}
    with PostgresCluster(name="cron", settings=settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def scheduled(cron_cluster):
    database = cron_cluster.create_database(migrated=True)
    with pytest.raises(SqlError, match="42883.*pg_cron is not in this database"):
        database.sql("SELECT raceway.schedule_cleanup('0 3 * * *', '30 days')")
    database.sql("CREATE EXTENSION pg_cron", "postgres")
    with pytest.raises(SqlError, match="(?s)42501.*GRANT USAGE ON SCHEMA cron TO raceway"):
        database.sql("SELECT raceway.schedule_cleanup('0 3 * * *', '30 days')")
    database.sql("GRANT USAGE ON SCHEMA cron TO raceway", "postgres")
    print("pg_cron", database.value("SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'"))
    return database


def jobs(database):
    return {row["jobname"]: row for row in database.rows("SELECT * FROM cron.job")}


def test_jobs_run_are_seen_and_kept_short(scheduled):
    """pg_cron counts in minutes: this waits for the next one."""
    fill(scheduled, 5)
    cleanup = int(scheduled.sql("SELECT raceway.schedule_cleanup('* * * * *', older_than => '30 days')"))
    maintenance = int(scheduled.sql("SELECT raceway.schedule_maintenance('* * * * *', keep_job_runs => '0 s')"))
    refresh = int(scheduled.sql("SELECT raceway.schedule_refresh()"))
    wait_until(lambda: traces_left(scheduled) == [], 75, "the cleanup has run", every=0.5)
    wait_until(lambda: last_runs(scheduled)[0]["outcome"] == "done", 10, "it has ended")
    assert last_runs(scheduled)[0]["run_by"] == "raceway"
    runs = wait_until(lambda: scheduled.rows("SELECT * FROM cron.job_run_details WHERE status = 'succeeded'"), 10, "it is noted")
    assert {run["jobid"] for run in runs} <= {cleanup, maintenance, refresh}
    wait_until(lambda: scheduled.value("SELECT as_of FROM raceway.analysis_state") is not None, 10, "what is known is brought up to date")
    scheduled.sql("CALL raceway.maintain(keep_job_runs => '0 s')")
    assert scheduled.rows("SELECT * FROM cron.job_run_details WHERE end_time < now() - interval '1 s'") == []
    assert scheduled.rows("SELECT * FROM cron.job_run_details WHERE status = 'failed'") == []


def test_a_schedule_is_replaced_and_ended(scheduled):
    scheduled.sql("SELECT raceway.schedule_cleanup('0 3 * * *', older_than => '30 days', max_bytes => 10000000)")
    scheduled.sql("SELECT raceway.schedule_cleanup('0 4 * * *', max_traces => 5, by => 'end_time')")
    scheduled.sql("SELECT raceway.schedule_maintenance()")
    assert jobs(scheduled)["raceway cleanup"]["schedule"] == "0 4 * * *"
    assert "max_traces => '5'" in jobs(scheduled)["raceway cleanup"]["command"]
    assert scheduled.sql("SELECT raceway.unschedule_cleanup(), raceway.unschedule_maintenance(), raceway.unschedule_refresh()") == "t|t|t"
    assert scheduled.sql("SELECT raceway.unschedule_cleanup(), raceway.unschedule_maintenance(), raceway.unschedule_refresh()") == "f|f|f"
    assert jobs(scheduled) == {}


def test_a_wrong_rule_is_refused_at_once(scheduled):
    with pytest.raises(SqlError, match="22023"):
        scheduled.sql("SELECT raceway.schedule_cleanup('0 3 * * *')")
    with pytest.raises(SqlError, match="invalid schedule"):
        scheduled.sql("SELECT raceway.schedule_cleanup('now and then', '30 days')")
    assert jobs(scheduled) == {}


def test_the_documented_schedule_works_as_it_is(scheduled):
    scheduled.sql("SELECT cron.schedule('cleanup', '0 2 * * *', $$DELETE FROM traces WHERE created_at < NOW() - INTERVAL '30 days'$$)")
    assert jobs(scheduled)["cleanup"]["username"] == "raceway"
    scheduled.sql("SELECT cron.unschedule('cleanup')")

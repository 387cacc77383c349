"""The patient of the doctor's tests: one for all of them."""

import pytest

from support.patient import WITH_CRON, GoodCluster, Patient


@pytest.fixture(scope="session")
def patient(tmp_path_factory):
    with GoodCluster("doctor", WITH_CRON) as cluster:
        yield Patient(cluster, tmp_path_factory.mktemp("doctor")).schedule_cleanup()


@pytest.fixture
def well(patient):
    """The patient, with a configuration of the test's own; settings are reset after it."""
    patient.configure()
    yield patient
    patient.database.sql("ALTER SYSTEM RESET ALL;\nSELECT pg_reload_conf();", "postgres")
    if patient.database.value("SELECT count(*) FROM pg_settings WHERE pending_restart") > 0:
        patient.restart()

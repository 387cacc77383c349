"""`raceway doctor`: a database that cannot be reached, or over a network that anybody reads."""

import json

import pytest

from support.certificates import HOST, Authority
from support.cluster import PASSWORD
from support.patient import GoodCluster, Patient
from support.seclusion import ADDRESS, Seclusion
from support.server import run_raceway
from support.wait import free_port


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


def test_a_wrong_password_is_an_error_and_printed_nowhere(well):
    well.connect(well.database.tcp_connection_string("hunter2"))
    found = well.examine()
    assert list(found) == ["connection"] and found["connection"]["severity"] == "error"
    assert "hunter2" not in json.dumps(found)
    well.apply(found["connection"], PASSWORD=PASSWORD)
    assert well.examine() == {}


def test_a_database_that_is_down_is_an_error_and_the_mend_starts_it(well):
    well.cluster.stop()
    try:
        found = well.examine()
        assert list(found) == ["connection"] and found["connection"]["severity"] == "error"
        well.apply(found["connection"])
        assert well.examine() == {}
    finally:
        if well.cluster.process.poll() is not None:
            well.cluster.start()


def test_no_postgresql_and_a_bad_configuration_are_errors(well):
    port = free_port()
    well.connect(f"host=127.0.0.1 port={port} user=raceway")
    found = well.examine()
    assert list(found) == ["connection"]
    assert [f"pg_isready -h 127.0.0.1 -p {port}"] in [mend["lines"] for mend in found["connection"]["mend"]]
    well.file.write_text("[server]\nprot = 1\n")
    bad = run_raceway("--config", str(well.file), "doctor")
    assert bad.returncode == 2 and "server.prot" in bad.stdout


# Another machine, as far as the network can tell, whose disk is small.

class SecludedCluster(GoodCluster):
    def __init__(self, seclusion, authority):
        self.seclusion = seclusion
        # Small segments: one that a process still has open counts in the small disk until that one writes again.
        super().__init__("secluded", {
            "listen_addresses": f"127.0.0.1,{ADDRESS}", "ssl_cert_file": authority.certificate, "ssl_key_file": authority.key,
            "min_wal_size": "2MB", "wal_recycle": "off", "max_wal_size": "64MB"}, initdb=["--wal-segsize=1"])

    def _admitted(self):
        return f"host all all {ADDRESS}/32 scram-sha-256\n"

    def _initialise(self):
        super()._initialise()
        self.data = self.seclusion.move_to_small_disk(self.data, self.directory / "disk", "192M")

    def start(self):
        with self.seclusion.entered_by_clusters():
            super().start()


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """A patient whose database is on another machine as far as the network can tell, and on a small disk."""
    if not Seclusion.possible():
        pytest.skip("we may not make a network and a disk of the test's own")
    with Seclusion() as seclusion:
        authority = Authority()
        with SecludedCluster(seclusion, authority) as cluster:
            patient = Patient(cluster, tmp_path_factory.mktemp("far"), before=seclusion.words())
            patient.authority = authority
            yield patient


def connected_over_the_network(patient, **changes):
    words = {"host": HOST, "hostaddr": ADDRESS, "port": patient.cluster.port, "dbname": patient.database.name,
             "user": "raceway", "password": PASSWORD, **changes}
    patient.connect(" ".join(f"{name}={value}" for name, value in words.items()))
    return patient.verdict("tls")


def test_a_way_through_the_network_without_tls_is_found_and_gone_after_its_mend(far):
    found = connected_over_the_network(far)
    assert found["severity"] == "warning" and found["found"].startswith("none")
    assert PASSWORD not in json.dumps(found)
    trusted = {"PASSWORD": PASSWORD, "/etc/raceway/database-ca.pem": far.authority.ca}
    far.apply(found, **trusted)
    assert far.verdict("tls")["severity"] == "ok"

    for sslmode in ("prefer", "require"):  # encrypted now, and nobody looks by whom
        found = connected_over_the_network(far, sslmode=sslmode)
        assert found["severity"] == "warning" and f"sslmode is {sslmode}" in found["found"]
        far.apply(found, **trusted)
        assert far.verdict("tls")["severity"] == "ok"
    checked = connected_over_the_network(far, sslmode="verify-ca", sslrootcert=far.authority.ca)
    assert checked["severity"] == "ok" and "name in it is not" in checked["found"]


def test_a_disk_that_is_nearly_full_is_found_and_has_room_after_its_mend(far):
    by_day = far.cluster.create_database()
    by_day.sql("CREATE EXTENSION raceway; SELECT raceway.migrate(partition_by => 'day')")
    far.database, whole = by_day, far.database
    try:
        far.connect(by_day.connection_string())
        assert "cannot be seen" in far.verdict("disk")["found"], "the role may not know where PostgreSQL keeps its files"
        by_day.sql("GRANT pg_read_all_settings TO raceway", "postgres")
        old = "(now() AT TIME ZONE 'UTC')::date - interval '40 days'"
        by_day.sql(f"""
            SELECT make_partitions({old}, {old});
            INSERT INTO traces (trace_id, start_time, end_time) SELECT 't' || i, {old}, {old} FROM generate_series(1, 20) i;
            INSERT INTO events (event_id, trace_id, timestamp, location, metadata)
            SELECT 'e' || i, 't' || 1 + i % 20, {old}, repeat('x', 490), jsonb_build_object('a', repeat('y', 900))
            FROM generate_series(1, 25000) i;
            """)
        by_day.sql("CHECKPOINT", "postgres")
        far.cluster.seclusion.fill(far.cluster.data.parent, leaving="8M")
        found = far.verdict("disk")
        assert (found["severity"], "PostgreSQL's disk has" in found["found"]) == ("warning", True), found
        far.apply(found)
        by_day.sql("CHECKPOINT", "postgres")  # only now the files go
        after = far.verdict("disk")
        assert after["severity"] == "ok", after
        assert by_day.value("SELECT count(*) FROM events") == 0
    finally:
        far.database = whole

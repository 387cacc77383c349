"""TLS to the database, and a role as managed PostgreSQLs give it."""

import pytest

from support.certificates import HOST, Authority
from support.cluster import PASSWORD, PostgresCluster, SqlError
from support.environments import Tls
from support.server import RacewayServer, wait_for_refusal
from support.traffic import documented_event


@pytest.fixture(scope="module")
def encrypted():
    with Tls("tls-refusals") as running:
        yield running


def serving(where):
    return RacewayServer({"storage": {"backend": "postgres"}, "storage.postgres": {"connection_string": where}},
                         name="over-tls")


def reached(cluster, database, options, host=HOST):
    return (f"host={host} hostaddr=127.0.0.1 port={cluster.port} dbname={database.name} user={database.owner} "
            f"password={PASSWORD} {options}")


def refused(where):
    """What is said of a start that must fail at once: waiting does not mend it."""
    status, log, seconds = wait_for_refusal(serving(where))
    assert status > 0 and seconds < 20
    assert PASSWORD not in log
    return log


@pytest.mark.parametrize("options", ["sslmode=require", "sslmode=verify-full sslrootcert={ca}"])
def test_a_large_body_goes_and_comes_over_tls(encrypted, options):
    database = encrypted.create_database()
    where = reached(encrypted, database, options.format(ca=encrypted.authority.ca))
    with serving(where) as server, server.client() as client:
        events = [documented_event(f"e{n}", "t", n, metadata={"text": "x" * 50_000}) for n in range(60)]
        assert client.post(events).ok().json["stored"] == 60
        assert len(client.get("/api/traces/t").ok().data["events"]) == 60
        assert database.value("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                              " WHERE datname = current_database() AND client_addr IS NOT NULL AND NOT ssl",
                              user="postgres") == 0
    database.drop()


def test_a_certificate_of_another_authority_stops_the_start(encrypted):
    other = Authority()
    log = refused(reached(encrypted, encrypted.create_database(), f"sslmode=verify-full sslrootcert={other.ca}"))
    assert "certificate verify failed" in log


def test_a_certificate_of_another_name_stops_the_start(encrypted):
    log = refused(reached(encrypted, encrypted.create_database(),
                          f"sslmode=verify-full sslrootcert={encrypted.authority.ca}", host="other.raceway.test"))
    assert "does not match host name" in log


def test_a_missing_file_of_authorities_stops_the_start_with_its_name(encrypted):
    log = refused(reached(encrypted, encrypted.create_database(), "sslmode=verify-full sslrootcert=/nowhere/ca.pem"))
    assert "/nowhere/ca.pem" in log


def test_a_database_without_tls_stops_the_start_where_tls_is_asked_for():
    with PostgresCluster(name="plain") as plain:
        log = refused(reached(plain, plain.create_database(), "sslmode=require"))
    assert "SSL" in log


def test_on_a_managed_database_nobody_else_reads_what_the_server_keeps(encrypted):
    """Its roles of the web API see nothing; row security, switched on for every new table, does not hold its owner."""
    database = encrypted.create_database()
    with serving(encrypted.reach(database, database.owner)) as server, server.client() as client:
        client.post(documented_event("e", "t")).ok()
        again = client.post([documented_event("e", "t"), documented_event("f", "t")]).ok().json
        assert (again["stored"], again["duplicates"]) == (1, 1)
        assert len(client.get("/api/traces/t").ok().data["events"]) == 2
    secured = database.rows("SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'raceway'::regnamespace"
                            " AND relkind = 'r' AND relname IN ('traces', 'events')")
    assert sorted(row["relname"] for row in secured if row["relrowsecurity"]) == ["events", "traces"]
    for role in ("anon", "authenticated"):
        with pytest.raises(SqlError, match="permission denied"):
            database.sql(f"SET ROLE {role}; SELECT * FROM raceway.events", user="postgres")
    assert database.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    with pytest.raises(SqlError, match="permission denied"):
        database.sql("CREATE TABLE public.mine ()")
    database.drop()

"""How the server starts, and what it says when it cannot: configuration, databases, commands."""

import pytest

from support import paths
from support.cluster import PASSWORD, PostgresCluster
from support.server import RacewayServer, run_raceway, toml, wait_for_refusal
from support.traffic import documented_event


def refused(**options):
    """The log of a start that must fail soon, with a status other than 0."""
    status, log, seconds = wait_for_refusal(RacewayServer(name="refused", **options))
    assert status not in (0, None) and status > 0, f"ended by a signal? {status}\n{log}"
    assert seconds < 20
    return log


@pytest.mark.parametrize("sections, words", [
    ({"server": {"prot": 1}}, ["raceway.toml:2", "server.prot"]),
    ({"sever": {"port": 1}}, ["raceway.toml:1", "sever"]),
    ({"engine": {"batch_size": "many"}}, ["raceway.toml:2", "engine.batch_size"]),
    ({"engine": {"batch_size": 0}}, ["raceway.toml:2", "engine.batch_size"]),
    ({"engine": {"ack": "perhaps"}}, ["engine.ack", "durable", "buffered"]),
    ({"server": {"auth_enabled": True}}, ["server.api_keys"]),
    ({"storage": {"backend": "postgres"}}, ["storage.postgres.connection_string"]),
    ({"storage": {"backend": "sqlite"}}, ["storage.backend", "memory", "postgres"]),
])
def test_a_bad_configuration_stops_the_start_with_file_line_and_key(sections, words):
    log = refused(sections=sections)
    assert [word for word in words if word not in log] == [], log


@pytest.mark.parametrize("variable, value", [
    ("RACEWAY_SERVER_PROT", "1"), ("RACEWAY_ENGINE_BATCH_SIZE", "many"), ("RACEWAY_SERVER_RATE_LIMIT_RPM", "-1")])
def test_a_bad_environment_stops_the_start_with_the_variable(variable, value):
    assert variable in refused(environment={variable: value})


def test_all_problems_are_named_at_once():
    log = refused(sections={"server": {"prot": 1}, "engine": {"batch_size": 0}, "logging": {"level": "loud"}})
    assert all(word in log for word in ("server.prot", "engine.batch_size", "logging.level"))


def test_the_environment_wins_over_the_file():
    with RacewayServer({"server": {"max_body_bytes": 2048}}, environment={"RACEWAY_SERVER_MAX_BODY_BYTES": "1024"},
                       name="environment") as server, server.client() as client:
        client.post(b" " * 1500).refused(413)


def test_a_port_that_is_taken_stops_the_start():
    with RacewayServer(name="first") as first:
        second = RacewayServer(name="second")
        second.config.write_text(toml({"server": {"host": "127.0.0.1", "port": first.port}}))
        status, log, _ = wait_for_refusal(second)
        assert status > 0 and str(first.port) in log


def test_config_shows_what_is_in_force_and_masks_secrets(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text(toml({"server": {"port": 9999, "auth_enabled": True, "api_keys": ["sesame"]},
                          "storage.postgres": {"connection_string": "host=db user=me password=hunter2"}}))
    shown = run_raceway("config", "--config", str(file), environment={"RACEWAY_ENGINE_BATCH_SIZE": "77"})
    assert shown.returncode == 0, shown.stderr
    assert "9999" in shown.stdout and "77" in shown.stdout and "RACEWAY_ENGINE_BATCH_SIZE" in shown.stdout
    assert "sesame" not in shown.stdout + shown.stderr and "hunter2" not in shown.stdout + shown.stderr


def test_config_check_tells_good_from_bad(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text("[server]\nport = 9999\n")
    assert run_raceway("config", "--check", "--config", str(file)).returncode == 0
    file.write_text("[server]\nport = 99999\n")
    bad = run_raceway("config", "--check", "--config", str(file))
    assert bad.returncode > 0 and "my.toml:2" in bad.stderr and "server.port" in bad.stderr


def test_the_example_configuration_is_a_good_one():
    example = paths.ROOT / "server" / "raceway.example.toml"
    checked = run_raceway("config", "--check", "--config", str(example))
    assert checked.returncode == 0, checked.stderr
    assert run_raceway("config", "--example").stdout == example.read_text()


def test_version_and_help():
    assert paths.EXTENSION_VERSION in run_raceway("--version").stdout
    for arguments in ([], ["serve"], ["migrate"], ["config"]):
        shown = run_raceway(*arguments, "--help")
        assert shown.returncode == 0 and "raceway" in shown.stdout
    assert run_raceway("fly").returncode > 0


@pytest.mark.extension
def test_an_empty_database_is_made_ready_at_the_start(open_store):
    store = open_store("postgres")
    columns = store.database.value("SELECT count(*) FROM information_schema.columns WHERE table_schema = 'raceway'"
                                   " AND table_name IN ('traces', 'events')")
    assert columns == 15
    assert store.database.rows("SELECT extname, extversion FROM pg_extension WHERE extname = 'raceway'") == [
        {"extname": "raceway", "extversion": paths.EXTENSION_VERSION}]


def test_what_a_server_stored_is_there_after_a_restart(open_store):
    store = open_store("postgres")
    store.post(documented_event("e", "t"))
    before = store.trace("t")
    store.server.stop()
    store.server.start()
    assert store.trace("t") == before


def test_migrate_makes_a_database_ready_and_may_be_run_again(database):
    environment = {"RACEWAY_STORAGE_BACKEND": "postgres",
                   "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": database.connection_string()}
    for _ in range(2):
        done = run_raceway("migrate", environment=environment)
        assert done.returncode == 0, done.stderr
        assert database.value("SELECT count(*) FROM traces") == 0


@pytest.mark.extension
def test_without_auto_migrate_an_empty_database_stops_the_start_with_what_to_run(database):
    log = refused(database=database, sections={"storage.postgres": {"auto_migrate": False}})
    assert "raceway migrate" in log or "CREATE EXTENSION" in log
    assert database.value("SELECT count(*) FROM pg_extension WHERE extname = 'raceway'") == 0


@pytest.mark.extension
def test_a_role_without_privileges_is_told_what_to_run(cluster, database):
    stranger = cluster.create_role("stranger")
    log = refused(sections={"storage": {"backend": "postgres"},
                            "storage.postgres": {"connection_string": database.connection_string(stranger)}})
    assert "permission denied" in log and "CREATE EXTENSION" in log


def test_a_wrong_password_stops_the_start_and_is_not_shown(database):
    wrong = "hunter2-is-wrong"
    log = refused(sections={"storage": {"backend": "postgres"},
                            "storage.postgres": {"connection_string": database.tcp_connection_string(wrong)}})
    assert "password authentication failed" in log and wrong not in log


def test_a_good_password_starts(database):
    with RacewayServer({"storage": {"backend": "postgres"},
                        "storage.postgres": {"connection_string": database.tcp_connection_string()}},
                       name="tcp") as server:
        with server.client() as client:
            client.post(documented_event("e", "t")).ok()
        assert PASSWORD not in server.log_text()


def test_a_database_that_does_not_exist_stops_the_start(cluster):
    where = f"host={cluster.host} port={cluster.port} dbname=nowhere user=raceway"
    log = refused(sections={"storage": {"backend": "postgres"}, "storage.postgres": {"connection_string": where}})
    assert 'database "nowhere" does not exist' in log


def test_a_database_of_a_newer_raceway_is_left_alone(migrated):
    migrated.sql("INSERT INTO schema_migrations SELECT * FROM jsonb_populate_record(NULL::schema_migrations,"
                 " (SELECT to_jsonb(m) || '{\"version\": 999999}' FROM schema_migrations m"
                 " ORDER BY version DESC LIMIT 1))")
    log = refused(database=migrated)
    assert "999999" in log or "newer" in log


def test_the_tables_belong_to_the_plain_role_that_the_server_runs_as(open_store):
    store = open_store("postgres")
    owners = store.database.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'raceway'")
    assert owners == [{"tableowner": "raceway"}]

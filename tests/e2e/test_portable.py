"""The portable edition: a server on a PostgreSQL that has no library of ours, and moving between the editions."""

import re
import subprocess

import pytest

from support import model, paths
from support.checks import inexact_traces
from support.cluster import PostgresCluster, SqlError
from support.editions import create_database, edition_of
from support.server import RacewayServer, run_raceway
from support.store import Store
from support.traffic import RECORDED, documented_event, recorded_bodies, recorded_events
from support.ways import ingest, table_rows


@pytest.fixture(scope="module")
def bare():
    """A cluster on which the extension is not to be had."""
    with PostgresCluster(name="bare", with_extension=False) as running:
        yield running


def migrate(database, *options, backend="postgres"):
    environment = {"RACEWAY_STORAGE_BACKEND": backend,
                   "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": database.connection_string()}
    return run_raceway("migrate", *options, environment=environment)


def stocked(database):
    """Stores some events, and answers all rows of the tables."""
    ingest(database, [documented_event(f"e{n}", f"t{n % 7}", n, vector_clock={"a": n}) for n in range(50)])
    return table_rows(database)


@pytest.mark.parametrize("backend", ["supabase", "postgres"])
def test_recorded_traffic_passes_through_a_server_without_the_extension(bare, backend):
    with Store("postgres", bare, "bare", {"storage": {"backend": backend}}) as store:
        assert "the portable edition" in store.server.log_text()
        assert edition_of(store.database) == "portable"
        for capture, (events, _) in RECORDED.items():
            assert sum(answer["stored"] for answer in store.post_all(recorded_bodies(capture))) == events
            assert sum(answer["stored"] for answer in store.post_all(recorded_bodies(capture))) == 0
        sent = {event["id"]: event for capture in RECORDED for event in recorded_events(capture)}
        got = [event for trace in store.export() for event in trace["events"]]
        assert len(got) == len(sent)
        assert [d for event in got if (d := model.sdk_difference(sent[event["id"]], event))] == []
        assert inexact_traces(store.database) == []


def test_supabase_takes_the_portable_edition_where_the_extension_is_to_be_had(database):
    done = migrate(database, backend="supabase")
    assert done.returncode == 0 and "the portable edition" in done.stdout
    assert edition_of(database) == "portable"


def test_postgres_takes_the_extension_where_it_is_to_be_had(database):
    assert "the extension" in migrate(database).stdout
    assert edition_of(database) == "extension"


def test_what_is_there_stays_whichever_backend_comes(database):
    migrate(database, backend="supabase")
    assert "the portable edition" in migrate(database, backend="postgres").stdout
    assert edition_of(database) == "portable"


def test_moving_to_the_other_edition_and_back_keeps_every_row(database):
    migrate(database)
    rows = stocked(database)
    for edition in ("portable", "extension", "portable"):
        done = migrate(database, "--edition", edition)
        assert done.returncode == 0, done.stderr
        assert edition_of(database) == edition
        assert table_rows(database) == rows
        assert ingest(database, documented_event("e1", "t1", 1, vector_clock={"a": 1}))["duplicates"] == 1


def test_moving_by_hand_keeps_every_row(database):
    """As the README says it."""
    database.sql("CREATE EXTENSION raceway; SELECT raceway.migrate()")
    rows = stocked(database)
    database.sql("BEGIN; DROP EXTENSION raceway;\n" + paths.PORTABLE.read_text() + "COMMIT;")
    assert (edition_of(database), table_rows(database)) == ("portable", rows)
    database.sql("BEGIN; SELECT raceway.drop_portable(); CREATE EXTENSION raceway; COMMIT;")
    assert (edition_of(database), table_rows(database)) == ("extension", rows)


def test_a_server_goes_on_while_the_edition_is_moved_under_it(database):
    with RacewayServer(database=database, name="moved") as server, server.client() as client:
        for number, edition in enumerate(("portable", "extension", "portable")):
            assert client.post(f'{{"event_id":"a{number}","trace_id":"t","kind":"Log","timestamp":"2026-01-01T00:00:00Z"}}').ok().json["stored"] == 1
            assert migrate(database, "--edition", edition).returncode == 0
            assert client.post(f'{{"event_id":"b{number}","trace_id":"t","kind":"Log","timestamp":"2026-01-01T00:00:00Z"}}').ok().json["stored"] == 1
    assert database.value("SELECT event_count FROM raceway.traces") == 6


def test_a_move_that_cannot_be_made_changes_nothing(bare):
    database = create_database(bare, "portable")
    rows = stocked(database)
    done = migrate(database, "--edition", "extension")
    assert done.returncode == 1 and "make install" in done.stderr
    assert (edition_of(database), table_rows(database)) == ("portable", rows)
    database.drop()


def test_applied_again_it_replaces_its_own_code_and_keeps_what_hangs_on_it(bare):
    database = create_database(bare, "portable")
    rows = stocked(database)
    database.sql("CREATE VIEW public.latest AS SELECT event_id FROM raceway.events WHERE raceway.vclock_size(vector_clock) > 0")
    database.sql("CREATE OR REPLACE FUNCTION raceway.vclock_size(clock jsonb) RETURNS integer LANGUAGE sql AS 'SELECT 7'")
    database.sql("BEGIN;\n" + paths.PORTABLE.read_text() + "COMMIT;")
    assert database.value("SELECT raceway.vclock_size('{\"a\": 1}')") == 1
    assert table_rows(database) == rows
    with pytest.raises(SqlError, match="latest"):
        database.sql("SELECT raceway.drop_portable()")
    database.drop()


def test_the_extension_is_not_silently_replaced_where_it_was_asked_for(bare):
    database = bare.create_database()
    done = migrate(database, "--edition", "extension")
    assert done.returncode == 1 and "make install" in done.stderr
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'raceway'") == 0
    database.drop()


def test_servers_that_start_together_on_an_empty_database_get_ready(bare):
    database = bare.create_database()
    servers = [RacewayServer(database=database, name=f"together-{n}").launch() for n in range(3)]
    try:
        for server in servers:
            server.await_answer()
    finally:
        for server in servers:
            server.stop()
    assert edition_of(database) == "portable"
    database.drop()


def test_an_older_text_of_it_is_replaced_at_the_start(bare):
    database = bare.create_database()
    database.sql(re.sub(r"'[0-9a-f]{16}'", "'0123456789abcdef'", paths.PORTABLE.read_text()))
    assert database.value("SELECT (raceway.portable_version()).build") == "0123456789abcdef"
    assert migrate(database).returncode == 0
    assert database.value("SELECT (raceway.portable_version()).build") != "0123456789abcdef"
    database.drop()


OLDER = """
    CREATE FUNCTION raceway.service_volume() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION raceway.once_ours(text) RETURNS text LANGUAGE sql RETURN $1;
    CREATE FUNCTION raceway.built_on_it(text) RETURNS text LANGUAGE sql RETURN raceway.once_ours($1);
    CREATE FUNCTION raceway.held(text) RETURNS text LANGUAGE sql RETURN $1;
    CREATE FUNCTION raceway.of_mine(text) RETURNS text LANGUAGE sql RETURN $1;
    CREATE VIEW public.hanging AS SELECT raceway.held('a');
    """


def test_what_an_older_version_had_and_this_one_has_not_goes_unless_something_hangs_on_it(bare):
    database = bare.create_database()
    text = paths.PORTABLE.read_text()
    database.sql(re.sub(r"(routines +constant name\[\] := '\{)", r"\1built_on_it,held,once_ours,", text) + OLDER)
    fresh = create_database(bare, "portable")

    def routines(of):
        rows = of.rows("SELECT oid::regprocedure::text AS it FROM pg_proc WHERE pronamespace = 'raceway'::regnamespace")
        return {row["it"].removeprefix("raceway.") for row in rows}

    assert routines(database) - routines(fresh) == {
        "service_volume()", "once_ours(text)", "built_on_it(text)", "held(text)", "of_mine(text)"}
    database.sql(f"BEGIN;\n{text}COMMIT;")
    assert routines(database) - routines(fresh) == {"held(text)", "of_mine(text)"}
    assert routines(fresh) - routines(database) == set()
    database.drop()
    fresh.drop()


def test_the_extension_that_is_there_is_not_covered(migrated):
    with pytest.raises(SqlError, match="the extension raceway is in this database"):
        migrated.sql(paths.PORTABLE.read_text())


def test_a_schema_of_another_role_is_not_taken_over(cluster, database):
    database.sql("CREATE SCHEMA raceway; GRANT ALL ON SCHEMA raceway TO PUBLIC", "postgres")
    with pytest.raises(SqlError, match='the schema raceway belongs to "postgres"'):
        database.sql(paths.PORTABLE.read_text())


def test_the_file_is_printed_without_a_configuration():
    printed = run_raceway("migrate", "--print-portable")
    assert (printed.returncode, printed.stdout) == (0, paths.PORTABLE.read_text())


def test_what_is_made_for_pg_tle_installs_as_an_extension(cluster, bare, tmp_path):
    """Without pg_tle itself, which Debian does not have: its call is taken down, and what it registers becomes an
    extension of files."""
    text = subprocess.run([str(paths.ROOT / "sql/portable/join"), paths.EXTENSION_VERSION, "pg_tle"], check=True,
                          capture_output=True, text=True).stdout
    database = bare.create_database()
    database.sql("""
        CREATE SCHEMA pgtle;
        CREATE TABLE pgtle.taken (name text, version text, script text);
        CREATE FUNCTION pgtle.install_extension(name text, version text, description text, ext text) RETURNS boolean
        LANGUAGE sql AS 'INSERT INTO pgtle.taken VALUES (name, version, ext) RETURNING true'""")
    database.sql(text)
    taken, = database.rows("SELECT * FROM pgtle.taken")
    assert (taken["name"], taken["version"]) == ("raceway", paths.EXTENSION_VERSION)
    database.sql("BEGIN;\n" + taken["script"] + "\nSELECT raceway.migrate() \\g /dev/null\nCOMMIT")
    assert edition_of(database) == "portable"
    assert ingest(database, documented_event("e", "t"))["stored"] == 1
    # Within CREATE EXTENSION nothing may be replaced, and no transaction begun.
    assert not re.search(r"OR REPLACE|^(BEGIN|COMMIT);", taken["script"], re.MULTILINE)
    database.drop()

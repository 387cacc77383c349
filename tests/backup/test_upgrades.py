"""Upgrades: who comes from an older version has in the end what a fresh install has, and has lost nothing."""

import re

import pytest

from support import paths
from support.catalog import difference, extension_of, rows_of, tables_of
from support.cluster import (
    PG_CONFIG, PostgresCluster, SqlError, copy_of_extension, found_under, stage_extension, staged_extension)
from support.estate import generated
from support.server import RacewayServer
from support.ways import assert_whole, counts, ingest

# What a made-up version 9.0 has more than the one of this checkout: something of each kind.
ADDITION = """
CREATE FUNCTION raceway.added(a pg_catalog.jsonb, b pg_catalog.int4 DEFAULT 1) RETURNS pg_catalog.numeric
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN raceway.vclock_sum(a);
COMMENT ON FUNCTION raceway.added(pg_catalog.jsonb, pg_catalog.int4) IS 'added by 9.0';
REVOKE EXECUTE ON FUNCTION raceway.added(pg_catalog.jsonb, pg_catalog.int4) FROM PUBLIC;
CREATE OPERATOR raceway.## (LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_equal,
  COMMUTATOR = OPERATOR(raceway.##), RESTRICT = pg_catalog.eqsel);
CREATE AGGREGATE raceway.added_agg(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_merge, STYPE = pg_catalog.jsonb, COMBINEFUNC = raceway.vclock_merge, PARALLEL = SAFE);
CREATE OR REPLACE FUNCTION raceway.partition_interval(partition_by text) RETURNS interval
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE partition_by WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days'
                           WHEN 'month' THEN interval '1 month' WHEN 'year' THEN interval '1 year' END;
ALTER DOMAIN raceway.vclock ADD CONSTRAINT vclock_small CHECK (raceway.vclock_size(VALUE) OPERATOR(pg_catalog.<) 1000);
CREATE VIEW raceway.added_view AS SELECT 1 AS one;
GRANT SELECT ON raceway.added_view TO PUBLIC;
COMMENT ON VIEW raceway.added_view IS 'added by 9.0';
"""

# What an upgrade script may get wrong: a piece of the above, and what stands in its place.
MISTAKES = {
    "a function that behaves in another way": ("vclock_sum(a)", "vclock_sum(a) + 1"),
    "a function with another default": ("DEFAULT 1", "DEFAULT 2"),
    "a function with another name for an argument": ("jsonb, b pg_catalog", "jsonb, more pg_catalog"),
    "a function that is not called parallel safe": ("PARALLEL SAFE RETURN raceway", "RETURN raceway"),
    "a function that is not changed": ("WHEN 'year' THEN interval '1 year' ", ""),
    "another comment": ("'added by 9.0';\nREVOKE", "'added by 8.0';\nREVOKE"),
    "no comment": ("COMMENT ON VIEW raceway.added_view IS 'added by 9.0';", ""),
    "a privilege that is not revoked": (re.search(r"REVOKE.*\n", ADDITION)[0], ""),
    "a privilege that is not granted": ("GRANT SELECT ON raceway.added_view TO PUBLIC;", ""),
    "an operator without its commutator": ("COMMUTATOR = OPERATOR(raceway.##), ", ""),
    "an operator without its estimate": (", RESTRICT = pg_catalog.eqsel", ""),
    "an aggregate that is not combined": ("COMBINEFUNC = raceway.vclock_merge, ", ""),
    "an aggregate that is not called parallel safe": (", PARALLEL = SAFE);", ");"),
    "a domain that takes more": (re.search(r"ALTER DOMAIN.*\n", ADDITION)[0], ""),
    "a view that shows something else": ("SELECT 1 AS one", "SELECT 2 AS one"),
    "a view that is missing": (ADDITION[ADDITION.index("CREATE VIEW"):], ""),
    "a function that is no member": (
        "CREATE VIEW", "ALTER EXTENSION raceway DROP FUNCTION raceway.added(jsonb, int4); CREATE VIEW"),
    "something that is left over": (
        "CREATE VIEW", "CREATE FUNCTION raceway.left_over() RETURNS int LANGUAGE sql RETURN 1; CREATE VIEW"),
}


def version_named(mistake):
    return re.sub(r"[^a-z]+", "_", mistake)


def install_directory(stage):
    """Where the scripts of the extension stand below a staged install."""
    (control,) = stage.glob("**/extension/raceway.control")
    return control.parent


@pytest.fixture(scope="module")
def made_up():
    """A cluster with versions that are made up: 9.0, the way there from the one of this checkout, and one from a
    version of its own for each mistake. They are installed from a copy of the checkout, as those of releases are."""
    copy = copy_of_extension()
    directory = copy / "sql" / "upgrades"
    directory.mkdir(exist_ok=True)
    name = f"raceway--{paths.EXTENSION_VERSION}"
    script = (install_directory(staged_extension()) / f"{name}.sql").read_text()
    (directory / "raceway--9.0.sql").write_text(script + ADDITION)
    (directory / f"{name}--9.0.sql").write_text(ADDITION)
    for mistake, (right, wrong) in MISTAKES.items():
        assert ADDITION.count(right) == 1, f"{mistake}: {right!r} does not stand there once"
        (directory / f"raceway--{version_named(mistake)}.sql").write_text(script)
        (directory / f"raceway--{version_named(mistake)}--9.0.sql").write_text(ADDITION.replace(right, wrong))
    with PostgresCluster("made-up", found_under(stage_extension(copy / "extension", PG_CONFIG))) as cluster:
        yield cluster


def installed(cluster, *versions):
    """A new database in which the extension was brought from each version to the next, by its plain owner."""
    database = cluster.create_database()
    first, *rest = versions
    database.sql(f'CREATE EXTENSION raceway VERSION "{first}"')
    for version in rest:
        database.sql(f'ALTER EXTENSION raceway UPDATE TO "{version}"')
    return database


def test_every_upgrade_script_gives_what_a_fresh_install_gives(cluster):
    scripts = {script.name for folder in ("extension", "sql")
               for script in (paths.ROOT / folder).rglob("raceway--*--*.sql")}
    there = {script.name for script in install_directory(staged_extension()).glob("raceway--*--*.sql")}
    assert scripts == there, "an upgrade script of the checkout is not installed with the extension"
    sources = cluster.sql("SELECT source FROM pg_extension_update_paths('raceway') WHERE path IS NOT NULL"
                          f" AND target = '{paths.EXTENSION_VERSION}'").splitlines()
    print(f"upgrades to {paths.EXTENSION_VERSION}: {sources or 'from nowhere, nothing is older'}")
    fresh = extension_of(installed(cluster, paths.EXTENSION_VERSION))
    for source in sources:
        assert difference(fresh, extension_of(installed(cluster, source, paths.EXTENSION_VERSION))) == [], source
    assert any(line.startswith("aggregate raceway.vclock_frontier(") for line in fresh), "nothing was compared"


@pytest.fixture(scope="module")
def fresh_extension(made_up):
    return extension_of(installed(made_up, "9.0"))


def test_a_right_upgrade_is_found_right_and_keeps_tables_rows_and_views(made_up, fresh_extension):
    upgraded = installed(made_up, paths.EXTENSION_VERSION)
    upgraded.sql("SELECT raceway.migrate()")
    ingest(upgraded, generated("before"))
    upgraded.sql("CREATE VIEW public.mine AS SELECT event_id, raceway.vclock_sum(vector_clock) FROM raceway.events"
                 " WHERE vector_clock OPERATOR(raceway.>>=) '{}'")
    rows, tables, mine = rows_of(upgraded), tables_of(upgraded), upgraded.rows("SELECT * FROM public.mine")
    upgraded.sql("ALTER EXTENSION raceway UPDATE TO '9.0'")
    assert difference(fresh_extension, extension_of(upgraded)) == []
    assert rows_of(upgraded) == rows and tables_of(upgraded) == tables
    assert upgraded.rows("SELECT * FROM public.mine") == mine != []
    assert "nothing to do" in upgraded.sql("SELECT raceway.migrate()")
    assert counts(ingest(upgraded, generated("before"))) == (0, 200, 0)
    assert counts(ingest(upgraded, generated("after"))) == (200, 0, 0)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_upgrade_is_found(made_up, fresh_extension, mistake):
    upgraded = installed(made_up, version_named(mistake), "9.0")
    assert difference(fresh_extension, extension_of(upgraded)) != []


OLDER_TABLES = sorted((paths.DATA / "schema").glob("version_*.sql"))


@pytest.fixture
def fresh_tables(cluster):
    return tables_of(cluster.create_database(migrated=True))


def with_older_tables(cluster, script, spoil=""):
    """A database as an earlier version left it, with some rows."""
    database = cluster.create_database()
    database.sql("CREATE EXTENSION raceway;" + script.read_text() + spoil + """;
        INSERT INTO raceway.traces VALUES ('t', 'bank', '2026-01-01', '2026-01-02', 2, '2026-01-03');
        INSERT INTO raceway.events VALUES
            ('e1', 't', 'Log', '2026-01-01', 1.5, 'a.c:1', '{"a": 1}', '{"service_name": "bank"}', '2026-01-03'),
            ('e2', 't', NULL, '2026-01-02', NULL, NULL, NULL, NULL, '2026-01-03')""")
    return database


EVENTS_AND_TRACES = "SELECT to_jsonb(e) AS row FROM raceway.events e UNION ALL SELECT to_jsonb(t) FROM raceway.traces t"


@pytest.mark.parametrize("script", OLDER_TABLES, ids=lambda script: script.stem)
def test_older_tables_become_those_of_a_fresh_install(cluster, fresh_tables, script):
    database = with_older_tables(cluster, script)
    rows = database.rows(EVENTS_AND_TRACES)
    before = tables_of(database)
    with pytest.raises(SqlError, match="55000"):
        database.sql("SELECT raceway.migrate(partition_by => 'day')")
    assert tables_of(database) == before, "what was refused has changed something"
    assert ", was " in database.sql("SELECT raceway.migrate()")
    assert difference(fresh_tables, tables_of(database)) == []
    assert database.rows(EVENTS_AND_TRACES) == rows
    versions = database.rows("SELECT version FROM raceway.schema_migrations ORDER BY 1")
    assert [row["version"] for row in versions] == list(range(1, len(versions) + 1)) != []
    answer = ingest(database, generated("after"))
    assert (counts(answer), answer["ingest_way"]) == ((200, 0, 0), "direct")
    assert_whole(database)


@pytest.mark.parametrize("script", OLDER_TABLES, ids=lambda script: script.stem)
def test_two_servers_that_start_at_once_bring_older_tables_up_to_date(cluster, fresh_tables, script):
    database = with_older_tables(cluster, script)
    servers = [RacewayServer(database=database, name=f"upgrading-{number}").launch() for number in range(2)]
    for server in servers:
        server.await_answer()
        with server.client() as client:
            assert len(client.get("/api/traces/t").ok().data["events"]) == 2
        assert server.stop() == 0
    assert difference(fresh_tables, tables_of(database)) == []


@pytest.mark.parametrize("spoil", [
    "DROP INDEX raceway.idx_traces_end_time", "ALTER TABLE raceway.events ALTER kind TYPE text",
    "COMMENT ON TABLE raceway.traces IS 'mine'", "ALTER TABLE raceway.traces ALTER created_at SET DEFAULT now()",
    "ALTER TABLE raceway.events DROP CONSTRAINT events_trace_id_fkey"])
def test_tables_that_differ_after_all_are_found(cluster, fresh_tables, spoil):
    database = with_older_tables(cluster, OLDER_TABLES[0], spoil)
    database.sql("SELECT raceway.migrate()")
    assert difference(fresh_tables, tables_of(database)) != []

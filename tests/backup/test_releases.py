"""From each release that people may have, in both editions: this version has in the end what a fresh install has, and
nothing is lost, while servers of this version write."""

import re

import pytest

from support import paths
from support.catalog import difference, extension_of, portable_edition_of, rows_of, tables_of
from support.cluster import SqlError
from support.editions import create_database, install_sql
from support.estate import LAYOUTS, generated
from support.load import LoadClient, acknowledge_more, acknowledged_by, load
from support.server import RacewayServer
from support.traffic import OverlappingTraffic, recorded_bodies
from support.ways import assert_whole, counts, ingest

PORTABLE_RELEASES = {re.search(r"portable-(.*)\.sql", script.name)[1]: script
                     for script in sorted((paths.DATA / "releases").glob("raceway-portable-*.sql"))}
EXTENSION_RELEASES = [re.search(r"raceway--(.*)\.sql", script.name)[1]
                      for script in sorted((paths.ROOT / "sql" / "upgrades").glob("raceway--*.sql"))
                      if script.name.count("--") == 1]
RELEASES = [("extension", version) for version in EXTENSION_RELEASES] + [
    ("portable", version) for version in PORTABLE_RELEASES]

CODE_OF = {"extension": extension_of, "portable": portable_edition_of}


def install(database, edition, version, layout):
    if edition == "extension":
        database.sql(f'CREATE EXTENSION raceway VERSION "{version}"')
    else:
        database.sql(f"BEGIN;\n{PORTABLE_RELEASES[version].read_text()}\nCOMMIT;")
    database.sql(LAYOUTS[layout])


def upgrade(database, edition):
    if edition == "extension":
        database.sql("ALTER EXTENSION raceway UPDATE")
    else:
        database.sql(f"BEGIN;\n{install_sql(edition)}\nCOMMIT;")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("edition", "version"), RELEASES)
def test_an_upgrade_from_a_release_is_a_fresh_install_with_the_rows_that_were_there(cluster, edition, version, layout):
    fresh = create_database(cluster, edition, LAYOUTS[layout].removeprefix("SELECT "))
    upgraded = cluster.create_database()
    install(upgraded, edition, version, layout)
    ingest(upgraded, [body.decode() for body in recorded_bodies("python")], array=True)
    assert counts(ingest(upgraded, generated("before"))) == (200, 0, 0)
    rows = rows_of(upgraded)
    sections = {"storage.postgres": {"auto_migrate": False}}
    with RacewayServer(sections, upgraded, name=f"beside-{edition}-{version}-{layout}") as server, \
            load([LoadClient([server.port], OverlappingTraffic("meanwhile"))]) as clients:
        acknowledge_more(clients, 500)
        upgrade(upgraded, edition)
        acknowledge_more(clients, 500)
        upgraded.sql("SELECT raceway.migrate()")
        acknowledge_more(clients, 500)
    stored = {row["event_id"] for row in upgraded.rows("SELECT event_id FROM raceway.events")}
    assert acknowledged_by(clients) <= stored
    assert difference(CODE_OF[edition](fresh), CODE_OF[edition](upgraded)) == []
    assert difference(tables_of(fresh), tables_of(upgraded)) == []
    assert set(rows) - set(rows_of(upgraded)) == set(), "a row is gone, or another"
    assert counts(ingest(upgraded, generated("before"))) == (0, 200, 0)
    assert_whole(upgraded)
    upgraded.sql("CALL raceway.cleanup(older_than => '0 seconds', by => 'end_time')")
    assert upgraded.sql("SELECT count(*) FROM raceway.events") == "0"
    assert_whole(upgraded)


def test_there_is_a_release_of_each_edition():
    assert EXTENSION_RELEASES and sorted(PORTABLE_RELEASES) == sorted(EXTENSION_RELEASES)


def test_what_cleaning_up_was_in_0_1_0_says_how_to_come_here(cluster):
    """Until the extension is updated; nothing is removed."""
    database = cluster.create_database()
    install(database, "extension", "0.1.0", "partitioned")
    ingest(database, generated("before"))
    before = rows_of(database)
    for call in ("sweep_traces(now()::timestamp)", "delete_ended_traces(now()::timestamp)"):
        with pytest.raises(SqlError, match="(?s)0A000.*ALTER EXTENSION raceway UPDATE"):
            database.sql(f"SELECT raceway.{call}")
    assert rows_of(database) == before

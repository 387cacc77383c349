"""pg_dump in all its forms: what comes back in a new cluster is what was there, and it goes on."""

import pytest

from support.backups import shell, workspace
from support.catalog import assert_same_database
from support.checks import check_promises, inexact_traces, stored_events
from support.cluster import PostgresCluster
from support.estate import LAYOUTS, assert_goes_on, create_database, generated, settle
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.server import RacewayServer
from support.traffic import OverlappingTraffic
from support.ways import assert_whole, ingest

# How it is taken of a database, and how it is put back into the database raceway.
AS_SCRIPT = ("pg_dump {} > raceway.sql", "psql -X -q -v ON_ERROR_STOP=1 raceway < raceway.sql")
AS_ARCHIVE = ("pg_dump -Fc {} > raceway.dump", "pg_restore -j2 --exit-on-error -d raceway raceway.dump")
AS_DIRECTORY = ("pg_dump -Fd -j2 -f raceway.dir {}", "pg_restore -j2 --exit-on-error -d raceway raceway.dir")
FORMS = {"script": AS_SCRIPT, "archive": AS_ARCHIVE, "directory": AS_DIRECTORY}


@pytest.fixture(scope="module")
def site():
    with PostgresCluster("dumped") as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere():
    """Another machine, as it were: a new cluster whose PostgreSQL has the extension installed."""
    with PostgresCluster("restored-dump") as running:
        yield running


@pytest.fixture(scope="module", params=LAYOUTS)
def original(request, site):
    """A database in use, in each layout."""
    database = create_database(site)
    settle(database, request.param)
    yield database
    database.drop()


@pytest.fixture
def empty(elsewhere):
    """Where to restore to: an empty database of the plain role raceway."""
    database = create_database(elsewhere)
    yield database
    database.drop()


@pytest.mark.parametrize("form", FORMS)
def test_a_restored_dump_is_the_same_database_and_goes_on(original, empty, form):
    take, put_back = FORMS[form]
    directory = workspace()
    print(shell("pg_dump --version; psql --version", directory))
    shell(take.format(original.name), directory, original.cluster)
    shell(put_back, directory, empty.cluster)

    assert_same_database(empty, original)
    pairs = "SELECT count(*) FROM raceway.my_pairs"
    assert empty.value(pairs) == original.value(pairs) > 0
    assert empty.rows("TABLE raceway.my_clocks ORDER BY 1") == original.rows("TABLE raceway.my_clocks ORDER BY 1") != []
    assert_goes_on(empty)


def test_what_was_restored_can_be_dumped_and_restored_again(original, empty, elsewhere):
    directory = workspace()
    shell(AS_SCRIPT[0].format(original.name), directory, original.cluster)
    shell(AS_SCRIPT[1], directory, empty.cluster)
    ingest(empty, generated("later"))
    shell(f"{AS_ARCHIVE[0].format(empty.name)}; createdb -U postgres -O raceway -T template0 again;"
          "pg_restore -j2 --exit-on-error -d again raceway.dump", directory, elsewhere)
    again = type(empty)(elsewhere, "again", "raceway")
    try:
        assert_same_database(again, empty)
        assert_goes_on(again)
    finally:
        again.drop()


@pytest.mark.parametrize("layout, form", [("plain", "archive"), ("partitioned", "directory")])
def test_a_dump_taken_while_clients_send_is_of_one_moment(site, empty, layout, form):
    take, put_back = FORMS[form]
    directory = workspace()
    busy = create_database(site, "busy")
    busy.sql("CREATE EXTENSION raceway;" + LAYOUTS[layout])
    try:
        with RacewayServer(database=busy, name=f"dumped-{layout}") as server:
            clients = [LoadClient([server.port], OverlappingTraffic(client, shared_share=0.2)) for client in range(3)]
            with load(clients):
                acknowledge_more(clients, 2000)
                promised = acknowledged_by(clients)
                shell(take.format(busy.name), directory, site)
                acknowledge_more(clients, 1000)
            check_promises(busy, acknowledged_by(clients), sent_by(clients))
        shell(put_back, directory, empty.cluster)
        restored, in_the_end = set(stored_events(empty)), set(stored_events(busy))
        assert promised - restored == set(), "what was acknowledged before the dump began is not in it"
        assert restored < in_the_end
        assert inexact_traces(empty) == []
        assert_whole(empty)
    finally:
        busy.drop()


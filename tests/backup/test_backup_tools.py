"""pgBackRest and Barman as an administrator uses them: take backups while clients send, and restore elsewhere."""

import pytest

from support.backups import Restored, await_archived
from support.catalog import assert_same_database, difference, rows_of
from support.checks import check_promises
from support.cluster import PostgresCluster
from support.barman import Barman
from support.estate import LAYOUTS, assert_goes_on, create_database, generated, settle
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.pgbackrest import PgBackRest
from support.server import RacewayServer
from support.traffic import UnhurriedTraffic
from support.ways import assert_whole, ingest


@pytest.fixture(params=[PgBackRest, Barman])
def tool(request):
    made = request.param()
    print(f"{request.param.__name__}: {made.version()}")
    return made


@pytest.fixture
def site(tool):
    with PostgresCluster(f"backed-up-by-{type(tool).__name__.lower()}", tool.settings) as cluster:
        tool.configure(cluster)
        yield cluster


def test_what_is_backed_up_while_clients_send_is_restored_to_its_last_word(site, tool):
    databases = {layout: create_database(site, layout) for layout in LAYOUTS}
    for layout, database in databases.items():
        settle(database, layout)
    busy = databases["plain"]
    with RacewayServer(database=busy, name="backed-up") as server:
        clients = [LoadClient([server.port], UnhurriedTraffic(client, shared_share=0.2)) for client in range(2)]
        with load(clients):
            for kind in tool.kinds:
                acknowledge_more(clients, 200)
                tool.back_up(kind)
            acknowledge_more(clients, 200)
    assert tool.made() == tool.kinds
    site.sql("SELECT pg_create_restore_point('quiet')")
    quiet = rows_of(busy)
    for database in databases.values():
        ingest(database, generated("last"))
    await_archived(site)

    with Restored(tool.restore) as restored:
        for database in databases.values():
            copy = restored.database(database)
            assert_same_database(copy, database)
            assert_goes_on(copy)
        assert restored.complaints() == []
    with Restored(lambda data: tool.restore(data, "quiet")) as restored:
        copy = restored.database(busy)
        assert difference(quiet, rows_of(copy))[:5] == []
        check_promises(copy, acknowledged_by(clients), sent_by(clients) | others(copy))
        assert_whole(copy)


def others(database):
    """What settle() has stored, beside what the clients sent."""
    return {row["event_id"]: row for row in
            database.rows("SELECT event_id, trace_id FROM raceway.events WHERE trace_id NOT LIKE 'storm-%'")}

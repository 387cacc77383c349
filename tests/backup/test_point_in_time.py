"""Continuous archiving: after an accident the cluster is brought back to the moment before it, not an event more."""

import pytest

from support.backups import Restored, archiving, await_archived, shell, workspace
from support.catalog import difference, extension_of, rows_of, tables_of
from support.checks import stored_events
from support.cluster import PostgresCluster
from support.estate import LAYOUTS, assert_goes_on, create_database, generated, settle
from support.load import LoadClient, acknowledge_more, acknowledged_by, load, sent_by
from support.server import RacewayServer
from support.traffic import UnhurriedTraffic
from support.ways import assert_whole, counts, ingest, ingest_call


class Site:
    """A cluster whose log is archived, and a base backup of it."""

    def __init__(self):
        self.directory = workspace()
        shell("mkdir archive", self.directory)
        self.archive = self.directory / "archive"
        self.cluster = PostgresCluster(
            "archiving", archiving(f'test ! -f "{self.archive}/%f" && cp "%p" "{self.archive}/%f"'))

    def back_up(self, name):
        print(shell("pg_basebackup --version", self.directory))
        shell(f"pg_basebackup -D {name} -c fast", self.directory, self.cluster, user="postgres")

    def recover(self, base, **target):
        """A cluster made of that base backup and the archive, up to `target`: settings without `recovery_`."""
        return Restored(lambda data: shell(f'cp -a {base} "{data}" && touch "{data}/recovery.signal"', self.directory),
                        "recovered", {"restore_command": f'cp "{self.archive}/%f" "%p"',
                                      "recovery_target_action": "promote",
                                      **{f"recovery_{key}": value for key, value in target.items()}})


@pytest.fixture
def site():
    made = Site()
    with made.cluster:
        yield made


def test_the_moment_before_an_accident_is_brought_back(site):
    database, other = (create_database(site.cluster, layout) for layout in LAYOUTS)
    for each in (database, other):
        settle(each, each.name)
    site.back_up("base")
    ingest(other, generated("first"))
    lines = database.sql(f"BEGIN; SELECT stored FROM {ingest_call(generated('second'))};"
                         "SELECT pg_current_xact_id(); COMMIT").splitlines()
    assert lines[0] == "200"
    kept, kept_beside, tables = rows_of(database), rows_of(other), tables_of(database)
    site.cluster.sql("SELECT pg_create_restore_point('before the accident')")
    time = site.cluster.sql("SELECT clock_timestamp()")
    # The accident. What comes in afterwards is to be gone as well.
    accident = database.sql("BEGIN; DELETE FROM raceway.traces; DROP INDEX raceway.idx_events_kind;"
                            "SELECT pg_current_xact_id(); COMMIT")
    for each in (database, other):
        assert counts(ingest(each, generated("third"))) == (200, 0, 0)
    await_archived(site.cluster)

    for target in ({"target_name": "before the accident"}, {"target_time": time},
                   {"target_xid": lines[1]}, {"target_xid": accident, "target_inclusive": "off"}):
        with site.recover("base", **target) as recovered:
            copy, beside = recovered.database(database), recovered.database(other)
            assert difference(kept, rows_of(copy))[:5] == difference(kept_beside, rows_of(beside))[:5] == [], target
            assert tables_of(copy) == tables and extension_of(copy) == extension_of(database), target
            for each in (copy, beside):
                assert counts(ingest(each, generated("third"))) == (200, 0, 0), target
            if "target_name" in target:
                assert_goes_on(copy)
                assert_goes_on(beside)
            assert recovered.complaints() == []
    # And without a target everything comes back, the accident too.
    with site.recover("base") as recovered:
        for each in (database, other):
            assert difference(rows_of(each), rows_of(recovered.database(each))) == []


def test_a_moment_in_the_midst_of_load_is_a_whole_one(site):
    database = site.cluster.create_database()
    promised = {}
    with RacewayServer(database=database, name="archiving") as server:
        clients = [LoadClient([server.port], UnhurriedTraffic(client, shared_share=0.2)) for client in range(3)]
        with load(clients):
            acknowledge_more(clients, 1000)
            site.back_up("base")
            for name in ("one", "two"):
                acknowledge_more(clients, 500)
                promised[name] = acknowledged_by(clients)
                site.cluster.sql(f"SELECT pg_create_restore_point('{name}')")
            acknowledge_more(clients, 500)
        await_archived(site.cluster)
    recovered_at = {}
    for name, acknowledged in promised.items():
        with site.recover("base", target_name=name) as recovered:
            copy = recovered.database(database)
            recovered_at[name] = set(stored_events(copy))
            assert acknowledged - recovered_at[name] == set(), "an event that was acknowledged before is not there"
            assert_whole(copy)
    assert recovered_at["one"] < recovered_at["two"] < set(stored_events(database)) <= set(sent_by(clients))

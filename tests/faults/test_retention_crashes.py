"""PostgreSQL that dies while traces are removed or moved: every trace that is left is whole, and the work is done again."""

import time

import pytest

from support.aging import Call, fill
from support.chance import chance_of, times
from support.cluster import PostgresCluster
from support.crashes import CRASHES
from support.ways import assert_whole

SETTINGS = {"full_page_writes": "on", "shared_buffers": "8MB", "max_wal_size": "32MB"}
OLD = "older_than => (clock_timestamp() AT TIME ZONE 'UTC') - timestamp '2026-02-01'"

# What is called, and what is true when it has come to its end.
WORK = {
    "cleanup by rows": ("CALL cleanup(max_traces => 0, batch_size => 10)", "(SELECT count(*) = 0 FROM events)"),
    "cleanup by partitions": (f"CALL cleanup({OLD})", "(SELECT count(*) = 0 FROM events)"),
    "repartition": ("CALL repartition('week')", "(SELECT partition_by = 'week' FROM layout)"),
}


@pytest.fixture(scope="module")
def crashing():
    with PostgresCluster("retention-crashes", SETTINGS) as running_cluster:
        yield running_cluster


def prepared(cluster, work):
    layout = "day" if work == "cleanup by partitions" else "none"
    database = cluster.create_database()
    database.sql(f"CREATE EXTENSION raceway; SELECT raceway.migrate('{layout}')")
    if layout == "day":
        database.sql("SELECT raceway.make_partitions('2026-01-01', '2026-01-12')")
    return database


@pytest.mark.parametrize("work", WORK)
def test_it_is_called_again_to_its_end_after_crashes_at_any_moment(crashing, work):
    statement, is_done = WORK[work]
    chance = chance_of(f"crashes of {work}")
    for turn in range(times(2)):
        database = prepared(crashing, work)
        fill(database, 250, events=8)
        for crash in chance.sample(list(CRASHES), 2):
            call = Call(database, statement)
            time.sleep(chance.random() * 0.25)
            CRASHES[crash](crashing, call.session.pid)
            call.join(timeout=60)
            assert_whole(database)
        if not database.value(f"SELECT {is_done}"):
            database.sql(statement)
        assert database.value(f"SELECT {is_done}")
        assert_whole(database)
        database.drop()
    assert crashing.complaints() == []

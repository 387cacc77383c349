"""Index entries that the direct way writes leaf by leaf: what is unusual about keys, pages and rows."""

import random

import pytest

from support.ways import assert_whole, counts, events_of, ingest
from support.traffic import documented_event


@pytest.fixture(params=["none", "day"])
def laid_out(cluster, request):
    """A database of each layout of `events`."""
    created = cluster.create_database()
    created.sql(f"CREATE EXTENSION raceway; SELECT raceway.migrate('{request.param}')")
    yield created
    created.drop()


def send(database, events, stored=None):
    answer = ingest(database, events, "direct")
    assert (counts(answer), answer["ingest_way"]) == ((len(events) if stored is None else stored, 0, 0), "direct")


def found_by_index(database, column, value):
    """How many events an index scan finds, and how many a scan of the table."""
    query = f"SELECT count(*) FROM raceway.events WHERE {column} = '{value}'"
    by_index = database.sql(f"SET enable_seqscan = off; {query}")
    by_table = database.sql(f"SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; {query}")
    return int(by_index), int(by_table)


def test_ids_of_every_length_and_width_are_found_again(laid_out):
    # The longest take more bytes than an index keeps as they are.
    ids = [f"{length:03}" + ("x" if length % 2 else "\u20ac") * (length - 3) for length in range(3, 256)]
    ids += [f"{length:03}" + "\U0001f600" * (length - 3) for length in range(200, 256)]
    shuffled = random.Random(1).sample(ids, len(ids))
    for start in range(0, len(shuffled), 60):
        send(laid_out, [documented_event(i, f"t-{i}"[:255], 0) for i in shuffled[start:start + 60]])
    assert_whole(laid_out)
    again = ingest(laid_out, [documented_event(i, f"t-{i}"[:255], 0) for i in ids])
    assert counts(again) == (0, len(ids), 0)
    for some in ids[::25]:
        assert found_by_index(laid_out, "event_id", some) == (1, 1)
        assert found_by_index(laid_out, "trace_id", f"t-{some}"[:255]) == (1, 1)


def test_many_events_of_one_trace_at_one_moment_fill_posting_lists(laid_out):
    moment = {"timestamp": "2026-11-22T10:00:00Z"}
    ids = random.Random(2).sample(range(20_000), 20_000)
    for start in range(0, len(ids), 4_000):
        send(laid_out, events_of("one", [f"e{n}" for n in ids[start:start + 4_000]], **moment))
    assert_whole(laid_out)
    assert found_by_index(laid_out, "trace_id", "one") == (20_000, 20_000)


@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_times_in_any_order(laid_out, order):
    numbers = list(range(6_000))
    if order == "descending":
        numbers.reverse()
    elif order == "random":
        random.Random(3).shuffle(numbers)
    for start in range(0, len(numbers), 1_500):
        send(laid_out, [documented_event(f"e{n}", f"t{n % 700}", n) for n in numbers[start:start + 1_500]])
    assert_whole(laid_out)


def test_rows_that_take_the_place_of_deleted_ones_stand_between_older_entries(laid_out):
    for batch in range(8):
        send(laid_out, [documented_event(f"{batch}-{n}", "kept" if n % 3 else f"gone-{batch}-{n}", n % 5)
                        for n in range(600)])
    laid_out.sql("DELETE FROM raceway.traces WHERE trace_id LIKE 'gone%'")
    laid_out.sql("VACUUM raceway.events; VACUUM raceway.traces")
    size = "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('raceway.events') WHERE isleaf"
    before = laid_out.value(size)
    send(laid_out, [documented_event(f"new-{n}", "kept", n % 5) for n in range(1_000)])
    assert laid_out.value(size) == before, "the free space was not used: this test tests nothing"
    assert_whole(laid_out)


def test_rows_of_users_without_a_trace_or_a_time_stay_where_they_are(migrated):
    migrated.sql("INSERT INTO events (event_id) SELECT 'mine-' || n FROM generate_series(1, 3000) n")
    send(migrated, [documented_event(f"e{n}", f"t{n % 50}", n) for n in range(3_000)])
    assert_whole(migrated, exact=False)
    assert migrated.value("SELECT count(*) FROM events WHERE timestamp IS NULL") == 3_000


def test_a_batch_over_many_days_goes_into_their_partitions(cluster):
    database = cluster.create_database()
    database.sql("CREATE EXTENSION raceway; SELECT raceway.migrate('day');"
                 "SELECT raceway.make_partitions('2025-11-01', '2025-11-20')")
    events = [documented_event(f"e{n}", f"t{n % 9}", timestamp=f"2025-11-{n % 25 + 1:02}T10:00:00Z") for n in range(1_000)]
    send(database, events)
    by_partition = database.rows("SELECT tableoid::regclass::text AS partition, count(*) FROM raceway.events GROUP BY 1")
    assert {row["partition"]: row["count"] for row in by_partition} == {
        **{f"events_2025_11_{day:02}": 40 for day in range(1, 21)}, "events_default": 200}
    assert_whole(database)
    assert counts(ingest(database, events)) == (0, 1_000, 0)
    database.drop()

"""Sessions that write the same events at the same time, each by another way, in whatever transactions."""

from support.chance import chance_of, times
from support.contention import Books, Loop, Pool, assert_kept, contenders, run_for
from support.maintenance import Maintenance, drop_invalid_indexes
from support.sessions import Session
from support.ways import assert_sound

WRITING = ["single"] * 4 + ["rolled_back", "twice", "savepoints"]
ALL_ACTS = WRITING * 2 + ["plain_insert"] * 2 + ["delete"] * 2 + ["touch"]


def contend(database, acts, seconds, others=lambda writers: [], sessions=6):
    """Lets `sessions` contenders do their acts; the books."""
    database.sql(f"ALTER DATABASE {database.name} SET deadlock_timeout = '30ms'", "postgres")
    chance = chance_of(f"contend {acts}")
    pool, books = Pool("p"), Books()
    writers = contenders(database, pool, books, chance, acts, sessions)
    run_for([*writers, *others(writers)], times(seconds))
    for writer in writers:
        writer.session.close()
    with Session(database) as session:
        drop_invalid_indexes(session)
    print(dict(books.ways), dict(books.ends), books.stored, "stored", books.deleted, "deleted")
    assert_kept(database, books, pool)
    assert_sound(database)
    return books


def test_overlapping_batches_in_whatever_transactions(migrated):
    books = contend(migrated, WRITING, 2.0)
    assert set(books.ways) == {"direct", "checking", "spi"}
    assert books.ends["COMMIT"] and books.ends["ROLLBACK"]


def test_batches_one_to_a_transaction_never_deadlock(migrated):
    books = contend(migrated, ["single", "single", "rolled_back"], 1.5)
    assert set(books.ends) == {"COMMIT", "ROLLBACK"}


def test_while_others_insert_delete_and_rebuild(migrated):
    books = contend(migrated, ALL_ACTS, 3.5, lambda _: [Maintenance(migrated, chance_of("maintenance"))])
    assert set(books.ways) == {"direct", "checking", "spi"} and books.deleted


def test_while_statements_are_cancelled_in_their_middle(migrated):
    def cancel_them(writers):
        killer = Session(migrated)
        chance = chance_of("cancel")
        return [Loop(lambda: killer.run("SELECT pg_cancel_backend(%s)", chance.choice(writers).session.pid), 0.004)]

    books = contend(migrated, WRITING + ["delete"], 2.0, cancel_them)
    assert books.ends["57014"] and books.ends["COMMIT"]

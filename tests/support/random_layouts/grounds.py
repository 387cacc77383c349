"""The databases that random scripts begin with: one of each layout, which holds some events, and one that stays empty."""

import random

from support.cluster import Database
from support.deck import Shape
from support.random_layouts.edge_deck import EdgeDeck
from support.random_layouts.known import ROLES, WRITER
from support.random_layouts.row_statements import PREPARATION
from support.sessions import Session
from support.ways import install_checkers

SHAPE = Shape(traces=8, large=0.03, spoiled=0.04, recorded=0.03)

# The partitions of migrate() are about today: two days of the deck get some, the others share the default one.
SURPLUS = """
    DO $$DECLARE gone text; BEGIN
        FOR gone IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'raceway.events'::regclass
                    AND inhrelid::regclass::text NOT SIMILAR TO '%(default|2024_03_(30|31|01)|2024_04_01)' LOOP
            EXECUTE 'DROP TABLE ' || gone;
        END LOOP;
    END$$;
"""
LAYOUTS = {
    "plain": ("SELECT raceway.migrate()", ""),
    "by day": ("SELECT raceway.migrate('day'); SELECT raceway.make_partitions('2024-03-30', '2024-03-31')", SURPLUS),
    "by month": ("SELECT raceway.migrate('month'); SELECT raceway.make_partitions('2024-03-30', '2024-03-31')", SURPLUS),
    "repartitioned": ("SELECT raceway.migrate()", "CALL raceway.repartition('month');" + SURPLUS),
}
GRANTS = "; ".join([
    *(f"GRANT USAGE ON SCHEMA raceway TO {role}" for role in ROLES[:2]), f"GRANT INSERT, SELECT ON raceway.events TO {WRITER}",
    f"GRANT INSERT, SELECT, UPDATE ON raceway.traces TO {WRITER}"])
NO_VACUUM = """
    DO $$DECLARE leaf text; BEGIN
        FOR leaf IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'raceway'::regnamespace AND relkind = 'r' LOOP
            EXECUTE 'ALTER TABLE ' || leaf || ' SET (autovacuum_enabled = off)';
        END LOOP;
    END$$;
"""


def new_deck(chance):
    deck = EdgeDeck(chance, "e", SHAPE)
    return deck, deck.stand_before()


PARTITIONS = """
    SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'raceway.events'::regclass
"""


class Grounds:
    """See above."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.administration = Database(cluster, "postgres", "postgres")
        for role in ROLES:
            cluster.sql(f"CREATE ROLE {role}")
        self.empty = cluster.create_database(migrated=True)
        self.databases = {name: self._lay_out(*sql) for name, sql in LAYOUTS.items()}

    def _lay_out(self, before, after):
        database = self.cluster.create_database()
        install_checkers(database)
        database.sql(PREPARATION, "postgres")
        database.sql(f"CREATE EXTENSION raceway; {before}")
        deck, cards = new_deck(random.Random(0))
        with Session(database) as session:
            session.ingest([deck.body(cards)], "spi")
        database.sql(after)
        database.sql(f"{GRANTS}; {NO_VACUUM}; UPDATE raceway.events SET created_at = '2024-05-05';"
                     "UPDATE raceway.traces SET created_at = '2024-05-05'", "postgres")
        return database

    def partitions(self, layout):
        """{name: bounds}"""
        return {row["name"]: row["bounds"] for row in self.databases[layout].rows(PARTITIONS)}

    def close(self):
        for database in [self.empty, *self.databases.values()]:
            database.drop()
        for role in ROLES:
            self.cluster.sql(f"DROP ROLE {role}")

"""A database in use, such as backups are made of: events of every form, and what a user has built on the tables."""

from support.cluster import Database
from support.traffic import BASE_NANOS, documented_event, recorded_bodies, sdk_event
from support.ways import assert_whole, counts, ingest

LAYOUTS = {
    "plain": "SELECT raceway.migrate()",
    # The generated events fall into a partition of their own, the recorded ones into the default one.
    "partitioned": f"SELECT raceway.migrate(partition_by => 'day');"
                   f"SELECT raceway.make_partitions(to_timestamp({BASE_NANOS // 10**9}) AT TIME ZONE 'UTC',"
                   f" to_timestamp({BASE_NANOS // 10**9}) AT TIME ZONE 'UTC')",
}

# Ingest stays on its direct way with all of this.
USERS_OWN = """
    SET search_path = raceway, public;
    CREATE INDEX idx_events_kind ON events (kind);
    CREATE INDEX my_location ON events (location DESC NULLS LAST) INCLUDE (duration_ms) WITH (fillfactor = 80);
    CREATE INDEX my_metadata ON events USING gin (metadata);
    CREATE INDEX my_times ON events USING brin (timestamp);
    CREATE INDEX my_count ON traces (event_count DESC);
    COMMENT ON INDEX idx_events_kind IS 'of my own';
    CREATE STATISTICS my_statistics ON kind, location FROM events;
    ALTER TABLE traces SET (autovacuum_vacuum_scale_factor = 0.02);
    CREATE VIEW my_pairs AS
        SELECT a.event_id AS one, b.event_id AS other FROM events a JOIN events b USING (trace_id)
        WHERE a.event_id < b.event_id AND a.vector_clock <||> b.vector_clock;
    CREATE MATERIALIZED VIEW my_clocks AS
        SELECT trace_id, vclock_merge_agg(vector_clock) AS latest, vclock_frontier(vector_clock) AS frontier
        FROM events WHERE trace_id LIKE 'estate-%' GROUP BY trace_id;
    CREATE TABLE my_marks (trace_id varchar(255) COLLATE "C" REFERENCES traces ON DELETE CASCADE, clock vclock);
    CREATE INDEX my_sums ON my_marks (vclock_sum(clock));
    INSERT INTO my_marks SELECT trace_id, '{"bank": 3}' FROM traces WHERE trace_id LIKE 'estate-%';
    GRANT SELECT ON events, traces, my_pairs TO analyst;
"""


def generated(name, count=200, traces=7):
    """Events of both forms, some with a trace of another batch in common; the same ones for the same name."""
    return [documented_event(f"{name}-{n}", f"estate-{n % traces}", n, vector_clock={f"bank-{n % 3}": n + 1},
                             metadata={"service_name": f"service-{n % 5}", "text": "ä\"\\ \u20ac" * (n % 4)})
            if n % 2 else sdk_event(f"estate-{n % traces}", n, id=f"{name}-{n}") for n in range(count)]


def create_database(cluster, name="raceway"):
    """An empty database as the README makes it, and the role of the analyst if that is new."""
    cluster.sql("DO $$BEGIN CREATE ROLE analyst; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
    cluster.sql(f"CREATE DATABASE {name} OWNER raceway ENCODING 'UTF8' TEMPLATE template0")
    return Database(cluster, name, "raceway")


def settle(database, layout):
    """The extension, the tables in that layout, events, and what users build on them."""
    database.sql("CREATE EXTENSION raceway;" + LAYOUTS[layout])
    ingest(database, [body.decode() for body in recorded_bodies("python")], array=True)
    stored, duplicates, rejected = counts(ingest(database, generated("before")))
    assert (stored, duplicates, rejected) == (200, 0, 0)
    database.sql(USERS_OWN)
    answer = ingest(database, generated("settled"))
    assert (counts(answer), answer["ingest_way"]) == ((200, 0, 0), "direct")


def assert_goes_on(database):
    """It takes events as before: what is known is known, what is new is stored, and by the fast way."""
    again = ingest(database, generated("settled"))
    assert counts(again) == (0, 200, 0)
    elsewhere = ingest(database, [documented_event("settled-1", "another trace", 1)])
    assert counts(elsewhere) == (0, 0, 1) and "settled-1" == elsewhere["rejected"][0]["id"]
    answer = ingest(database, generated("afterwards"))
    assert (counts(answer), answer["ingest_way"]) == ((200, 0, 0), "direct")
    assert "nothing to do" in database.sql("SELECT raceway.migrate()")
    assert_whole(database)

"""What an owner of the tables may make of them and around them, so that code of hers runs, or others stumble: see
dba.sql and mallory.sql for what that code does, and faults/test_trusted.py for what is called then.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from support.fleet import KEPT

# The tables of each layout that code may hang on. `stored` puts events into old partitions, into the default one and
# into those of today; the roll-up of `liar` says that it ended before its last event.
ROLL_UPS = (*KEPT, "race_suppressions", "analysis_run")
TABLES = {"plain": ("events", "traces", "layout", "schema_migrations", "cleanup_runs", *ROLL_UPS),
          "day": ("events", "traces", "layout", "schema_migrations", "cleanup_runs", *ROLL_UPS, "events_default", "events_2024_01_01")}
EVENTS = """
    ('o1', 'old', '2024-01-01 10:00'), ('o2', 'old', '2024-01-01 11:00'), ('p1', 'pinned', '2024-01-01 12:00'),
    ('g1', 'goes on', '2024-01-01 13:00'), ('g2', 'goes on', '2024-01-03 13:00'), ('l1', 'liar', '2024-01-01 14:00'),
    ('l2', 'liar', '2024-01-03 14:00'), ('m1', 'older', '2024-01-02 10:00'), ('d1', 'default', '2023-12-31 10:00'),
    ('n1', 'new', now() AT TIME ZONE 'UTC')
"""
# Those ahead are not needed, and each of them takes time in every call.
FILL = {
    "plain": "SELECT raceway.migrate();",
    "day": """
        SELECT raceway.migrate('day'), raceway.make_partitions('2024-01-01', '2024-01-03');
        DO $few$
        DECLARE
            ahead text;
        BEGIN
            FOR ahead IN SELECT p.partition::text FROM raceway.event_partitions() p WHERE p.lower_bound > now() + interval '1 day' LOOP
                EXECUTE 'DROP TABLE ' || ahead;
            END LOOP;
        END
        $few$;
    """}
STORED = f"""
    INSERT INTO raceway.traces (trace_id, service_name, start_time, end_time, event_count, created_at)
    SELECT v.trace_id, 'bank', min(v.at), CASE v.trace_id WHEN 'liar' THEN min(v.at) ELSE max(v.at) END, count(*), min(v.at)
    FROM (VALUES {EVENTS}) v (event_id, trace_id, at) GROUP BY v.trace_id;
    INSERT INTO raceway.events (event_id, trace_id, kind, "timestamp", vector_clock, metadata)
    SELECT v.event_id, v.trace_id, 'Log', v.at, '{{"a": 1}}', '{{"service_name": "bank"}}'
    FROM (VALUES {EVENTS}) v (event_id, trace_id, at);
"""


def fill(layout):
    return FILL[layout] + STORED


FIRST = datetime.now(timezone.utc) - timedelta(days=8)


def dated(text):
    """All texts are of the first days of 2024; these become those of the last week, so that partitions are few."""
    def moved(found):
        year, mark, month, day = found.groups()
        days = datetime(int(year), int(month), int(day)) - datetime(2024, 1, 1)
        return (FIRST + days).strftime(f"%Y{mark}%m{mark}%d")
    return re.sub(r"(2023|2024)([-_])(\d\d)\2(\d\d)", moved, text)


BOTH, DAY, PLAIN = ("plain", "day"), ("day",), ("plain",)


@dataclass(frozen=True)
class Surrounding:
    """`sql` is run by mallory, who goes on with the search_path `path`. `runs` says whether code of hers must have run when
    everything was called; `layouts`, where it can be; `tried`, where it is tried by itself: by days, where most is called,
    and in the plain layout where that has code of its own for it."""

    sql: str
    runs: bool = True
    path: str = '"$user", public'
    layouts: tuple = BOTH
    tried: tuple = BOTH


def policies(table, force="FORCE"):
    return (f"ALTER TABLE raceway.{table} ENABLE ROW LEVEL SECURITY; ALTER TABLE raceway.{table} {force} ROW LEVEL SECURITY;"
            f"CREATE POLICY evil ON raceway.{table} USING (evil.hit('policy that shows {table}'))"
            f" WITH CHECK (evil.hit('policy that checks {table}'));")


def triggers(table, enable=""):
    """Of every kind; `enable` as in ALTER TABLE .. ENABLE .. TRIGGER."""
    made = []
    for level in ("ROW", "STATEMENT"):
        for when in ("BEFORE", "AFTER"):
            name = f"evil_{when}_{level}_{table}"[:63].lower()
            ops = "INSERT OR UPDATE OR DELETE" + (" OR TRUNCATE" if level == "STATEMENT" else "")
            made.append(f"CREATE TRIGGER {name} {when} {ops} ON raceway.{table} FOR EACH {level} EXECUTE FUNCTION evil.fire();")
            if enable:
                made.append(f"ALTER TABLE raceway.{table} ENABLE {enable} TRIGGER {name};")
    return "".join(made)


def constraint_trigger(table):
    return (f"CREATE CONSTRAINT TRIGGER evil_late_{table} AFTER INSERT OR UPDATE OR DELETE ON raceway.{table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.fire();")


def view(table):
    """A view in place of a table; what is written to it is written to the table."""
    return (f"ALTER TABLE raceway.{table} RENAME TO stored_{table};"
            f"CREATE VIEW raceway.{table} AS SELECT * FROM raceway.stored_{table} WHERE evil.hit('view {table}');"
            f"CREATE TRIGGER evil_instead INSTEAD OF DELETE ON raceway.{table} FOR EACH ROW EXECUTE FUNCTION evil.fire();")


def rules(table):
    return "".join(f"CREATE RULE evil_{op} AS ON {op} TO raceway.{table} DO ALSO SELECT evil.hit('rule on {table}');"
                   for op in ("INSERT", "UPDATE", "DELETE"))


def everywhere(make, **options):
    """For the tables that both layouts have."""
    return "".join(make(table, **options) for table in TABLES["plain"])


def books(make):
    """For the tables that say what there is and what was done."""
    return "".join(make(table) for table in TABLES["plain"][2:])


def linked(*what):
    return "".join(f"SELECT dba.link('{one}');" for one in what)


# A type of hers in place of one of ours, with casts that run her code.
OWN_TIME = """
    CREATE TYPE evil.moment AS (at timestamp);
    CREATE FUNCTION evil.time_of(evil.moment) RETURNS timestamp LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN PERFORM evil.hit('cast of a time'); RETURN ($1).at; END$$;
    CREATE FUNCTION evil.moment_of(timestamp) RETURNS evil.moment LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN PERFORM evil.hit('cast to a time'); RETURN ROW($1)::evil.moment; END$$;
    CREATE CAST (evil.moment AS timestamp) WITH FUNCTION evil.time_of AS IMPLICIT;
    CREATE CAST (timestamp AS evil.moment) WITH FUNCTION evil.moment_of AS IMPLICIT;
    ALTER TABLE raceway.traces ALTER end_time TYPE evil.moment USING ROW(end_time)::evil.moment;
"""
OWN_LAYOUT = """
    CREATE TYPE evil.choice AS (name text);
    CREATE FUNCTION evil.text_of(evil.choice) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN PERFORM evil.hit('cast of the layout'); RETURN ($1).name; END$$;
    CREATE CAST (evil.choice AS text) WITH FUNCTION evil.text_of AS IMPLICIT;
    ALTER TABLE raceway.layout ALTER partition_by TYPE evil.choice USING ROW(partition_by)::evil.choice;
"""
# As if a repartition() had been interrupted.
OWN_COPY = f"""
    CREATE TABLE raceway.events_new (LIKE raceway.events); COMMENT ON TABLE raceway.events_new IS 'repartition by day';
    {triggers('events_new')}
"""
OWN_CRON = """
    CREATE SCHEMA cron; CREATE TABLE cron.job AS SELECT 1::bigint AS jobid, 'x' AS jobname, 'mallory' AS username;
    CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS
        $$BEGIN PERFORM evil.hit('schedule()'); RETURN 1; END$$;
    CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE plpgsql AS
        $$BEGIN RETURN evil.hit('unschedule()'); END$$;
    CREATE VIEW cron.job_run_details AS SELECT now() AS end_time, 'mallory' AS username WHERE evil.hit('runs of jobs');
"""
# A domain in place of a type of ours makes way for functions that take it.
OWN_METADATA = """
    CREATE DOMAIN evil.document AS jsonb;
    CREATE FUNCTION raceway.service_of(evil.document) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN PERFORM evil.hit('service_of() of a domain'); RETURN NULL; END$$;
    ALTER TABLE raceway.events ALTER metadata TYPE evil.document;
"""
# Names that break out of quotes; what an index is called stands in its definition before what it is of.
BREAKING = '"; DROP TABLE dba.vault; SELECT evil.hit(\'name\'); --'
NAMES = f"""
    CREATE INDEX " ON raceway.events USING hash(kind);SELECT evil.hit('index');--" ON raceway.events (kind);
    CREATE INDEX "{BREAKING.replace('"', '""')}" ON raceway.events (location);
    CREATE STATISTICS raceway."{BREAKING.replace('"', '""')}" ON kind, location FROM raceway.events;
    ALTER TABLE raceway.traces RENAME CONSTRAINT traces_pkey TO "{BREAKING.replace('"', '""')}-";
    GRANT SELECT ON raceway.events TO "mal""; DROP TABLE dba.vault; --";
    CREATE PUBLICATION "{BREAKING.replace('"', '""')}" FOR TABLE raceway.traces;
"""
NAMED_PARTITION = f"""
    CREATE TABLE raceway."{BREAKING.replace('"', '""')}!" PARTITION OF raceway.events
        FOR VALUES FROM ('2024-01-04') TO ('2024-01-05');
    CREATE TABLE raceway."events_2024_01_06'::regclass)" PARTITION OF raceway.events
        FOR VALUES FROM ('2024-01-06') TO ('2024-01-07');
"""
PARTITION = f"""
    CREATE TABLE evil.part (LIKE raceway.events INCLUDING ALL);
    ALTER TABLE raceway.events ATTACH PARTITION evil.part FOR VALUES FROM ('2023-12-30') TO ('2023-12-31');
    {triggers('part').replace('raceway.part', 'evil.part')} {policies('part').replace('raceway.part', 'evil.part')}
    INSERT INTO evil.part SELECT 'in hers', 'goes on', 'Log', '2023-12-30 10:00';
"""
TEMPORARY = "".join(f"CREATE TEMPORARY TABLE {table} (LIKE raceway.{table} INCLUDING ALL);"
                    f"{triggers(table).replace('raceway.', 'pg_temp.')}" for table in TABLES["plain"])
EXPRESSIONS = """
    ALTER TABLE raceway.events ADD COLUMN loud text GENERATED ALWAYS AS (evil.passed('generated column', kind::text)) STORED,
        ADD CONSTRAINT evil CHECK (evil.hit('check of events')), ADD COLUMN more boolean DEFAULT evil.hit('default of events');
    ALTER TABLE raceway.traces ADD CONSTRAINT evil CHECK (evil.hit('check of traces')),
        ADD COLUMN more boolean DEFAULT evil.hit('default of traces');
    ALTER TABLE raceway.cleanup_runs ALTER traces SET DEFAULT evil.passed('default of cleanup_runs', 0::bigint),
        ADD CONSTRAINT evil CHECK (evil.hit('check of cleanup_runs'));
    CREATE INDEX ON raceway.events (evil.passed('index of events', kind::text));
    CREATE INDEX ON raceway.events (kind) WHERE evil.surely('partial index of events');
    CREATE INDEX ON raceway.traces (evil.passed('index of traces', service_name::text));
    CREATE STATISTICS evil.statistics ON (evil.passed('statistics', kind::text)), location FROM raceway.events;
"""
DOMAINS = """
    CREATE DOMAIN evil.place AS varchar(500) CHECK (evil.hit('domain'));
    ALTER TABLE raceway.events ALTER location TYPE evil.place;
    CREATE DOMAIN evil.number AS integer CHECK (evil.hit('domain of a count'));
    ALTER TABLE raceway.traces ALTER event_count TYPE evil.number;
"""
# See overloads.sql; the schema evil holds the clones from the beginning.
CLONES = ("SELECT evil.clone_functions(), evil.clone_operators(), evil.clone_types(), evil.clone_catalogs('evil');")
OVERLOADS = "SELECT evil.overload_routines();"
OPERATORS = "SELECT evil.make_operators('raceway');"
HOSTILE_PATH = "evil, raceway, pg_catalog"
COLLATION = """
    CREATE COLLATION evil.alike (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
    ALTER TABLE raceway.traces ALTER service_name TYPE varchar(255) COLLATE evil.alike;
    ALTER TABLE raceway.events ALTER kind TYPE varchar(50) COLLATE evil.alike;
"""

SURROUNDINGS = {
    "policies that are forced on events": Surrounding(policies("events")),
    "policies that are forced on traces": Surrounding(policies("traces"), tried=DAY),
    "policies that are forced on partitions and books": Surrounding(
        books(policies) + policies("events_2024_01_01") + policies("events_default"), layouts=DAY),
    "policies that do not hold the owner": Surrounding(everywhere(policies, force="NO FORCE"), runs=False, tried=DAY),
    "triggers on events": Surrounding(triggers("events"), tried=DAY),
    "triggers on traces": Surrounding(triggers("traces"), tried=DAY),
    "triggers on partitions and books": Surrounding(
        books(triggers) + triggers("events_2024_01_01") + triggers("events_default"), layouts=DAY),
    "triggers that always fire": Surrounding(everywhere(triggers, enable="ALWAYS"), tried=DAY),
    "triggers for replicas": Surrounding(everywhere(triggers, enable="REPLICA"), runs=False, tried=DAY),
    "triggers that are deferred": Surrounding(everywhere(constraint_trigger), tried=DAY),
    "rules": Surrounding(everywhere(rules), tried=DAY),
    "a view in place of events": Surrounding(view("events"), tried=DAY),
    "a view in place of traces": Surrounding(view("traces"), tried=DAY),
    "views in place of the books": Surrounding(books(view), tried=DAY),
    "a view in place of the default partition": Surrounding(
        "ALTER TABLE raceway.events DETACH PARTITION raceway.events_default;" + view("events_default"), layouts=DAY),
    "a child of traces": Surrounding(
        "CREATE TABLE evil.more () INHERITS (raceway.traces);"
        "INSERT INTO evil.more VALUES ('inherited', NULL, '2024-01-01', '2024-01-01', 0, '2024-01-01');"
        + triggers("more").replace("raceway.more", "evil.more") + policies("more").replace("raceway.more", "evil.more")),
    "a partition of hers": Surrounding(PARTITION, layouts=DAY),
    "expressions": Surrounding(EXPRESSIONS),
    "domains": Surrounding(DOMAINS),
    "a time of hers": Surrounding(OWN_TIME),
    "a layout of hers": Surrounding(OWN_LAYOUT, tried=DAY),
    "metadata of a domain": Surrounding(OWN_METADATA, runs=False, tried=DAY),
    "a collation": Surrounding(COLLATION, runs=False, tried=DAY),
    "pins of the DBA that keep traces": Surrounding(linked("pins") + policies("traces")),
    "pins of the DBA that are checked late": Surrounding(linked("late pins", "notes"), runs=False, tried=DAY),
    "an audit of the DBA's on traces": Surrounding(linked("audit", "notes"), runs=False, tried=DAY),
    "a policy of the DBA's on traces": Surrounding(linked("policy"), runs=False, tried=DAY),
    "a child of traces of the DBA's": Surrounding(linked("child"), runs=False, tried=DAY),
    "a partition of the DBA's": Surrounding(linked("partition"), runs=False, layouts=DAY),
    "a foreign key to the DBA's": Surrounding(
        "ALTER TABLE raceway.events ADD FOREIGN KEY (kind) REFERENCES dba.kinds ON UPDATE CASCADE ON DELETE CASCADE;"
        + linked("pins", "notes") + triggers("events"), tried=DAY),
    "a copy of events of hers": Surrounding(OWN_COPY, layouts=PLAIN, tried=PLAIN),
    "a cron of hers": Surrounding(OWN_CRON, runs=False, tried=DAY),
    "names that break out of quotes": Surrounding(NAMES, runs=False),
    "partitions whose names break out of quotes": Surrounding(NAMED_PARTITION, runs=False, layouts=DAY),
    "temporary tables of the same names": Surrounding(
        TEMPORARY + "SELECT evil.clone_catalogs('pg_temp');", runs=False, path="pg_temp, raceway, pg_catalog"),
    "functions that are called alike": Surrounding(OVERLOADS, runs=False),
    "operators in the schema": Surrounding(OPERATORS, runs=False, path="raceway, public"),
    "a search_path with her schema first": Surrounding("", runs=False, path=HOSTILE_PATH),
    "all of it": Surrounding(
        OVERLOADS + OPERATORS + EXPRESSIONS + everywhere(policies) + everywhere(triggers, enable="ALWAYS")
        + everywhere(constraint_trigger) + linked("notes", "late pins", "audit"), path=HOSTILE_PATH),
}
# Several at once, as they are left for others who come: the names are nothing that plain SQL uses which names exactly what it
# means, the code is what whoever writes or reads the tables runs in any case.
COMBINATIONS = {
    "quiet": (),
    "names": ("functions that are called alike", "operators in the schema", "metadata of a domain", "names that break out of quotes",
              "partitions whose names break out of quotes", "a cron of hers"),
    "code": ("expressions", "policies that do not hold the owner", "triggers that always fire", "triggers that are deferred",
             "a partition of hers"),
    "links": ("policies that are forced on traces", "pins of the DBA that are checked late", "an audit of the DBA's on traces",
              "triggers on traces", "a copy of events of hers"),
}


def combined(name, layout):
    """What mallory leaves in a database."""
    return "".join(SURROUNDINGS[one].sql for one in COMBINATIONS[name] if layout in SURROUNDINGS[one].layouts)

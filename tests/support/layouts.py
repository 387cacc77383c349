"""Layouts of the tables that an administrator may make: such that only the SQL way does what an INSERT does, and such
that the ways below the executor do the same.

Each is SQL that a superuser runs with `search_path = raceway, public` in a database that migrate() has just been run in
and that holds event e0 of trace t. See faults/test_layouts.py for what is ingested then.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """`proof` is SQL that is true afterwards where the layout did what it is for; `error` the SQLSTATE that every way
    must raise; `user` who ingests."""

    sql: str
    proof: str = "true"
    error: str | None = None
    user: str = "raceway"


LOG = "CREATE TABLE public.log (what text); GRANT ALL ON public.log TO PUBLIC;"
WRITER = "CREATE ROLE writer; GRANT USAGE ON SCHEMA raceway, public TO writer;"


def trigger(table, when, body="INSERT INTO public.log VALUES (TG_OP); RETURN NEW", level="EACH ROW"):
    return (f"{LOG} CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN {body}; END$f$;"
            f"CREATE TRIGGER mine {when} ON {table} FOR {level} EXECUTE FUNCTION public.f();")


def logged(count, what="INSERT"):
    return f"(SELECT count(*) = {count} FROM public.log WHERE what = '{what}')"


def rebuilt(table, column, definition):
    """The table made anew, with its last column defined otherwise."""
    return (f"CREATE TABLE most (LIKE {table} INCLUDING ALL); ALTER TABLE most DROP COLUMN {column};"
            f"CREATE TABLE made (LIKE most INCLUDING ALL, {column} {definition});"
            f"DROP TABLE {table}; ALTER TABLE made RENAME TO {table}; ALTER TABLE {table} OWNER TO raceway;")


# Six new events are offered, e1 to e6: four of trace t and two of u. One kind is Secret, one location is missing.
OBSTACLES = {
    "a trigger before INSERT that changes the row": Layout(
        trigger("events", "BEFORE INSERT", "NEW.kind := upper(NEW.kind); RETURN NEW"),
        "(SELECT bool_and(kind = upper(kind)) FROM events WHERE event_id <> 'e0')"),
    "a trigger before INSERT that keeps a row out": Layout(
        trigger("events", "BEFORE INSERT", "IF NEW.event_id = 'e2' THEN RETURN NULL; END IF; RETURN NEW"),
        "(SELECT array_agg(event_id ORDER BY event_id) = '{e0,e1,e3,e4,e5,e6}' FROM events)"),
    "a trigger before INSERT that raises for a row": Layout(
        trigger("events", "BEFORE INSERT", "IF NEW.event_id = 'e2' THEN RAISE 'not this one'; END IF; RETURN NEW"),
        "(SELECT array_agg(event_id ORDER BY event_id) = '{e0,e1,e3,e4,e5,e6}' FROM events)"),
    "a trigger after INSERT": Layout(trigger("events", "AFTER INSERT"), logged(6)),
    "a trigger after INSERT for the statement": Layout(
        trigger("events", "AFTER INSERT", "INSERT INTO public.log SELECT event_id FROM fresh; RETURN NULL",
                "EACH STATEMENT").replace("FOR EACH", "REFERENCING NEW TABLE AS fresh FOR EACH"), logged(1, "e3")),
    "a deferred constraint trigger": Layout(
        trigger("events", "AFTER INSERT").replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER").replace(
            "FOR EACH", "DEFERRABLE INITIALLY DEFERRED FOR EACH") + "SET CONSTRAINTS ALL IMMEDIATE", logged(6)),
    "a trigger on traces after UPDATE": Layout(trigger("traces", "AFTER UPDATE"), f"NOT {logged(0, 'UPDATE')}"),
    "a trigger on traces before UPDATE of one column": Layout(
        trigger("traces", "BEFORE UPDATE OF event_count", "NEW.created_at := '2000-01-01'; RETURN NEW"),
        "(SELECT created_at = '2000-01-01' FROM traces WHERE trace_id = 't')"),
    "a trigger on traces before INSERT": Layout(trigger("traces", "BEFORE INSERT"), f"NOT {logged(0)}"),
    "a rule": Layout(f"{LOG} CREATE RULE mine AS ON INSERT TO events DO ALSO INSERT INTO public.log VALUES ('rule')",
                     error="0A000"),
    "a rule on traces": Layout("CREATE RULE mine AS ON UPDATE TO traces DO ALSO NOTIFY traces", error="0A000"),
    "row security that lets all pass": Layout(
        "ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY mine ON events USING (true) WITH CHECK (true)"),
    "row security that refuses a row": Layout(
        "ALTER TABLE events ENABLE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY mine ON events USING (true) WITH CHECK (kind <> 'Secret')", error="42501"),
    "row security on traces": Layout(
        "ALTER TABLE traces ENABLE ROW LEVEL SECURITY; ALTER TABLE traces FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY mine ON traces USING (true) WITH CHECK (trace_id <> 'u')", error="42501"),
    "row security of another user": Layout(
        f"{WRITER} GRANT ALL ON events, traces TO writer; ALTER TABLE events ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY mine ON events TO writer USING (true) WITH CHECK (true)", user="writer"),
    "a generated column more": Layout(
        "ALTER TABLE events ADD COLUMN loud text GENERATED ALWAYS AS (upper(kind)) STORED",
        "(SELECT bool_and(loud = upper(kind)) FROM events)"),
    "a generated column in place of another": Layout(
        rebuilt("events", "created_at", "timestamp GENERATED ALWAYS AS (timestamp) STORED"),
        "(SELECT bool_and(created_at = timestamp) FROM events)"),
    "a column more, with a default": Layout("ALTER TABLE events ADD COLUMN more integer DEFAULT 7",
                                            "(SELECT bool_and(more = 7) FROM events)"),
    "a column more in traces, with a default": Layout("ALTER TABLE traces ADD COLUMN more integer DEFAULT 7",
                                                      "(SELECT bool_and(more = 7) FROM traces)"),
    "a column that was dropped": Layout(
        "ALTER TABLE events ADD COLUMN more integer; ALTER TABLE events DROP COLUMN more"),
    "a column of another type": Layout(
        "ALTER TABLE events ALTER kind TYPE text, ALTER duration_ms TYPE double precision"),
    "a column of a domain": Layout("CREATE DOMAIN public.place AS varchar(500) CHECK (VALUE <> 'nowhere');"
                                   "ALTER TABLE events ALTER location TYPE public.place",
                                   "NOT EXISTS (SELECT 1 FROM events WHERE location = 'nowhere')"),
    "a narrower column": Layout("ALTER TABLE events ALTER location TYPE varchar(6) USING left(location, 6)",
                                "NOT EXISTS (SELECT 1 FROM events WHERE location = 'nowhere')"),
    "a less precise time": Layout("ALTER TABLE events ALTER timestamp TYPE timestamp(0)",
                                  "(SELECT bool_and(timestamp = date_trunc('second', timestamp)) FROM events)"),
    "a NOT NULL column": Layout("ALTER TABLE events ALTER location SET NOT NULL",
                                "NOT EXISTS (SELECT 1 FROM events WHERE location IS NULL)"),
    "a NOT NULL column of traces": Layout("ALTER TABLE traces ALTER service_name SET NOT NULL",
                                          "NOT EXISTS (SELECT 1 FROM traces WHERE service_name IS NULL)"),
    "a check constraint": Layout("ALTER TABLE events ADD CHECK (kind <> 'Secret')",
                                 "NOT EXISTS (SELECT 1 FROM events WHERE kind = 'Secret')"),
    "a check constraint that old rows need not meet": Layout(
        "ALTER TABLE events ADD CHECK (kind <> 'Secret') NOT VALID",
        "NOT EXISTS (SELECT 1 FROM events WHERE kind = 'Secret')"),
    "a check constraint on traces": Layout("ALTER TABLE traces ADD CHECK (event_count < 4)",
                                           "(SELECT max(event_count) < 4 FROM traces)"),
    "an index on an expression": Layout("CREATE INDEX ON events (lower(kind))"),
    "a partial index": Layout("CREATE INDEX ON events (kind) WHERE location IS NOT NULL"),
    "a partial index on traces": Layout("CREATE INDEX ON traces (end_time) WHERE event_count > 1"),
    "a unique index": Layout("CREATE UNIQUE INDEX ON events (location)",
                             "(SELECT count(*) = count(DISTINCT location) FROM events WHERE location IS NOT NULL)"),
    "a unique index on traces": Layout("CREATE UNIQUE INDEX ON traces (event_count)",
                                       "(SELECT count(*) = count(DISTINCT event_count) FROM traces)"),
    "an exclusion constraint": Layout(
        "ALTER TABLE events ADD EXCLUDE USING hash (location WITH =)",
        "(SELECT count(*) = count(DISTINCT location) FROM events WHERE location IS NOT NULL)"),
    "an index that is not valid": Layout(
        "CREATE INDEX half ON events (kind);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half'::regclass"),
    "an index that is not ready": Layout(
        "CREATE INDEX half ON events (kind);"
        "UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'half'::regclass"),
    "a unique index in place of the primary key": Layout(
        "ALTER TABLE events DROP CONSTRAINT events_pkey; CREATE UNIQUE INDEX ON events (event_id)"),
    "a primary key of two columns": Layout(
        "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (event_id, timestamp)"),
    "a primary key that includes a column": Layout(
        "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (event_id) INCLUDE (trace_id)"),
    "a primary key that is deferrable": Layout(
        "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (event_id) DEFERRABLE", error="55000"),
    "another foreign key": Layout(
        "CREATE TABLE public.kinds (kind varchar PRIMARY KEY); INSERT INTO public.kinds VALUES ('Log');"
        "GRANT ALL ON public.kinds TO PUBLIC; ALTER TABLE events ADD FOREIGN KEY (kind) REFERENCES public.kinds",
        "NOT EXISTS (SELECT 1 FROM events WHERE kind = 'Secret')"),
    "another foreign key, named so as to come last": Layout(
        "CREATE TABLE public.kinds (kind varchar PRIMARY KEY); INSERT INTO public.kinds VALUES ('Log');"
        "GRANT ALL ON public.kinds TO PUBLIC;"
        "ALTER TABLE events ADD CONSTRAINT zz FOREIGN KEY (kind) REFERENCES public.kinds DEFERRABLE INITIALLY IMMEDIATE",
        "NOT EXISTS (SELECT 1 FROM events WHERE kind = 'Secret')"),
    "a foreign key of traces": Layout(
        "CREATE TABLE public.known (id varchar COLLATE \"C\" PRIMARY KEY); INSERT INTO public.known VALUES ('t');"
        "GRANT ALL ON public.known TO PUBLIC; ALTER TABLE traces ADD FOREIGN KEY (trace_id) REFERENCES public.known",
        "NOT EXISTS (SELECT 1 FROM traces WHERE trace_id = 'u')"),
    "a foreign key to another table of traces": Layout(
        "CREATE TABLE public.others (trace_id varchar(255) COLLATE \"C\" PRIMARY KEY);"
        "GRANT ALL ON public.others TO PUBLIC; INSERT INTO public.others VALUES ('t');"
        "ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey,"
        " ADD FOREIGN KEY (trace_id) REFERENCES public.others",
        "NOT EXISTS (SELECT 1 FROM events WHERE trace_id = 'u')"),
    "a volatile default": Layout(
        "ALTER TABLE events ALTER created_at SET DEFAULT timestamp '2000-01-01' + random() * interval '1 year'",
        "(SELECT count(DISTINCT created_at) > 1 FROM events WHERE event_id <> 'e0')"),
    "a volatile default of traces": Layout(
        "ALTER TABLE traces ALTER created_at SET DEFAULT timestamp '2000-01-01' + random() * interval '1 year'",
        "(SELECT created_at < '2002-01-01' FROM traces WHERE trace_id = 'u')"),
    "a view in place of events": Layout(
        "ALTER TABLE events RENAME TO stored; CREATE VIEW events AS SELECT * FROM stored;"
        "GRANT ALL ON events TO PUBLIC",
        "(SELECT count(*) = 7 FROM stored)"),
    "events that have children": Layout("CREATE TABLE public.child () INHERITS (events)"),
    "events that are a partition": Layout(
        "CREATE TABLE public.whole (LIKE events) PARTITION BY LIST (kind);"
        "ALTER TABLE public.whole ATTACH PARTITION events FOR VALUES IN ('Log')",
        "NOT EXISTS (SELECT 1 FROM events WHERE kind = 'Secret')"),
    "events that are partitioned": Layout(
        "CREATE TABLE made (LIKE events INCLUDING DEFAULTS, PRIMARY KEY (event_id)) PARTITION BY HASH (event_id);"
        "CREATE TABLE made_0 PARTITION OF made FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        "CREATE TABLE made_1 PARTITION OF made FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        "DROP TABLE events; ALTER TABLE made RENAME TO events; GRANT ALL ON events TO raceway",
        "(SELECT count(*) FROM made_0) > 0"),
    "another access method": Layout(
        "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;"
        "CREATE TABLE made (LIKE events INCLUDING ALL) USING heap_too; DROP TABLE events;"
        "ALTER TABLE made RENAME TO events; GRANT ALL ON events TO raceway"),
    "an id of another collation": Layout(
        "ALTER TABLE events ALTER trace_id TYPE varchar(255) COLLATE \"default\";"),
    "privileges for columns only": Layout(
        f"{WRITER} GRANT SELECT, UPDATE ON traces, events TO writer;"
        "GRANT INSERT (event_id, trace_id, kind, timestamp, duration_ms, location, vector_clock, metadata) ON events"
        " TO writer;"
        "GRANT INSERT (trace_id, service_name, start_time, end_time, event_count) ON traces TO writer", user="writer"),
    "no privilege to insert": Layout(
        f"{WRITER} GRANT SELECT, UPDATE ON events, traces TO writer", error="42501", user="writer"),
    "no privilege to read events": Layout(
        f"{WRITER} GRANT INSERT ON events TO writer; GRANT ALL ON traces TO writer", error="42501", user="writer"),
    "no privilege to update traces": Layout(
        f"{WRITER} GRANT ALL ON events TO writer; GRANT INSERT, SELECT ON traces TO writer",
        error="42501", user="writer"),
    # In whose name the foreign key is checked.
    "an owner of traces who may not use the schema": Layout(
        "CREATE ROLE keeper; ALTER TABLE traces OWNER TO keeper; GRANT ALL ON traces TO raceway", error="42501"),
    "an owner of traces who may not read them": Layout(
        "REVOKE SELECT ON traces FROM raceway", error="42501", user="postgres"),
    "an owner of traces who may not lock them": Layout(
        "REVOKE UPDATE ON traces FROM raceway", error="42501", user="postgres"),
    "a publication of some rows of traces": Layout(
        "CREATE PUBLICATION mine FOR TABLE traces WHERE (event_count > 1)", error="42P10"),
    "a publication of some columns without the key": Layout(
        "CREATE PUBLICATION mine FOR TABLE traces (service_name)", error="42P10"),
    "traces without an identity for replicas": Layout("ALTER TABLE traces REPLICA IDENTITY NOTHING"),
    # What follows would do no harm; it is not what migrate() makes.
    "a trigger after DELETE": Layout(trigger("events", "AFTER DELETE"), "NOT EXISTS (SELECT 1 FROM public.log)"),
    "a trigger before DELETE of traces": Layout(
        trigger("traces", "BEFORE DELETE"), "NOT EXISTS (SELECT 1 FROM public.log)"),
    "a default that is the time of the statement": Layout(
        "ALTER TABLE events ALTER created_at SET DEFAULT statement_timestamp() AT TIME ZONE 'UTC'",
        "(SELECT count(DISTINCT created_at) = 1 FROM events WHERE event_id <> 'e0')"),
    "a default that counts the events": Layout(
        "CREATE FUNCTION public.moment() RETURNS timestamp STABLE LANGUAGE sql AS"
        " $$SELECT '2000-01-01'::timestamp + (SELECT count(*) FROM raceway.events) * interval '1 day'$$;"
        "ALTER TABLE events ALTER created_at SET DEFAULT public.moment();"
        "ALTER TABLE traces ALTER created_at SET DEFAULT public.moment()",
        "(SELECT bool_and(created_at = '2000-01-02') FROM events WHERE event_id <> 'e0')"
        " AND (SELECT created_at = '2000-01-02' FROM traces WHERE trace_id = 'u')"),
    "no default": Layout(
        "ALTER TABLE events ALTER created_at DROP DEFAULT; ALTER TABLE traces ALTER created_at DROP DEFAULT",
        "(SELECT bool_and(created_at IS NULL) FROM events WHERE event_id <> 'e0')"),
    "columns as wide as one likes": Layout(
        "ALTER TABLE events ALTER event_id TYPE varchar COLLATE \"C\", ALTER kind TYPE varchar,"
        " ALTER location TYPE varchar"),
    "events that inherit": Layout("CREATE TABLE public.parent (event_id varchar(255) COLLATE \"C\" NOT NULL);"
                                  "ALTER TABLE events INHERIT public.parent"),
    "the whole row as the identity for replicas": Layout(
        "ALTER TABLE events REPLICA IDENTITY FULL; ALTER TABLE traces REPLICA IDENTITY FULL"),
}

ALLOWED = {
    "the tables as they are made": Layout(""),
    "a superuser": Layout("", user="postgres"),
    "another user with all privileges": Layout(
        f"{WRITER} GRANT INSERT, SELECT ON events, traces TO writer; GRANT UPDATE ON traces TO writer", user="writer"),
    "a member of a role with all privileges": Layout(
        f"{WRITER} CREATE ROLE member IN ROLE writer; GRANT ALL ON events, traces TO writer", user="member"),
    "no foreign key": Layout("ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey"),
    "a foreign key that is checked at the end": Layout(
        "ALTER TABLE events DROP CONSTRAINT events_trace_id_fkey, ADD FOREIGN KEY (trace_id) REFERENCES traces"
        " ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"),
    "tables that refer to ours": Layout(
        "CREATE TABLE public.notes (event_id varchar REFERENCES events ON UPDATE CASCADE ON DELETE CASCADE,"
        " trace_id varchar REFERENCES traces ON UPDATE SET NULL); INSERT INTO public.notes VALUES ('e0', 't')"),
    "tables that are not logged": Layout("ALTER TABLE events SET UNLOGGED; ALTER TABLE traces SET UNLOGGED"),
    "pages that are left half empty": Layout(
        "ALTER TABLE events SET (fillfactor = 20); ALTER TABLE traces SET (fillfactor = 20);"
        "ALTER INDEX events_pkey SET (fillfactor = 20); ALTER INDEX idx_events_trace_id SET (deduplicate_items = off)"),
    "large values kept otherwise": Layout(
        "ALTER TABLE events ALTER metadata SET STORAGE EXTERNAL, ALTER vector_clock SET STORAGE MAIN,"
        " ALTER location SET STORAGE PLAIN; ALTER TABLE events SET (toast_tuple_target = 128)"),
    "large values compressed by lz4": Layout("ALTER TABLE events ALTER metadata SET COMPRESSION lz4"),
    "a publication of everything": Layout("CREATE PUBLICATION mine FOR ALL TABLES"),
    "statistics of several columns": Layout("CREATE STATISTICS mine ON kind, location FROM events"),
    "a table that was clustered": Layout("CLUSTER events USING idx_events_trace_id"),
}

"""What an administrator may do to what becomes of rows: triggers, rules, security, checks, columns, defaults."""

from support import indexes
from support.layouts import rebuilt
from support.random_layouts.statements import EVENTS, PLAIN, ROWS, TRACES, Kind, keeps

IN_UTC = "(now() AT TIME ZONE 'UTC')"

# What must be there first, by a superuser. The log: who fired for what; `fresh` is how many rows a statement brought.
PREPARATION = indexes.PREPARATION + """
    CREATE EXTENSION file_fdw SCHEMA public;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
    CREATE DOMAIN public.word AS varchar(50);
    CREATE DOMAIN public.place AS varchar(500) CHECK (VALUE <> 'bank.cpp:42');
    CREATE SEQUENCE public.days;
    GRANT ALL ON SEQUENCE public.days TO PUBLIC;
    CREATE FUNCTION public.next_day() RETURNS timestamp LANGUAGE sql VOLATILE AS
        $$SELECT timestamp '2000-01-01' + nextval('public.days') * interval '1 day'$$;
    CREATE TABLE public.kinds (kind varchar PRIMARY KEY);
    INSERT INTO public.kinds VALUES ('Seed'), ('Log'), ('StateChange'), ('FunctionCall'), ('HttpRequest'), ('LockAcquire');
    CREATE TABLE public.known (id varchar COLLATE "C" PRIMARY KEY);
    INSERT INTO public.known SELECT 'e-t-' || n FROM generate_series(0, 5) n;
    CREATE TABLE public.parent_of_events (event_id varchar(255) COLLATE "C" NOT NULL);
    CREATE TABLE public.parent_of_traces (trace_id varchar(255) COLLATE "C" NOT NULL);
    GRANT SELECT, UPDATE ON public.kinds, public.known TO PUBLIC;

    CREATE TABLE public.log (n bigint GENERATED ALWAYS AS IDENTITY, name text, timing text, op text, level text,
                             is_event boolean, key text, fresh bigint);
    GRANT INSERT ON public.log TO PUBLIC;
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE line jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
        BEGIN
            INSERT INTO public.log (name, timing, op, level, is_event, key) VALUES
                (TG_NAME, TG_WHEN, TG_OP, TG_LEVEL, line ? 'event_id', coalesce(line ->> 'event_id', line ->> 'trace_id'));
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END$$;
    CREATE FUNCTION public.note_statement() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.log (name, timing, op, level) VALUES (TG_NAME, TG_WHEN, TG_OP, TG_LEVEL);
            RETURN NULL;
        END$$;
    CREATE FUNCTION public.note_fresh() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.log (name, timing, op, level, fresh)
            SELECT TG_NAME, TG_WHEN, TG_OP, 'STATEMENT', count(*) FROM fresh;
            RETURN NULL;
        END$$;
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF coalesce(to_jsonb(NEW) ->> 'kind', 'Error') = 'Error' AND NEW.trace_id IN ('e-t-2', 'e-t-6') THEN
                RAISE 'not this one';
            END IF;
            RETURN NEW;
        END$$;
    CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RETURN CASE WHEN coalesce(to_jsonb(NEW) ->> 'kind', 'Log') <> 'Log' OR NEW.trace_id NOT IN ('e-t-1', 'e-t-5') THEN NEW END;
        END$$;
    CREATE FUNCTION public.loud() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) ? 'service_name' THEN NEW.service_name := upper(NEW.service_name);
            ELSE NEW.kind := upper(NEW.kind);
            END IF;
            RETURN NEW;
        END$$;
"""


def trigger(head, tail, **options):
    return Kind(f"CREATE TRIGGER {{n}} {head} ON {{t}} {tail}", "DROP TRIGGER {n} ON {t}", **options)


def row_trigger(head, functions, when="", **options):
    return trigger(head, f"FOR EACH ROW {when} EXECUTE FUNCTION public.[[{functions}]]()", **options)


TRIGGERS = [
    row_trigger("[[BEFORE|AFTER]] INSERT", "note|refuse"),
    row_trigger("BEFORE INSERT", "loud|skip", on=ROWS),
    row_trigger("BEFORE INSERT", "loud|skip", on=(TRACES,), compared=False, exact=False),
    row_trigger("[[BEFORE|AFTER]] INSERT", "note", "WHEN ([[NEW.kind = 'Log'|NEW.location IS NULL|false]])", on=ROWS),
    row_trigger("[[BEFORE|AFTER]] INSERT", "note", "WHEN (NEW.trace_id > 'e-t-3')", on=(TRACES,)),
    row_trigger("[[BEFORE|AFTER]] UPDATE[[| OF event_count| OF service_name| OF created_at]]", "note",
                "[[|WHEN (OLD.* IS DISTINCT FROM NEW.*)]]", on=(TRACES,)),
    row_trigger("[[BEFORE|AFTER]] [[UPDATE|DELETE]]", "note"),
    trigger("[[BEFORE|AFTER]] [[INSERT|INSERT OR UPDATE|UPDATE OR DELETE|TRUNCATE]]",
            "FOR EACH STATEMENT EXECUTE FUNCTION public.note_statement()"),
    trigger("AFTER INSERT", "REFERENCING NEW TABLE AS fresh FOR EACH [[STATEMENT|ROW]] EXECUTE FUNCTION public.note_fresh()"),
    Kind("CREATE CONSTRAINT TRIGGER {n} AFTER INSERT ON {t} [[|DEFERRABLE|DEFERRABLE INITIALLY DEFERRED]] FOR EACH ROW"
         " EXECUTE FUNCTION public.[[note|refuse]]()", "DROP TRIGGER {n} ON {t}"),
    Kind("CREATE TRIGGER {n} [[BEFORE|AFTER]] INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION public.[[note|refuse]]();"
         "ALTER TABLE {t} [[DISABLE|ENABLE ALWAYS|ENABLE REPLICA]] TRIGGER {n}", "DROP TRIGGER {n} ON {t}"),
    keeps("ALTER TABLE {t} [[DISABLE|ENABLE]] TRIGGER [[ALL|USER]]", exact=False),
]

RULES = [
    Kind("CREATE RULE {n} AS ON [[INSERT|UPDATE|DELETE]] TO {t} DO [[ALSO|INSTEAD]]"
         " [[NOTHING|NOTIFY log|INSERT INTO public.log (name) VALUES ('rule')]]", "DROP RULE {n} ON {t}", exact=False),
    Kind("CREATE RULE {n} AS ON INSERT TO {t} DO ALSO NOTIFY log; ALTER TABLE {t} DISABLE RULE {n}", "DROP RULE {n} ON {t}"),
]

SECURED = "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY; ALTER TABLE {t} FORCE ROW LEVEL SECURITY"
UNSECURED = "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY; ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY"


def secured(policy="", enable=SECURED, **options):
    return Kind(f"{enable};{policy}", UNSECURED, what="row security", exact=False, **options)


ROW_SECURITY = [
    secured(enable="ALTER TABLE {t} [[ENABLE|FORCE]] ROW LEVEL SECURITY"),
    secured("CREATE POLICY {n} ON {t} [[|TO raceway|TO writer|AS RESTRICTIVE]] USING (true) WITH CHECK (true)"),
    secured("CREATE POLICY {n} ON {t} USING (true) WITH CHECK ([[kind <> 'Error'|trace_id <> 'e-t-3']])", on=ROWS),
    secured("CREATE POLICY {n} ON {t} USING (kind <> 'Log')", on=ROWS, compared=False),
    secured("CREATE POLICY {n} ON {t} USING (trace_id <> 'e-t-3')", on=(TRACES,)),
    keeps("CREATE POLICY {n} ON {t} [[FOR ALL|FOR SELECT|FOR DELETE|AS RESTRICTIVE FOR UPDATE]] USING ([[true|false]])",
          "DROP POLICY {n} ON {t}", exact=False),
]


def check(condition, options="", **more):
    return Kind(f"ALTER TABLE {{t}} ADD CONSTRAINT {{n}} CHECK ([[{condition}]]) {options}",
                "ALTER TABLE {t} DROP CONSTRAINT {n}", **more)


CHECKS = [
    check("kind <> 'Error'|kind <> ''|trace_id <> 'e-t-3'|length(location) < 400|duration_ms >= 0|true|length(event_id) < 200",
          "[[|NOT VALID]]", on=ROWS),
    check("kind <> 'Error'|true", "NO INHERIT", on=ROWS),
    check("event_count < 4|event_count < 30|trace_id <> 'e-t-3'|true", "[[|NOT VALID|NO INHERIT]]", on=(TRACES,)),
    check("service_name <> 'bank'|service_name IS NOT NULL", "NOT VALID", on=(TRACES,), compared=False),
]


def not_null(columns, value=None, **options):
    fills = "" if value is None else f"UPDATE {{t}} SET {{c}} = {value} WHERE {{c}} IS NULL;"
    return Kind(f"{fills} ALTER TABLE {{t}} ALTER {{c}} SET NOT NULL", "ALTER TABLE {t} ALTER {c} DROP NOT NULL",
                columns=columns, what="not null {c}", **options)


NOT_NULL = [
    not_null("kind|trace_id|metadata|created_at", on=ROWS),
    not_null('"timestamp"', on=(EVENTS,), layouts=PLAIN),
    not_null("location", "''", on=ROWS), not_null("duration_ms", "0", on=ROWS), not_null("vector_clock", "'{}'", on=ROWS),
    not_null("start_time|end_time|event_count|created_at", on=(TRACES,)),
    not_null("service_name", "''", on=(TRACES,), compared=False, exact=False),
]


def retyped(columns, types, **options):
    return Kind(f"ALTER TABLE {{t}} ALTER {{c}} TYPE {types}",
                "ALTER TABLE {t} ALTER {c} TYPE {type of c} USING {c}::{type of c}", columns=columns, what="type of {c}", **options)


RETYPED = [
    retyped("kind", "[[text|varchar|varchar(60)|char(60)|public.word|name|varchar(50) COLLATE \"C\"|varchar(50) COLLATE public.loose]]",
            on=(EVENTS,)),
    retyped("location", "[[text|varchar(600)|varchar(6) USING left(location, 6)|public.place|varchar(500) COLLATE \"C\"]]",
            on=(EVENTS,)),
    retyped("duration_ms", "[[double precision|numeric]]", on=(EVENTS,)),
    retyped("vector_clock", "[[json|text]] [[|USING NULL]]", on=(EVENTS,)),
    retyped("event_id", "[[varchar(300) COLLATE \"C\"|varchar COLLATE \"C\"|text COLLATE \"C\"|varchar(255) COLLATE \"default\""
            "|varchar(255) COLLATE public.loose|varchar(200) COLLATE \"C\"]]", on=(EVENTS,)),
    retyped("trace_id", "[[text COLLATE \"C\"|varchar(255) COLLATE \"default\"|varchar(255)]]", on=(EVENTS, TRACES)),
    retyped('"timestamp"', "[[timestamp(0)|timestamptz]]", on=(EVENTS,), exact=False, compared=False),
    retyped("created_at", "[[timestamp(0)|timestamptz|date]]", on=(EVENTS, TRACES)),
    retyped("service_name", "[[text|varchar(300)|varchar(255) COLLATE \"C\"|public.word]]", on=(TRACES,), compared=False),
    retyped("event_count", "[[bigint|smallint|numeric]]", on=(TRACES,)),
    retyped("start_time", "[[timestamp(0)|timestamptz]]", on=(TRACES,), exact=False, compared=False),
    keeps("ALTER TABLE events ALTER [[kind TYPE varchar(50)|location TYPE varchar(500)|duration_ms TYPE real]]", on=(EVENTS,)),
]

COLUMNS = [
    Kind("ALTER TABLE {t} ADD COLUMN {n} [[integer|integer DEFAULT 7|text NOT NULL DEFAULT 'x'|public.word DEFAULT 'y'|jsonb"
         "|timestamp DEFAULT now()|text GENERATED ALWAYS AS (upper(trace_id)) STORED]]", on=(EVENTS, TRACES)),
    # Who is there already is numbered as he lies in the table.
    Kind("TRUNCATE events, traces; ALTER TABLE {t} ADD COLUMN {n} [[bigint GENERATED BY DEFAULT AS IDENTITY"
         "|timestamp DEFAULT public.next_day()]]", on=(EVENTS, TRACES), compared=False),
    Kind("ALTER TABLE {t} DROP COLUMN {c}", columns="duration_ms|location|created_at|metadata|vector_clock", on=(EVENTS,),
         what="lack of {c}", exact=False),
    Kind("ALTER TABLE {t} DROP COLUMN {c}", columns="created_at|service_name|end_time", on=(TRACES,), what="lack of {c}", exact=False),
    Kind("ALTER TABLE {t} RENAME COLUMN {c} TO {n}", "ALTER TABLE {t} RENAME COLUMN {n} TO {c}", columns="kind|location|created_at",
         on=(EVENTS,), what="name of {c}"),
    Kind("ALTER TABLE {t} RENAME COLUMN {c} TO {n}", "ALTER TABLE {t} RENAME COLUMN {n} TO {c}", columns="service_name|created_at",
         on=(TRACES,), what="name of {c}", exact=False),
    Kind(rebuilt("events", "created_at", "timestamp GENERATED ALWAYS AS (timestamp) STORED"), on=(EVENTS,), layouts=PLAIN,
         exact=False, moves=True),
]

DEFAULTS = [
    Kind("ALTER TABLE {t} ALTER created_at SET DEFAULT [['2000-01-01'|now()|now() AT TIME ZONE 'Asia/Tokyo'|now() AT TIME ZONE 'utc'"
         "|(now() AT TIME ZONE 'UTC') + interval '1 hour'|NULL]]", f"ALTER TABLE {{t}} ALTER created_at SET DEFAULT {IN_UTC}",
         what="default of created_at"),
    Kind("ALTER TABLE {t} ALTER created_at SET DEFAULT public.next_day()",
         f"ALTER TABLE {{t}} ALTER created_at SET DEFAULT {IN_UTC}", what="default of created_at", compared=False),
    Kind("ALTER TABLE {t} ALTER created_at DROP DEFAULT", f"ALTER TABLE {{t}} ALTER created_at SET DEFAULT {IN_UTC}",
         what="default of created_at"),
    Kind("ALTER TABLE {t} ALTER {c} SET DEFAULT 'x'", "ALTER TABLE {t} ALTER {c} DROP DEFAULT", columns="kind|location", on=ROWS,
         what="default of {c}"),
    Kind("ALTER TABLE {t} ALTER event_count SET DEFAULT 0", "ALTER TABLE {t} ALTER event_count DROP DEFAULT", on=(TRACES,),
         what="default of event_count"),
    keeps("ALTER TABLE {t} ALTER created_at SET DEFAULT timezone('UTC', now())", on=(EVENTS, TRACES)),
]

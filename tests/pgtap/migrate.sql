-- migrate(): the tables, exactly; again, nothing.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(24);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
:install;
SELECT isnt(raceway.migrate(), NULL, 'migrate() says what it did');

PREPARE the_columns AS
    SELECT (column_name::text || ' ' || upper(data_type) || coalesce('(' || character_maximum_length || ')', '')
           || coalesce(' COLLATE ' || collation_name, '') || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END)
           COLLATE "default"
    FROM information_schema.columns WHERE table_schema = 'raceway' AND table_name = $1 ORDER BY ordinal_position;
SELECT results_eq($$EXECUTE the_columns('traces')$$, ARRAY[
    'trace_id CHARACTER VARYING(255) COLLATE C NOT NULL', 'service_name CHARACTER VARYING(255)',
    'start_time TIMESTAMP WITHOUT TIME ZONE', 'end_time TIMESTAMP WITHOUT TIME ZONE', 'event_count INTEGER',
    'created_at TIMESTAMP WITHOUT TIME ZONE'], 'the columns of traces');
SELECT results_eq($$EXECUTE the_columns('events')$$, ARRAY[
    'event_id CHARACTER VARYING(255) COLLATE C NOT NULL', 'trace_id CHARACTER VARYING(255) COLLATE C',
    'kind CHARACTER VARYING(50)', 'timestamp TIMESTAMP WITHOUT TIME ZONE', 'duration_ms REAL',
    'location CHARACTER VARYING(500)', 'vector_clock JSONB', 'metadata JSONB',
    'created_at TIMESTAMP WITHOUT TIME ZONE'], 'the columns of events');

SELECT col_is_pk('raceway', 'traces', 'trace_id', 'traces are known by their id');
SELECT col_is_pk('raceway', 'events', 'event_id', 'events are known by their id');
SELECT fk_ok('raceway', 'events', 'trace_id', 'raceway', 'traces', 'trace_id', 'events belong to traces');
SELECT is((SELECT confdeltype FROM pg_constraint WHERE conrelid = 'raceway.events'::regclass AND contype = 'f'),
          'c'::"char", 'and go with them');
SELECT has_index('raceway', 'events', 'idx_events_trace_id', ARRAY['trace_id'], 'events by trace');
SELECT has_index('raceway', 'events', 'idx_events_timestamp', ARRAY['"timestamp"'], 'events by time');
SELECT has_index('raceway', 'traces', 'idx_traces_service', ARRAY['service_name'], 'traces by service');
SELECT is_empty($$SELECT tablename FROM pg_tables WHERE schemaname = 'raceway' AND tableowner <> 'raceway'$$,
                'the tables belong to the caller');
SELECT is_empty($$
    SELECT objid FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'raceway'
    WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
      AND d.objid IN ('raceway.traces'::regclass, 'raceway.events'::regclass, 'raceway.schema_migrations'::regclass)
    $$, 'and are no members of the extension');

-- Times are UTC whatever the session's zone.
SET LOCAL timezone = 'Pacific/Kiritimati';
INSERT INTO raceway.traces (trace_id) VALUES ('now');
SELECT is((SELECT created_at FROM raceway.traces), now() AT TIME ZONE 'UTC', 'created_at is UTC');
INSERT INTO raceway.events (event_id, trace_id) VALUES ('now', 'now');
SELECT is((SELECT created_at FROM raceway.events), now() AT TIME ZONE 'UTC', 'for events as well');
SELECT raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log","timestamp":"2026-01-01T12:00:00+02:00"}'::jsonb);
SELECT is((SELECT timestamp FROM raceway.events WHERE event_id = 'e'), '2026-01-01 10:00:00'::timestamp,
          'and so is the time of an event');

-- Again.
CREATE TEMPORARY TABLE before AS
    SELECT c.oid, c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'raceway';
SELECT lives_ok('SELECT raceway.migrate()', 'migrate() may be called again');
SELECT set_eq($$SELECT c.oid, c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'raceway'$$, 'SELECT * FROM before', 'and then changes nothing');
SELECT is((SELECT count(*) FROM raceway.events), 2::bigint, 'the events are still there');
SELECT is((SELECT count(*) FROM raceway.schema_migrations WHERE version = 2), 1::bigint,
          'schema_migrations knows the version once');

-- A user's own index stays.
CREATE INDEX my_own ON raceway.events (location);
SELECT raceway.migrate();
SELECT has_index('raceway', 'events', 'my_own', 'the user''s own index stays');

-- Not by tricks of the search path.
CREATE SCHEMA trick AUTHORIZATION raceway;
CREATE FUNCTION trick.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
CREATE FUNCTION trick.max_is_wrong(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trick.> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = trick.max_is_wrong);
SET LOCAL search_path = trick, pg_catalog, public;
SELECT lives_ok('SELECT raceway.migrate()', 'operators and functions before pg_catalog do not mislead it');
SET LOCAL search_path = public;

DELETE FROM raceway.traces WHERE trace_id = 't';
SELECT is((SELECT count(*) FROM raceway.events), 1::bigint, 'deleting a trace deletes its events');

-- A schema from the future.
UPDATE raceway.schema_migrations SET version = 999999 WHERE version = 2;
SELECT throws_ok('SELECT raceway.migrate()', '55000', NULL, 'a newer schema is refused');
RESET ROLE;

CREATE ROLE no_rights_at_all;
SET ROLE no_rights_at_all;
SELECT throws_ok('SELECT raceway.migrate()', '42501', NULL, 'a role without rights is refused');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;

-- What operators ask in SQL: by the plain owner, by a role that may only look, and before there are tables.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(28);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
DROP EXTENSION IF EXISTS pg_stat_statements;
SET ROLE raceway;
:install;
SELECT is_empty('SELECT * FROM raceway.table_sizes', 'no tables, no sizes, and no error');
SELECT raceway.migrate();
SET search_path = raceway, public;

SELECT ingest(jsonb_build_object('event_id', 'e' || n, 'trace_id', 't' || n % 10, 'kind', 'Log',
    'timestamp', to_char((now() - n * interval '1 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'vector_clock', '{}'::jsonb,
    'metadata', CASE n % 4 WHEN 0 THEN '{}'::jsonb ELSE '{"service_name": "shop"}'::jsonb END)) FROM generate_series(1, 100) n;
SELECT ingest('{"event_id":"old","trace_id":"old","kind":"Log","timestamp":"2020-01-01T00:00:00Z","metadata":{"service_name":"attic"}}'::jsonb);

SELECT isnt_empty('SELECT FROM active_connections WHERE pid = pg_backend_pid()', 'a session is seen, though it is another role''s');
SELECT is_empty('SELECT FROM active_connections WHERE cardinality(blocked_by) > 0', 'nobody waits for anybody');
SELECT set_eq($$SELECT table_name::text COLLATE "default" FROM table_sizes$$,
              ARRAY['traces', 'events', 'layout', 'cleanup_runs', 'schema_migrations', 'trace_analyses', 'trace_variables', 'variable_totals',
                    'trace_services', 'service_totals', 'trace_durations', 'duration_totals', 'duration_buckets', 'trace_calls_kept',
                    'race_suppressions', 'analysis_run'], 'the tables are listed');
SELECT is(total_bytes, pg_total_relation_size('events'), 'with their sizes') FROM table_sizes WHERE table_name = 'events';
SELECT is(table_bytes + index_bytes, total_bytes, 'that add up') FROM table_sizes WHERE table_name = 'events';
SELECT set_has($$SELECT index_name::text COLLATE "default" FROM index_use$$,
               $$VALUES ('events_pkey'), ('traces_pkey'), ('idx_events_trace_id'), ('idx_events_timestamp'), ('idx_traces_service')$$,
               'the indexes are listed');
SELECT is(is_unused, false, 'what keeps a key is not called unused') FROM index_use WHERE index_name = 'events_pkey';
SELECT cmp_ok(bytes, '>', 0::bigint, 'an index has a size') FROM index_use WHERE index_name = 'events_pkey';
SELECT lives_ok('SELECT * FROM replication_lag', 'replication can be asked about where there is none');

SELECT is(sum(events), 100::numeric, 'events of the last hour') FROM ingest_rate();
SELECT is(sum(events), 101::numeric, 'and of all times') FROM ingest_rate('100 years', 'day');
SELECT is(count(*), 100::bigint, 'a second each') FROM ingest_rate('1 hour', 'second');
SELECT throws_ok($$SELECT * FROM ingest_rate(step => 'week')$$, '22023', 'step is "week", not second, minute, hour or day');
SELECT throws_ok($$SELECT * FROM ingest_rate(step => NULL)$$, '22023', 'step is NULL, not second, minute, hour or day');

UPDATE events SET created_at = created_at - interval '2 hours' WHERE event_id = 'e7';
SELECT is(sum(events), 100::numeric, 'stored in the last hour, whenever it happened') FROM ingest_rate(by => 'created_at');
SELECT is(array_agg(events ORDER BY at), ARRAY[1, 100]::bigint[], 'and before') FROM ingest_rate('3 hours', 'hour', by => 'created_at');
SELECT throws_ok($$SELECT * FROM ingest_rate(by => 'end_time')$$, '22023', 'by is "end_time", not timestamp or created_at');

SELECT results_eq('SELECT service COLLATE "default", events FROM service_volume()', $$VALUES ('shop', 75::bigint), (NULL, 25)$$, 'volume by service');
SELECT is(events, 1::bigint, 'of all times') FROM service_volume(NULL) WHERE service = 'attic';
SELECT is(traces, 10::bigint, 'with its traces') FROM service_volume() WHERE service = 'shop';

INSERT INTO cleanup_runs (started_at, ended_at, run_by, rule, traces, events, bytes, outcome, pid, backend_start)
SELECT now() AT TIME ZONE 'UTC', (now() AT TIME ZONE 'UTC') + interval '10 s', 'me', 'a rule', 2, 50, 1000, outcome, 1, now()
FROM unnest(ARRAY['done', 'done', 'interrupted', 'dry run']) outcome;
SELECT results_eq('SELECT runs, not_done, events, took, events_per_second FROM cleanup_rate()',
                  $$VALUES (3::bigint, 1::bigint, 150::numeric, interval '30 s', 5.00)$$, 'runs that removed something, by day');

SELECT is_empty('SELECT * FROM slow_statements()', 'without pg_stat_statements there is nothing, and no error');
RESET ROLE;
CREATE SCHEMA "odd ""schema";
CREATE EXTENSION pg_stat_statements SCHEMA "odd ""schema";
SELECT is_empty('SELECT * FROM raceway.slow_statements()', 'nor is there an error where it is not loaded');

CREATE ROLE raceway_looker;
GRANT USAGE ON SCHEMA raceway TO raceway_looker;
SET ROLE raceway_looker;
SELECT isnt_empty('SELECT * FROM raceway.table_sizes', 'who may use the schema may look at sizes');
SELECT throws_ok('SELECT * FROM raceway.service_volume()', '42501', NULL, 'but not at what is in the tables');
RESET ROLE;

SELECT is_empty($$
    SELECT c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
    JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'raceway'
    WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND c.relkind = 'v' AND obj_description(c.oid, 'pg_class') IS NULL$$,
    'every view says what it shows');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'raceway'::regnamespace AND l.lanname NOT IN ('sql', 'plpgsql')
      AND p.proname IN ('slow_statements', 'ingest_rate', 'cleanup_rate', 'service_volume')$$,
    'none of it needs a library: the portable edition has the same');
SELECT * FROM finish();
ROLLBACK;

-- Retention: what its functions say and refuse. Cleanup commits, so it is tested where no transaction is around it:
-- faults/test_cleanup.py and faults/test_partition_retention.py.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(15);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
:install;
SELECT raceway.migrate(partition_by => 'week');
SET search_path = raceway, public;

SELECT has_function('raceway', 'schedule_cleanup', ARRAY['text', 'interval', 'bigint', 'bigint', 'integer', 'text']);
SELECT is(prokind, 'p'::"char", 'cleanup is a procedure, for it commits') FROM pg_proc WHERE proname = 'cleanup';
SELECT columns_are('raceway', 'cleanup_runs', ARRAY['run_id', 'started_at', 'ended_at', 'duration', 'run_by', 'rule',
    'traces', 'events', 'bytes', 'outcome', 'pid', 'backend_start']);
SELECT throws_ok($$ SELECT schedule_cleanup('0 3 * * *', '30 days') $$, '42883', 'pg_cron is not in this database',
                 'without pg_cron it says so');
SELECT throws_ok($$ SELECT schedule_maintenance() $$, '42883', 'pg_cron is not in this database');
SELECT throws_ok($$ SELECT unschedule_cleanup() $$, '42883', 'pg_cron is not in this database');

SELECT is(cleanup_rule('30 days', 5, NULL, 1000, 'end_time'), 'older_than 30 days, max_traces 5, by end_time', 'a rule in words');
SELECT throws_ok($$ SELECT cleanup_rule(NULL, NULL, NULL, 1000, 'end_time') $$, '22023', 'cleanup has no rule');

SELECT is(count(*) FILTER (WHERE upper_bound - lower_bound <> '7 days'), 0::bigint, 'partitions of a week')
  FROM event_partitions();
SELECT is(count(*), 1::bigint, 'and one for the rest') FROM event_partitions() WHERE upper_bound IS NULL;
SELECT results_eq('SELECT event, trace FROM row_bytes()', 'VALUES (0::numeric, 0::numeric)', 'nothing takes no bytes');
SELECT lives_ok($$ SELECT ingest(jsonb_build_object('event_id', 'e' || n, 'trace_id', 't' || n % 10, 'kind', 'Custom',
    'timestamp', '2026-01-01T00:00:00Z', 'vector_clock', '{}'::jsonb, 'metadata', '{}'::jsonb)) FROM generate_series(1, 100) n $$);
SELECT is(count(*), 7::bigint, 'those that are too many') FROM traces_to_clean(NULL, 3, NULL, 'created_at');
SELECT is(array_agg(trace_id::text ORDER BY age, trace_id), ARRAY['t0', 't1'], 'the oldest go first')
  FROM traces_to_clean(NULL, 8, NULL, 'end_time');
SELECT is(cancel_repartition(), false, 'there is no repartition to give up');

SELECT * FROM finish();
ROLLBACK;

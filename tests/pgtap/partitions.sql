-- The layout for growth: events in partitions by time.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(18);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
:install;
SET search_path = raceway, public;

SELECT throws_ok($$ SELECT migrate('hour') $$, '22023', 'events cannot be partitioned by "hour"', 'an unknown layout is an error');
SELECT isnt(migrate(partition_by => 'day'), NULL, 'migrate() makes the tables');
SELECT matches(migrate(partition_by => 'day'), 'nothing to do', 'again, it has nothing to do');
SELECT matches(migrate(), 'nothing to do', 'nor without saying how');
SELECT throws_ok($$ SELECT migrate('none') $$, '55000', 'events is laid out by "day", not by "none"', 'another layout is an error');

SELECT col_is_pk('raceway', 'events', ARRAY['event_id', 'timestamp']::name[], 'the key holds the time');
SELECT fk_ok('raceway', 'events', 'trace_id', 'raceway', 'traces', 'trace_id');
SELECT ok(count(*) >= 9, 'there are partitions for the days to come')
  FROM pg_inherits WHERE inhparent = 'raceway.events'::regclass;

CREATE FUNCTION pg_temp.send(id text, at text, trace text DEFAULT 't') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', stored, duplicates, jsonb_array_length(rejected), ingest_way)
    FROM raceway.ingest(jsonb_build_object('event_id', id, 'trace_id', trace, 'kind', 'Custom', 'timestamp', at,
                                           'vector_clock', '{}'::jsonb, 'metadata', '{}'::jsonb)) $$;
SELECT is(pg_temp.send('e1', '2020-02-01T00:00:00Z'), :'stored_way', 'an event of a day without a partition is taken');
SELECT is(tableoid::regclass::text, 'events_default', 'by the default one') FROM events WHERE event_id = 'e1';
SELECT is(make_partitions('2020-01-31 12:00', '2020-02-01 23:59'), 2, 'two partitions are made');
SELECT is(make_partitions('2020-01-31', '2020-02-01'), 0, 'and not again');
SELECT is(tableoid::regclass::text, 'events_2020_02_01', 'the event has moved into its own') FROM events WHERE event_id = 'e1';
SELECT is(pg_temp.send('e1', '2020-02-01T00:00:00Z'), :'again_way', 'sent again, it is a duplicate');
SELECT is(pg_temp.send('e1', '2020-02-01T00:00:00Z', 'other'), :'other_way', 'under another trace it is rejected');
SELECT is(pg_temp.send('e1', '2020-01-31T23:59:59.999999Z'), :'stored_way', 'with another time it is another event');
SELECT results_eq('SELECT event_count, start_time, end_time FROM traces',
                  $$ VALUES (2, '2020-01-31 23:59:59.999999'::timestamp, '2020-02-01'::timestamp) $$, 'the roll-up is exact');
SELECT throws_ok($$ SELECT make_partitions('2020-01-01', '3020-01-01') $$, '54000', NULL, 'too many partitions are an error');

SELECT * FROM finish();
ROLLBACK;

-- The analysis of one trace in SQL, in both editions: answers that can be checked by hand, errors, rights and limits. That both
-- say the same of any trace, see faults/test_analysis_of_editions.py; that recorded traffic is told as the server tells it, see e2e/test_analysis_agrees.py.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
:install;
SELECT plan(63);
SELECT raceway.migrate();
SET search_path = raceway, public;

-- A request; two workers take from one account, a third one later under a lock that worker-2 holds, too; and a plain reader.
CREATE FUNCTION pg_temp.event(id text, millis int, thread text, parent text, kind text DEFAULT 'Log', more jsonb DEFAULT '{}', clock jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('event_id', id, 'trace_id', 'transfer', 'kind', kind, 'location', 'bank.js:' || millis, 'vector_clock', clock,
        'timestamp', to_char(timestamp '2024-01-01 12:00:00' + millis * interval '1 ms', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'metadata', jsonb_build_object('service_name', CASE thread WHEN 'db' THEN 'store' ELSE 'bank' END, 'instance_id', '1',
                                       'thread_id', thread, 'parent_id', parent) || more)) $$;
CREATE FUNCTION pg_temp.access(id text, millis int, thread text, parent text, type text, new int, variable text DEFAULT 'balance')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_temp.event(id, millis, thread, parent, 'StateChange',
        jsonb_build_object('variable', variable, 'old_value', 100, 'new_value', new, 'access_type', type), jsonb_build_object('web', 1, thread, millis)) $$;
SELECT ingest(jsonb_build_array(
    pg_temp.event('req', 0, 'main', NULL, 'HttpRequest', '{"method":"POST","url":"/transfer"}', '{"web": 1}'),
    pg_temp.access('w1', 1, 'worker-1', 'req', 'Write', 70), pg_temp.access('w2', 2, 'worker-2', 'req', 'Write', 50),
    pg_temp.event('l2', 3, 'worker-2', NULL, 'LockAcquire', '{"lock_id":"m","lock_type":"Mutex"}'),
    pg_temp.access('w3', 4, 'worker-2', NULL, 'Write', 40), pg_temp.event('r2', 5, 'worker-2', NULL, 'LockRelease', '{"lock_id":"m","lock_type":"Mutex"}'),
    pg_temp.event('l3', 6, 'worker-3', 'req', 'LockAcquire', '{"lock_id":"m","lock_type":"Mutex"}'),
    pg_temp.access('w4', 7, 'worker-3', NULL, 'Write', 30), pg_temp.event('r3', 8, 'worker-3', NULL, 'LockRelease', '{"lock_id":"m","lock_type":"Mutex"}'),
    pg_temp.access('read', 9, 'worker-1', 'w1', 'Read', 70), pg_temp.access('a1', 10, 'worker-1', NULL, 'AtomicRMW', 1, 'hits'),
    pg_temp.access('a2', 11, 'worker-2', NULL, 'AtomicRMW', 2, 'hits'),
    pg_temp.event('q', 20, 'db', 'read', 'DatabaseQuery', clock => '{"db": 1}') || '{"duration_ms": 8}', pg_temp.event('end', 30, 'main', NULL) || '{"duration_ms": 30}'));
SELECT ingest('[{"event_id":"s1","trace_id":"apart","kind":"Log","timestamp":"2024-01-01T00:00:00Z","vector_clock":{"a":1}},
                {"event_id":"s2","trace_id":"apart","kind":"Log","timestamp":"2024-01-01T00:00:00Z","vector_clock":{"b":1}}]'::jsonb);

-- The order.
SELECT is(happens_before('transfer', 'req', 'w1'), 'before', 'a parent happened before');
SELECT is(happens_before('transfer', 'w1', 'req'), 'after', 'and the other way round');
SELECT is(happens_before('transfer', 'w1', 'w2'), 'concurrent', 'two threads are concurrent');
SELECT is(happens_before('transfer', 'w1', 'w1'), 'equal', 'an event is equal to itself');
SELECT is(happens_before('transfer', 'w2', 'w3'), 'before', 'program order needs no clock');
SELECT is(happens_before(NULL, 'w1', 'w2'), NULL, 'of NULL nothing is known');
SELECT is(vclock_compare(a.vector_clock, b.vector_clock), 'concurrent', 'the sent clocks alone say less') FROM events a, events b
    WHERE (a.event_id, b.event_id) = ('read', 'q');
SELECT is(happens_before('transfer', 'read', 'q'), 'before', 'than all that was told');

SELECT is(array_agg(event_id ORDER BY place), '{req,w1,w2,l2,w3,r2,l3,w4,r3,read,a1,a2,q,end}', 'causes before effects') FROM causal_order('transfer');
SELECT is(array_agg(place ORDER BY place), (SELECT array_agg(n) FROM generate_series(1, 14) n), 'places count from 1') FROM causal_order('transfer');
SELECT results_eq($$SELECT event_id, "position", service, thread_id FROM causal_order('transfer') WHERE event_id IN ('w3', 'q', 'end') ORDER BY place$$,
                  $$VALUES ('w3', 3, 'bank', 'worker-2'), ('q', 1, 'store', 'db'), ('end', 2, 'bank', 'main')$$, 'strand by strand');
SELECT is(effective_clock, jsonb_build_object(strand, 1), 'the first event knows itself') FROM causal_order('transfer') WHERE place = 1;
SELECT is(q.effective_clock, jsonb_build_object(m.strand, 1, r.strand, 2, q.strand, 1), 'a late one what it comes from')
    FROM causal_order('transfer') q, causal_order('transfer') m, causal_order('transfer') r WHERE (q.event_id, m.event_id, r.event_id) = ('q', 'req', 'read');
SELECT is_empty($$SELECT a.event_id, b.event_id FROM causal_order('transfer') a, causal_order('transfer') b WHERE a.event_id <> b.event_id
    AND (coalesce((b.effective_clock ->> a.strand::text)::int, 0) >= a."position") <> (happens_before('transfer', a.event_id, b.event_id) = 'before')$$,
    'effective clocks say of each pair what happens_before() says');

SELECT set_has($$SELECT from_event, to_event, reason FROM causal_edges('transfer') WHERE kept$$,
               $$VALUES ('req', 'w1', 'parent'), ('w2', 'l2', 'program'), ('read', 'q', 'parent')$$, 'edges with their reasons');
SELECT is_empty($$SELECT FROM causal_edges('transfer') WHERE NOT kept$$, 'nothing contradicts itself');
SELECT results_eq($$SELECT step, event_id, reason, branch FROM explain_order('transfer', 'req', 'q')$$,
                  $$VALUES (0, 'req', NULL, NULL::text), (1, 'read', 'clock', NULL), (2, 'q', 'parent', NULL)$$, 'a chain of reasons');
SELECT results_eq($$SELECT * FROM explain_order('transfer', 'q', 'req')$$, $$SELECT * FROM explain_order('transfer', 'req', 'q')$$, 'in the order of time');
SELECT results_eq($$SELECT step, event_id, reason, branch FROM explain_order('transfer', 'w1', 'w3')$$,
                  $$VALUES (0, 'req', NULL, NULL), (1, 'w1', 'parent', 'a'), (1, 'w3', 'clock', 'b')$$,
                  'where two are concurrent, what both come from, and the branches');
SELECT results_eq($$SELECT * FROM explain_order('apart', 's1', 's2')$$, $$VALUES (1, 's1', NULL, 'a'), (1, 's2', NULL, 'b')$$, 'or nothing in common');
SELECT results_eq($$SELECT * FROM explain_order('apart', 's1', 's1')$$, $$VALUES (0, 's1', NULL, NULL::text)$$, 'of one event it is that');

-- Races.
SELECT results_eq($$SELECT event1, event2, severity, class FROM races('transfer')$$,
                  $$VALUES ('w1', 'w2', 'CRITICAL', 'write-write'), ('w1', 'w3', 'CRITICAL', 'write-write'), ('w1', 'w4', 'CRITICAL', 'write-write'),
                    ('w2', 'w4', 'CRITICAL', 'write-write'), ('w2', 'read', 'WARNING', 'read-write'), ('w3', 'read', 'WARNING', 'read-write'),
                    ('w4', 'read', 'WARNING', 'read-write')$$, 'races, worst first');
SELECT results_eq($$SELECT variable, sharing, first, location1, location2, access1, access2, thread1, thread2, service1, service2, value1, value2,
                    clock1, clock2, last_common, locks1, locks2, gap FROM races('transfer', max_pairs => 1)$$,
                  $$VALUES ('balance', 'process', true, 'bank.js:1', 'bank.js:2', 'Write', 'Write', 'worker-1', 'worker-2', 'bank', 'bank', '70'::jsonb, '50'::jsonb,
                    '{"web": 1, "worker-1": 1}'::jsonb, '{"web": 1, "worker-2": 2}'::jsonb, 'req', '{}'::text[], '{}'::text[], interval '1 ms')$$,
                  'with all that shows that it is one');
SELECT is(locks2, '{m}', 'and the locks held') FROM races('transfer') WHERE (event1, event2) = ('w1', 'w4');
SELECT is(count(*) FILTER (WHERE first), 1::bigint, 'one race of a variable is the first') FROM races('transfer');
SELECT results_eq($$SELECT event1, event2, class FROM races('transfer', classes => '{protected,atomic}')$$,
                  $$VALUES ('w3', 'w4', 'protected'), ('a1', 'a2', 'atomic')$$, 'what is no race is listed when asked for');
SELECT results_eq($$SELECT event1, event2 FROM races('transfer', classes => '{atomic}', max_pairs => 1)$$, $$VALUES ('a1', 'a2')$$,
                  'however many stand before it');
SELECT results_eq($$SELECT event1, event2 FROM races('transfer', classes => '{read-write}', max_pairs => 2)$$, $$VALUES ('w2', 'read'), ('w3', 'read')$$,
                  'one class, and not all of it');
SELECT is_empty($$SELECT FROM races('transfer', 'hits')$$, 'of one variable');
SELECT is(count(*), 7::bigint, 'NULL lists all') FROM races('transfer', 'balance', NULL, NULL);
SELECT is(count(*), 0::bigint, '0 lists none') FROM races('transfer', max_pairs => 0);
SELECT is_empty($$SELECT FROM races(NULL)$$, 'of no trace there are none');
SELECT is_empty($$SELECT FROM races('transfer', 'nothing of that name')$$, 'nor of a variable that is not there');
SELECT throws_ok($$SELECT FROM races('transfer', classes => '{ww}')$$, '22023', 'there is no class of races "ww"', 'another class is an error');
SELECT throws_ok($$SELECT FROM races('transfer', classes => '{NULL}')$$, '22004', 'a class of races is NULL', 'as is NULL');
SELECT throws_ok($$SELECT FROM races('transfer', max_pairs => -1)$$, '22023', 'max_pairs is -1, which is below 0', 'and less than none');
SELECT results_eq($$SELECT * FROM race_counts('transfer')$$,
                  $$VALUES ('balance', 5::bigint, 4::bigint, 0::bigint, 0::bigint, 4::bigint, 3::bigint, 0::bigint, 1::bigint, 0::bigint),
                           ('hits', 2, 2, 0, 2, 0, 0, 1, 0, 0)$$, 'and all are counted');
SELECT results_eq($$SELECT * FROM race_sites('transfer') WHERE site1 = 'bank.js:1' AND site2 = 'bank.js:4' OR protected > 0$$,
                  $$VALUES ('balance', 'bank.js:1', 'Write', 'bank.js:4', 'Write', 1::bigint, 0::bigint, 'CRITICAL', 'w1', 'w3'),
                           ('balance', 'bank.js:4', 'Write', 'bank.js:7', 'Write', 0, 1, 'INFO', 'w3', 'w4')$$, 'by place in the program');
SELECT is(sum(pairs), 7::numeric, 'as often as they are') FROM race_sites('transfer');
SELECT results_eq($$SELECT place, event_id, "timestamp", service, thread, access, old_value, new_value, location, after_previous, races_with_previous, locks
                    FROM audit_trail('transfer', 'balance') WHERE event_id IN ('w3', 'w4')$$,
                  $$VALUES (5, 'w3', timestamp '2024-01-01 12:00:00.004', 'bank', 'worker-2', 'Write', '100'::jsonb, '40'::jsonb, 'bank.js:4', true, false, '{m}'::text[]),
                           (8, 'w4', '2024-01-01 12:00:00.007', 'bank', 'worker-3', 'Write', '100', '30', 'bank.js:7', false, false, '{m}')$$,
                  'one access after the other');
SELECT is(array_agg(event_id || ' ' || races_with_previous), '{w1 false,w2 true,w3 false,w4 false,read true}', 'with what races with the one before')
    FROM audit_trail('transfer', 'balance');
SELECT is_empty($$SELECT FROM audit_trail('transfer', 'nothing of that name')$$, 'nothing of what nobody accessed');

-- Time and calls.
SELECT results_eq($$SELECT step, service, thread, event_id, "from", "to", ms, reason FROM critical_path('transfer', 'durations')$$,
                  $$VALUES (1, 'bank', 'main', 'end', 0.0, 30.0, 30.0, NULL::text)$$, 'the longest chain of durations');
SELECT results_eq($$SELECT step, service, thread, event_id, "from", "to", ms, reason FROM critical_path('transfer')$$,
                  $$VALUES (1, 'bank', 'main', 'end', 0.0, 2.0, 2.0, NULL), (2, 'bank', 'worker-2', 'a2', 2.0, 11.0, 9.0, 'parent'), (3, 'bank', 'main', 'end', 11.0, 30.0, 19.0, NULL)$$,
                  'who had each instant of the elapsed time');
SELECT throws_ok($$SELECT FROM critical_path('transfer', 'magic')$$, '22023', 'by is "magic", not elapsed or durations', 'there are two ways');
SELECT results_eq($$SELECT * FROM trace_calls('transfer')$$, $$VALUES ('bank', 'store', 'DatabaseQuery', 1::bigint)$$, 'who called whom');

-- What is not there.
SELECT throws_ok($$SELECT happens_before('nowhere', 'a', 'b')$$, 'P0002', 'there is no trace "nowhere"', 'an unknown trace is an error');
SELECT throws_ok($$SELECT happens_before('transfer', 'req', 'x')$$, 'P0002', 'trace "transfer" has no event "x"', 'an unknown event, too');
SELECT throws_ok($$SELECT happens_before('transfer', '', 'req')$$, 'P0002', 'trace "transfer" has no event ""', 'as is none at all');
SELECT throws_ok($$SELECT happens_before('transfer', 's1', 'req')$$, 'P0002', 'trace "transfer" has no event "s1"', 'and one of another trace');
SELECT throws_ok(format('SELECT * FROM %s', f), 'P0002', 'there is no trace "nowhere"', 'so it is for ' || f) FROM unnest(ARRAY[
    $$causal_order('nowhere')$$, $$races('nowhere')$$]) f;
INSERT INTO traces (trace_id) VALUES ('empty');
SELECT is_empty($$SELECT FROM causal_order('empty') UNION ALL SELECT FROM races('empty') UNION ALL SELECT FROM race_sites('empty') UNION ALL SELECT FROM critical_path('empty')
                  UNION ALL SELECT FROM critical_path('empty', 'durations') UNION ALL SELECT FROM trace_calls('empty') UNION ALL SELECT FROM race_counts('empty')$$,
                'a trace without events has no rows');

-- Of whom.
CREATE ROLE analysis_looker;
GRANT USAGE ON SCHEMA raceway TO analysis_looker;
SET ROLE analysis_looker;
SELECT throws_ok($$SELECT FROM race_counts('transfer')$$, '42501', NULL, 'who may not read the events learns nothing of them');
RESET ROLE;
GRANT SELECT ON traces, events TO analysis_looker;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE traces ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON events TO analysis_looker USING (metadata ->> 'thread_id' <> 'worker-2');
CREATE POLICY shown ON traces TO analysis_looker USING (trace_id = 'transfer');
SET ROLE analysis_looker;
SELECT set_eq($$SELECT event1, event2 FROM races('transfer')$$, $$VALUES ('w1', 'w4'), ('w4', 'read')$$, 'row security hides events');
SELECT throws_ok($$SELECT FROM race_counts('empty')$$, 'P0002', 'there is no trace "empty"', 'and traces');
\if :is_extension
SELECT throws_ok($$SET raceway.max_analysis_bytes = '1GB'$$, '42501', NULL, 'only a superuser says how much memory an analysis may take');
\endif
RESET ROLE;

-- In parallel workers, and within limits.
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF) ' || query; END $$;
SELECT alike(string_agg(line, E'\n'), '%Workers Launched: 1%Function Scan on races%', 'a parallel worker may be asked')
    FROM pg_temp.plan($$SELECT event1 FROM races('transfer')$$) line;
SELECT set_eq($$SELECT event1, event2 FROM races('transfer') WHERE event1 = 'w2'$$, $$VALUES ('w2', 'w4'), ('w2', 'read')$$, 'and says the same');
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT ingest(jsonb_agg(jsonb_build_object('event_id', 'big-' || n, 'trace_id', 'big', 'kind', 'Log', 'timestamp', '2024-01-01T00:00:00Z'))) FROM generate_series(1, 1000) n;
\if :is_extension
SET LOCAL raceway.max_analysis_bytes = '64kB';
SELECT throws_ok($$SELECT FROM causal_order('big')$$, '54000',
                 'the analysis of trace "big" needs more memory than raceway.max_analysis_bytes allows (65536)', 'memory is limited');
SELECT ingest(jsonb_agg(jsonb_build_object('event_id', 'many-' || n, 'trace_id', 'many', 'kind', 'StateChange', 'timestamp', '2024-01-01T00:00:00Z',
    'metadata', jsonb_build_object('thread_id', n::text, 'variable', 'v')))) FROM generate_series(1, 300) n;
SET LOCAL raceway.max_analysis_bytes = '1MB';
SELECT is(write_write, 44850::bigint, 'counting many pairs takes little') FROM race_counts('many');
SELECT throws_ok($$SELECT FROM races('many', max_pairs => NULL)$$, '54000',
                 'the analysis of trace "many" needs more memory than raceway.max_analysis_bytes allows (1048576)', 'listing them is limited');
RESET raceway.max_analysis_bytes;
\else
SET LOCAL raceway.max_portable_analysis_events = 999;
SELECT throws_ok(format('SELECT FROM %s', f), '54000', 'trace "big" has more events than raceway.max_portable_analysis_events allows (999)',
                 'the events of a trace are limited, so for ' || f) FROM unnest(ARRAY[$$causal_order('big')$$, $$race_counts('big')$$]) f;
SET LOCAL raceway.max_portable_analysis_events = 1000;
SELECT lives_ok($$SELECT FROM race_counts('big')$$, 'up to the limit it is analysed');
RESET raceway.max_portable_analysis_events;
SELECT results_eq($$SELECT variable, atomic_reads, atomic_writes FROM race_counts('transfer')$$, $$VALUES ('balance', 0::bigint, 0::bigint), ('hits', 0, 2)$$,
                  'atomic accesses are counted by themselves, too');
\endif
SELECT is(array_agg(event_id ORDER BY place), (SELECT array_agg('big-' || n ORDER BY ('big-' || n) COLLATE "C") FROM generate_series(1, 1000) n),
          'events of one time stand in the order of their ids') FROM causal_order('big');
SELECT * FROM finish();
ROLLBACK;

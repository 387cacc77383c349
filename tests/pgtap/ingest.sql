-- ingest(): what is stored, what is a duplicate, what is rejected; the roll-ups.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(45);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
:install;
SELECT raceway.migrate();

-- An event in the documented form, with some fields changed.
CREATE FUNCTION pg_temp.event(id text, trace text, changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('event_id', id, 'trace_id', trace, 'kind', 'StateChange',
        'timestamp', '2026-01-01T00:00:05Z', 'duration_ms', 1.5, 'location', 'bank.cpp:42',
        'vector_clock', '{"bank": 1}'::jsonb, 'metadata', '{"service_name": "bank"}'::jsonb) || changes
$$;
CREATE FUNCTION pg_temp.body(value jsonb) RETURNS bytea LANGUAGE sql AS $$SELECT convert_to(value::text, 'UTF8')$$;

-- Three shapes of a body.
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(pg_temp.event('e1', 't1'))$$,
                  $$VALUES (1::bigint, 0::bigint, '[]'::jsonb)$$, 'a bare event');
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(jsonb_build_array(pg_temp.event('e2', 't1'), pg_temp.event('e3', 't2')))$$,
                  $$VALUES (2::bigint, 0::bigint, '[]'::jsonb)$$, 'an array of events');
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(jsonb_build_object('events', jsonb_build_array(pg_temp.event('e4', 't2'))))$$,
                  $$VALUES (1::bigint, 0::bigint, '[]'::jsonb)$$, 'events in an object');
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(pg_temp.body(pg_temp.event('e5', 't3')))$$,
                  $$VALUES (1::bigint, 0::bigint, '[]'::jsonb)$$, 'a body as bytes');

SELECT results_eq($$SELECT event_id::text COLLATE "default", trace_id::text COLLATE "default", kind::text, timestamp, duration_ms, location::text,
                           vector_clock, metadata ->> 'service_name' FROM raceway.events WHERE event_id = 'e1'$$,
                  $$VALUES ('e1', 't1', 'StateChange', '2026-01-01 00:00:05'::timestamp, 1.5::real, 'bank.cpp:42',
                            '{"bank": 1}'::jsonb, 'bank')$$, 'every field has its column');

-- The SDK's form.
SELECT results_eq($$SELECT stored FROM raceway.ingest('{"id": "6d0e1f5e-1111-4222-8333-9444555566aa",
    "trace_id": "6d0e1f5e-2222-4222-8333-9444555566aa", "parent_id": null, "timestamp": "2026-01-01T00:00:00.123456789Z",
    "kind": {"FunctionCall": {"function_name": "f", "module": "m", "args": null, "file": "a.py", "line": 7}},
    "metadata": {"thread_id": "t", "process_id": 1, "service_name": "web", "environment": "x", "tags": {},
                 "duration_ns": 2500000}, "causality_vector": [["web#1", 3], ["db", 18446744073709551615]],
    "lock_set": []}'::jsonb)$$, ARRAY[1::bigint], 'an event in the form of the SDKs');
SELECT results_eq($$SELECT trace_id::text COLLATE "default", kind::text, timestamp, duration_ms, location::text, vector_clock
                    FROM raceway.events WHERE event_id = '6d0e1f5e-1111-4222-8333-9444555566aa'$$,
                  $$VALUES ('6d0e1f5e-2222-4222-8333-9444555566aa', 'FunctionCall',
                            '2026-01-01 00:00:00.123456'::timestamp, 2.5::real, 'a.py:7',
                            '{"db": 18446744073709551615, "web#1": 3}'::jsonb)$$,
                  'becomes a row: the variant is the kind, the pairs are an object');

-- Duplicates.
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(jsonb_build_array(pg_temp.event('e1', 't1'), pg_temp.event('e2', 't1')))$$,
                  $$VALUES (0::bigint, 2::bigint, '[]'::jsonb)$$, 'sent again they are duplicates');
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(jsonb_build_array(pg_temp.event('new', 't1'), pg_temp.event('new', 't1')))$$,
                  $$VALUES (1::bigint, 1::bigint, '[]'::jsonb)$$, 'twice in one batch is stored once');
SELECT results_eq($$SELECT stored, duplicates, rejected FROM raceway.ingest(pg_temp.event('e1', 't1', '{"kind": "Other", "timestamp": "2030-01-01T00:00:00Z"}'))$$,
                  $$VALUES (0::bigint, 0::bigint, '[{"id": "e1", "index": 0, "reason": "event_id is already stored with other contents: kind, timestamp"}]'::jsonb)$$,
                  'with other contents it is none, and says in what');
SELECT results_eq($$SELECT stored, duplicates, jsonb_path_query_array(rejected, '$.reason') FROM raceway.ingest(jsonb_build_array(
                      pg_temp.event('v', 't1'), pg_temp.event('v', 't1', '{"duration_ms": 1.50}'), pg_temp.event('v', 't1', '{"location": null}'),
                      pg_temp.event('v', 't1')))$$,
                  $$VALUES (1::bigint, 2::bigint, '["event_id is already stored with other contents: location"]'::jsonb)$$,
                  'within a batch, too; equal values are the same in whatever words');
SELECT results_eq($$SELECT kind::text, timestamp FROM raceway.events WHERE event_id = 'e1'$$,
                  $$VALUES ('StateChange', '2026-01-01 00:00:05'::timestamp)$$, 'it changes nothing');
SELECT results_eq($$SELECT event_count, end_time FROM raceway.traces WHERE trace_id = 't1'$$,
                  $$VALUES (4, '2026-01-01 00:00:05'::timestamp)$$, 'nor does it count');

-- Rejections.
SELECT results_eq($$SELECT stored, duplicates, rejected #>> '{0,index}', rejected #>> '{0,id}', jsonb_array_length(rejected)
                    FROM raceway.ingest(jsonb_build_array(pg_temp.event('r1', 't4'), pg_temp.event('e1', 't4'),
                                                          pg_temp.event('r2', 't4')))$$,
                  $$VALUES (2::bigint, 0::bigint, '1', 'e1', 1)$$, 'an id that stands under another trace is rejected');
SELECT results_eq($$SELECT stored, rejected -> 0 ->> 'reason' LIKE '%trace%' FROM raceway.ingest(pg_temp.event('e1', 't5'))$$,
                  'VALUES (0::bigint, true)', 'with a reason that speaks of the trace');
SELECT is_empty($$SELECT 1 FROM raceway.traces WHERE trace_id = 't5'$$, 'and makes no trace');
SELECT results_eq($$SELECT stored, rejected #>> '{0,id}', rejected #>> '{0,index}' FROM raceway.ingest(
                      jsonb_build_array(pg_temp.event('both', 't6'), pg_temp.event('both', 't7')))$$,
                  $$VALUES (1::bigint, 'both', '1')$$, 'one id under two traces in one batch: the first stands');
SELECT results_eq($$SELECT stored, jsonb_array_length(rejected), rejected -> 0 ->> 'reason' <> '' FROM raceway.ingest(jsonb_build_array(
                      '{"event_id": "no trace"}'::jsonb, pg_temp.event('fine', 't6')))$$,
                  'VALUES (1::bigint, 1, true)', 'a bad event does not fail its neighbour');
SELECT set_eq($$SELECT r.value ->> 'index' FROM raceway.ingest(jsonb_build_array('7'::jsonb, pg_temp.event('fine 2', 't6'),
                      pg_temp.event('x', 't6', '{"vector_clock": {"a": -1}}'), pg_temp.event(repeat('x', 256), 't6'),
                      'null'::jsonb)) AS i, jsonb_array_elements(i.rejected) AS r$$,
              ARRAY['0', '2', '3', '4'], 'each bad one is named by its place');
SELECT results_eq($$SELECT r.value ->> 'reason' ~ '"alice"' AND r.value ->> 'reason' ~ '1.5' FROM raceway.ingest(
                      pg_temp.event('x', 't6', '{"vector_clock": {"alice": 1.5}}')) AS i,
                      jsonb_array_elements(i.rejected) AS r$$, ARRAY[true], 'a bad counter by component and value');

-- Bodies that are none.
SELECT throws_matching($$SELECT raceway.ingest('hello'::bytea)$$, 'JSON', 'what is not JSON is an error');
SELECT throws_matching($$SELECT raceway.ingest('\xff'::bytea)$$, 'UTF-8', 'what is not UTF-8 is an error');
SELECT throws_matching($$SELECT raceway.ingest(''::bytea)$$, 'JSON', 'so is nothing');
SELECT throws_matching($$SELECT raceway.ingest('{"events": []}'::jsonb)$$, 'no event', 'and a body without events');
SELECT throws_matching($$SELECT raceway.ingest('7'::jsonb)$$, 'no event', 'and a number');
SELECT is((SELECT stored FROM raceway.ingest(NULL::jsonb)), NULL::bigint, 'NULL gives NULL');
SELECT is((SELECT stored FROM raceway.ingest(NULL::bytea)), NULL::bigint, 'as bytes too');

-- Several bodies.
SELECT results_eq($$SELECT stored, duplicates, rejected #>> '{0,id}' FROM raceway.ingest(ARRAY[
                      pg_temp.body(pg_temp.event('b1', 'm1')),
                      pg_temp.body(jsonb_build_array(pg_temp.event('b1', 'm1'), pg_temp.event('b2', 'm1'))),
                      pg_temp.body(pg_temp.event('b2', 'm2')),
                      pg_temp.body(pg_temp.event('b3', 'm2'))])$$,
                  $$VALUES (1::bigint, 0::bigint, NULL), (1, 1, NULL), (0, 0, 'b2'), (1, 0, NULL)$$,
                  'several bodies: a row for each, in their order, as if they came one after the other');
SELECT results_eq($$SELECT trace_id::text COLLATE "default", event_count FROM raceway.traces WHERE trace_id LIKE 'm%' ORDER BY 1$$,
                  $$VALUES ('m1', 2), ('m2', 1)$$, 'with their traces counted');
SELECT is_empty($$SELECT stored, duplicates, rejected FROM raceway.ingest('{}'::bytea[])$$, 'no bodies, no rows');

-- Roll-ups.
SELECT raceway.ingest(pg_temp.event('b', 'r', '{"timestamp": "2026-01-01T00:00:10Z", "metadata": {"service_name": "second"}}'));
SELECT raceway.ingest(pg_temp.event('c', 'r', '{"timestamp": "2026-01-01T00:00:20Z", "metadata": {"service_name": "third"}}'));
SELECT raceway.ingest(pg_temp.event('a', 'r', '{"timestamp": "2026-01-01T00:00:00Z", "metadata": {"service_name": "first"}}'));
SELECT results_eq($$SELECT service_name::text COLLATE "default", start_time, end_time, event_count FROM raceway.traces WHERE trace_id = 'r'$$,
                  $$VALUES ('first', '2026-01-01 00:00:00'::timestamp, '2026-01-01 00:00:20'::timestamp, 3)$$,
                  'a trace spans its events and is named by the earliest');
SELECT raceway.ingest(pg_temp.event('A', 'r', '{"timestamp": "2026-01-01T00:00:00Z", "metadata": {"service_name": "by id"}}'));
SELECT is((SELECT service_name::text FROM raceway.traces WHERE trace_id = 'r'), 'by id', 'of two at one time the smaller id');
SELECT is_empty($$
    SELECT trace_id FROM raceway.traces t FULL JOIN (SELECT trace_id, count(*) AS n, min(timestamp) AS lo,
        max(timestamp) AS hi FROM raceway.events GROUP BY 1) e USING (trace_id)
    WHERE (t.event_count, t.start_time, t.end_time) IS DISTINCT FROM (e.n, e.lo, e.hi)$$,
    'and all of them are exact');

-- The widths of the columns, in characters.
SELECT is((SELECT stored FROM raceway.ingest(pg_temp.event(repeat('é', 255), repeat('ü', 255)))), 1::bigint,
          'ids of 255 characters fit');
SELECT is((SELECT stored FROM raceway.ingest(pg_temp.event(repeat('é', 256), 't'))), 0::bigint, '256 do not');
SELECT is((SELECT stored FROM raceway.ingest(pg_temp.event('w', 'w', jsonb_build_object('location', repeat('l', 600),
          'metadata', jsonb_build_object('service_name', repeat('s', 300)))))), 1::bigint,
          'a long location or service name does not lose the event');
SELECT is((SELECT length(service_name) FROM raceway.traces WHERE trace_id = 'w'), 255, 'the name is cut to its column');

-- Privileges and settings of the caller.
SET LOCAL search_path = pg_catalog;
CREATE TEMPORARY TABLE answer AS SELECT stored, duplicates, rejected FROM raceway.ingest(pg_temp.event('sp', 'sp'));
SET LOCAL search_path = public;
SELECT is((SELECT stored FROM answer), 1::bigint, 'the search_path does not matter');
SET LOCAL timezone = 'Pacific/Kiritimati';
SET LOCAL datestyle = 'German, DMY';
SET LOCAL extra_float_digits = -15;
SELECT is((SELECT stored FROM raceway.ingest(pg_temp.event('ds', 'ds', '{"timestamp": "2026-02-01T00:00:00.000001Z"}'))),
          1::bigint, 'nor do zone and date style');
SELECT is((SELECT timestamp FROM raceway.events WHERE event_id = 'ds'), timestamp '2026-02-01 00:00:00.000001',
          'the time is kept as it was');
SET LOCAL standard_conforming_strings = off;
SET LOCAL bytea_output = 'escape';
SELECT is((SELECT stored FROM raceway.ingest(pg_temp.event('bs', 'bs', jsonb_build_object('location', E'a\\b''c')))),
          1::bigint, 'nor does how strings are written');
SELECT is((SELECT location::text FROM raceway.events WHERE event_id = 'bs'), E'a\\b''c', 'the text is kept as it was');
RESET standard_conforming_strings;
RESET ROLE;

CREATE ROLE reads_only;
GRANT USAGE ON SCHEMA raceway TO reads_only;
GRANT SELECT ON ALL TABLES IN SCHEMA raceway TO reads_only;
SET ROLE reads_only;
SELECT throws_ok($$SELECT raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log","timestamp":"2026-01-01T00:00:00Z"}'::jsonb)$$,
                 '42501', NULL, 'a role that may only read cannot store');
RESET ROLE;

-- A transaction that is rolled back takes everything along.
SAVEPOINT here;
SELECT raceway.ingest(pg_temp.event('gone', 'gone'));
ROLLBACK TO here;
SELECT is_empty($$SELECT 1 FROM raceway.traces WHERE trace_id = 'gone'$$, 'a rollback takes the trace along');
SELECT is_empty($$SELECT 1 FROM raceway.events WHERE event_id = 'gone'$$, 'and the event');

SELECT * FROM finish();
ROLLBACK;

-- CREATE and DROP EXTENSION by the plain owner of a database. Run by pg_prove as a superuser; what is done as the
-- owner is done under SET ROLE.
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(13);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
SELECT is(current_setting('is_superuser'), 'off', 'the owner is no superuser');
SELECT lives_ok('CREATE EXTENSION raceway', 'the plain owner of the database creates the extension');
SELECT is((SELECT nspname::text FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
           WHERE extname = 'raceway'), 'raceway', 'it lives in schema raceway');
SELECT is((SELECT pg_get_userbyid(extowner)::text FROM pg_extension WHERE extname = 'raceway'), 'raceway',
          'it belongs to the one who created it');
SELECT is((SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'raceway' AND c.relkind IN ('r', 'p')), 0::bigint, 'it brings code and no tables');

SELECT lives_ok('SELECT raceway.migrate()', 'the owner makes the tables');
SELECT lives_ok($$SELECT raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log",
    "timestamp":"2026-01-01T00:00:00Z","vector_clock":{"a":1}}'::jsonb)$$, 'and stores an event');

SELECT lives_ok('DROP EXTENSION raceway', 'the extension goes without CASCADE: nothing of the user hangs on it');
SELECT results_eq('SELECT event_id::text COLLATE "default", trace_id::text COLLATE "default", vector_clock FROM raceway.events',
                  $$VALUES ('e', 't', '{"a": 1}'::jsonb)$$, 'its data stays');
SELECT lives_ok('CREATE EXTENSION raceway', 'it comes back');
SELECT lives_ok('SELECT raceway.migrate()', 'and takes the tables up again');
SELECT results_eq($$SELECT stored, duplicates FROM raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log",
    "timestamp":"2026-01-01T00:00:00Z"}'::jsonb)$$, 'VALUES (0::bigint, 1::bigint)', 'knowing what is there');

RESET ROLE;
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
    JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'raceway'
    WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND obj_description(p.oid, 'pg_proc') IS NULL
      AND p.proname NOT LIKE '\_%'$$, 'every public function says what it does (COMMENT)');

SELECT * FROM finish();
ROLLBACK;

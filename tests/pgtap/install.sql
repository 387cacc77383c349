-- The code comes, goes and comes back, and the tables stay. Run by pg_prove as a superuser; what is done as the owner is
-- done under SET ROLE.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
SELECT plan(20);

DROP EXTENSION IF EXISTS raceway CASCADE;
DROP SCHEMA IF EXISTS raceway CASCADE;
SET ROLE raceway;
SELECT is(current_setting('is_superuser'), 'off', 'the owner is no superuser');
SELECT throws_ok($$CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE c AS 'plpgsql', 'plpgsql_call_handler'$$, '42501', NULL,
                 'and may make no functions in C');
SELECT lives_ok(:'install', 'the plain owner of the database brings the code');
SELECT is(raceway.edition(), :'edition', 'it says which edition it is');
SELECT is((SELECT count(*) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
           WHERE e.extname = 'raceway' AND n.nspname = 'raceway' AND pg_get_userbyid(e.extowner) = 'raceway'),
          :is_extension::int::bigint, 'as an extension it lives in schema raceway and belongs to the one who created it');
SELECT is((SELECT count(*) > 0 FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname = 'raceway' AND l.lanname NOT IN ('sql', 'plpgsql', 'internal')), :is_extension,
          'functions in C are in the extension only');
SELECT is((SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'raceway' AND c.relkind IN ('r', 'p')), 0::bigint, 'it brings code and no tables');

SELECT lives_ok('SELECT raceway.migrate()', 'the owner makes the tables');
SELECT lives_ok($$SELECT raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log",
    "timestamp":"2026-01-01T00:00:00Z","vector_clock":{"a":1}}'::jsonb)$$, 'and stores an event');

SELECT lives_ok(:'remove', 'the code goes without CASCADE: nothing of the user hangs on it');
SELECT is((SELECT count(*) FROM pg_proc WHERE pronamespace = 'raceway'::regnamespace)
          + (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'raceway'::regnamespace), 0::bigint, 'all of it');
SELECT results_eq('SELECT event_id::text COLLATE "default", trace_id::text COLLATE "default", vector_clock FROM raceway.events',
                  $$VALUES ('e', 't', '{"a": 1}'::jsonb)$$, 'the data stays');
SELECT lives_ok(:'install', 'it comes back');
SELECT lives_ok('SELECT raceway.migrate()', 'and takes the tables up again');
SELECT results_eq($$SELECT stored, duplicates FROM raceway.ingest('{"event_id":"e","trace_id":"t","kind":"Log",
    "timestamp":"2026-01-01T00:00:00Z","vector_clock":{"a":1}}'::jsonb)$$, 'VALUES (0::bigint, 1::bigint)', 'knowing what is there');

-- What is public has the same signature in both editions; what the state of an aggregate is made of differs.
SELECT set_has(
    $$SELECT p.oid::regprocedure || ' -> ' || pg_get_function_result(p.oid) FROM pg_proc p WHERE p.pronamespace = 'raceway'::regnamespace$$,
    $$VALUES ('raceway.ingest(bytea) -> record'), ('raceway.ingest(jsonb) -> record'), ('raceway.ingest(bytea[]) -> SETOF record'),
        ('raceway.vclock_compare(jsonb,jsonb) -> text'), ('raceway.vclock_increment(jsonb,text,numeric) -> jsonb'),
        ('raceway.vclock_components(jsonb) -> TABLE(component text, counter numeric)'), ('raceway.vclock_sum(jsonb) -> numeric'),
        ('raceway.vclock_frontier(jsonb) -> jsonb[]'), ('raceway.vclock_merge_agg(jsonb) -> jsonb'), ('raceway.migrate(text) -> text')$$,
    'functions, arguments and results are those of either edition');

RESET ROLE;
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'raceway'::regnamespace
    AND obj_description(p.oid, 'pg_proc') IS NULL AND p.proname NOT LIKE '\_%'$$, 'every function says what it does (COMMENT)');


-- What is internal moves, locks or removes: nobody but the owner, and whom they let.
CREATE TEMPORARY VIEW internal AS
    SELECT p.oid, p.proowner FROM pg_proc p WHERE p.pronamespace = 'raceway'::regnamespace AND obj_description(p.oid, 'pg_proc') LIKE 'internal%';
SELECT cmp_ok((SELECT count(*) FROM internal), '>', 30::bigint, 'there are internal functions');
SELECT is_empty($$SELECT i.oid::regprocedure FROM internal i, aclexplode((SELECT coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc p WHERE p.oid = i.oid)) a
                  WHERE a.grantee = 0$$, 'which not everyone may call');
SELECT is_empty($$SELECT i.oid::regprocedure FROM internal i
                  WHERE NOT has_function_privilege('raceway', i.oid, 'EXECUTE WITH GRANT OPTION')$$,
                'but the owner, who may let others');

SELECT * FROM finish();
ROLLBACK;

-- vclock_compare() and its kin against the definition, written down in PL/pgSQL, on random jsonb: clocks that share
-- their names and clocks that do not, counters in every form that a numeric has, and what is no clock at all.
\ir editions/chosen.psql
BEGIN;
SET client_min_messages = warning;
SET search_path = public;
:install;
SELECT plan(9);
SELECT setseed(0.25);

CREATE FUNCTION pg_temp.is_clock(j jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF jsonb_typeof(j) <> 'object' THEN RETURN false; END IF;
  RETURN NOT EXISTS (SELECT FROM jsonb_each(j) WHERE CASE WHEN jsonb_typeof(value) <> 'number' THEN true
    ELSE value::numeric < 0 OR value::numeric > 18446744073709551615 OR value::numeric <> trunc(value::numeric) END);
END $$;
CREATE FUNCTION pg_temp.expected(a jsonb, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  a_greater boolean;
  b_greater boolean;
BEGIN
  IF NOT pg_temp.is_clock(a) OR NOT pg_temp.is_clock(b) THEN RETURN 'error'; END IF;
  SELECT coalesce(bool_or(in_a > in_b), false), coalesce(bool_or(in_b > in_a), false) INTO a_greater, b_greater
  FROM (SELECT coalesce((a ->> name)::numeric, 0) AS in_a, coalesce((b ->> name)::numeric, 0) AS in_b
        FROM (SELECT jsonb_object_keys(a) UNION SELECT jsonb_object_keys(b)) AS names (name)) AS counters;
  RETURN CASE WHEN a_greater AND b_greater THEN 'concurrent' WHEN a_greater THEN 'after'
              WHEN b_greater THEN 'before' ELSE 'equal' END;
END $$;
-- What a function answers, or the error that it raises.
CREATE FUNCTION pg_temp.answer(function text, a jsonb, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT raceway.%I($1, $2)::text', function) INTO answer USING a, b;
  RETURN answer;
EXCEPTION WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
  RETURN sqlerrm;
END $$;
CREATE FUNCTION pg_temp.complaint(j jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM raceway.vclock_sum(j);
  RETURN NULL;
EXCEPTION WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
  RETURN sqlerrm;
END $$;

-- A value: mostly a counter, of one digit of base 10000 or of many, with zeros behind, with a scale; `bad` times of a
-- hundred no counter.
CREATE FUNCTION pg_temp.some_value(bad int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  counters constant jsonb := '[0,1,2,9999,10000,10001,19999,20000,65536,99990000,99999999,100000000,100000001,
    999999999999,1000000000000,4294967295,4294967296,9223372036854775808,18446744073709551614,18446744073709551615,
    0.0,1.0,2.000,10000.0,18446744073709551615.0000,1e3,1e4,1e8,1e19]';
  others constant jsonb := '[-1,-10000,0.5,1.5,10000.0001,0.0001,-0.5,18446744073709551616,1e20,1e24,1e300,
    99999999999999999999.5,null,true,"1",[1],{},[]]';
BEGIN
  IF random() * 100 < bad THEN RETURN others -> floor(random() * jsonb_array_length(others))::int; END IF;
  IF random() < 0.3 THEN RETURN counters -> floor(random() * jsonb_array_length(counters))::int; END IF;
  RETURN to_jsonb(floor(random() * 10 ^ floor(random() * 9)));
END $$;
CREATE FUNCTION pg_temp.some_clock(size int, kept float, bad int) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(left('abcdefghijklmnopqrstuvwxyz', (n % 5) * 3) || n, pg_temp.some_value(bad)), '{}')
  FROM generate_series(1, size) AS n WHERE random() < kept $$;
-- Another clock as far from the first one as `change` says, value by value.
CREATE FUNCTION pg_temp.changed(clock jsonb, change float, bad int) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(key, CASE WHEN random() < change THEN pg_temp.some_value(bad) ELSE value END), '{}')
  FROM jsonb_each(clock) $$;
-- The same counters in another form: with a scale where there was none.
CREATE FUNCTION pg_temp.rescaled(clock jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(key, CASE WHEN random() < 0.3 THEN to_jsonb(value::numeric + 0.00) ELSE value END),
                  '{}')
  FROM jsonb_each(clock) $$;
-- Names as long as before, one in three with another end.
CREATE FUNCTION pg_temp.renamed(clock jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(CASE WHEN random() < 0.3 THEN left(key, -1) || 'z' ELSE key END, value), '{}')
  FROM jsonb_each(clock) $$;

-- Stored, as small ones are with a short header at any address, and as large ones are compressed or out of line.
CREATE TEMPORARY TABLE pairs (id int, kind text, filler text, a jsonb, b jsonb);
INSERT INTO pairs
SELECT row_number() OVER (), kind, repeat('x', i % 4), a,
       CASE kind WHEN 'same names' THEN pg_temp.changed(a, power(random(), 3), 0)
                 WHEN 'same names, rescaled' THEN pg_temp.rescaled(a)
                 WHEN 'names as long' THEN pg_temp.renamed(a)
                 WHEN 'other names' THEN pg_temp.some_clock(size, 0.8, 0)
                 WHEN 'nearly a clock' THEN pg_temp.changed(a, power(random(), 3), 5)
                 ELSE pg_temp.some_clock(size, 0.8, 5) END
FROM (SELECT i, kind, size, pg_temp.some_clock(size, CASE kind WHEN 'other names' THEN 0.8 ELSE 1 END, 0) AS a
      FROM (SELECT i, kind, (CASE i % 10 WHEN 0 THEN 120 ELSE 20 END * power(random(), 2))::int AS size
            FROM generate_series(1, 300) AS i,
                 unnest('{same names,"same names, rescaled",names as long,other names,nearly a clock,
                   other}'::text[]) AS kind
            OFFSET 0) AS sizes OFFSET 0) AS first;
INSERT INTO pairs SELECT 0, 'scalars and arrays', '', a, b
FROM unnest('{"{}","[]","1","null","\"a\"","{\"a\": 1}","[[\"a\", 1]]","{\"a\": {\"a\": 1}}"}'::jsonb[]) AS a,
     unnest('{"{}","[]","1","null","\"a\"","{\"a\": 1}","[[\"a\", 1]]","{\"a\": {\"a\": 1}}"}'::jsonb[]) AS b;
INSERT INTO pairs SELECT -1, 'thousands', '', a, CASE WHEN i = 0 THEN a ELSE pg_temp.changed(a, 0.001, 0) END
FROM (SELECT i, pg_temp.some_clock(3000, 1, 0) AS a FROM generate_series(0, 1) AS i) AS made;
ALTER TABLE pairs ADD expected text, ADD found text;
UPDATE pairs SET expected = pg_temp.expected(a, b), found = pg_temp.answer('vclock_compare', a, b);

SELECT is((SELECT count(DISTINCT expected) FROM pairs WHERE kind IN ('same names', 'other names')), 4::bigint,
          'the pairs stand in every order to each other');
SELECT cmp_ok((SELECT count(*) FROM pairs WHERE expected = 'error'), '>', 100::bigint, 'many are no clocks');
SELECT is_empty($$SELECT kind, a, b, expected, found FROM pairs WHERE expected <> 'error' AND found <> expected$$,
                'two clocks compare as the definition says');
SELECT is_empty($$SELECT a, b, found FROM pairs WHERE expected = 'error'
                    AND found IS DISTINCT FROM coalesce(pg_temp.complaint(a), pg_temp.complaint(b))
                    AND (pg_temp.complaint(a) IS NULL OR pg_temp.complaint(b) IS NULL)$$,
                'what is no clock is found on either side, wherever it stands, and named as other functions name it');
SELECT is_empty($$SELECT a, b, found FROM pairs WHERE expected = 'error'
                    AND found NOT IN (pg_temp.complaint(a), pg_temp.complaint(b))$$,
                'of two that are no clocks, one is named');
SELECT is_empty($$SELECT a, b FROM pairs WHERE pg_temp.answer('vclock_compare', b, a) <> CASE expected
                    WHEN 'before' THEN 'after' WHEN 'after' THEN 'before' ELSE expected END AND expected <> 'error'$$,
                'the other way round, before and after change places');
SELECT is_empty($$SELECT a, b, expected FROM pairs WHERE expected <> 'error' AND (
                    raceway.vclock_happened_before(a, b) <> (expected = 'before')
                    OR raceway.vclock_happened_after(a, b) <> (expected = 'after')
                    OR raceway.vclock_concurrent(a, b) <> (expected = 'concurrent')
                    OR (a OPERATOR(raceway.<<) b) <> (expected = 'before')
                    OR (raceway.vclock_merge(a, b) = raceway.vclock_normalize(b))
                       <> (expected IN ('before', 'equal')))$$,
                'the predicates, the operator and the merge agree');
SELECT is_empty($$SELECT kind, a, b, vclock_valid FROM pairs, raceway.vclock_valid(b)
                  WHERE vclock_valid <> pg_temp.is_clock(b)$$, 'a clock is valid where it can be compared');
SELECT is_empty($$SELECT a FROM pairs WHERE raceway.vclock_compare(a, NULL) IS NOT NULL
                                         OR raceway.vclock_compare(NULL, a) IS NOT NULL$$, 'NULL is no error');

SELECT * FROM finish();
ROLLBACK;

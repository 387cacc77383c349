-- The algebra of vector clocks.
SET search_path = raceway, public;

-- A clock is an object of counters from 0 to 2^64-1. 1.0 and 1e3 are whole numbers.
SELECT clock, vclock_valid(clock) FROM (VALUES
  (jsonb '{}'), ('{"A": 0}'), ('{"A": 1.0, "B": 1e3}'), ('{"A": 18446744073709551615}'), ('{"": 1}'), (NULL),
  ('{"A": 18446744073709551616}'), ('{"A": 1e20}'), ('{"A": -1}'), ('{"A": 0.5}'), ('{"A": 10000.0001}'),
  ('{"A": "1"}'), ('{"A": true}'), ('{"A": null}'), ('{"A": {"B": 1}}'), ('{"A": [1]}'),
  ('[]'), ('[["A", 1]]'), ('1'), ('"A"'), ('null')) AS given (clock);

-- A column of the domain takes clocks and nothing else.
CREATE TEMPORARY TABLE clocked (clock vclock);
INSERT INTO clocked VALUES ('{"A": 1}'), ('{}'), (NULL);
INSERT INTO clocked VALUES ('{"A": -1}');
INSERT INTO clocked VALUES ('[["A", 1]]');
SELECT clock, vclock_size(clock) FROM clocked;

-- normalize: zeros go, pairs become an object, the larger counter of a repeated component stands.
SELECT vclock_normalize('{"B": 2, "A": 0, "long name": 7}');
SELECT vclock_normalize('{"A": 1.0, "B": 1e3, "C": 10000, "D": 100000000, "E": 18446744073709551615}');
SELECT vclock_normalize('[["B", 2], ["A", 1], ["bb", 3], ["A", 5], ["A", 4], ["Z", 0]]');
SELECT vclock_normalize('{}'), vclock_normalize('[]'), vclock_normalize('{"A": 0}'), vclock_normalize(NULL);
-- The result is jsonb like any other: equal and equally hashed, of the same size as PostgreSQL's own.
SELECT clock = written AND jsonb_hash(clock) = jsonb_hash(written) AS same,
       pg_column_size(clock) = pg_column_size(written) AS same_size
FROM (SELECT vclock_normalize(written) AS clock, written
      FROM (VALUES (
        jsonb '{"A": 18446744073709551615, "Bb": 10000, "Ccc": 12345678}')) AS given (written)) AS both_ways;

-- get: 0 for what is not there.
SELECT vclock_get('{"A": 1, "B": 18446744073709551615}', 'B'), vclock_get('{"A": 1}', 'B'), vclock_get('{}', ''),
       vclock_get('{"": 3}', ''), vclock_get('{"A": 1}', NULL);

-- increment: by 1, by more, to the very end.
SELECT vclock_increment('{"A": 1}', 'A'), vclock_increment('{"A": 1}', 'B'), vclock_increment('{}', 'A', 5),
       vclock_increment('{"A": 1, "B": 0}', 'A', 0), vclock_increment('{"A": 1}', by => 2.0, component => 'A'),
       vclock_increment('{"A": 18446744073709551614}', 'A'), vclock_increment('{}', 'A', 18446744073709551615);

-- merge and meet: bounds of both.
SELECT vclock_merge('{"A": 1, "B": 5}', '{"A": 3, "C": 2}'), vclock_meet('{"A": 1, "B": 5}', '{"A": 3, "C": 2}');
SELECT vclock_merge('{}', '{}'), vclock_meet('{}', '{"A": 1}'), vclock_merge('{"A": 0}', '{"B": 1}'),
       vclock_meet('{"A": 0}', '{"A": 4}'), vclock_merge(NULL, '{}'), vclock_meet('{}', NULL);

-- diff: how far a is ahead of b; nothing if and only if a is before b or equal.
SELECT vclock_diff('{"A": 5, "B": 1, "C": 2}', '{"A": 3, "B": 4}'), vclock_diff('{"A": 1}', '{"A": 1, "B": 1}'),
       vclock_diff('{"A": 18446744073709551615}', '{}');

-- without: components that are not there do not matter, nor do NULLs and repetitions.
SELECT vclock_without('{"A": 1, "B": 2, "cc": 3}', '{B}'), vclock_without('{"A": 1}', '{}'),
       vclock_without('{"A": 1, "B": 2, "cc": 3, "D": 0}', '{cc, NULL, A, zz, A}'),
       vclock_without('{"": 1, "A": 1}', '{""}');

-- components, size and sum leave zeros out; a sum may be more than a counter can be.
SELECT * FROM vclock_components('{"bb": 1, "A": 2, "Z": 0, "B": 18446744073709551615}');
SELECT count(*) FROM vclock_components('{"A": 0}');
SELECT v.c, component, counter FROM (VALUES (1, jsonb '{"A": 1}'), (2, '{}'), (3, '{"A": 2, "B": 3}')) AS v (c, clock),
       vclock_components(clock) ORDER BY c, component;
SELECT vclock_components('{"A": 1, "B": 2}');
SELECT vclock_size('{"A": 1, "B": 0, "C": 3}'), vclock_size('{}'), vclock_sum('{"A": 1, "B": 2}'), vclock_sum('{}'),
       vclock_sum('{"A": 18446744073709551615, "B": 18446744073709551615}');

-- Any name is a name: quotes, other alphabets, a name longer than a page.
SELECT vclock_increment('{"na\"me": 1, "Ω": 2, "日本": 3}', 'Ω');
SELECT vclock_get(vclock_increment('{"A": 1}', repeat('n', 10000)), repeat('n', 10000));

-- 1000 components: past the stride at which jsonb notes offsets, in a compressed value, in order.
CREATE TEMPORARY TABLE large AS
  SELECT jsonb_object_agg('component-' || i, i) AS clock FROM generate_series(1, 1000) AS i;
SELECT vclock_size(clock), vclock_sum(clock), vclock_get(clock, 'component-1'), vclock_get(clock, 'component-777'),
       vclock_get(clock, 'component-1000'), vclock_get(clock, 'component-1001'),
       vclock_normalize(clock) = clock AS unchanged, vclock_merge(clock, clock) = clock AS idempotent,
       vclock_diff(vclock_increment(clock, 'component-500', 3), clock),
       vclock_size(vclock_without(clock, '{component-32,component-33}')), pg_column_size(clock) < 10000 AS compressed
FROM large;

-- Against the definitions, written down in SQL, on random clocks as they are stored (short and long headers).
SELECT setseed(0.42);
CREATE TEMPORARY TABLE random_clocks AS
  SELECT row_number() OVER () AS id, clock FROM (
    SELECT (SELECT coalesce(jsonb_object_agg(left('abcdefghijklmnopqrstuvwxyz', 1 + (n / 8) * 3) || n,
                                             floor(power(10000, (random() * 4)::int) * random() * 3)), '{}')
            FROM generate_series(0, (random() * random() * 40)::int) AS n WHERE random() < 0.7 AND i > 0) AS clock
    FROM generate_series(1, 300) AS i) AS made;
CREATE FUNCTION pg_temp.ahead(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(key, value::numeric - coalesce((b ->> key)::numeric, 0)), '{}')
  FROM jsonb_each_text(a) WHERE value::numeric > coalesce((b ->> key)::numeric, 0) $$;
CREATE FUNCTION pg_temp.of_both(a jsonb, b jsonb, largest boolean) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_object_agg(key, counter), '{}')
  FROM (SELECT key, CASE WHEN largest THEN max(value::numeric) ELSE min(value::numeric) END AS counter, count(*) AS n
        FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS either
        GROUP BY key) AS each
  WHERE counter > 0 AND (largest OR n = 2) $$;
SELECT count(*) AS pairs, count(*) FILTER (WHERE compared = 'concurrent') > 0 AS some_concurrent,
       count(*) FILTER (WHERE compared <> CASE
         WHEN a_ahead = '{}' AND b_ahead = '{}' THEN 'equal' WHEN a_ahead = '{}' THEN 'before'
         WHEN b_ahead = '{}' THEN 'after' ELSE 'concurrent' END) AS compared_wrong,
       count(*) FILTER (WHERE vclock_diff(a, b) <> a_ahead) AS subtracted_wrong,
       count(*) FILTER (WHERE vclock_merge(a, b) <> pg_temp.of_both(a, b, true)) AS merged_wrong,
       count(*) FILTER (WHERE vclock_meet(a, b) <> pg_temp.of_both(a, b, false)) AS met_wrong
FROM (SELECT x.clock AS a, y.clock AS b, vclock_compare(x.clock, y.clock) AS compared,
             pg_temp.ahead(x.clock, y.clock) AS a_ahead, pg_temp.ahead(y.clock, x.clock) AS b_ahead
      FROM random_clocks AS x JOIN random_clocks AS y ON y.id - x.id BETWEEN 0 AND 9) AS compared_pairs;
SELECT count(*) FILTER (WHERE vclock_size(clock) <> vclock_size(vclock_normalize(clock))
                           OR vclock_sum(clock) <> coalesce((SELECT sum(value::numeric) FROM jsonb_each_text(clock)), 0)
                           OR vclock_normalize(clock) <> pg_temp.of_both(clock, clock, true)) AS wrong
FROM random_clocks;

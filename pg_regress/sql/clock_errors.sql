-- What is no clock is an error that names the component and the value, says the rule, and what to do.
SET search_path = raceway, public;
SELECT vclock_sum('{"api": 1, "db": -3}');
SELECT vclock_sum('{"db": 18446744073709551616}');
SELECT vclock_sum('{"db": 0.5}');
SELECT vclock_sum('{"db": "3"}');
SELECT vclock_sum('[["db", 3]]');
SELECT vclock_increment('{"db": 18446744073709551615}', 'db');
SELECT vclock_increment('{"db": 1}', 'db', -1);

-- The same with its SQLSTATE: 22003 for a number that is no counter, 22023 for anything else.
CREATE FUNCTION pg_temp.failure(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE 'SELECT (' || expression || ')::text' INTO answer;
  RETURN 'no error: ' || coalesce(answer, 'NULL');
EXCEPTION WHEN others THEN
  RETURN sqlstate || ' ' || sqlerrm;
END $$;
SELECT clock, pg_temp.failure(format('vclock_normalize(%L)', clock)) AS normalize
FROM (VALUES
  ('{"A": -1}'), ('{"A": 1, "B": 1e20}'), ('{"A": 1e-1}'), ('{"A": 1.5}'), ('{"A": -0.0001}'), ('{"A": 123456789.5}'),
  ('{"A": 1e1000}'), ('{"A": "1"}'), ('{"A": "NaN"}'), ('{"A": true}'), ('{"A": false}'), ('{"A": null}'),
  ('{"A": {"B": 1}}'), ('{"A": [1, 2]}'), ('1'), ('"A"'), ('null'), ('true'),
  ('["A", 1]'), ('[["A"]]'), ('[["A", 1, 2]]'), ('[["B", 1], {"A": 1}]'), ('[[1, "A"]]'), ('[["A", "1"]]'),
  ('[["A", -1]]'), ('[["A", 1], ["B", 2.5]]'), ('[["A", null]]'), ('[["A", [1]]]')) AS given (clock);

-- Every function and aggregate finds it, on either side and behind what decides already.
SELECT expression, pg_temp.failure(expression) FROM (VALUES
  ('vclock_get(''{"A": -1}'', ''A'')'),
  ('vclock_increment(''{"A": -1}'', ''B'')'),
  ('vclock_increment(''{"A": 1}'', ''A'', 0.5)'),
  ('vclock_increment(''{"A": 1}'', ''A'', ''NaN'')'),
  ('vclock_increment(''{"A": 1}'', ''A'', ''Infinity'')'),
  ('vclock_increment(''{"A": 1}'', ''A'', 18446744073709551615)'),
  ('vclock_merge(''{"A": 1}'', ''{"A": -1}'')'),
  ('vclock_meet(''{"A": -1}'', ''{}'')'),
  ('vclock_diff(''{}'', ''{"A": 0.5}'')'),
  ('vclock_without(''{"A": "1"}'', ''{A}'')'),
  ('vclock_compare(''{"A": 1}'', ''{"A": -1}'')'),
  ('vclock_compare(''{"A": 2, "B": 1}'', ''{"A": 1, "B": 2, "C": -1}'')'),
  ('vclock_concurrent(''{"A": 2, "B": 1, "C": -1}'', ''{"A": 1, "B": 2}'')'),
  ('jsonb ''{"A": 1}'' << jsonb ''[1]'''),
  ('jsonb ''{"A": 1}'' <<= jsonb ''{"A": []}'''),
  ('vclock_size(''{"A": -1}'')'),
  ('(SELECT count(*) FROM vclock_components(''{"A": 1, "B": -1}''))'),
  ('vclock_merge_agg(''{"A": 1.5}'')'),
  ('vclock_meet_agg(''{"A": 1.5}'')'),
  ('vclock_frontier(''{"A": 1.5}'')')) AS tried (expression);

-- A long value is cut, between characters.
SELECT pg_temp.failure(format('vclock_sum(jsonb_build_object(%L, %L))', 'A', repeat('é', 200)));
SELECT pg_temp.failure(format('vclock_sum(jsonb_build_object(%L, -1))', repeat('x', 200)));
SELECT pg_temp.failure('vclock_sum(jsonb_build_object(''A'', 1e1000))');

-- The session is as well as before.
SELECT vclock_merge('{"A": 1}', '{"B": 1}');

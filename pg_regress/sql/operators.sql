-- The order of clocks: four answers, five operators.
SET search_path = raceway, public;

SELECT a, b, vclock_compare(a, b), a << b AS "<<", a <<= b AS "<<=", a >> b AS ">>", a >>= b AS ">>=",
       a <||> b AS "<||>",
       vclock_equal(a, b) AS equal, vclock_comparable(a, b) AS comparable
FROM (VALUES
  (jsonb '{"A": 1}', jsonb '{"A": 2}'),
  ('{"A": 2}', '{"A": 1}'),
  ('{"A": 1}', '{"A": 1}'),
  ('{"A": 2}', '{"A": 2, "B": 1}'),
  ('{"A": 1, "B": 2}', '{"A": 2, "B": 1}'),
  ('{"A": 1}', '{"B": 1}'),
  ('{"A": 0}', '{}'),
  ('{}', '{}'),
  ('{}', '{"A": 1}'),
  ('{"A": 1, "B": 0}', '{"A": 1.0}'),
  ('{"A": 18446744073709551614}', '{"A": 18446744073709551615}'),
  ('{"bb": 1, "A": 9}', '{"A": 9, "bb": 2, "ccc": 1}'),
  ('{"A": 1}', NULL)) AS pair (a, b);

-- The functions behind them.
SELECT vclock_happened_before('{"A": 1}', '{"A": 2}'), vclock_happened_before_or_equal('{"A": 1}', '{"A": 1}'),
       vclock_happened_after('{"A": 2}', '{"A": 1}'), vclock_happened_after_or_equal('{"A": 1}', '{"A": 1}'),
       vclock_concurrent('{"A": 1}', '{"B": 1}');

-- They are found in the schema raceway, whatever the search_path.
SET search_path = pg_catalog;
SELECT jsonb '{"A": 1}' OPERATOR(raceway.<<) jsonb '{"A": 2}' AS before;
SET search_path = raceway, public;

-- Each has its commutator, and none a negator: the order is partial.
SELECT o.oprname, c.oprname AS commutator, o.oprnegate AS negator, o.oprcode, o.oprrest, o.oprjoin
FROM pg_operator AS o JOIN pg_operator AS c ON c.oid = o.oprcom
WHERE o.oprnamespace = 'raceway'::regnamespace ORDER BY o.oprname COLLATE "C";

-- The planner turns a comparison around by it, and gets the same answer.
CREATE TEMPORARY TABLE seen (id int, clock jsonb);
INSERT INTO seen SELECT i, jsonb_build_object('A', i, 'B', i % 7) FROM generate_series(1, 1000) AS i;
ANALYZE seen;
SELECT count(*) FILTER (WHERE '{"A": 500, "B": 3}' >> clock) AS before,
       count(*) FILTER (WHERE clock << '{"A": 500, "B": 3}') AS same,
       count(*) FILTER (WHERE clock <||> '{"A": 500, "B": 3}') AS concurrent
FROM seen;

-- A row that is no clock is no trouble for the planner, as long as another condition leaves it out.
INSERT INTO seen VALUES (0, '"no clock"');
ANALYZE seen;
SELECT count(*) FROM seen WHERE CASE WHEN id > 0 THEN clock << '{"A": 500, "B": 3}' END;

-- Pure functions: they may stand in an index and run in parallel.
SELECT proname FROM pg_proc
WHERE pronamespace = 'raceway'::regnamespace AND proname LIKE 'vclock%' AND prokind = 'f'
  AND (provolatile <> 'i' OR proparallel <> 's');
SELECT proname FROM pg_proc WHERE pronamespace = 'raceway'::regnamespace AND proname LIKE 'vclock%'
  AND obj_description(oid, 'pg_proc') IS NULL;

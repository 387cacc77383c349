-- Aggregates over clocks.
SET search_path = raceway, public;

CREATE TEMPORARY TABLE clocks (id int, clock jsonb);
INSERT INTO clocks VALUES
  (1, '{"A": 1}'), (2, '{"A": 2, "B": 1}'), (3, '{"A": 1, "B": 3, "cc": 0}'), (4, NULL), (5, '{"A": 2, "B": 1}'),
  (6, '{"A": 1, "B": 3}');
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM clocks;

-- No clock at all gives NULL; the empty clock is one; one row is checked and normalized like many.
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM clocks WHERE id = 4;
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM (VALUES (jsonb '{}')) AS v (clock);
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM clocks WHERE id = 3;
SELECT vclock_merge_agg('{"A": -1}');
SELECT vclock_meet_agg('{"A": "1"}');
SELECT vclock_frontier('[["A", 1]]');
-- Every row is, in the places that could not change the answer, too.
SELECT vclock_frontier(clock) FROM (VALUES (jsonb '{"A": 2, "B": 2}'), ('{"A": 1, "B": 1, "C": -1}')) AS v (clock);
SELECT vclock_meet_agg(clock) FROM (VALUES (jsonb '{}'), ('{"A": 1.5}')) AS v (clock);

-- The frontier is in one order, whatever the order of the rows.
SELECT vclock_frontier(clock ORDER BY id) = vclock_frontier(clock ORDER BY id DESC) AS same,
       vclock_frontier(clock ORDER BY id)
FROM (VALUES (1, jsonb '{"A": 3}'), (2, '{"B": 3}'), (3, '{"A": 1, "B": 1}'), (4, '{"cc": 1}'), (5, '{"A": 2, "B": 1}'),
             (6, '{"A": 2}')) AS v (id, clock);
-- A clock can take the place of many.
SELECT vclock_frontier(clock) FROM (
  SELECT jsonb_build_object('A', i, 'B', 100 - i) AS clock FROM generate_series(1, 99) AS i
  UNION ALL SELECT '{"A": 99, "B": 99}') AS v;

-- By group, and over a growing window.
SELECT id % 2 AS parity, vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock)
FROM clocks GROUP BY 1 ORDER BY 1;
SELECT id, vclock_merge_agg(clock) OVER (ORDER BY id), vclock_meet_agg(clock) OVER (ORDER BY id),
       vclock_frontier(clock) OVER (ORDER BY id)
FROM clocks ORDER BY id;

-- In parallel: the same as in one process, and as the functions of two clocks say.
CREATE TABLE many_clocks AS
  SELECT i AS id, CASE WHEN i % 100 = 0 THEN NULL ELSE jsonb_build_object(
           'A', i, 'B', 20000 - i, 'service-' || i % 50, i % 17, 'all', 5 + i % 3) END AS clock
  FROM generate_series(1, 20000) AS i;
ALTER TABLE many_clocks SET (parallel_workers = 4);
ANALYZE many_clocks;
SET max_parallel_workers_per_gather = 0;
CREATE TEMPORARY TABLE serial_answer AS
  SELECT vclock_merge_agg(clock) AS merged, vclock_meet_agg(clock) AS met,
         (SELECT vclock_frontier(clock) FROM many_clocks WHERE id % 20 = 1) AS frontier FROM many_clocks;
SELECT vclock_size(merged), vclock_get(merged, 'A'), vclock_get(merged, 'service-7'), met, cardinality(frontier)
FROM serial_answer;
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF)
  SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM many_clocks WHERE id % 20 = 1;
SELECT vclock_merge_agg(clock) = (SELECT merged FROM serial_answer) AS merged_same,
       vclock_meet_agg(clock) = (SELECT met FROM serial_answer) AS met_same FROM many_clocks;
SELECT vclock_frontier(clock) = (SELECT frontier FROM serial_answer) AS frontier_same
FROM many_clocks WHERE id % 20 = 1;
-- Workers that saw no clock have nothing to say.
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM many_clocks WHERE id = 1;
SELECT vclock_merge_agg(clock), vclock_meet_agg(clock), vclock_frontier(clock) FROM many_clocks WHERE id = 100;
DROP TABLE many_clocks;

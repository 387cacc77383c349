"""Comparing two clocks in SQL."""

import json
from statistics import median

from bench import options
from bench.figures import Figure, Goal, number

TITLE = "Comparing clocks"
EXPLANATION = """\
  A query that compares the two clocks of every row of a table, on the server's own clock, less the same query that
  only reads both columns (so the cost of the scan is out); per pair. "equal": both must look at every component.
  "differing": before, after and concurrent in equal shares, one component (two, if concurrent) differs, at random
  places. Ratios are times: how many times faster vclock_compare is than PL/pgSQL, and its time to the time of
  jsonb's = on the same pairs."""
COMPONENTS = {2: 40_000, 8: 20_000, 64: 4_000}  # components: pairs
PLPGSQL_SHARE = 0.02

PLPGSQL = """
CREATE SCHEMA bench;
CREATE FUNCTION bench.compare(a jsonb, b jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    component text;
    in_a numeric;
    in_b numeric;
    a_greater boolean := false;
    b_greater boolean := false;
BEGIN
    FOR component IN SELECT jsonb_object_keys(a) UNION SELECT jsonb_object_keys(b) LOOP
        in_a := coalesce((a ->> component)::numeric, 0);
        in_b := coalesce((b ->> component)::numeric, 0);
        a_greater := a_greater OR in_a > in_b;
        b_greater := b_greater OR in_b > in_a;
        IF a_greater AND b_greater THEN
            RETURN 'concurrent';
        END IF;
    END LOOP;
    RETURN CASE WHEN a_greater THEN 'after' WHEN b_greater THEN 'before' ELSE 'equal' END;
END $$;
"""
# Pair p: kind 0 is equal, else before, after, concurrent in turn. toast_tuple_target keeps the large ones in the table.
PAIRS = """
SELECT setseed(0.5);
CREATE TABLE bench.{kind}_{components} (kind int, a jsonb, b jsonb) WITH (toast_tuple_target = 8160);
INSERT INTO bench.{kind}_{components}
SELECT min(kind), jsonb_object_agg(name, counter),
       jsonb_object_agg(name, counter + CASE WHEN kind IN (1, 3) AND k = place THEN 1
                                             WHEN kind = 2 AND k = place THEN -1
                                             WHEN kind = 3 AND k = place % {components} + 1 THEN -1 ELSE 0 END)
FROM (SELECT p, kind, place, k, 'service-' || k || '#vm-' || (8000 + k) AS name,
             2 + floor(random() * 100000)::bigint AS counter
      FROM (SELECT p, {kind_of_pair} AS kind, 1 + floor(random() * {components})::int AS place
            FROM generate_series(1, {pairs}) AS p OFFSET 0) AS pair, generate_series(1, {components}) AS k) AS parts
GROUP BY p;
VACUUM ANALYZE bench.{kind}_{components};
"""
CHECK = """
SELECT count(*) FROM bench.{table}
WHERE raceway.vclock_compare(a, b) <> (ARRAY['equal', 'before', 'after', 'concurrent'])[kind + 1]
   OR (a = b) <> (kind = 0)
"""
QUERIES = {"scan": "count(b)", "compare": "count(raceway.vclock_compare(a, b))", "equals": "count(a = b)",
           "plpgsql": "count(bench.compare(a, b))"}


def _times(database, table, pairs):
    """{what: [nanoseconds a pair]}, one for each round, the scan taken off."""
    few = max(20, int(pairs * PLPGSQL_SHARE))

    def query(expression, rows):
        return (f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) SELECT {expression} "
                f"FROM (SELECT a, b FROM bench.{table} LIMIT {rows}) AS pairs;\n")

    one_round = [(name, query(QUERIES[name], pairs)) for name in ("scan", "compare", "equals")] * 3
    one_round += [("few", query(QUERIES["scan"], few)), ("plpgsql", query(QUERIES["plpgsql"], few))]
    script = "SET jit = off; SET max_parallel_workers_per_gather = 0;\n"
    script += "".join(text for _, text in one_round)  # the first round warms up
    script += "".join(text for _, text in one_round) * options.ROUNDS
    times = _execution_millis(database.sql(script, user="postgres"))[len(one_round):]
    result = {"compare": [], "equals": [], "plpgsql": []}
    for start in range(0, len(times), len(one_round)):
        of = {}
        for (name, _), millis in zip(one_round, times[start:start + len(one_round)]):
            of.setdefault(name, []).append(millis)
        middle = {name: median(all_of_it) for name, all_of_it in of.items()}
        result["compare"].append(max(1.0, (middle["compare"] - middle["scan"]) * 1e6 / pairs))
        result["equals"].append(max(1.0, (middle["equals"] - middle["scan"]) * 1e6 / pairs))
        result["plpgsql"].append((middle["plpgsql"] - middle["few"]) * 1e6 / few)
    return result


def _execution_millis(text):
    """Of every EXPLAIN in the output."""
    decoder = json.JSONDecoder()
    times, at = [], text.find("[")
    while at >= 0:
        plans, at = decoder.raw_decode(text, at)
        times.append(plans[0]["Execution Time"])
        at = text.find("[", at)
    return times


def run(report, database):
    database.sql(PLPGSQL, user="postgres")
    figures = []
    for components, most in COMPONENTS.items():
        pairs = max(200, int(most * min(options.SCALE, 1)))
        for kind, kind_of_pair in (("equal", "0"), ("differing", "1 + p % 3")):
            table = f"{kind}_{components}"
            database.sql(PAIRS.format(kind=kind, components=components, pairs=pairs, kind_of_pair=kind_of_pair),
                         user="postgres")
            assert database.sql(CHECK.format(table=table), user="postgres") == "0", f"{table}: a wrong comparison"
            figures += _figures(f"{components} components, {kind}", _times(database, table, pairs))
    report.section(TITLE, EXPLANATION, figures)


def _figures(name, times):
    faster = [theirs / ours for theirs, ours in zip(times["plpgsql"], times["compare"])]
    slower = [ours / theirs for ours, theirs in zip(times["compare"], times["equals"])]
    return [Figure(f"{name}: faster than PL/pgSQL", faster, goal=Goal(100),
                   beside={"ns": number(median(times["compare"])), "ns in PL/pgSQL": number(median(times["plpgsql"]))}),
            Figure(f"{name}: time to jsonb =", slower, goal=Goal(1.3, at_most=True),
                   beside={"ns for jsonb =": number(median(times["equals"]))})]

-- Aggregates over clocks. A NULL is left out; of no clock at all they are NULL.

CREATE FUNCTION raceway.vclock_merge_step(state jsonb, clock jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN clock IS NULL THEN state ELSE raceway.vclock_merge(COALESCE(state, '{}'), clock) END;

COMMENT ON FUNCTION raceway.vclock_merge_step(jsonb, jsonb) IS 'part of vclock_merge_agg(): takes one clock in';

CREATE FUNCTION raceway.vclock_meet_step(state jsonb, clock jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN clock IS NULL THEN state WHEN state IS NULL THEN raceway.vclock_merge('{}', clock)
            ELSE raceway.vclock_meet(state, clock) END;

COMMENT ON FUNCTION raceway.vclock_meet_step(jsonb, jsonb) IS 'part of vclock_meet_agg(): takes one clock in';

CREATE AGGREGATE raceway.vclock_merge_agg(jsonb) (
  SFUNC = raceway.vclock_merge_step, STYPE = pg_catalog.jsonb, COMBINEFUNC = raceway.vclock_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_merge_agg(jsonb) IS
  'the larger counter of each component over all clocks';

CREATE AGGREGATE raceway.vclock_meet_agg(jsonb) (
  SFUNC = raceway.vclock_meet_step, STYPE = pg_catalog.jsonb, COMBINEFUNC = raceway.vclock_meet, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_meet_agg(jsonb) IS
  'the smaller counter of each component over all clocks';

CREATE FUNCTION raceway.vclock_frontier_step(state jsonb[], clock jsonb) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $step$
DECLARE
    kept  jsonb[] := '{}';
    other jsonb;
    stand text;
BEGIN
    IF clock IS NULL THEN
        RETURN state;
    END IF;
    PERFORM raceway.check_clock(clock);
    FOREACH other IN ARRAY coalesce(state, '{}') LOOP
        stand := raceway.vclock_compare(clock, other);
        IF stand IN ('before', 'equal') THEN
            RETURN state;
        ELSIF stand = 'concurrent' THEN
            kept := kept || other;
        END IF;
    END LOOP;
    RETURN kept || raceway.vclock_normalize(clock);
END
$step$;

COMMENT ON FUNCTION raceway.vclock_frontier_step(jsonb[], jsonb) IS 'part of vclock_frontier(): takes one clock in';

CREATE FUNCTION raceway.vclock_frontier_combine(state jsonb[], other jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $combine$
DECLARE
    clock jsonb;
BEGIN
    FOREACH clock IN ARRAY other LOOP
        state := raceway.vclock_frontier_step(state, clock);
    END LOOP;
    RETURN state;
END
$combine$;

COMMENT ON FUNCTION raceway.vclock_frontier_combine(jsonb[], jsonb[]) IS
  'part of vclock_frontier(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_frontier_final(state jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $final$
DECLARE
    names text[];
BEGIN
    -- By the first component in which they differ.
    SELECT array_agg(n.name ORDER BY octet_length(n.name), n.name COLLATE "C") INTO names
    FROM (SELECT DISTINCT jsonb_object_keys(c) AS name FROM unnest(state) c) n;
    RETURN ARRAY(SELECT c FROM unnest(state) c
                 ORDER BY ARRAY(SELECT coalesce((c -> n.name)::numeric, 0) FROM unnest(names) WITH ORDINALITY n (name, place)
                                ORDER BY n.place));
END
$final$;

COMMENT ON FUNCTION raceway.vclock_frontier_final(jsonb[]) IS 'part of vclock_frontier(): the result';

CREATE AGGREGATE raceway.vclock_frontier(jsonb) (
  SFUNC = raceway.vclock_frontier_step, STYPE = pg_catalog.jsonb[], FINALFUNC = raceway.vclock_frontier_final,
  COMBINEFUNC = raceway.vclock_frontier_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_frontier(jsonb) IS
  'the clocks that no other is after, each once; any two of them are concurrent';

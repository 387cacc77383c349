-- Aggregates over clocks. A NULL is left out; of no clock at all they are NULL. Parallel workers gather states of their
-- own, which travel as bytea and are combined.

CREATE FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_merge_agg(): takes one clock in';

CREATE FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_merge_agg(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_meet_agg(): takes one clock in';

CREATE FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_meet_agg(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_running_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_final' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_final(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): the result';

CREATE FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, to be sent';

CREATE FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, as received';

CREATE AGGREGATE raceway.vclock_merge_agg(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_merge_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_running_final,
  COMBINEFUNC = raceway.vclock_merge_combine, SERIALFUNC = raceway.vclock_running_serialize,
  DESERIALFUNC = raceway.vclock_running_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_merge_agg(pg_catalog.jsonb) IS
  'the larger counter of each component over all clocks';

CREATE AGGREGATE raceway.vclock_meet_agg(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_meet_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_running_final,
  COMBINEFUNC = raceway.vclock_meet_combine, SERIALFUNC = raceway.vclock_running_serialize,
  DESERIALFUNC = raceway.vclock_running_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_meet_agg(pg_catalog.jsonb) IS
  'the smaller counter of each component over all clocks';

CREATE FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_frontier(): takes one clock in';

CREATE FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_frontier(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) RETURNS pg_catalog.jsonb[]
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_final' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) IS
  'part of vclock_frontier(): the result';

CREATE FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, to be sent';

CREATE FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, as received';

CREATE AGGREGATE raceway.vclock_frontier(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_frontier_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_frontier_final,
  COMBINEFUNC = raceway.vclock_frontier_combine, SERIALFUNC = raceway.vclock_frontier_serialize,
  DESERIALFUNC = raceway.vclock_frontier_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_frontier(pg_catalog.jsonb) IS
  'the clocks that no other is after, each once; any two of them are concurrent';

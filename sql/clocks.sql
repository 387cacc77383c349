-- The algebra of vector clocks. A missing component is 0; what builds a clock leaves zeros out. What is no clock is an
-- error: 22003 for a number that is no counter, 22023 for anything else.

-- Making clocks.

CREATE FUNCTION raceway.vclock_normalize(clock pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_normalize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_normalize(pg_catalog.jsonb) IS
  'the clock in its shortest form: of an object without its zeros, or of an array of [component, counter] pairs, '
  'where the larger counter of a repeated component stands';

CREATE FUNCTION raceway.vclock_increment(
  clock pg_catalog.jsonb, component pg_catalog.text, by pg_catalog.numeric DEFAULT 1)
  RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_increment' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_increment(pg_catalog.jsonb, pg_catalog.text, pg_catalog.numeric) IS
  'the clock with the counter of one component increased';

CREATE FUNCTION raceway.vclock_merge(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'the larger counter of each component: the least clock that is after or equal to both';

CREATE FUNCTION raceway.vclock_meet(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'the smaller counter of each component: the greatest clock that is before or equal to both';

CREATE FUNCTION raceway.vclock_diff(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_diff' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_diff(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'by how much a is ahead of b in each component where it is; empty if and only if a is before b or equal';

CREATE FUNCTION raceway.vclock_without(clock pg_catalog.jsonb, components pg_catalog.text[]) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_without' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_without(pg_catalog.jsonb, pg_catalog.text[]) IS
  'the clock without the named components';

-- Reading clocks.

CREATE FUNCTION raceway.vclock_get(clock pg_catalog.jsonb, component pg_catalog.text) RETURNS pg_catalog.numeric
  AS 'MODULE_PATHNAME', 'raceway_vclock_get' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_get(pg_catalog.jsonb, pg_catalog.text) IS
  'the counter of one component, 0 where the clock lacks it';

CREATE FUNCTION raceway.vclock_components(clock pg_catalog.jsonb)
  RETURNS TABLE (component pg_catalog.text, counter pg_catalog.numeric)
  AS 'MODULE_PATHNAME', 'raceway_vclock_components' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION raceway.vclock_components(pg_catalog.jsonb) IS
  'the components with a counter above 0, in the order in which jsonb keeps them';

CREATE FUNCTION raceway.vclock_size(clock pg_catalog.jsonb) RETURNS pg_catalog.int4
  AS 'MODULE_PATHNAME', 'raceway_vclock_size' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_size(pg_catalog.jsonb) IS
  'the number of components with a counter above 0';

CREATE FUNCTION raceway.vclock_sum(clock pg_catalog.jsonb) RETURNS pg_catalog.numeric
  AS 'MODULE_PATHNAME', 'raceway_vclock_sum' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_sum(pg_catalog.jsonb) IS
  'the sum of all counters';

-- Comparing clocks: every counter of a <= the one of b and one smaller means that a happened before b.

CREATE FUNCTION raceway.vclock_compare(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.text
  AS 'MODULE_PATHNAME', 'raceway_vclock_compare' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_compare(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'how a stands to b: before, after, equal or concurrent';

CREATE FUNCTION raceway.vclock_happened_before(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_before' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_before(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened before b';

CREATE FUNCTION raceway.vclock_happened_before_or_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_before_or_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_before_or_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened before b or is equal to it';

CREATE FUNCTION raceway.vclock_happened_after(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_after' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_after(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened after b';

CREATE FUNCTION raceway.vclock_happened_after_or_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_after_or_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_after_or_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened after b or is equal to it';

CREATE FUNCTION raceway.vclock_concurrent(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_concurrent' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_concurrent(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether neither happened before the other and they differ';

CREATE FUNCTION raceway.vclock_comparable(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_comparable' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_comparable(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether one happened before the other or they are equal';

CREATE FUNCTION raceway.vclock_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether all counters are equal; a missing component is 0';

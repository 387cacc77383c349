-- What is a vector clock.

CREATE FUNCTION raceway.vclock_valid(clock pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_valid(pg_catalog.jsonb) IS
  'whether this is a vector clock: an object whose values are whole numbers from 0 to 2^64-1';

CREATE DOMAIN raceway.vclock AS pg_catalog.jsonb
  CONSTRAINT vclock_valid CHECK (raceway.vclock_valid(VALUE));
COMMENT ON DOMAIN raceway.vclock IS
  'a vector clock: an object that maps components to counters from 0 to 2^64-1; a missing component is 0';

-- What is a vector clock.

CREATE FUNCTION raceway.vclock_valid(clock jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN pg_catalog.jsonb_typeof(clock) OPERATOR(pg_catalog.=) 'object'
    THEN NOT pg_catalog.jsonb_path_exists(clock, 'strict $.* ? (@.type() != "number" || @ < 0 || @ > 18446744073709551615 || @.floor() != @)')
    ELSE false END;

CREATE DOMAIN raceway.vclock AS pg_catalog.jsonb
  CONSTRAINT vclock_valid CHECK (raceway.vclock_valid(VALUE));

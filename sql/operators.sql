-- The order of clocks as operators. It is partial: that a is not before b does not make it after or equal, so none of
-- these negates another. The estimates are constants (one in ten): an estimator that tries the operator on sampled rows
-- would fail the whole query on a row that is no clock, even where another condition leaves that row out.

CREATE OPERATOR raceway.<< (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_before,
  COMMUTATOR = OPERATOR(raceway.>>), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<< (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened before';

CREATE OPERATOR raceway.>> (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_after,
  COMMUTATOR = OPERATOR(raceway.<<), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.>> (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened after';

CREATE OPERATOR raceway.<<= (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_before_or_equal,
  COMMUTATOR = OPERATOR(raceway.>>=), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<<= (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened before or equal';

CREATE OPERATOR raceway.>>= (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_after_or_equal,
  COMMUTATOR = OPERATOR(raceway.<<=), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.>>= (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened after or equal';

CREATE OPERATOR raceway.<||> (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_concurrent,
  COMMUTATOR = OPERATOR(raceway.<||>), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<||> (pg_catalog.jsonb, pg_catalog.jsonb) IS 'concurrent';

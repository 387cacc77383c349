-- Retention by partitions: the traces that go with their events, below the executor.

CREATE FUNCTION raceway.drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS 'MODULE_PATHNAME', 'raceway_drop_with_traces';

COMMENT ON FUNCTION raceway.drop_with_traces(regclass[], timestamp) IS
    'internal to drop_partitions(): drops these partitions, all of whose events are before a time, with the traces that ended '
    'before it and that no other event refers to; an error where they are in use. Events of traces that go on are kept';

-- Retention by partitions: the traces that go with their events.

CREATE FUNCTION raceway.drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $drop$
BEGIN
    SELECT d.* INTO traces, events FROM raceway.drop_with_traces_by_sql(expired, ends) d;
END
$drop$;

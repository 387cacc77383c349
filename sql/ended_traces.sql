-- Retention by partitions: the traces whose events go with their partitions.

CREATE FUNCTION raceway.sweep_traces(before timestamp, OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_sweep_traces';

COMMENT ON FUNCTION raceway.sweep_traces(timestamp) IS
    'internal to cleanup(): tells the traces that began before a time and go on after it, and removes those that ended, whose '
    'events the caller removes; traces and events are NULL where that is left to delete_ended_traces(), when the events are gone';

CREATE FUNCTION raceway.sweep_ahead(before timestamp, expired regclass[], OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $ahead$
DECLARE
    partition regclass;
BEGIN
    -- Only who writes events as old as these waits.
    FOREACH partition IN ARRAY expired || 'raceway.events_default'::regclass LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', partition);
    END LOOP;
    SELECT s.* INTO traces, events, going_on FROM raceway.sweep_traces(before) s;
    -- A trace that ended and is not removed yet could go on until the tables are locked.
    IF traces IS NULL THEN
        RAISE EXCEPTION 'not to be done ahead' USING ERRCODE = 'lock_not_available';
    END IF;
    PERFORM raceway.delete_ended_from_default(before);
    IF NOT raceway.lock_tables('swap', give_way => true) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available';
    END IF;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    going_on := NULL;
END
$ahead$;

COMMENT ON FUNCTION raceway.sweep_ahead(timestamp, regclass[]) IS
    'internal to drop_partitions(): does sweep_traces() while others write, and locks the tables then; going_on is NULL, and '
    'nothing is done, where that is not to be had';

CREATE FUNCTION raceway.delete_ended_traces(before timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_delete_ended_traces';

COMMENT ON FUNCTION raceway.delete_ended_traces(timestamp) IS
    'internal to cleanup(): removes the traces that ended before a time, whose events are gone; needs events locked exclusively';

-- Retention by partitions: the traces whose events go with their partitions.

CREATE FUNCTION raceway.sweep_traces(before timestamp, OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $sweep$
BEGIN
    -- A DELETE looks for the events of each trace: it waits until they are gone.
    going_on := ARRAY(SELECT t.trace_id FROM raceway.traces t WHERE t.start_time < before AND t.end_time >= before);
END
$sweep$;

CREATE FUNCTION raceway.sweep_ahead(before timestamp, expired regclass[], OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ahead$
BEGIN
    -- Nothing is removed before the events are gone, so until the tables are locked any trace may go on.
END
$ahead$;

CREATE FUNCTION raceway.delete_ended_traces(before timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $delete$
BEGIN
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid IN ('raceway.events'::regclass, 'raceway.traces'::regclass)
               AND NOT pg_has_role(c.relowner, 'USAGE')) THEN
        RAISE EXCEPTION 'must be owner of the tables events and traces' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (SELECT count(DISTINCT l.relation) FROM pg_locks l
        WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.relation IN ('raceway.events'::regclass, 'raceway.traces'::regclass)) < 2 THEN
        RAISE EXCEPTION 'events and traces are not locked by this transaction' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Use raceway.cleanup(), which drops partitions with their traces.';
    END IF;
    WITH gone AS (
        DELETE FROM raceway.traces t WHERE t.end_time < before RETURNING t.event_count
    )
    SELECT count(*), coalesce(sum(g.event_count), 0) INTO traces, events FROM gone g;
END
$delete$;

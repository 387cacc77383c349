-- Retention by partitions: the events of a time go in one step, with the traces that end in it.

CREATE FUNCTION raceway.event_partitions() RETURNS TABLE (partition regclass, lower_bound timestamp, upper_bound timestamp)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $partitions$
    -- A bound that is none, MINVALUE or MAXVALUE, is NULL; so are both of the default partition.
    SELECT c.oid::regclass,
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\)')::timestamp,
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamp
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('raceway.events') AND c.relispartition
$partitions$;

COMMENT ON FUNCTION raceway.event_partitions() IS
    'The partitions of events and the times they hold: from lower_bound up to, not including, upper_bound; both NULL for events_default.';

CREATE FUNCTION raceway.take_expired_events(partition regclass, going_on varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
-- They are few, and are to be found by index, whatever the planner thinks of it.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $take$
BEGIN
    EXECUTE format('ALTER TABLE raceway.events DETACH PARTITION %s', partition);
    -- Traces stay whole: the events of those that go on are kept where no partition is in their time.
    EXECUTE format('INSERT INTO raceway.events_default SELECT p.* FROM unnest($1) g (trace_id) JOIN %s p USING (trace_id)', partition)
        USING going_on;
    EXECUTE format('DROP TABLE %s', partition);
END
$take$;

COMMENT ON FUNCTION raceway.take_expired_events(regclass, varchar[]) IS
    'internal to drop_partitions(): drops a partition, and keeps the events of these traces';

CREATE FUNCTION raceway.delete_ended_from_default(before timestamp) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ended$
BEGIN
    DELETE FROM raceway.events_default e
    WHERE e."timestamp" < before AND e.trace_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = e.trace_id);
END
$ended$;

COMMENT ON FUNCTION raceway.delete_ended_from_default(timestamp) IS
    'internal to drop_partitions(): removes the events before a time that no partition of their own took, of traces that are gone';

CREATE FUNCTION raceway.traces_going_on(ends timestamp) RETURNS varchar[]
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $on$
BEGIN
    RETURN ARRAY(SELECT t.trace_id FROM raceway.traces t
                 WHERE coalesce(t.start_time < ends, true) AND (coalesce(t.end_time >= ends, true) OR EXISTS (
                     SELECT FROM raceway.events e WHERE e.trace_id = t.trace_id AND e."timestamp" >= ends)));
END
$on$;

COMMENT ON FUNCTION raceway.traces_going_on(timestamp) IS
    'internal to drop_partitions(): the traces that began before a time and did not end before it, whatever their roll-ups say';

CREATE FUNCTION raceway.drop_with_traces_by_sql(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $drop$
DECLARE
    kept varchar[];
BEGIN
    -- Until the tables are locked any trace may go on.
    IF (SELECT count(*) FROM pg_locks l
        WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.relation IN ('raceway.events'::regclass, 'raceway.traces'::regclass)) < 2 THEN
        RAISE EXCEPTION 'events and traces are not locked by this transaction' USING ERRCODE = 'lock_not_available',
            HINT = 'Use raceway.cleanup(), which drops partitions with their traces.';
    END IF;
    kept := raceway.traces_going_on(ends);
    PERFORM raceway.take_expired_events(e.partition, kept) FROM unnest(expired) e (partition);
    WITH gone AS (
        DELETE FROM raceway.traces t
        WHERE t.end_time < ends AND t.trace_id <> ALL (kept) AND NOT EXISTS (
            SELECT FROM raceway.events e WHERE e.trace_id = t.trace_id
            AND (e."timestamp" >= ends OR e.tableoid <> 'raceway.events_default'::regclass))
        RETURNING t.event_count
    )
    SELECT count(*), coalesce(sum(g.event_count), 0) INTO traces, events FROM gone g;
    PERFORM raceway.delete_ended_from_default(ends);
END
$drop$;

COMMENT ON FUNCTION raceway.drop_with_traces_by_sql(regclass[], timestamp) IS
    'internal to drop_partitions(): drops these partitions with the traces that ended before a time, each with all that hangs on '
    'it; needs the tables locked exclusively';

CREATE FUNCTION raceway.try_drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    SELECT d.* INTO traces, events FROM raceway.drop_with_traces(expired, ends) d;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    traces := NULL;
    events := NULL;
END
$try$;

COMMENT ON FUNCTION raceway.try_drop_with_traces(regclass[], timestamp) IS
    'internal to drop_partitions(): drop_with_traces(), or NULL where others are in its way';

CREATE FUNCTION raceway.drop_partitions(
    before timestamp, OUT partitions bigint, OUT traces bigint, OUT events bigint, OUT bytes bigint
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $drop$
DECLARE
    expired regclass[];
    ends    timestamp;
BEGIN
    IF NOT raceway.keep_vacuum_off() THEN
        RETURN;
    END IF;
    -- Another session may have been faster.
    SELECT count(*), array_agg(p.partition), max(p.upper_bound), coalesce(sum(pg_total_relation_size(p.partition)), 0)
    INTO partitions, expired, ends, bytes
    FROM raceway.event_partitions() p WHERE p.upper_bound <= before;
    IF partitions = 0 THEN
        traces := 0; events := 0;
        RETURN;
    END IF;
    IF NOT raceway.keep_vacuum_off(expired) THEN
        partitions := NULL;
        RETURN;
    END IF;
    SELECT d.* INTO traces, events FROM raceway.try_drop_with_traces(expired, ends) d;
    -- Who adds to such old traces goes first.
    IF traces IS NULL AND raceway.lock_tables('swap') THEN
        SELECT d.* INTO traces, events FROM raceway.try_drop_with_traces(expired, ends) d;
    END IF;
    IF traces IS NULL THEN
        partitions := NULL;
    END IF;
END
$drop$;

COMMENT ON FUNCTION raceway.drop_partitions(timestamp) IS
    'internal to cleanup(): drops the partitions of events that end at a time or before, with the traces that ended before '
    'the last of them does; NULL where they are in use';

CREATE FUNCTION raceway.partition_drop_steps(before timestamp) RETURNS SETOF timestamp
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $steps$
DECLARE
    -- Where traces cannot be removed while others write, nobody writes while that many go.
    most_traces     constant integer := 100000;
    most_partitions constant integer := 20;
    bounds          timestamp[] := ARRAY(SELECT p.upper_bound FROM raceway.event_partitions() p WHERE p.upper_bound <= before ORDER BY 1);
    ending          record;
    ends            timestamp;
    partitions      integer := 0;
    traces          bigint := 0;
BEGIN
    IF cardinality(bounds) = 0 THEN
        RETURN;
    END IF;
    FOR ending IN
        SELECT b.bound, coalesce(c.traces, 0) AS traces
        FROM unnest(bounds) WITH ORDINALITY b (bound, place) LEFT JOIN (
            SELECT width_bucket(t.end_time, bounds) + 1 AS place, count(*) AS traces
            FROM raceway.traces t WHERE t.end_time < before GROUP BY 1) c USING (place)
        ORDER BY b.place
    LOOP
        IF partitions = most_partitions OR (partitions > 0 AND traces + ending.traces > most_traces) THEN
            RETURN NEXT ends;
            partitions := 0;
            traces := 0;
        END IF;
        ends := ending.bound;
        partitions := partitions + 1;
        traces := traces + ending.traces;
    END LOOP;
    RETURN NEXT ends;
END
$steps$;

COMMENT ON FUNCTION raceway.partition_drop_steps(timestamp) IS
    'internal to cleanup(): up to when partitions of events are to be dropped in each of its steps; none where none ends before a time';

CREATE PROCEDURE raceway.cleanup_partitions(run bigint, before timestamp)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    steps timestamp[];
    ends  timestamp;
    gone  pg_catalog.record;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    steps := ARRAY(SELECT s FROM raceway.partition_drop_steps(before) s);
    FOREACH ends IN ARRAY steps LOOP
        -- Who has looked at the tables is in the way of who locks them; and a snapshot from before they are locked would
        -- miss what came until then.
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM raceway.begin_cleanup_step();
        SELECT d.* INTO gone FROM raceway.drop_partitions(ends) d;
        IF gone.partitions IS NULL THEN
            -- The next ones hold later events of the same traces.
            RAISE NOTICE 'cleanup: the partitions up to % are in use and stay for now, with what is later', ends;
            EXIT;
        END IF;
        CONTINUE WHEN gone.partitions = 0;
        PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.bytes);
        RAISE NOTICE 'cleanup: dropped % partitions up to %, with % traces', gone.partitions, ends, gone.traces;
    END LOOP;
    COMMIT;  -- with the locks of the last step
END
$cleanup$;

COMMENT ON PROCEDURE raceway.cleanup_partitions(bigint, timestamp) IS 'internal to cleanup(): drops the partitions that end before a time';

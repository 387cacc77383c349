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

CREATE FUNCTION raceway.lock_tables_for_swap() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $lock$
DECLARE
    tries constant integer := 100;
BEGIN
    FOR try IN 1..tries LOOP
        BEGIN
            -- Whoever comes while we wait waits behind us: so we never wait for long.
            PERFORM set_config('lock_timeout', '100ms', true);
            LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE;
            PERFORM set_config('lock_timeout', '0', true);
            RETURN true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(0.1 + random() * 0.2);
        END;
    END LOOP;
    RETURN false;
END
$lock$;

COMMENT ON FUNCTION raceway.lock_tables_for_swap() IS
    'internal: locks events and traces for this transaction without keeping writers waiting for more than a tenth of a second; '
    'false if others did not let go of them for half a minute';

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

CREATE FUNCTION raceway.drop_partitions(
    before timestamp, OUT partitions bigint, OUT traces bigint, OUT events bigint, OUT bytes bigint
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $drop$
DECLARE
    expired  regclass[];
    ends     timestamp;
    going_on varchar[];
BEGIN
    IF NOT raceway.lock_tables_for_swap() THEN
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
    SELECT s.* INTO traces, events, going_on FROM raceway.sweep_traces(ends) s;
    PERFORM raceway.take_expired_events(e.partition, going_on) FROM unnest(expired) e (partition);
    -- Ended traces may have events that no partition of their own took.
    DELETE FROM raceway.events e
    WHERE e."timestamp" < ends AND e.trace_id IS NOT NULL AND NOT coalesce(
        (SELECT (t.end_time < ends) IS NOT TRUE FROM raceway.traces t WHERE t.trace_id = e.trace_id), false);
    IF traces IS NULL THEN
        SELECT d.traces, d.events INTO traces, events FROM raceway.delete_ended_traces(ends) d;
    END IF;
END
$drop$;

COMMENT ON FUNCTION raceway.drop_partitions(timestamp) IS
    'internal to cleanup(): drops the partitions of events that end at a time or before, with the traces that ended before '
    'the last of them does; NULL where they are in use';

CREATE FUNCTION raceway.next_partitions_to_drop(before timestamp) RETURNS timestamp
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $next$
DECLARE
    -- They take a tenth of a second or two, in which nobody writes.
    most_traces     constant integer := 100000;
    most_partitions constant integer := 20;
    full_at         timestamp;
    ends            timestamp;
BEGIN
    SELECT t.end_time INTO full_at FROM raceway.traces t WHERE t.end_time IS NOT NULL ORDER BY t.end_time OFFSET most_traces LIMIT 1;
    SELECT coalesce(max(x.upper_bound) FILTER (WHERE x.upper_bound <= coalesce(full_at, 'infinity')), min(x.upper_bound)) INTO ends
    FROM (SELECT p.upper_bound FROM raceway.event_partitions() p WHERE p.upper_bound <= before
          ORDER BY p.upper_bound LIMIT most_partitions) x;
    RETURN ends;
END
$next$;

COMMENT ON FUNCTION raceway.next_partitions_to_drop(timestamp) IS
    'internal to cleanup(): up to when partitions of events are to be dropped in the next step; NULL where none ends before a time';

CREATE PROCEDURE raceway.cleanup_partitions(run bigint, before timestamp)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    ends timestamp;
    gone record;
BEGIN
    LOOP
        -- A snapshot from before the tables are locked would miss what came until then.
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM raceway.begin_cleanup_step();
        ends := raceway.next_partitions_to_drop(before);
        EXIT WHEN ends IS NULL;
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
END
$cleanup$;

COMMENT ON PROCEDURE raceway.cleanup_partitions(bigint, timestamp) IS 'internal to cleanup(): drops the partitions that end before a time';

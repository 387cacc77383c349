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

CREATE FUNCTION raceway.keep_vacuum_off() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '30s'
AS $off$
BEGIN
    -- Autovacuum gives way to whoever waits for deadlock_timeout; here that keeps no writer waiting.
    LOCK TABLE raceway.events, raceway.traces IN SHARE UPDATE EXCLUSIVE MODE;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$off$;

COMMENT ON FUNCTION raceway.keep_vacuum_off() IS
    'internal: keeps everyone else who moves tables, or cleans them up, off events and traces for this transaction; false if '
    'one of them did not end in half a minute';

CREATE FUNCTION raceway.keeps_others_waiting() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $waiting$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)))
$waiting$;

COMMENT ON FUNCTION raceway.keeps_others_waiting() IS 'internal: whether somebody waits for a lock that this session holds';

CREATE FUNCTION raceway.others_on_tables() RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $others$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT l.virtualtransaction FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.relation IN (SELECT 'raceway.traces'::regclass UNION SELECT t.relid FROM pg_partition_tree('raceway.events') t
                             UNION SELECT 'raceway.events'::regclass));
END
$others$;

COMMENT ON FUNCTION raceway.others_on_tables() IS 'internal: the transactions of others that hold a lock on events or traces';

CREATE FUNCTION raceway.lock_tables_for_swap(give_way boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
-- Whoever comes while we wait for the tables waits behind us: so we never wait for long.
SET lock_timeout = '100ms'
AS $lock$
DECLARE
    tries constant integer := 100;
    long  constant interval := interval '1 s';
    others     text[];
    seen       text[] := '{}';
    seen_long  text[] := '{}';
    seen_at    timestamptz := clock_timestamp();
BEGIN
    IF NOT raceway.keep_vacuum_off() THEN
        RETURN false;
    END IF;
    FOR try IN 1..tries LOOP
        others := raceway.others_on_tables();
        IF clock_timestamp() > seen_at + long THEN
            seen_long := seen;
            seen := others;
            seen_at := clock_timestamp();
        END IF;
        -- Nor do we ask at all where one is on them who takes long.
        IF NOT others && seen_long THEN
            BEGIN
                LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE;
                RETURN true;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                NULL;  -- the next try
            END;
        END IF;
        EXIT WHEN give_way AND raceway.keeps_others_waiting();
        PERFORM pg_sleep(0.1 + random() * 0.2);
    END LOOP;
    RETURN false;
END
$lock$;

COMMENT ON FUNCTION raceway.lock_tables_for_swap(boolean) IS
    'internal: locks events and traces for this transaction without keeping writers waiting for more than a tenth of a second; '
    'false if others did not let go of them for half a minute, or, where it is to give way, wait for what this session holds already';

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
    WHERE e."timestamp" < before AND e.trace_id IS NOT NULL AND NOT coalesce(
        (SELECT (t.end_time < before) IS NOT TRUE FROM raceway.traces t WHERE t.trace_id = e.trace_id), false);
END
$ended$;

COMMENT ON FUNCTION raceway.delete_ended_from_default(timestamp) IS
    'internal to drop_partitions(): removes the events that no partition of their own took, of traces that ended before a time '
    'or are gone';

CREATE FUNCTION raceway.drop_partitions(
    before timestamp, OUT partitions bigint, OUT traces bigint, OUT events bigint, OUT bytes bigint
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $drop$
DECLARE
    expired  regclass[];
    ends     timestamp;
    going_on varchar[];
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
    SELECT s.* INTO traces, events, going_on FROM raceway.sweep_ahead(ends, expired) s;
    IF going_on IS NULL THEN
        -- Who adds to such old traces goes first.
        IF NOT raceway.lock_tables_for_swap() THEN
            partitions := NULL;
            RETURN;
        END IF;
        SELECT s.* INTO traces, events, going_on FROM raceway.sweep_traces(ends) s;
        PERFORM raceway.delete_ended_from_default(ends);
    END IF;
    PERFORM raceway.take_expired_events(e.partition, going_on) FROM unnest(expired) e (partition);
    IF traces IS NULL THEN
        SELECT d.traces, d.events INTO traces, events FROM raceway.delete_ended_traces(ends) d;
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
    -- Where traces cannot be swept ahead, nobody writes while that many go.
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
    gone  record;
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

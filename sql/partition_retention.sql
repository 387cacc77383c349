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

CREATE FUNCTION raceway.drop_partition(partition regclass, OUT traces bigint, OUT events bigint, OUT bytes bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $drop$
DECLARE
    ends    timestamp;
    goes_on record;
BEGIN
    IF NOT raceway.lock_tables_for_swap() THEN
        RETURN;
    END IF;
    SELECT p.upper_bound INTO ends FROM raceway.event_partitions() p WHERE p.partition = drop_partition.partition;
    IF ends IS NULL THEN
        -- Another session was faster.
        traces := 0; events := 0; bytes := 0;
        RETURN;
    END IF;
    bytes := pg_total_relation_size(partition);
    EXECUTE format('ALTER TABLE raceway.events DETACH PARTITION %s', partition);
    -- Traces stay whole: the events of those that go on are kept where no partition is in their time.
    -- One by one: they are few, and are to be found by index, whatever the planner thinks of it.
    FOR goes_on IN SELECT t.trace_id FROM raceway.traces t WHERE t.start_time < ends AND t.end_time >= ends LOOP
        EXECUTE format('INSERT INTO raceway.events_default SELECT p.* FROM %s p WHERE p.trace_id = $1', partition)
            USING goes_on.trace_id;
    END LOOP;
    DELETE FROM raceway.events e USING raceway.traces t
    WHERE e.trace_id = t.trace_id AND e."timestamp" < ends AND t.end_time < ends;
    EXECUTE format('DROP TABLE %s', partition);
    SELECT d.traces, d.events INTO traces, events FROM raceway.delete_ended_traces(ends) d;
END
$drop$;

COMMENT ON FUNCTION raceway.drop_partition(regclass) IS
    'internal to cleanup(): drops a partition of events with the traces that ended before its end; NULL where it is in use';

CREATE PROCEDURE raceway.cleanup_partitions(run bigint, before timestamp)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    expired record;
    gone    record;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    FOR expired IN
        SELECT p.partition::text AS name, p.partition FROM raceway.event_partitions() p WHERE p.upper_bound <= before ORDER BY p.upper_bound
    LOOP
        PERFORM raceway.begin_cleanup_step();
        IF EXISTS (SELECT FROM raceway.event_partitions() p WHERE p.partition = expired.partition) THEN
            SELECT d.* INTO gone FROM raceway.drop_partition(expired.partition) d;
            IF gone.traces IS NULL THEN
                -- The next ones hold later events of the same traces.
                RAISE NOTICE 'cleanup: % is in use and stays for now, with what is later', expired.name;
                EXIT;
            END IF;
            PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.bytes);
            RAISE NOTICE 'cleanup: dropped %, with % traces', expired.name, gone.traces;
        END IF;
        COMMIT;
    END LOOP;
END
$cleanup$;

COMMENT ON PROCEDURE raceway.cleanup_partitions(bigint, timestamp) IS 'internal to cleanup(): drops the partitions that end before a time';

-- The layout for growth: `events` in partitions by ranges of "timestamp". Its key holds the time, too: a re-sent event
-- carries the same time, so the key still tells it.

CREATE FUNCTION raceway.partition_interval(partition_by text) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE partition_by WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' WHEN 'month' THEN interval '1 month' END;

COMMENT ON FUNCTION raceway.partition_interval(text) IS
    'internal to the layout for growth: how long a partition is; NULL where there are none';

CREATE FUNCTION raceway.partition_name(lower_bound timestamp) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN 'events_' || to_char(lower_bound, 'FMYYYY_MM_DD');

COMMENT ON FUNCTION raceway.partition_name(timestamp) IS
    'internal to the layout for growth: what the partition is called that begins at a time';

CREATE FUNCTION raceway.note_partitioned(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $note$
BEGIN
    COMMENT ON TABLE raceway.events IS 'One row an event, in partitions by time. Times are UTC; vector_clock maps components to counters.';
    COMMENT ON TABLE raceway.events_default IS 'The events of times that have no partition of their own, see raceway.make_partitions().';
    UPDATE raceway.layout l SET partition_by = note_partitioned.partition_by;
END
$note$;

COMMENT ON FUNCTION raceway.note_partitioned(text) IS 'internal to the layout for growth: says that the tables have it now';

CREATE FUNCTION raceway.move_from_default(name text, lower_bound timestamp, upper_bound timestamp) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $move$
BEGIN
    EXECUTE format('WITH moved AS (DELETE FROM raceway.events_default WHERE "timestamp" >= $1 AND "timestamp" < $2 RETURNING *)'
                   ' INSERT INTO raceway.%I SELECT * FROM moved', name)
        USING lower_bound, upper_bound;
END
$move$;

COMMENT ON FUNCTION raceway.move_from_default(text, timestamp, timestamp) IS
    'internal to make_partitions(): moves the events between two times from the default partition to one that is to be';

CREATE FUNCTION raceway.give_to_owner(made regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $give$
BEGIN
    EXECUTE format('ALTER TABLE %s OWNER TO %I', made,
                   (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = 'raceway.events'::regclass));
END
$give$;

COMMENT ON FUNCTION raceway.give_to_owner(regclass) IS
    'internal to the layout for growth: a table that is to hold events belongs to the owner of events, whoever has made it';

CREATE FUNCTION raceway.make_partitions(first timestamp, last timestamp) RETURNS integer
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $make$
DECLARE
    most         constant integer := 1000;
    partition_by text := (SELECT l.partition_by FROM raceway.layout l);
    length       interval := raceway.partition_interval(partition_by);
    missing      timestamp[];
    lower_bound  timestamp;
    name         text;
BEGIN
    IF length IS NULL THEN
        RAISE EXCEPTION 'raceway.events is not partitioned' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'A new installation is partitioned by SELECT raceway.migrate(partition_by => ''day'');';
    END IF;
    IF NOT isfinite(first) OR NOT isfinite(last) OR last >= first + most * length THEN
        RAISE EXCEPTION 'from % to % it would be more than % partitions', first, last, most
            USING ERRCODE = 'program_limit_exceeded', HINT = 'What no partition takes, events_default keeps.';
    END IF;
    -- One at a time, and not beside a migration: the same key.
    PERFORM pg_advisory_xact_lock(32195226876993913);

    missing := ARRAY(SELECT l FROM generate_series(date_trunc(partition_by, first), last, length) l
                     WHERE to_regclass(format('raceway.%I', raceway.partition_name(l))) IS NULL);
    FOREACH lower_bound IN ARRAY missing LOOP
        name := raceway.partition_name(lower_bound);
        EXECUTE format('CREATE TABLE raceway.%I (LIKE raceway.events INCLUDING ALL)', name);
        PERFORM raceway.give_to_owner(format('raceway.%I', name)::regclass);
        -- What came before its partition stands in the default one, and moves.
        PERFORM raceway.move_from_default(name, lower_bound, lower_bound + length);
    END LOOP;
    IF cardinality(missing) > 0 AND NOT raceway.lock_tables('attach') THEN
        RAISE EXCEPTION 'events_default is in use' USING ERRCODE = 'lock_not_available',
            HINT = 'Try again when no long query reads it.';
    END IF;
    FOREACH lower_bound IN ARRAY missing LOOP
        name := raceway.partition_name(lower_bound);
        PERFORM raceway.move_from_default(name, lower_bound, lower_bound + length);  -- what came meanwhile
        EXECUTE format('ALTER TABLE raceway.events ATTACH PARTITION raceway.%I FOR VALUES FROM (%L) TO (%L)',
                       name, lower_bound, lower_bound + length);
    END LOOP;
    RETURN cardinality(missing);
END
$make$;

COMMENT ON FUNCTION raceway.make_partitions(timestamp, timestamp) IS
    'Makes the partitions of events that are missing between two times, and moves into them what stands in the default one; answers '
    'their number. An error where events_default is in use for long.';

CREATE FUNCTION raceway.try_make_partitions(first timestamp, last timestamp) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    PERFORM raceway.make_partitions(first, last);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RAISE NOTICE 'maintain: %, the partitions from % to % are made another time', SQLERRM, first, last;
    RETURN false;
END
$try$;

COMMENT ON FUNCTION raceway.try_make_partitions(timestamp, timestamp) IS
    'internal to maintain(): make_partitions(), or false where others are in its way';

CREATE FUNCTION raceway.partition_empty_events(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $partition$
BEGIN
    ALTER TABLE raceway.events RENAME TO events_default;
    ALTER TABLE raceway.events_default DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_trace_id_fkey;
    ALTER TABLE raceway.events_default ALTER "timestamp" SET NOT NULL;
    CREATE TABLE raceway.events (LIKE raceway.events_default INCLUDING DEFAULTS INCLUDING COMMENTS)
        PARTITION BY RANGE ("timestamp");
    ALTER TABLE raceway.events ADD PRIMARY KEY (event_id, "timestamp"),
        ADD FOREIGN KEY (trace_id) REFERENCES raceway.traces (trace_id) ON DELETE CASCADE;
    ALTER INDEX raceway.idx_events_trace_id RENAME TO events_default_trace_id_idx;
    ALTER INDEX raceway.idx_events_timestamp RENAME TO events_default_timestamp_idx;
    CREATE INDEX idx_events_trace_id ON raceway.events (trace_id);
    CREATE INDEX idx_events_timestamp ON raceway.events ("timestamp");
    ALTER TABLE raceway.events ATTACH PARTITION raceway.events_default DEFAULT;
    PERFORM raceway.note_partitioned(partition_by);
    PERFORM raceway.make_partitions(
        (now() AT TIME ZONE 'UTC') - raceway.partition_interval(partition_by),
        (now() AT TIME ZONE 'UTC') + 7 * raceway.partition_interval(partition_by));
END
$partition$;

COMMENT ON FUNCTION raceway.partition_empty_events(text) IS 'internal to migrate(): partitions events while it is new';

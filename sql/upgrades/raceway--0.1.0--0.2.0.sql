-- From 0.1.0 to 0.2.0. Cleaning up no longer switches off what protects the tables; what is internal is for the owner of
-- the database and whoever brings the code; ingest tells at most 1000 rejections of a body by name.

DROP FUNCTION raceway.sweep_traces(timestamp);
DROP FUNCTION raceway.sweep_ahead(timestamp, regclass[]);
DROP FUNCTION raceway.delete_ended_traces(timestamp);

COMMENT ON FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_merge_agg(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_merge_agg(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_meet_agg(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_meet_agg(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_running_final(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): the result';

COMMENT ON FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, to be sent';

COMMENT ON FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, as received';

COMMENT ON FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_frontier(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_frontier(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) IS
  'part of vclock_frontier(): the result';

COMMENT ON FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, to be sent';

COMMENT ON FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, as received';

COMMENT ON FUNCTION raceway.ingest(bytea) IS
    'Stores the events of one body as POST /events takes it, in either wire format. What is there already is counted as '
    'a duplicate; what cannot be kept is named in rejected, an array of {index, id, reason}: the first 1000, and behind them one '
    'that counts the others as "more". ingest_way says how it was written. A body has 64 MB at most, or raceway.max_body_bytes.';

COMMENT ON FUNCTION raceway.blames_an_event(text) IS
    'part of ingest_rows(): whether an error speaks of the events themselves, so that without one of them the others may pass';

COMMENT ON FUNCTION raceway.events_are_partitioned() IS 'part of ingest_rows(): whether the key of events holds the time, too';

COMMENT ON FUNCTION raceway.name_services(text[]) IS 'part of ingest_rows(): has the earliest event of each trace name its service';

COMMENT ON FUNCTION raceway.insert_new_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): stores events of which none stands; answers how many there are now';

COMMENT ON FUNCTION raceway.insert_missing_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): stores those of the events that do not stand; answers which';

COMMENT ON FUNCTION raceway.standing_rows(text[], timestamp[]) IS
    'part of ingest_rows(): which of the events stand already, and under which trace';

COMMENT ON FUNCTION raceway.offer_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[], boolean) IS
    'part of ingest_rows(): stores those of the events that do not stand; a row for each other one, with the trace it stands under';

COMMENT ON FUNCTION raceway.offer_parts(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): the same, and what the database refuses is split until the refused events stand alone';

CREATE FUNCTION raceway.drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS 'MODULE_PATHNAME', 'raceway_drop_with_traces';

COMMENT ON FUNCTION raceway.drop_with_traces(regclass[], timestamp) IS
    'internal to drop_partitions(): drops these partitions, all of whose events are before a time, with the traces that ended '
    'before it and that no other event refers to; an error where they are in use. Events of traces that go on are kept';

CREATE OR REPLACE FUNCTION raceway.delete_ended_from_default(before timestamp) RETURNS void
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

CREATE OR REPLACE FUNCTION raceway.drop_partitions(
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

CREATE OR REPLACE FUNCTION raceway.partition_drop_steps(before timestamp) RETURNS SETOF timestamp
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

CREATE OR REPLACE FUNCTION raceway.require_cron() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $require$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
        RAISE EXCEPTION 'pg_cron is not in this database' USING ERRCODE = 'undefined_function',
            DETAIL = format('Schedules are kept by the extension pg_cron (Debian: postgresql-%s-cron).', current_setting('server_version_num')::int / 10000),
            HINT = format('Set shared_preload_libraries = ''pg_cron'' and cron.database_name = %L, restart, and run CREATE EXTENSION pg_cron;', current_database());
    END IF;
    IF NOT has_schema_privilege('cron', 'USAGE') THEN
        RAISE EXCEPTION 'the role "%" may not use pg_cron', current_user USING ERRCODE = 'insufficient_privilege',
            HINT = format('As superuser: GRANT USAGE ON SCHEMA cron TO %I;', current_user);
    END IF;
END
$require$;

DO $privileges$
DECLARE
    extension record;
    it        regprocedure;
BEGIN
    -- Who owns the extension, not who upgrades it.
    SELECT e.oid, e.extowner::regrole AS owner INTO extension FROM pg_catalog.pg_extension e
    WHERE e.extname OPERATOR(pg_catalog.=) 'raceway';
    FOR it IN
        SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) p.oid
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::regclass AND d.deptype OPERATOR(pg_catalog.=) 'e'
          AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::regclass
          AND d.refobjid OPERATOR(pg_catalog.=) extension.oid
          AND pg_catalog.obj_description(p.oid, 'pg_proc') OPERATOR(pg_catalog.~~) 'internal%'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', it);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pg_database_owner, %s WITH GRANT OPTION', it, extension.owner);
    END LOOP;
END
$privileges$;

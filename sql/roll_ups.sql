-- What is known of all traces: small rows of each trace, kept by refresh_analysis(), and sums of them. Nothing of it is
-- on the path of a write, and none of it holds a trace or an event: whoever removes those does not wait for it. All of it
-- is a function of the traces as they were at their last refresh; see the view analysis_state.

CREATE FUNCTION raceway.text_in(metadata jsonb, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.jsonb_typeof(metadata OPERATOR(pg_catalog.->) name) OPERATOR(pg_catalog.=) ANY (ARRAY['string', 'number'])
            THEN metadata OPERATOR(pg_catalog.->>) name ELSE '' END;

COMMENT ON FUNCTION raceway.text_in(jsonb, text) IS
    'part of the analysis: a text of an event''s metadata, or a number as text; empty where it is neither';

CREATE FUNCTION raceway.operation_of(kind text, metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
    WHEN 'FunctionCall' THEN 'FunctionCall(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'function_name') OPERATOR(pg_catalog.||) ')'
    WHEN 'StateChange' THEN 'StateChange(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'variable') OPERATOR(pg_catalog.||) ')'
    WHEN 'LockAcquire' THEN 'LockAcquire(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'lock_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'LockRelease' THEN 'LockRelease(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'lock_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'HttpRequest' THEN 'HttpRequest(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'method') OPERATOR(pg_catalog.||) ')'
    WHEN 'HttpResponse' THEN 'HttpResponse(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'status') OPERATOR(pg_catalog.||) ')'
    WHEN 'Error' THEN 'Error(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'error_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'Custom' THEN 'Custom(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'name') OPERATOR(pg_catalog.||) ')'
    ELSE coalesce(kind, '') END;

COMMENT ON FUNCTION raceway.operation_of(text, jsonb) IS
    'What an event did, by kind and metadata: FunctionCall(pay), HttpRequest(GET), DatabaseQuery. Durations are compared within a service and an operation.';

CREATE FUNCTION raceway.duration_micros(duration_ms real, metadata jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (metadata OPERATOR(pg_catalog.->>) 'duration_ns') OPERATOR(pg_catalog.~) '^[0-9]{1,18}$'
    THEN (metadata OPERATOR(pg_catalog.->>) 'duration_ns')::pg_catalog.int8 OPERATOR(pg_catalog./) 1000
    WHEN duration_ms OPERATOR(pg_catalog.>=) 0::real AND duration_ms OPERATOR(pg_catalog.<) 9e12::real
    THEN pg_catalog.floor(pg_catalog.floor(duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.*) 1e6::pg_catalog.float8
                                           OPERATOR(pg_catalog.+) 0.5::pg_catalog.float8)
                          OPERATOR(pg_catalog./) 1000::pg_catalog.float8)::pg_catalog.int8 END;

COMMENT ON FUNCTION raceway.duration_micros(real, jsonb) IS
    'How long an event took, in whole microseconds: by the nanoseconds in its metadata, or else by duration_ms; NULL where it tells none.';

CREATE FUNCTION raceway.duration_bucket(micros bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN micros OPERATOR(pg_catalog.<) 1 THEN -1
            ELSE pg_catalog.floor(pg_catalog.ln(micros::pg_catalog.float8) OPERATOR(pg_catalog./) pg_catalog.ln(1.02::pg_catalog.float8))::pg_catalog.int4 END;

COMMENT ON FUNCTION raceway.duration_bucket(bigint) IS
    'The number of the bucket that a duration in microseconds is counted in, each 2 % wider than the one before; -1 for 0.';

CREATE FUNCTION raceway.bucket_ms(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN bucket OPERATOR(pg_catalog.<) 0 THEN 0::pg_catalog.float8
            ELSE pg_catalog.power(1.02::pg_catalog.float8, bucket::pg_catalog.float8 OPERATOR(pg_catalog.+) 0.5::pg_catalog.float8)
                 OPERATOR(pg_catalog./) 1000::pg_catalog.float8 END;

COMMENT ON FUNCTION raceway.bucket_ms(integer) IS
    'The middle of a bucket of durations, in milliseconds: within 1 % of each duration that is counted in it.';

CREATE FUNCTION raceway.roll_up_name(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 500 THEN name
            ELSE pg_catalog.concat(pg_catalog."left"(name, 100), '... ', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(name, 'UTF8')), 'hex')) END;

COMMENT ON FUNCTION raceway.roll_up_name(text) IS
    'A name as the roll-ups have it: one of more than 500 bytes, which no index could hold, by its first 100 characters and a digest.';

-- What differs between a trace and its roll-up.

CREATE FUNCTION raceway.stale_traces()
RETURNS TABLE (trace_id varchar, events bigint, gone boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $stale$
BEGIN
    -- One scan of each; events are never changed, so a trace is known by how many it has and when.
    RETURN QUERY
        SELECT coalesce(t.trace_id, a.trace_id), coalesce(t.event_count, 0)::bigint, t.trace_id IS NULL
        FROM raceway.traces t FULL JOIN raceway.trace_analyses a ON a.trace_id = t.trace_id
        WHERE t.trace_id IS NULL OR a.trace_id IS NULL OR t.event_count IS DISTINCT FROM a.event_count
           OR t.start_time IS DISTINCT FROM a.start_time OR t.end_time IS DISTINCT FROM a.end_time;
END
$stale$;

COMMENT ON FUNCTION raceway.stale_traces() IS
    'The traces that came, changed or went since refresh_analysis() saw them, with their events; gone where they are no more.';

-- Each of these takes what was known of the traces out of the sums, and puts in what is now of those that are to be known. Whatever the planner
-- knows of these tables, and it may have planned when they were empty: a few traces are found by an index.

CREATE FUNCTION raceway.roll_up_variables(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $variables$
DECLARE
    unused text[];
BEGIN
    WITH old AS (
        DELETE FROM raceway.trace_variables v WHERE v.trace_id = ANY (ids) RETURNING v.*
    ), delta AS (
        SELECT o.variable, count(*) AS traces, sum(o.reads) AS reads, sum(o.writes) AS writes, sum(o.atomic_reads) AS atomic_reads,
               sum(o.atomic_writes) AS atomic_writes, sum(o.write_write) AS write_write, sum(o.read_write) AS read_write,
               sum(o.atomic) AS atomic, sum(o.protected) AS protected, sum(o.unknown) AS unknown,
               sum(o.writes * o.writes) AS own_write_write, sum(o.writes * o.atomic_writes) AS own_write_atomic,
               sum(o.writes * (o.reads + o.atomic_reads) + o.atomic_writes * o.reads) AS own_read_write
        FROM old o GROUP BY o.variable
    ), changed AS (
        UPDATE raceway.variable_totals t
        SET traces = t.traces - d.traces, reads = t.reads - d.reads, writes = t.writes - d.writes,
            atomic_reads = t.atomic_reads - d.atomic_reads, atomic_writes = t.atomic_writes - d.atomic_writes,
            write_write = t.write_write - d.write_write, read_write = t.read_write - d.read_write, atomic = t.atomic - d.atomic,
            protected = t.protected - d.protected, unknown = t.unknown - d.unknown,
            own_write_write = t.own_write_write - d.own_write_write, own_write_atomic = t.own_write_atomic - d.own_write_atomic,
            own_read_write = t.own_read_write - d.own_read_write
        FROM delta d WHERE t.variable = d.variable
        RETURNING t.variable, t.traces
    )
    SELECT array_agg(c.variable) INTO unused FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.variable_totals t WHERE t.variable = ANY (unused);

    WITH new AS (
        INSERT INTO raceway.trace_variables (trace_id, variable, start_time, end_time, reads, writes, atomic_reads, atomic_writes,
            write_write, read_write, atomic, protected, unknown)
        SELECT t.trace_id, raceway.roll_up_name(c.variable), t.start_time, t.end_time,
               sum(c.accesses - c.writes - c.atomic_reads), sum(c.writes - c.atomic_writes), sum(c.atomic_reads), sum(c.atomic_writes),
               sum(c.write_write), sum(c.read_write), sum(c.atomic), sum(c.protected), sum(c.unknown)
        FROM raceway.traces t CROSS JOIN LATERAL raceway.race_counts(t.trace_id::text) c
        WHERE t.trace_id = ANY (known) GROUP BY t.trace_id, 2
        RETURNING *
    )
    INSERT INTO raceway.variable_totals AS t (variable, traces, reads, writes, atomic_reads, atomic_writes, write_write,
        read_write, atomic, protected, unknown, own_write_write, own_write_atomic, own_read_write)
    SELECT n.variable, count(*), sum(n.reads), sum(n.writes), sum(n.atomic_reads), sum(n.atomic_writes), sum(n.write_write),
           sum(n.read_write), sum(n.atomic), sum(n.protected), sum(n.unknown), sum(n.writes * n.writes),
           sum(n.writes * n.atomic_writes), sum(n.writes * (n.reads + n.atomic_reads) + n.atomic_writes * n.reads)
    FROM new n GROUP BY n.variable ORDER BY n.variable
    ON CONFLICT (variable) DO UPDATE
    SET traces = t.traces + excluded.traces, reads = t.reads + excluded.reads, writes = t.writes + excluded.writes,
        atomic_reads = t.atomic_reads + excluded.atomic_reads, atomic_writes = t.atomic_writes + excluded.atomic_writes,
        write_write = t.write_write + excluded.write_write, read_write = t.read_write + excluded.read_write,
        atomic = t.atomic + excluded.atomic, protected = t.protected + excluded.protected, unknown = t.unknown + excluded.unknown,
        own_write_write = t.own_write_write + excluded.own_write_write,
        own_write_atomic = t.own_write_atomic + excluded.own_write_atomic,
        own_read_write = t.own_read_write + excluded.own_read_write;
END
$variables$;

COMMENT ON FUNCTION raceway.roll_up_variables(varchar[], varchar[]) IS 'internal to refresh_analysis(): the accesses and races of these traces';

CREATE FUNCTION raceway.roll_up_durations(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $durations$
DECLARE
    unused_buckets    record;
    unused_operations record;
BEGIN
    WITH old AS (
        SELECT d.service, d.operation, b.bucket, count(*) AS durations
        FROM raceway.trace_durations d, unnest(d.buckets) b (bucket) WHERE d.trace_id = ANY (ids) GROUP BY 1, 2, 3
    ), changed AS (
        UPDATE raceway.duration_buckets b SET durations = b.durations - o.durations
        FROM old o WHERE b.service = o.service AND b.operation = o.operation AND b.bucket = o.bucket
        RETURNING b.service, b.operation, b.bucket, b.durations
    )
    SELECT array_agg(c.service) AS services, array_agg(c.operation) AS operations, array_agg(c.bucket) AS buckets
    INTO unused_buckets FROM changed c WHERE c.durations = 0;
    DELETE FROM raceway.duration_buckets b USING unnest(unused_buckets.services, unused_buckets.operations, unused_buckets.buckets)
        u (service, operation, bucket) WHERE b.service = u.service AND b.operation = u.operation AND b.bucket = u.bucket;

    WITH old AS (
        DELETE FROM raceway.trace_durations d WHERE d.trace_id = ANY (ids) RETURNING d.*
    ), delta AS (
        SELECT o.service, o.kind, o.operation, count(*) AS traces, sum(o.events) AS events, sum(o.durations) AS durations,
               sum(o.sum_micros) AS sum_micros, sum(o.sum_squares) AS sum_squares
        FROM old o GROUP BY 1, 2, 3
    ), changed AS (
        UPDATE raceway.duration_totals t
        SET traces = t.traces - d.traces, events = t.events - d.events, durations = t.durations - d.durations,
            sum_micros = t.sum_micros - d.sum_micros, sum_squares = t.sum_squares - d.sum_squares
        FROM delta d WHERE t.service = d.service AND t.kind = d.kind AND t.operation = d.operation
        RETURNING t.service, t.kind, t.operation, t.traces
    )
    SELECT array_agg(c.service) AS services, array_agg(c.kind) AS kinds, array_agg(c.operation) AS operations
    INTO unused_operations FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.duration_totals t USING unnest(unused_operations.services, unused_operations.kinds, unused_operations.operations)
        u (service, kind, operation) WHERE t.service = u.service AND t.kind = u.kind AND t.operation = u.operation;

    WITH new AS (
        INSERT INTO raceway.trace_durations (trace_id, service, kind, operation, events, last_event, durations, sum_micros, sum_squares, buckets)
        SELECT e.trace_id, raceway.roll_up_name(e.service), e.kind, raceway.roll_up_name(e.operation), e.events, e.last_event,
               e.durations, e.sum_micros, e.sum_squares, e.buckets
        FROM (SELECT e.trace_id, e.service, e.kind, e.operation, count(*) AS events, max(e."timestamp") AS last_event,
                     count(e.micros) AS durations, coalesce(sum(e.micros), 0) AS sum_micros,
                     coalesce(sum(e.micros::numeric * e.micros), 0) AS sum_squares,
                     coalesce(array_agg(raceway.duration_bucket(e.micros)) FILTER (WHERE e.micros IS NOT NULL), '{}') AS buckets
              FROM (SELECT e.trace_id, raceway.text_in(e.metadata, 'service_name') COLLATE "C" AS service, coalesce(e.kind, '') COLLATE "C" AS kind,
                           raceway.operation_of(e.kind::text, e.metadata) COLLATE "C" AS operation, e."timestamp",
                           raceway.duration_micros(e.duration_ms, e.metadata) AS micros
                    FROM raceway.events e WHERE e.trace_id = ANY (known)) e
              GROUP BY 1, 2, 3, 4) e
        RETURNING *
    ), added AS (
        INSERT INTO raceway.duration_buckets AS b (service, operation, bucket, durations)
        SELECT n.service, n.operation, u.bucket, count(*) FROM new n, unnest(n.buckets) u (bucket) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (service, operation, bucket) DO UPDATE SET durations = b.durations + excluded.durations
    )
    INSERT INTO raceway.duration_totals AS t (service, kind, operation, traces, events, durations, sum_micros, sum_squares)
    SELECT n.service, n.kind, n.operation, count(*), sum(n.events), sum(n.durations), sum(n.sum_micros), sum(n.sum_squares)
    FROM new n GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (service, kind, operation) DO UPDATE
    SET traces = t.traces + excluded.traces, events = t.events + excluded.events, durations = t.durations + excluded.durations,
        sum_micros = t.sum_micros + excluded.sum_micros, sum_squares = t.sum_squares + excluded.sum_squares;
END
$durations$;

COMMENT ON FUNCTION raceway.roll_up_durations(varchar[], varchar[]) IS
    'internal to refresh_analysis(): what these traces'' services did, and how long it took';

CREATE FUNCTION raceway.roll_up_services(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $services$
DECLARE
    unused text[];
BEGIN
    WITH old AS (
        DELETE FROM raceway.trace_services s WHERE s.trace_id = ANY (ids) RETURNING s.*
    ), changed AS (
        UPDATE raceway.service_totals t SET traces = t.traces - d.traces, events = t.events - d.events
        FROM (SELECT o.service, count(*) AS traces, sum(o.events) AS events FROM old o GROUP BY 1) d
        WHERE t.service = d.service RETURNING t.service, t.traces
    )
    SELECT array_agg(c.service) INTO unused FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.service_totals t WHERE t.service = ANY (unused);

    WITH new AS (
        INSERT INTO raceway.trace_services (trace_id, service, events, last_event)
        SELECT d.trace_id, d.service, sum(d.events), max(d.last_event)
        FROM raceway.trace_durations d WHERE d.trace_id = ANY (ids) GROUP BY 1, 2
        RETURNING *
    )
    INSERT INTO raceway.service_totals AS t (service, traces, events)
    SELECT n.service, count(*), sum(n.events) FROM new n GROUP BY 1 ORDER BY 1
    ON CONFLICT (service) DO UPDATE SET traces = t.traces + excluded.traces, events = t.events + excluded.events;

    DELETE FROM raceway.trace_calls_kept c WHERE c.trace_id = ANY (ids);
    INSERT INTO raceway.trace_calls_kept (trace_id, from_service, to_service, link, calls)
    SELECT t.trace_id, raceway.roll_up_name(coalesce(c.from_service, '')), raceway.roll_up_name(coalesce(c.to_service, '')), c.link, sum(c.calls)
    FROM raceway.traces t CROSS JOIN LATERAL raceway.trace_calls(t.trace_id::text) c WHERE t.trace_id = ANY (known) GROUP BY 1, 2, 3, 4;
END
$services$;

COMMENT ON FUNCTION raceway.roll_up_services(varchar[], varchar[]) IS
    'internal to refresh_analysis(): the services of these traces, after roll_up_durations(), and whom they call';

CREATE FUNCTION raceway.roll_up_traces(ids varchar[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $traces$
DECLARE
    known varchar[] := CASE WHEN reason IS NULL THEN ids ELSE '{}' END;
BEGIN
    -- One at a time; the key spells "raceway" and a half.
    PERFORM pg_advisory_xact_lock(32195226876993914);
    -- As they are told of before their events are read: what comes meanwhile makes them stale again.
    DELETE FROM raceway.trace_analyses a WHERE a.trace_id = ANY (ids);
    INSERT INTO raceway.trace_analyses (trace_id, event_count, start_time, end_time, error)
    SELECT t.trace_id, t.event_count, t.start_time, t.end_time, reason FROM raceway.traces t WHERE t.trace_id = ANY (ids);
    PERFORM raceway.roll_up_variables(ids, known);
    PERFORM raceway.roll_up_durations(ids, known);
    PERFORM raceway.roll_up_services(ids, known);
END
$traces$;

COMMENT ON FUNCTION raceway.roll_up_traces(varchar[], text) IS
    'internal to refresh_analysis(): these traces, at once; where there is a reason why they cannot be analysed, nothing is known of them';

CREATE FUNCTION raceway.try_roll_up(ids varchar[]) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    PERFORM raceway.roll_up_traces(ids, NULL::text);
    RETURN NULL;
EXCEPTION WHEN program_limit_exceeded OR data_exception THEN
    -- The trace's own fault: the others go on without it.
    IF cardinality(ids) = 1 THEN
        PERFORM raceway.roll_up_traces(ids, SQLERRM);
    ELSE
        PERFORM raceway.try_roll_up(ARRAY[one.id]) FROM unnest(ids) one (id);
    END IF;
    RETURN NULL;
WHEN OTHERS THEN
    RETURN format('%s (%s)', SQLERRM, SQLSTATE);
END
$try$;

COMMENT ON FUNCTION raceway.try_roll_up(varchar[]) IS
    'internal to refresh_analysis(): these traces but those that cannot be analysed, which are noted; why it ends, where it does';

CREATE PROCEDURE raceway.refresh_analysis(max_traces bigint DEFAULT NULL, INOUT traces_refreshed bigint DEFAULT NULL)
LANGUAGE plpgsql
AS $refresh$
DECLARE
    traces_a_step constant integer := 200;
    events_a_step constant integer := 50000;
    began         timestamp;
    chosen        varchar[];
    sizes         bigint[];
    ids           varchar[] := '{}';
    events        bigint := 0;
    failed        pg_catalog.text;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'refresh_analysis: this is a standby, its primary refreshes';
        RETURN;
    END IF;
    IF max_traces < 1 THEN
        RAISE EXCEPTION 'max_traces is %, which is below 1', max_traces USING ERRCODE = 'invalid_parameter_value';
    END IF;
    began := clock_timestamp() AT TIME ZONE 'UTC';
    traces_refreshed := 0;
    SELECT array_agg(s.trace_id), array_agg(s.events) INTO chosen, sizes
    FROM (SELECT s.* FROM raceway.stale_traces() s ORDER BY s.gone DESC, s.trace_id LIMIT max_traces) s;
    COMMIT;
    -- What others write while this one waits for its turn is to be seen.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM raceway.begin_cleanup_step();
    FOR place IN 1 .. coalesce(cardinality(chosen), 0) LOOP
        ids := ids || chosen[place];
        events := events + sizes[place];
        CONTINUE WHEN cardinality(ids) < traces_a_step AND events < events_a_step AND place < cardinality(chosen);
        failed := raceway.try_roll_up(ids);
        IF failed IS NOT NULL THEN
            UPDATE raceway.analysis_run r SET last_run = clock_timestamp() AT TIME ZONE 'UTC', last_error = failed;
            COMMIT;
            RAISE EXCEPTION 'refresh_analysis: %', failed;
        END IF;
        traces_refreshed := traces_refreshed + cardinality(ids);
        ids := '{}'; events := 0;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM raceway.begin_cleanup_step();
    END LOOP;
    UPDATE raceway.analysis_run r
    SET last_run = clock_timestamp() AT TIME ZONE 'UTC', last_error = NULL,
        as_of = CASE WHEN cardinality(chosen) >= max_traces THEN r.as_of ELSE began END;
END
$refresh$;

COMMENT ON PROCEDURE raceway.refresh_analysis(bigint, bigint) IS
    'Brings what is known of all traces up to date, for those that came, changed or went since: at most max_traces of them, some 200 a '
    'commit. May be called by several at once, or be ended at any time. A trace whose analysis needs too much is left out and noted in '
    'trace_analyses; see the view analysis_state.';

CREATE FUNCTION raceway.read_analysis_state()
RETURNS TABLE (pending_traces bigint, failed_traces bigint, as_of timestamp, last_run timestamp, last_error text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $state$
BEGIN
    RETURN QUERY
        SELECT (SELECT count(*) FROM raceway.stale_traces()), (SELECT count(*) FROM raceway.trace_analyses a WHERE a.error IS NOT NULL),
               r.as_of, r.last_run, r.last_error
        FROM raceway.analysis_run r;
END
$state$;

COMMENT ON FUNCTION raceway.read_analysis_state() IS 'The row of the view analysis_state.';

CREATE VIEW raceway.analysis_state AS
SELECT s.pending_traces, s.failed_traces, s.as_of, s.last_run, s.last_error FROM raceway.read_analysis_state() s;

COMMENT ON VIEW raceway.analysis_state IS
    'How up to date the answers about all traces are: the traces that came, changed or went since (counted now, by looking at each), '
    'those that could not be analysed, the moment when none was pending (UTC), the last run of refresh_analysis() and its error.';

GRANT SELECT ON raceway.analysis_state TO PUBLIC;

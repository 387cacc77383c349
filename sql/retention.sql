-- Retention: whole traces, oldest first, in small commits. Where events is partitioned and the rule is an age, whole
-- partitions go first (partition_retention.sql).

CREATE FUNCTION raceway.begin_cleanup_step() RETURNS void
LANGUAGE plpgsql VOLATILE
AS $step$
BEGIN
    -- A procedure that commits can have no SET clause, so each of its transactions begins with this; until then names are
    -- looked up where the caller's search_path says, and so are those of its declarations: they name their schema. A crash
    -- that undoes the last of the transactions does no harm: they are done again.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    PERFORM pg_catalog.set_config('jit', 'off', true);
END
$step$;

COMMENT ON FUNCTION raceway.begin_cleanup_step() IS 'internal to cleanup(): the settings of one of its transactions';

CREATE FUNCTION raceway.row_bytes(OUT event numeric, OUT trace numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $bytes$
DECLARE
    -- Beside its key: a line pointer, and for each entry in an index a header, a line pointer and a time or a posting.
    overhead_of_event constant integer := 4 + 3 * 20;
    overhead_of_trace constant integer := 4 + 4 * 20;
    rows_looked_at    constant integer := 2000;
    known             real;
BEGIN
    SELECT sum(greatest(c.reltuples, 0)) INTO known FROM pg_partition_tree('raceway.events') p JOIN pg_class c ON c.oid = p.relid;
    SELECT avg(pg_column_size(s.*) + pg_column_size(s.event_id)) + overhead_of_event INTO event
    FROM (SELECT e.* FROM raceway.events e TABLESAMPLE SYSTEM (least(100, 100.0 * 10 * rows_looked_at / greatest(known, 1)))
          LIMIT rows_looked_at) s;
    SELECT avg(pg_column_size(s.*) + pg_column_size(s.trace_id)) + overhead_of_trace INTO trace
    FROM (SELECT t.* FROM raceway.traces t LIMIT rows_looked_at) s;
    event := coalesce(event, 0);
    trace := coalesce(trace, 0);
END
$bytes$;

COMMENT ON FUNCTION raceway.row_bytes() IS
    'About how many bytes a row of events, and of traces, takes with its entries in our indexes: estimated from a sample. '
    'What deleted rows left free is not counted: it is used again.';

CREATE FUNCTION raceway.begin_cleanup_run(rule text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $begin$
DECLARE
    runs_kept constant integer := 1000;
    run       bigint;
BEGIN
    -- Who is said to run, and is not there any more, was interrupted. Others' backend_start may be hidden from us.
    UPDATE raceway.cleanup_runs r SET outcome = 'interrupted'
    WHERE r.outcome = 'running' AND (r.pid = pg_backend_pid() OR NOT EXISTS (
        SELECT FROM pg_stat_activity a
        WHERE a.pid = r.pid AND coalesce(a.backend_start, r.backend_start) = r.backend_start));
    INSERT INTO raceway.cleanup_runs (run_by, pid, backend_start, rule, outcome)
    SELECT session_user, a.pid, a.backend_start, begin_cleanup_run.rule, 'running'
    FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    RETURNING run_id INTO run;
    DELETE FROM raceway.cleanup_runs r WHERE r.run_id <= run - runs_kept;
    RETURN run;
END
$begin$;

COMMENT ON FUNCTION raceway.begin_cleanup_run(text) IS 'internal to cleanup(): its row in cleanup_runs, which holds the last 1,000 runs';

CREATE FUNCTION raceway.note_cleanup(run bigint, traces bigint, events bigint, bytes numeric) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note$
BEGIN
    UPDATE raceway.cleanup_runs r
    SET traces = r.traces + note_cleanup.traces, events = r.events + note_cleanup.events,
        bytes = r.bytes + round(note_cleanup.bytes)::bigint, ended_at = clock_timestamp() AT TIME ZONE 'UTC'
    WHERE r.run_id = run;
END
$note$;

COMMENT ON FUNCTION raceway.note_cleanup(bigint, bigint, bigint, numeric) IS
    'internal to cleanup(): adds to its row in cleanup_runs what a step has removed';

CREATE FUNCTION raceway.traces_to_clean(before timestamp, max_traces bigint, max_bytes bigint, by_time text)
RETURNS TABLE (trace_id varchar, age timestamp, events bigint, bytes numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $victims$
BEGIN
    IF max_traces IS NULL AND max_bytes IS NULL THEN
        RETURN QUERY
        SELECT t.trace_id, a.age, coalesce(t.event_count, 0)::bigint, b.trace + b.event * coalesce(t.event_count, 0)
        FROM raceway.row_bytes() b, raceway.traces t, LATERAL (
            SELECT CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END) a (age)
        WHERE a.age < before
        ORDER BY a.age, t.trace_id;
        RETURN;
    END IF;
    -- One scan and one sort of traces, once a pass: an index on created_at would cost each batch of events more.
    RETURN QUERY
    WITH sized AS (
        SELECT t.trace_id, coalesce(t.event_count, 0)::bigint AS events,
               CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END AS age,
               b.trace + b.event * coalesce(t.event_count, 0) AS bytes
        FROM raceway.traces t, raceway.row_bytes() b
    ), ranked AS (
        SELECT s.*, row_number() OVER newest_first AS place, sum(s.bytes) OVER newest_first AS kept_bytes
        FROM sized s WINDOW newest_first AS (ORDER BY s.age DESC NULLS FIRST, s.trace_id DESC)
    )
    SELECT r.trace_id, r.age, r.events, r.bytes FROM ranked r
    WHERE r.age < before OR r.place > max_traces OR r.kept_bytes > max_bytes
    ORDER BY r.age NULLS LAST, r.trace_id;
END
$victims$;

COMMENT ON FUNCTION raceway.traces_to_clean(timestamp, bigint, bigint, text) IS
    'The traces that cleanup() would remove by these rules, oldest first. by_time: created_at or end_time.';

CREATE FUNCTION raceway.remove_traces(trace_ids varchar[], ages timestamp[], by_time text, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $remove$
BEGIN
    -- Who holds a trace's row adds events to it, or removes it: it is left to them. What has grown since it was chosen is
    -- judged again by the next pass.
    WITH held AS (
        SELECT t.trace_id
        FROM unnest(trace_ids, ages) v (trace_id, age) JOIN raceway.traces t USING (trace_id)
        WHERE CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END IS NOT DISTINCT FROM v.age
        FOR UPDATE OF t SKIP LOCKED
    ), gone AS (
        DELETE FROM raceway.traces t USING held h WHERE t.trace_id = h.trace_id RETURNING t.event_count
    )
    SELECT count(*), coalesce(sum(g.event_count), 0) INTO traces, events FROM gone g;
END
$remove$;

COMMENT ON FUNCTION raceway.remove_traces(varchar[], timestamp[], text) IS
    'internal to cleanup(): removes those of the traces that are as old as they were, and that nobody else holds';

CREATE FUNCTION raceway.cleanup_rule(
    older_than interval, max_traces bigint, max_bytes bigint, batch_size integer, by_time text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rule$
BEGIN
    IF older_than IS NULL AND max_traces IS NULL AND max_bytes IS NULL THEN
        RAISE EXCEPTION 'cleanup has no rule' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Say what may go: CALL raceway.cleanup(older_than => ''30 days''), or max_traces, or max_bytes.';
    END IF;
    IF older_than < interval '0' OR max_traces < 0 OR max_bytes < 0 THEN
        RAISE EXCEPTION 'older_than, max_traces and max_bytes cannot be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF batch_size IS NULL OR batch_size NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'batch_size is %, not from 1 to 1000000', coalesce(batch_size::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF by_time NOT IN ('created_at', 'end_time') THEN
        RAISE EXCEPTION 'the age of a trace cannot be told by "%"', by_time
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose created_at or end_time.';
    END IF;
    RETURN concat_ws(', ', 'older_than ' || older_than, 'max_traces ' || max_traces, 'max_bytes ' || max_bytes, 'by ' || by_time);
END
$rule$;

COMMENT ON FUNCTION raceway.cleanup_rule(interval, bigint, bigint, integer, text) IS
    'internal to cleanup(): its rule in words; an error where it has none, or a wrong one';

CREATE PROCEDURE raceway.cleanup_rows(
    run bigint, before timestamp, max_traces bigint, max_bytes bigint, batch_size integer, by_time text
)
LANGUAGE plpgsql
AS $rows$
DECLARE
    size    pg_catalog.record;
    victim  pg_catalog.record;
    gone    pg_catalog.record;
    ids     varchar[];
    ages    timestamp[];
    events  bigint;
    chosen  bigint;
    removed bigint;
    total   bigint := 0;
    told_at pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    began   pg_catalog.timestamptz;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    SELECT b.* INTO size FROM raceway.row_bytes() b;
    LOOP
        ids := '{}'; ages := '{}'; events := 0; chosen := 0; removed := 0;
        FOR victim IN
            SELECT v.*, row_number() OVER () = count(*) OVER () AS is_last
            FROM raceway.traces_to_clean(before, max_traces, max_bytes, by_time) v
        LOOP
            chosen := chosen + 1;
            ids := ids || victim.trace_id;
            ages := ages || victim.age;
            events := events + victim.events;
            CONTINUE WHEN events < batch_size AND cardinality(ids) < batch_size AND NOT victim.is_last;

            began := clock_timestamp();
            SELECT r.* INTO gone FROM raceway.remove_traces(ids, ages, by_time) r;
            PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.traces * size.trace + gone.events * size.event);
            COMMIT;
            PERFORM raceway.begin_cleanup_step();
            removed := removed + gone.traces;
            total := total + gone.traces;
            ids := '{}'; ages := '{}'; events := 0;
            -- Half of the time belongs to those who write.
            PERFORM pg_sleep(least(extract(epoch FROM clock_timestamp() - began), 0.1));
            IF clock_timestamp() > told_at + interval '5 s' THEN
                told_at := clock_timestamp();
                RAISE NOTICE 'cleanup: % traces so far', total;
            END IF;
        END LOOP;
        -- Again for what others held, as long as that helps; what they hold on to is theirs.
        EXIT WHEN removed = 0 OR removed = chosen;
    END LOOP;
END
$rows$;

COMMENT ON PROCEDURE raceway.cleanup_rows(bigint, timestamp, bigint, bigint, integer, text) IS
    'internal to cleanup(): removes traces by rows';

CREATE PROCEDURE raceway.cleanup(
    older_than interval DEFAULT NULL, max_traces bigint DEFAULT NULL, max_bytes bigint DEFAULT NULL,
    batch_size integer DEFAULT 1000, dry_run boolean DEFAULT false, by text DEFAULT NULL,
    INOUT traces_removed bigint DEFAULT NULL, INOUT events_removed bigint DEFAULT NULL, INOUT bytes_removed bigint DEFAULT NULL
)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    partition_by pg_catalog.text;
    by_time      pg_catalog.text;
    before       timestamp;
    rule         pg_catalog.text;
    run          bigint;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'cleanup: this is a standby, its primary cleans up';
        RETURN;
    END IF;
    SELECT l.partition_by INTO partition_by FROM raceway.layout l;
    by_time := coalesce(by, CASE partition_by WHEN 'none' THEN 'created_at' ELSE 'end_time' END);
    rule := raceway.cleanup_rule(older_than, max_traces, max_bytes, batch_size, by_time);
    before := (now() AT TIME ZONE 'UTC') - older_than;

    IF dry_run THEN
        run := raceway.begin_cleanup_run(rule || ', dry run');
        PERFORM raceway.note_cleanup(run, count(*), coalesce(sum(v.events), 0)::bigint, coalesce(sum(v.bytes), 0))
        FROM raceway.traces_to_clean(before, max_traces, max_bytes, by_time) v;
    ELSE
        run := raceway.begin_cleanup_run(rule);
        COMMIT;
        PERFORM raceway.begin_cleanup_step();
        IF partition_by <> 'none' AND by_time = 'end_time' AND older_than IS NOT NULL THEN
            CALL raceway.cleanup_partitions(run, before);
            PERFORM raceway.begin_cleanup_step();
            -- A partition goes when its last day is old enough; what stands in the default one goes with its day.
            before := date_trunc(partition_by, before);
        END IF;
        CALL raceway.cleanup_rows(run, before, max_traces, max_bytes, batch_size, by_time);
        PERFORM raceway.begin_cleanup_step();
    END IF;

    UPDATE raceway.cleanup_runs r
    SET outcome = CASE WHEN dry_run THEN 'dry run' ELSE 'done' END, ended_at = clock_timestamp() AT TIME ZONE 'UTC'
    WHERE r.run_id = run
    RETURNING r.traces, r.events, r.bytes INTO traces_removed, events_removed, bytes_removed;
    RAISE NOTICE 'cleanup: % % traces with % events, about %', CASE WHEN dry_run THEN 'would remove' ELSE 'removed' END,
        traces_removed, events_removed, pg_size_pretty(bytes_removed);
END
$cleanup$;

COMMENT ON PROCEDURE raceway.cleanup(interval, bigint, bigint, integer, boolean, text, bigint, bigint, bigint) IS
    'Removes whole traces, oldest first, about batch_size events a commit: those older than older_than, and of the rest all '
    'but the newest max_traces, and max_bytes. Several may run at once. by: created_at (default), or end_time (default where '
    'events is partitioned: there whole partitions are dropped). Each run has a row in cleanup_runs.';

-- Schedules, kept by pg_cron in this database.

CREATE FUNCTION raceway.require_cron() RETURNS void
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

COMMENT ON FUNCTION raceway.require_cron() IS 'internal to schedules: an error that says what to do where pg_cron cannot be used';

CREATE FUNCTION raceway.unschedule(job text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $unschedule$
DECLARE
    id bigint;
BEGIN
    PERFORM raceway.require_cron();
    SELECT j.jobid INTO id FROM cron.job j WHERE j.jobname = job AND j.username = current_user;
    RETURN CASE WHEN id IS NULL THEN false ELSE cron.unschedule(id) END;
END
$unschedule$;

COMMENT ON FUNCTION raceway.unschedule(text) IS 'internal to schedules: ends the caller''s job of this name; false where there is none';

CREATE FUNCTION raceway.schedule_cleanup(
    cron text, older_than interval DEFAULT NULL, max_traces bigint DEFAULT NULL, max_bytes bigint DEFAULT NULL,
    batch_size integer DEFAULT 1000, by text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $schedule$
BEGIN
    PERFORM raceway.require_cron();
    -- A wrong rule is an error now, not each night.
    PERFORM raceway.cleanup_rule(older_than, max_traces, max_bytes, batch_size, by);
    RETURN cron.schedule('raceway cleanup', cron, format(
        'CALL raceway.cleanup(older_than => %L, max_traces => %L, max_bytes => %L, batch_size => %L, by => %L)',
        older_than, max_traces, max_bytes, batch_size, by));
END
$schedule$;

COMMENT ON FUNCTION raceway.schedule_cleanup(text, interval, bigint, bigint, integer, text) IS
    'Has pg_cron call cleanup() with these rules, at times as cron writes them, in GMT: ''0 3 * * *'' is three at night. '
    'Again, it replaces the schedule. Answers the id of the job in cron.job.';

CREATE FUNCTION raceway.unschedule_cleanup() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN raceway.unschedule('raceway cleanup');

COMMENT ON FUNCTION raceway.unschedule_cleanup() IS 'Ends what schedule_cleanup() began; false where nothing was scheduled.';

CREATE PROCEDURE raceway.maintain(partitions_ahead integer DEFAULT 7, keep_job_runs interval DEFAULT '7 days')
LANGUAGE plpgsql
AS $maintain$
DECLARE
    partition_by pg_catalog.text;
    today        timestamp;
    step         interval;
    late         timestamp;
    free         boolean;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'maintain: this is a standby, its primary is maintained';
        RETURN;
    END IF;
    SELECT l.partition_by INTO partition_by FROM raceway.layout l;
    today := now() AT TIME ZONE 'UTC';
    step := raceway.partition_interval(partition_by);
    IF step IS NOT NULL THEN
        free := raceway.try_make_partitions(today, today + partitions_ahead * step);
        COMMIT;
        PERFORM raceway.begin_cleanup_step();
        -- On demand: a time that brought many events to the default partition, and is not one that went already.
        FOR late IN
            SELECT date_trunc(l.partition_by, e."timestamp") FROM raceway.events_default e, raceway.layout l
            WHERE free AND e."timestamp" >= (SELECT min(p.lower_bound) FROM raceway.event_partitions() p)
            GROUP BY 1 HAVING count(*) >= 1000 ORDER BY count(*) DESC LIMIT 100
        LOOP
            free := raceway.try_make_partitions(late, late);
            COMMIT;
            PERFORM raceway.begin_cleanup_step();
            EXIT WHEN NOT free;
        END LOOP;
    END IF;
    IF EXISTS (SELECT FROM pg_namespace n JOIN pg_extension e ON e.extname = 'pg_cron'
               WHERE n.nspname = 'cron' AND has_schema_privilege(n.oid, 'USAGE')) THEN
        -- pg_cron never removes what it notes of its runs; row security shows a role its own.
        DELETE FROM cron.job_run_details d WHERE d.end_time < now() - keep_job_runs AND d.username = current_user;
    END IF;
END
$maintain$;

COMMENT ON PROCEDURE raceway.maintain(integer, interval) IS
    'What is to be done now and then: makes partitions of events ahead, and for times that brought many events to '
    'events_default; removes old rows of the caller''s jobs from cron.job_run_details.';

CREATE FUNCTION raceway.schedule_maintenance(
    cron text DEFAULT '17 * * * *', partitions_ahead integer DEFAULT 7, keep_job_runs interval DEFAULT '7 days'
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $schedule$
BEGIN
    PERFORM raceway.require_cron();
    RETURN cron.schedule('raceway maintenance', cron, format(
        'CALL raceway.maintain(partitions_ahead => %L, keep_job_runs => %L)', partitions_ahead, keep_job_runs));
END
$schedule$;

COMMENT ON FUNCTION raceway.schedule_maintenance(text, integer, interval) IS
    'Has pg_cron call maintain(), by default every hour. Again, it replaces the schedule. Answers the id of the job in cron.job.';

CREATE FUNCTION raceway.unschedule_maintenance() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN raceway.unschedule('raceway maintenance');

COMMENT ON FUNCTION raceway.unschedule_maintenance() IS 'Ends what schedule_maintenance() began; false where nothing was scheduled.';

CREATE FUNCTION raceway.schedule_refresh(cron text DEFAULT '* * * * *', max_traces bigint DEFAULT 100000) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $schedule$
BEGIN
    PERFORM raceway.require_cron();
    RETURN cron.schedule('raceway refresh', cron, format('CALL raceway.refresh_analysis(max_traces => %L)', max_traces));
END
$schedule$;

COMMENT ON FUNCTION raceway.schedule_refresh(text, bigint) IS
    'Has pg_cron call refresh_analysis(), by default every minute. Again, it replaces the schedule. Answers the id of the job in cron.job.';

CREATE FUNCTION raceway.unschedule_refresh() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN raceway.unschedule('raceway refresh');

COMMENT ON FUNCTION raceway.unschedule_refresh() IS 'Ends what schedule_refresh() began; false where nothing was scheduled.';

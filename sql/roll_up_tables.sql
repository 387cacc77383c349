-- The tables that refresh_analysis() keeps. Like all tables they are the user's, made by migrate().

CREATE FUNCTION raceway.create_roll_ups() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $create$
BEGIN
    -- No foreign keys to traces: who deletes there is not to wait for these, and they say what was when they were refreshed.
    CREATE TABLE raceway.trace_analyses (
        trace_id    varchar(255) COLLATE "C" PRIMARY KEY,
        event_count integer,
        start_time  timestamp,
        end_time    timestamp,
        analysed_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
        error       text
    );
    CREATE INDEX idx_trace_analyses_end_time ON raceway.trace_analyses (end_time);
    COMMENT ON TABLE raceway.trace_analyses IS
        'The traces as refresh_analysis() saw them last; error says why one could not be analysed. Times are UTC.';

    CREATE TABLE raceway.trace_variables (
        trace_id      varchar(255) COLLATE "C",
        variable      text COLLATE "C",
        start_time    timestamp,
        end_time      timestamp,
        reads         bigint NOT NULL,
        writes        bigint NOT NULL,
        atomic_reads  bigint NOT NULL,
        atomic_writes bigint NOT NULL,
        write_write   bigint NOT NULL,
        read_write    bigint NOT NULL,
        atomic        bigint NOT NULL,
        protected     bigint NOT NULL,
        unknown       bigint NOT NULL,
        PRIMARY KEY (trace_id, variable)
    );
    CREATE INDEX idx_trace_variables_variable ON raceway.trace_variables (variable, end_time DESC, trace_id DESC);
    COMMENT ON TABLE raceway.trace_variables IS
        'Each variable of each trace: accesses that are atomic and that are not, and pairs within the trace that nothing orders, by class.';

    CREATE TABLE raceway.variable_totals (
        variable         text COLLATE "C" PRIMARY KEY,
        traces           bigint NOT NULL,
        reads            bigint NOT NULL,
        writes           bigint NOT NULL,
        atomic_reads     bigint NOT NULL,
        atomic_writes    bigint NOT NULL,
        write_write      numeric NOT NULL,
        read_write       numeric NOT NULL,
        atomic           numeric NOT NULL,
        protected        numeric NOT NULL,
        unknown          numeric NOT NULL,
        own_write_write  numeric NOT NULL,
        own_write_atomic numeric NOT NULL,
        own_read_write   numeric NOT NULL
    );
    COMMENT ON TABLE raceway.variable_totals IS
        'The sums of trace_variables. own_..: sums over traces of products of their counts, which are taken out of the products of the '
        'sums to know how many pairs stand in two traces; see race_totals().';

    CREATE TABLE raceway.trace_services (
        trace_id   varchar(255) COLLATE "C",
        service    text COLLATE "C",
        events     bigint NOT NULL,
        last_event timestamp,
        PRIMARY KEY (trace_id, service)
    );
    CREATE INDEX idx_trace_services_service ON raceway.trace_services (service, last_event DESC);
    CREATE TABLE raceway.service_totals (
        service text COLLATE "C" PRIMARY KEY,
        traces  bigint NOT NULL,
        events  bigint NOT NULL
    );
    COMMENT ON TABLE raceway.trace_services IS 'Each service of each trace; an empty name is of events that name none.';
    COMMENT ON TABLE raceway.service_totals IS 'The sums of trace_services.';

    CREATE TABLE raceway.trace_durations (
        trace_id    varchar(255) COLLATE "C",
        service     text COLLATE "C",
        kind        text COLLATE "C",
        operation   text COLLATE "C",
        events      bigint NOT NULL,
        last_event  timestamp,
        durations   bigint NOT NULL,
        sum_micros  numeric NOT NULL,
        sum_squares numeric NOT NULL,
        buckets     integer[] NOT NULL,
        PRIMARY KEY (trace_id, service, kind, operation)
    );
    CREATE TABLE raceway.duration_totals (
        service     text COLLATE "C",
        kind        text COLLATE "C",
        operation   text COLLATE "C",
        traces      bigint NOT NULL,
        events      bigint NOT NULL,
        durations   bigint NOT NULL,
        sum_micros  numeric NOT NULL,
        sum_squares numeric NOT NULL,
        PRIMARY KEY (service, kind, operation)
    );
    CREATE TABLE raceway.duration_buckets (
        service   text COLLATE "C",
        operation text COLLATE "C",
        bucket    integer,
        durations bigint NOT NULL,
        PRIMARY KEY (service, operation, bucket)
    );
    COMMENT ON TABLE raceway.trace_durations IS
        'What each service did in each trace, by operation_of(): events, and of those that tell a duration how many there are, their sum and '
        'that of their squares in microseconds, and the duration_bucket() of each.';
    COMMENT ON TABLE raceway.duration_totals IS 'The sums of trace_durations.';
    COMMENT ON TABLE raceway.duration_buckets IS 'How many durations of trace_durations are in each bucket.';

    CREATE TABLE raceway.trace_calls_kept (
        trace_id     varchar(255) COLLATE "C",
        from_service text COLLATE "C",
        to_service   text COLLATE "C",
        link         text COLLATE "C",
        calls        bigint NOT NULL,
        PRIMARY KEY (trace_id, from_service, to_service, link)
    );
    COMMENT ON TABLE raceway.trace_calls_kept IS
        'trace_calls() of each trace; an empty from_service is a caller that is not stored.';

    CREATE TABLE raceway.race_suppressions (
        suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        variable       text NOT NULL DEFAULT '*',
        location       text NOT NULL DEFAULT '*',
        reason         text NOT NULL,
        created_by     text NOT NULL DEFAULT session_user,
        created_at     timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
    );
    COMMENT ON TABLE raceway.race_suppressions IS
        'Races that are known and are not to be shown: of variables and at places whose names match, * standing for any characters. '
        'See suppression_of().';

    CREATE TABLE raceway.analysis_run (
        only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        as_of      timestamp,
        last_run   timestamp,
        last_error text
    );
    INSERT INTO raceway.analysis_run (only_row) VALUES (true);
    COMMENT ON TABLE raceway.analysis_run IS 'The last run of refresh_analysis(); see the view analysis_state.';
END
$create$;

COMMENT ON FUNCTION raceway.create_roll_ups() IS 'internal to migrate(): the tables that refresh_analysis() keeps';

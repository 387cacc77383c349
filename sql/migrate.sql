-- migrate: brings the tables, or upgrades them. They are the user's data, not members of the extension.

CREATE FUNCTION raceway.migrate(partition_by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $migrate$
DECLARE
    latest  constant integer := 4;
    version integer;
    before  integer;
BEGIN
    IF partition_by OPERATOR(pg_catalog.<>) ALL (ARRAY['none', 'day', 'week', 'month']) THEN
        RAISE EXCEPTION 'events cannot be partitioned by "%"', partition_by
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose none, day, week or month.';
    END IF;
    -- One migration at a time, whichever servers start together; the key spells "raceway".
    PERFORM pg_catalog.pg_advisory_xact_lock(32195226876993913);

    -- Asked first, not left to IF NOT EXISTS: a role that only writes may run this, too, as long as nothing is to be done.
    IF pg_catalog.to_regclass('raceway.schema_migrations') IS NULL THEN
        CREATE TABLE raceway.schema_migrations (
            version     integer PRIMARY KEY,
            description text NOT NULL,
            applied_at  timestamp NOT NULL DEFAULT (pg_catalog.now() AT TIME ZONE 'UTC')
        );
    END IF;
    SELECT coalesce(pg_catalog.max(m.version), 0) INTO before FROM raceway.schema_migrations m;
    version := before;

    IF version OPERATOR(pg_catalog.>) latest THEN
        RAISE EXCEPTION 'the tables are at schema version %, this extension knows versions up to %', version, latest
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Upgrade the extension: ALTER EXTENSION raceway UPDATE;';
    END IF;

    IF version OPERATOR(pg_catalog.<) 1 THEN
        CREATE TABLE raceway.traces (
            trace_id     varchar(255) COLLATE "C" PRIMARY KEY,
            service_name varchar(255),
            start_time   timestamp,
            end_time     timestamp,
            event_count  integer,
            created_at   timestamp DEFAULT (pg_catalog.now() AT TIME ZONE 'UTC')
        );
        CREATE TABLE raceway.events (
            event_id     varchar(255) COLLATE "C" PRIMARY KEY,
            trace_id     varchar(255) COLLATE "C" REFERENCES raceway.traces (trace_id) ON DELETE CASCADE,
            kind         varchar(50),
            "timestamp"  timestamp,
            duration_ms  real,
            location     varchar(500),
            vector_clock jsonb,
            metadata     jsonb,
            created_at   timestamp DEFAULT (pg_catalog.now() AT TIME ZONE 'UTC')
        );
        CREATE INDEX idx_events_trace_id ON raceway.events (trace_id);
        CREATE INDEX idx_events_timestamp ON raceway.events ("timestamp");
        CREATE INDEX idx_traces_service ON raceway.traces (service_name);
        CREATE INDEX idx_traces_end_time ON raceway.traces (end_time DESC, trace_id);

        COMMENT ON TABLE raceway.traces IS 'One row a trace; counts and times are exact at every commit. Times are UTC.';
        COMMENT ON TABLE raceway.events IS 'One row an event. Times are UTC; vector_clock maps components to counters.';
        INSERT INTO raceway.schema_migrations (version, description) VALUES (1, 'traces and events');
        version := 1;
    END IF;

    IF version OPERATOR(pg_catalog.<) 2 THEN
        CREATE TABLE raceway.layout (
            only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            partition_by text NOT NULL CHECK (partition_by OPERATOR(pg_catalog.=) ANY (ARRAY['none', 'day', 'week', 'month']))
        );
        COMMENT ON TABLE raceway.layout IS 'How events is laid out; see raceway.migrate() and raceway.make_partitions().';
        INSERT INTO raceway.layout (partition_by) VALUES ('none');
        INSERT INTO raceway.schema_migrations (version, description) VALUES (2, 'the layout of events');
        version := 2;
    END IF;

    IF version OPERATOR(pg_catalog.<) 3 THEN
        CREATE TABLE raceway.cleanup_runs (
            run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            started_at    timestamp NOT NULL DEFAULT (pg_catalog.clock_timestamp() AT TIME ZONE 'UTC'),
            ended_at      timestamp,
            duration      interval GENERATED ALWAYS AS (ended_at OPERATOR(pg_catalog.-) started_at) STORED,
            run_by        text NOT NULL,
            rule          text NOT NULL,
            traces        bigint NOT NULL DEFAULT 0,
            events        bigint NOT NULL DEFAULT 0,
            bytes         bigint NOT NULL DEFAULT 0,
            outcome       text NOT NULL,
            pid           integer NOT NULL,
            backend_start timestamptz NOT NULL
        );
        COMMENT ON TABLE raceway.cleanup_runs IS
            'The last 1,000 runs of raceway.cleanup(): what each removed by which rule. outcome: running, done, interrupted or '
            'dry run. Times are UTC; ended_at is that of its last step; bytes are estimated.';
        INSERT INTO raceway.schema_migrations (version, description) VALUES (3, 'the runs of cleanup');
        version := 3;
    END IF;

    IF version OPERATOR(pg_catalog.<) 4 THEN
        PERFORM raceway.create_roll_ups();
        INSERT INTO raceway.schema_migrations (version, description) VALUES (4, 'what is known of all traces');
        version := 4;
    END IF;

    IF coalesce(partition_by, 'none') OPERATOR(pg_catalog.<>) 'none' AND before OPERATOR(pg_catalog.=) 0 THEN
        PERFORM raceway.partition_empty_events(partition_by);
    ELSIF partition_by OPERATOR(pg_catalog.<>) (SELECT l.partition_by FROM raceway.layout l) THEN
        RAISE EXCEPTION 'events is laid out by "%", not by "%"', (SELECT l.partition_by FROM raceway.layout l), partition_by
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The layout is chosen when the tables are made.';
    END IF;

    IF before OPERATOR(pg_catalog.=) version THEN
        RETURN pg_catalog.format('schema version %s, nothing to do', version);
    END IF;
    RETURN pg_catalog.format('schema version %s, was %s', version, before);
END
$migrate$;

COMMENT ON FUNCTION raceway.migrate(text) IS
    'Creates the tables traces and events, or upgrades them; they belong to the caller. Run again, it changes nothing. '
    'partition_by: none (default), day, week or month.';

-- The tables as migrate() made them at schema version 3, kept to prove that they are brought up to date.
CREATE TABLE raceway.schema_migrations (
    version     integer PRIMARY KEY,
    description text NOT NULL,
    applied_at  timestamp NOT NULL DEFAULT (pg_catalog.now() AT TIME ZONE 'UTC')
);
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
CREATE TABLE raceway.layout (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    partition_by text NOT NULL CHECK (partition_by OPERATOR(pg_catalog.=) ANY (ARRAY['none', 'day', 'week', 'month']))
);
COMMENT ON TABLE raceway.layout IS 'How events is laid out; see raceway.migrate() and raceway.make_partitions().';
INSERT INTO raceway.layout (partition_by) VALUES ('none');
INSERT INTO raceway.schema_migrations (version, description) VALUES (2, 'the layout of events');
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

-- The tables as migrate() made them at schema version 1, kept to prove that they are brought up to date.
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

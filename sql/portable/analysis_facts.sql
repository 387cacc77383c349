-- The analysis of one trace: what of its events it looks at. The rules are those of extension/src/causality, whose headers say
-- them; what is told of an event is read as extension/src/wire/event_facts.cpp reads it. Everything is STABLE and makes no
-- tables, so that it works on a standby and behind a pooler.

CREATE FUNCTION raceway.duration_nanos(told text, duration_ms real) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN told OPERATOR(pg_catalog.~) '^(-0+|0*[0-9]{1,18})$' THEN told::pg_catalog.numeric::pg_catalog.int8
    WHEN told OPERATOR(pg_catalog.~) '^0*[0-9]{19}$' AND told::pg_catalog.numeric OPERATOR(pg_catalog.<=) 9223372036854775807
    THEN told::pg_catalog.numeric::pg_catalog.int8
    WHEN duration_ms OPERATOR(pg_catalog.>=) 0::pg_catalog.float4 AND duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.<) 9e12::pg_catalog.float8
    THEN -- a half goes away from zero
        (pg_catalog.trunc(duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.*) 1e6::pg_catalog.float8)
         OPERATOR(pg_catalog.+) CASE WHEN duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.*) 1e6::pg_catalog.float8
             OPERATOR(pg_catalog.-) pg_catalog.trunc(duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.*) 1e6::pg_catalog.float8)
             OPERATOR(pg_catalog.>=) 0.5::pg_catalog.float8 THEN 1 ELSE 0 END::pg_catalog.float8)::pg_catalog.int8
    ELSE 0 END;

COMMENT ON FUNCTION raceway.duration_nanos(text, real) IS
    'part of the analysis: how long an event took, of what it tells in nanoseconds and in milliseconds';

CREATE FUNCTION raceway.require_analysable(trace text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $require$
DECLARE
    most  constant bigint := coalesce(nullif(current_setting('raceway.max_portable_analysis_events', true), ''), '20000');
    count bigint;
BEGIN
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'traces are analysed only in a database with the encoding UTF8' USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT count(*) INTO count FROM (SELECT FROM raceway.events e WHERE e.trace_id = trace LIMIT most + 1) e;
    IF count > most THEN
        RAISE EXCEPTION 'trace "%" has more events than raceway.max_portable_analysis_events allows (%)', trace, most
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'Set it higher: the time grows with the events, and the memory with their square. The extension edition takes traces of any size.';
    ELSIF count = 0 AND NOT EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = trace) THEN
        RAISE EXCEPTION 'there is no trace "%"', trace USING ERRCODE = 'no_data_found';
    END IF;
END
$require$;

COMMENT ON FUNCTION raceway.require_analysable(text) IS
    'part of the analysis: raises where the trace is not to be seen, or has too many events';

CREATE FUNCTION raceway.trace_events(trace text) RETURNS TABLE (
    rank integer, event_id text, at timestamp, nanos integer, parent integer, kind text, subject text, access text, shared boolean, location text,
    service text, thread text, span integer, upstream integer, process integer, strand integer, component text, duration bigint, locks text[],
    clock jsonb, vector_clock jsonb, old_value jsonb, new_value jsonb, links integer[]
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $events$
BEGIN
    RETURN QUERY
        WITH stored AS (
            -- Casts, since users may change the types of their tables.
            SELECT e.event_id::text AS event_id, coalesce(e."timestamp"::timestamp, '2000-01-01') AS at, coalesce(e.kind::text, '') AS kind,
                   e.duration_ms::real AS duration_ms, coalesce(e.location::text, '') AS location, e.vector_clock::jsonb AS vector_clock,
                   e.metadata::jsonb AS metadata
            FROM raceway.events e WHERE e.trace_id = trace
        ), told AS (
            SELECT s.*, CASE WHEN jsonb_typeof(s.metadata -> 'timestamp_nanos') = 'number'
                             AND (s.metadata -> 'timestamp_nanos')::numeric IN (SELECT generate_series(0, 999))
                             THEN (s.metadata -> 'timestamp_nanos')::integer ELSE 0 END AS nanos,
                   raceway.text_in(s.metadata, 'service_name') AS service, raceway.text_in(s.metadata, 'instance_id') AS instance,
                   CASE WHEN raceway.text_in(s.metadata, 'instance_id') = '' THEN raceway.text_in(s.metadata, 'process_id') ELSE '' END AS process_id,
                   raceway.text_in(s.metadata, 'thread_id') AS thread, raceway.text_in(s.metadata, 'distributed_span_id') AS span,
                   raceway.text_in(s.metadata, 'upstream_span_id') AS upstream,
                   CASE WHEN jsonb_typeof(s.metadata -> 'parent_id') = 'string' THEN s.metadata ->> 'parent_id' ELSE '' END AS parent_id
            FROM stored s
        ), ranked AS (
            SELECT t.*, (row_number() OVER (ORDER BY t.at, t.nanos, t.event_id COLLATE "C"))::integer AS rank,
                   dense_rank() OVER (ORDER BY t.service COLLATE "C", t.instance COLLATE "C", t.process_id COLLATE "C") AS process,
                   -- A strand is a thread, or where none is told a span.
                   CASE WHEN t.thread = '' THEN t.span ELSE '' END AS span_alone
            FROM told t
        ), grouped AS (
            SELECT r.*, r.thread = '' AND r.span = '' AS is_alone,
                   min(r.rank) OVER (PARTITION BY r.process, r.thread, r.span_alone) AS strand_first
            FROM ranked r
        ), ids AS (
            SELECT r.event_id, min(r.rank) AS rank FROM ranked r GROUP BY 1
        ), spans AS (
            SELECT r.span, min(r.rank) AS rank FROM ranked r WHERE r.span <> '' GROUP BY 1
        )
        SELECT g.rank, g.event_id, g.at, g.nanos, CASE WHEN g.parent_id = '' THEN 0 ELSE coalesce(i.rank, 0) END, g.kind,
               CASE g.kind WHEN 'FunctionCall' THEN raceway.text_in(g.metadata, 'function_name')
                           WHEN 'AsyncSpawn' THEN raceway.text_in(g.metadata, 'task_id')
                           WHEN 'AsyncAwait' THEN raceway.text_in(g.metadata, 'future_id')
                           WHEN 'StateChange' THEN raceway.text_in(g.metadata, 'variable')
                           WHEN 'LockAcquire' THEN raceway.text_in(g.metadata, 'lock_id')
                           WHEN 'LockRelease' THEN raceway.text_in(g.metadata, 'lock_id') ELSE '' END,
               -- A change of state is a write unless it says something else.
               CASE WHEN g.kind <> 'StateChange' THEN ''
                    WHEN raceway.text_in(g.metadata, 'access_type') IN ('Read', 'AtomicRead', 'AtomicWrite', 'AtomicRMW')
                    THEN raceway.text_in(g.metadata, 'access_type') ELSE 'Write' END,
               lower(raceway.text_in(g.metadata, 'lock_type') COLLATE "C") LIKE '%read%', g.location, g.service, g.thread,
               coalesce(s.rank, 0), CASE WHEN g.upstream = '' THEN 0 ELSE coalesce(u.rank, -1) END, g.process::integer,
               CASE WHEN g.is_alone THEN 0 ELSE dense_rank() OVER (PARTITION BY g.is_alone ORDER BY g.strand_first) END::integer,
               CASE WHEN g.instance <> '' AND NOT g.is_alone THEN g.service || '#' || g.instance END,
               raceway.duration_nanos(raceway.text_in(g.metadata, 'duration_ns'), g.duration_ms),
               CASE WHEN jsonb_typeof(g.metadata -> 'lock_set') = 'array' THEN ARRAY(
                   SELECT l.value #>> '{}' FROM jsonb_array_elements(g.metadata -> 'lock_set') l WHERE jsonb_typeof(l.value) = 'string') END,
               CASE WHEN raceway.vclock_valid(g.vector_clock) THEN g.vector_clock ELSE '{}' END, g.vector_clock,
               g.metadata -> 'old_value', g.metadata -> 'new_value',
               CASE WHEN jsonb_typeof(g.metadata #> '{metadata_fields,otel,links}') = 'array' THEN ARRAY(
                   SELECT f.rank FROM jsonb_array_elements(g.metadata #> '{metadata_fields,otel,links}') WITH ORDINALITY l (value, n)
                   JOIN ids f ON f.event_id = l.value ->> 'event_id' AND jsonb_typeof(l.value -> 'event_id') = 'string'
                   WHERE f.rank <> g.rank ORDER BY l.n) END
        FROM grouped g LEFT JOIN ids i ON i.event_id = g.parent_id LEFT JOIN spans s ON s.span = g.span LEFT JOIN spans u ON u.span = g.upstream
        ORDER BY 1;
END
$events$;

COMMENT ON FUNCTION raceway.trace_events(text) IS
    'part of the analysis: the events of a trace by time and id, where rank is their place, with what it looks at. parent is a rank; a span '
    'has the rank of its earliest event, one that is not stored -1; processes and strands are numbered, strands from 1, and 0 is none; links are ranks';

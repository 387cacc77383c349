-- Questions about the races of all traces, answered from the roll-ups: as of the last refresh_analysis(), see
-- analysis_state. A window takes the traces that ended in it; without one the sums answer, however many traces there are.

CREATE FUNCTION raceway.race_totals(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (variable text, traces bigint, accesses bigint, writes bigint, in_trace_ww numeric, in_trace_rw numeric,
               cross_ww numeric, cross_rw numeric, overlapping numeric, atomic numeric, protected numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $totals$
#variable_conflict use_column
DECLARE
    first  constant timestamp := coalesce(since AT TIME ZONE 'UTC', '-infinity');
    behind constant timestamp := coalesce(until AT TIME ZONE 'UTC', 'infinity');
BEGIN
    IF since IS NULL AND until IS NULL THEN
        RETURN QUERY
            SELECT t.variable, t.traces, t.reads + t.writes + t.atomic_reads + t.atomic_writes, t.writes + t.atomic_writes,
                   t.write_write, t.read_write,
                   div(t.writes::numeric * t.writes - t.own_write_write, 2) + t.writes::numeric * t.atomic_writes - t.own_write_atomic,
                   t.writes::numeric * (t.reads + t.atomic_reads) + t.atomic_writes::numeric * t.reads - t.own_read_write,
                   NULL::numeric, t.atomic, t.protected
            FROM raceway.variable_totals t ORDER BY t.variable;
        RETURN;
    END IF;
    RETURN QUERY
        WITH chosen AS MATERIALIZED (
            SELECT v.* FROM raceway.trace_analyses a JOIN raceway.trace_variables v ON v.trace_id = a.trace_id
            WHERE a.end_time >= first AND a.end_time < behind
        ), sums AS (
            SELECT c.variable, count(*) AS traces, sum(c.reads) AS reads, sum(c.writes) AS writes, sum(c.atomic_reads) AS atomic_reads,
                   sum(c.atomic_writes) AS atomic_writes, sum(c.write_write) AS write_write, sum(c.read_write) AS read_write,
                   sum(c.atomic) AS atomic, sum(c.protected) AS protected, sum(c.writes * c.writes) AS own_write_write,
                   sum(c.writes * c.atomic_writes) AS own_write_atomic,
                   sum(c.writes * (c.reads + c.atomic_reads) + c.atomic_writes * c.reads) AS own_read_write
            FROM chosen c GROUP BY c.variable
        ), moments AS (  -- where both fall together, one trace begins before the other ends: they overlap
            SELECT c.variable, c.start_time AS at, false AS ends, c.reads, c.writes, c.atomic_reads, c.atomic_writes FROM chosen c
            UNION ALL
            SELECT c.variable, c.end_time, true, c.reads, c.writes, c.atomic_reads, c.atomic_writes FROM chosen c
        ), counted AS (
            SELECT m.*, coalesce(sum(m.reads) FILTER (WHERE m.ends) OVER before, 0) AS ended_reads,
                   coalesce(sum(m.writes) FILTER (WHERE m.ends) OVER before, 0) AS ended_writes,
                   coalesce(sum(m.atomic_reads) FILTER (WHERE m.ends) OVER before, 0) AS ended_atomic_reads,
                   coalesce(sum(m.atomic_writes) FILTER (WHERE m.ends) OVER before, 0) AS ended_atomic_writes
            FROM moments m WINDOW before AS (PARTITION BY m.variable ORDER BY m.at, m.ends ROWS UNBOUNDED PRECEDING)
        ), apart AS (
            SELECT c.variable, sum(c.writes * (c.ended_reads + c.ended_writes + c.ended_atomic_reads + c.ended_atomic_writes)
                                   + c.reads * (c.ended_writes + c.ended_atomic_writes)
                                   + c.atomic_writes * (c.ended_writes + c.ended_reads) + c.atomic_reads * c.ended_writes) AS pairs
            FROM counted c WHERE NOT c.ends GROUP BY c.variable
        ), crossing AS (
            SELECT s.*, div(s.writes * s.writes - s.own_write_write, 2) + s.writes * s.atomic_writes - s.own_write_atomic AS cross_ww,
                   s.writes * (s.reads + s.atomic_reads) + s.atomic_writes * s.reads - s.own_read_write AS cross_rw
            FROM sums s
        )
        SELECT c.variable, c.traces, (c.reads + c.writes + c.atomic_reads + c.atomic_writes)::bigint, (c.writes + c.atomic_writes)::bigint,
               c.write_write, c.read_write, c.cross_ww, c.cross_rw, c.cross_ww + c.cross_rw - a.pairs, c.atomic, c.protected
        FROM crossing c JOIN apart a ON a.variable = c.variable ORDER BY c.variable;
END
$totals$;

COMMENT ON FUNCTION raceway.race_totals(timestamptz, timestamptz) IS
    'Each variable of all traces: accesses, and how many pairs race within a trace and how many stand in two traces, which nothing orders. '
    'overlapping counts the latter where the traces overlapped in time, for a window only (NULL otherwise). atomic and protected pairs are '
    'within traces. As of the last refresh_analysis().';

CREATE FUNCTION raceway.accesses_of(trace text, variable text)
RETURNS TABLE (place integer, event_id text, "timestamp" timestamp, service text, thread text, access text, new_value jsonb, location text,
               locks text[], writes boolean, atomic boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $accesses$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT a.place, a.event_id, a."timestamp", a.service, a.thread, a.access, a.new_value, a.location, a.locks,
               a.access IN ('Write', 'AtomicWrite', 'AtomicRMW'), a.access LIKE 'Atomic%'
        FROM raceway.audit_trail($1, $2) a;
END
$accesses$;

COMMENT ON FUNCTION raceway.accesses_of(text, text) IS 'part of cross_trace_races() and lost_updates(): audit_trail(), and what decides over conflicts';

CREATE FUNCTION raceway.cross_trace_races(of_variable text, overlapping boolean DEFAULT true, max_pairs integer DEFAULT 100, since timestamptz DEFAULT NULL)
RETURNS TABLE (variable text, severity text, class text, trace1 text, trace2 text, overlap interval, event1 text, event2 text,
               location1 text, location2 text, access1 text, access2 text, thread1 text, thread2 text, service1 text, service2 text,
               value1 jsonb, value2 jsonb, common_locks text[], gap interval)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $cross$
#variable_conflict use_column
DECLARE
    first constant timestamp := coalesce(since AT TIME ZONE 'UTC', '-infinity');
    one   record;
    other record;
    room  integer := max_pairs;
    found bigint;
BEGIN
    IF max_pairs < 0 THEN
        RAISE EXCEPTION 'max_pairs is %, which is below 0', max_pairs USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Traces that overlap one another end after it began: a range of the index. The newest come first.
    FOR one IN
        SELECT v.* FROM raceway.trace_variables v JOIN raceway.traces t ON t.trace_id = v.trace_id
        WHERE v.variable = raceway.roll_up_name(of_variable) AND v.end_time >= first ORDER BY v.end_time DESC, v.trace_id DESC
    LOOP
        FOR other IN
            SELECT v.*, least(v.end_time, one.end_time) - greatest(v.start_time, one.start_time) AS overlap
            FROM raceway.trace_variables v JOIN raceway.traces t ON t.trace_id = v.trace_id
            WHERE v.variable = one.variable AND (v.end_time, v.trace_id) < (one.end_time, one.trace_id)
              AND v.end_time >= first AND (NOT overlapping OR v.end_time >= one.start_time)
              AND (v.writes > 0 AND one.reads + one.writes + one.atomic_reads + one.atomic_writes > 0
                   OR one.writes > 0 AND v.reads + v.writes + v.atomic_reads + v.atomic_writes > 0
                   OR v.atomic_writes > 0 AND one.reads > 0 OR one.atomic_writes > 0 AND v.reads > 0)
            ORDER BY v.end_time DESC, v.trace_id DESC
        LOOP
            EXIT WHEN room <= 0;
            RETURN QUERY
                SELECT of_variable, CASE WHEN a.writes AND b.writes THEN 'CRITICAL' ELSE 'WARNING' END,
                       CASE WHEN a.writes AND b.writes THEN 'write-write' ELSE 'read-write' END,
                       other.trace_id::text, one.trace_id::text, greatest(other.overlap, interval '0'), a.event_id, b.event_id, a.location,
                       b.location, a.access, b.access, a.thread, b.thread, a.service, b.service, a.new_value, b.new_value,
                       ARRAY(SELECT l.name FROM unnest(a.locks) l (name) WHERE l.name = ANY (b.locks) ORDER BY l.name),
                       b."timestamp" - a."timestamp"
                FROM raceway.accesses_of(other.trace_id::text, of_variable) a, raceway.accesses_of(one.trace_id::text, of_variable) b
                WHERE (a.writes OR b.writes) AND NOT (a.atomic AND b.atomic)
                ORDER BY NOT (a.writes AND b.writes), b.place, a.place LIMIT room;
            GET DIAGNOSTICS found = ROW_COUNT;
            room := room - found;
        END LOOP;
        EXIT WHEN room <= 0;
    END LOOP;
END
$cross$;

COMMENT ON FUNCTION raceway.cross_trace_races(text, boolean, integer, timestamptz) IS
    'Pairs of accesses to a variable in two traces, one of them a plain write or both not atomic: nothing orders them. Of the newest traces '
    'first, max_pairs at most (NULL: all), by default only of traces that overlapped in time. A common lock does not keep traces apart for '
    'certain, so common_locks only names it. trace1 ended first. As of the last refresh_analysis().';

CREATE FUNCTION raceway.lost_updates(trace text, variable text, max_pairs integer DEFAULT 100)
RETURNS TABLE (trace1 text, read1 text, write1 text, trace2 text, read2 text, write2 text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $lost$
#variable_conflict use_column
DECLARE
    pair  record;
    room  integer := max_pairs;
    found bigint;
BEGIN
    IF max_pairs < 0 THEN
        RAISE EXCEPTION 'max_pairs is %, which is below 0', max_pairs USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF $1 IS NOT NULL THEN
        RETURN QUERY
            SELECT $1, one.read_id, one.write_id, $1, other.read_id, other.write_id
            FROM raceway.updates_of($1, $2) one JOIN raceway.updates_of($1, $2) other ON other.strand <> one.strand AND other.write_place > one.write_place
            WHERE coalesce((other.read_clock -> one.strand::text)::bigint, 0) < one.write_position
              AND coalesce((one.read_clock -> other.strand::text)::bigint, 0) < other.write_position
            ORDER BY one.write_place, other.write_place LIMIT max_pairs;
        RETURN;
    END IF;
    FOR pair IN
        SELECT b.trace_id AS trace1, a.trace_id AS trace2 FROM raceway.trace_variables a JOIN raceway.trace_variables b
            ON b.variable = a.variable AND (b.end_time, b.trace_id) < (a.end_time, a.trace_id) AND b.end_time >= a.start_time
        WHERE a.variable = raceway.roll_up_name($2) AND a.writes + a.atomic_writes > 0 AND b.writes + b.atomic_writes > 0
          AND a.reads + a.atomic_reads + a.atomic_writes > 0 AND b.reads + b.atomic_reads + b.atomic_writes > 0
          AND EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = a.trace_id) AND EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = b.trace_id)
        ORDER BY a.end_time DESC, a.trace_id DESC, b.end_time DESC, b.trace_id DESC
    LOOP
        EXIT WHEN room <= 0;
        RETURN QUERY
            SELECT pair.trace1::text, one.read_id, one.write_id, pair.trace2::text, other.read_id, other.write_id
            FROM raceway.updates_of(pair.trace1::text, $2) one JOIN raceway.updates_of(pair.trace2::text, $2) other
                ON one.read_time <= other.write_time AND other.read_time <= one.write_time
            ORDER BY one.write_place, other.write_place LIMIT room;
        GET DIAGNOSTICS found = ROW_COUNT;
        room := room - found;
    END LOOP;
END
$lost$;

COMMENT ON FUNCTION raceway.lost_updates(text, text, integer) IS
    'Where one strand read a variable and then wrote it, another one, too, and neither knew of the other''s write when it read: one of the '
    'two updates is lost. Of a trace, by what happened before what; with NULL for it, of each two traces that overlapped, where the times '
    'from read to write overlapped as well. max_pairs at most (NULL: all).';

CREATE FUNCTION raceway.updates_of(trace text, variable text)
RETURNS TABLE (strand integer, read_id text, read_time timestamp, read_clock jsonb, write_id text, write_time timestamp, write_place integer, write_position integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $updates$
#variable_conflict use_column
BEGIN
    -- The last read before a write, if no other write stands between: what is written may come from there.
    RETURN QUERY
        WITH accesses AS (
            SELECT o.strand, o."position", o.effective_clock, a.* FROM raceway.accesses_of($1, $2) a
            JOIN raceway.causal_order($1) o ON o.event_id = a.event_id
        ), numbered AS (
            SELECT a.*, count(*) FILTER (WHERE a.writes AND NOT a.atomic) OVER (PARTITION BY a.strand ORDER BY a."position" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS update
            FROM accesses a
        )
        SELECT DISTINCT ON (w.strand, w."position") w.strand, r.event_id, r."timestamp", r.effective_clock, w.event_id, w."timestamp", w.place, w."position"
        FROM numbered w JOIN numbered r ON r.strand = w.strand AND r."position" < w."position" AND coalesce(r.update, 0) = coalesce(w.update, 0)
        WHERE w.writes AND NOT w.atomic AND NOT r.writes
        ORDER BY w.strand, w."position", r."position" DESC;
END
$updates$;

COMMENT ON FUNCTION raceway.updates_of(text, text) IS
    'part of lost_updates(): the writes of a variable that are not atomic, each with the read in its strand that it may come from';

CREATE FUNCTION raceway.suppression_of(variable text, site1 text, site2 text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $suppression$
BEGIN
    RETURN (
        SELECT min(s.suppression_id) FROM raceway.race_suppressions s
        WHERE raceway.matches_pattern($1, s.variable) AND (raceway.matches_pattern(coalesce($2, ''), s.location) OR raceway.matches_pattern(coalesce($3, ''), s.location)));
END
$suppression$;

COMMENT ON FUNCTION raceway.suppression_of(text, text, text) IS
    'The row of race_suppressions that a race is known by: its variable matches, and one of its places; NULL where there is none. '
    'SELECT * FROM race_sites(''transfer'') WHERE suppression_of(variable, site1, site2) IS NULL;';

CREATE FUNCTION raceway.matches_pattern(name text, pattern text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN name OPERATOR(pg_catalog.~~) pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
    pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%');

COMMENT ON FUNCTION raceway.matches_pattern(text, text) IS
    'part of suppression_of(): whether a name matches a pattern in which * stands for any characters, and nothing else for others than itself';

-- What took how long, and who called whom, over all traces: answered from the roll-ups like roll_up_races.sql.

-- Durations.

CREATE FUNCTION raceway.duration_baseline(of_service text DEFAULT NULL, of_operation text DEFAULT NULL, but_trace text DEFAULT NULL)
RETURNS TABLE (service text, operation text, n bigint, mean double precision, sd double precision, median double precision, mad double precision,
               p95 double precision, p99 double precision)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $baseline$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH own AS MATERIALIZED (
            SELECT d.* FROM raceway.trace_durations d WHERE d.trace_id = but_trace
        ), sums AS (
            SELECT t.service, t.operation, sum(t.durations) AS n, sum(t.sum_micros) AS sum_micros, sum(t.sum_squares) AS sum_squares
            FROM (SELECT d.service, d.operation, d.durations, d.sum_micros, d.sum_squares FROM raceway.duration_totals d
                  UNION ALL SELECT o.service, o.operation, -o.durations, -o.sum_micros, -o.sum_squares FROM own o) t
            WHERE (of_service IS NULL OR t.service = raceway.roll_up_name(of_service)) AND (of_operation IS NULL OR t.operation = raceway.roll_up_name(of_operation))
            GROUP BY t.service, t.operation HAVING sum(t.durations) > 0
        ), buckets AS (
            SELECT b.service, b.operation, b.bucket, sum(b.durations) AS durations
            FROM (SELECT d.service, d.operation, d.bucket, d.durations FROM raceway.duration_buckets d
                  UNION ALL SELECT o.service, o.operation, u.bucket, -1 FROM own o, unnest(o.buckets) u (bucket)) b
            WHERE (of_service IS NULL OR b.service = raceway.roll_up_name(of_service)) AND (of_operation IS NULL OR b.operation = raceway.roll_up_name(of_operation))
            GROUP BY 1, 2, 3 HAVING sum(b.durations) > 0
        ), ranked AS (
            SELECT b.*, sum(b.durations) OVER (PARTITION BY b.service, b.operation ORDER BY b.bucket) AS rank FROM buckets b
        ), quantiles AS (
            SELECT s.service, s.operation, min(r.bucket) FILTER (WHERE r.rank * 2 >= s.n) AS median,
                   min(r.bucket) FILTER (WHERE r.rank * 100 >= s.n * 95) AS p95, min(r.bucket) FILTER (WHERE r.rank * 100 >= s.n * 99) AS p99
            FROM sums s JOIN ranked r ON r.service = s.service AND r.operation = s.operation GROUP BY 1, 2
        ), spread AS (
            SELECT b.service, b.operation, abs(b.bucket - q.median) AS off,
                   sum(b.durations) OVER (PARTITION BY b.service, b.operation ORDER BY abs(b.bucket - q.median)) AS rank
            FROM buckets b JOIN quantiles q ON q.service = b.service AND q.operation = b.operation
        ), deviations AS (
            SELECT s.service, s.operation, min(d.off) FILTER (WHERE d.rank * 2 >= s.n) AS mad
            FROM sums s JOIN spread d ON d.service = s.service AND d.operation = s.operation GROUP BY 1, 2
        )
        SELECT s.service, s.operation, s.n::bigint, (s.sum_micros / s.n / 1000)::double precision,
               (sqrt(s.n * s.sum_squares - s.sum_micros * s.sum_micros) / s.n / 1000)::double precision,
               raceway.bucket_ms(q.median), d.mad * ln(1.02::double precision), raceway.bucket_ms(q.p95), raceway.bucket_ms(q.p99)
        FROM sums s JOIN quantiles q ON q.service = s.service AND q.operation = s.operation
        JOIN deviations d ON d.service = s.service AND d.operation = s.operation
        ORDER BY s.service, s.operation;
END
$baseline$;

COMMENT ON FUNCTION raceway.duration_baseline(text, text, text) IS
    'How long operations of services take, in milliseconds, over all traces, or all but one: how many told a duration, mean and standard '
    'deviation exactly, median and percentiles within 1 %. mad is the median distance from the median, of the logarithms. '
    'As of the last refresh_analysis().';

CREATE FUNCTION raceway.anomalies(trace text, method text DEFAULT 'robust')
RETURNS TABLE (event_id text, service text, operation text, duration double precision, expected double precision, sigma double precision,
               severity text, direction text, n bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $anomalies$
#variable_conflict use_column
BEGIN
    IF method IS NULL OR method NOT IN ('robust', 'deviation') THEN
        RAISE EXCEPTION 'there is no method "%"', coalesce(method, 'NULL') USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Choose robust or deviation.';
    END IF;
    IF NOT EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = $1) THEN
        RAISE EXCEPTION 'there is no trace "%"', $1 USING ERRCODE = 'no_data_found';
    END IF;
    RETURN QUERY
        WITH told AS (
            SELECT e.event_id, e."timestamp", raceway.roll_up_name(raceway.text_in(e.metadata, 'service_name')) AS service,
                   raceway.roll_up_name(raceway.operation_of(e.kind::text, e.metadata)) AS operation, raceway.duration_micros(e.duration_ms, e.metadata) AS micros
            FROM raceway.events e WHERE e.trace_id = $1
        ), baselines AS (
            SELECT b.* FROM raceway.duration_baseline(NULL::text, NULL::text, $1) b WHERE b.n >= 5 AND b.mean > 0
        ), judged AS (
            SELECT o.*, b.n, CASE method WHEN 'robust' THEN b.median ELSE b.mean END AS expected,
                   CASE WHEN method = 'robust' THEN
                       -- A bucket is the least that can be told apart.
                       abs(ln(greatest(o.micros, 1)::double precision) - ln(greatest(b.median * 1000, 1)))
                           / (1.4826::double precision * greatest(b.mad, ln(1.02::double precision)))
                   WHEN b.sd > 0 THEN abs(o.micros / 1000::double precision - b.mean) / b.sd
                   WHEN abs(o.micros / 1000::double precision - b.mean) > b.mean / 5 THEN 10 * abs(o.micros / 1000::double precision - b.mean) / b.mean
                   ELSE 0 END AS sigma
            FROM told o JOIN baselines b ON b.service = o.service AND b.operation = o.operation WHERE o.micros IS NOT NULL
        )
        SELECT j.event_id::text, j.service, j.operation, j.micros / 1000::double precision, j.expected, j.sigma,
               CASE WHEN j.sigma > 5 THEN 'Critical' WHEN j.sigma > 3 THEN 'Warning' ELSE 'Minor' END,
               CASE WHEN j.micros / 1000::double precision > j.expected THEN 'slow' ELSE 'fast' END, j.n
        FROM judged j WHERE j.sigma > 1.5 ORDER BY j."timestamp", j.event_id;
END
$anomalies$;

COMMENT ON FUNCTION raceway.anomalies(text, text) IS
    'Events of a trace whose durations, in milliseconds, are far from those of the same service and operation in all other traces (at least '
    '5 of them): by more than 1.5 (Minor), 3 (Warning) or 5 (Critical) sigma. method: robust (by median and median deviation of the '
    'logarithms) or deviation (by mean and standard deviation; where that is 0, by more than a fifth, a sigma for each tenth). '
    'The others are as of the last refresh_analysis().';

-- Services and times.

CREATE FUNCTION raceway.service_calls(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (from_service text, to_service text, link text, calls bigint, traces bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $calls$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT nullif(c.from_service, ''), nullif(c.to_service, ''), c.link, sum(c.calls)::bigint, count(DISTINCT c.trace_id)
        FROM raceway.trace_calls_kept c JOIN raceway.trace_analyses a ON a.trace_id = c.trace_id
        WHERE (since IS NULL OR a.end_time >= since AT TIME ZONE 'UTC') AND (until IS NULL OR a.end_time < until AT TIME ZONE 'UTC')
        GROUP BY c.from_service, c.to_service, c.link ORDER BY c.from_service, c.to_service, c.link;
END
$calls$;

COMMENT ON FUNCTION raceway.service_calls(timestamptz, timestamptz) IS
    'Which service calls which, in all traces or those that ended in a window; NULL is a caller that is not stored. As of the last refresh_analysis().';

CREATE FUNCTION raceway.hot_variables(how_many integer DEFAULT 20)
RETURNS TABLE (variable text, accesses bigint, writes bigint, traces bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $hot$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT t.variable, t.reads + t.writes + t.atomic_reads + t.atomic_writes, t.writes + t.atomic_writes, t.traces
        FROM raceway.variable_totals t ORDER BY 2 DESC, 1 LIMIT how_many;
END
$hot$;

COMMENT ON FUNCTION raceway.hot_variables(integer) IS 'The variables that are accessed most, in all traces. As of the last refresh_analysis().';

CREATE FUNCTION raceway.hot_calls(how_many integer DEFAULT 20)
RETURNS TABLE (from_service text, to_service text, link text, calls bigint, traces bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $hot$
BEGIN
    RETURN QUERY SELECT c.* FROM raceway.service_calls(NULL::timestamptz, NULL::timestamptz) c ORDER BY c.calls DESC, c.from_service, c.to_service, c.link LIMIT how_many;
END
$hot$;

COMMENT ON FUNCTION raceway.hot_calls(integer) IS 'The calls from service to service that are made most, in all traces. As of the last refresh_analysis().';

CREATE FUNCTION raceway.latency_percentiles(
    fractions double precision[] DEFAULT '{0.5, 0.9, 0.95, 0.99}', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, service text DEFAULT NULL
)
RETURNS TABLE (fraction double precision, ms double precision, traces bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $latency$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH found AS (
            SELECT percentile_disc(fractions) WITHIN GROUP (ORDER BY t.end_time - t.start_time) AS latencies, count(*) AS traces
            FROM raceway.traces t
            WHERE t.start_time IS NOT NULL AND ($4 IS NULL OR t.service_name = $4)
              AND (since IS NULL OR t.end_time >= since AT TIME ZONE 'UTC') AND (until IS NULL OR t.end_time < until AT TIME ZONE 'UTC')
        )
        SELECT u.fraction, (extract(epoch FROM u.latency) * 1000)::double precision, f.traces
        FROM found f, unnest(fractions, f.latencies) u (fraction, latency) WHERE f.traces > 0 ORDER BY 1;
END
$latency$;

COMMENT ON FUNCTION raceway.latency_percentiles(double precision[], timestamptz, timestamptz, text) IS
    'How long traces took from their first event to their last, in milliseconds: of all, or those that ended in a window, or began in a '
    'service. Each is a value that occurred (nearest rank), asked of traces itself.';

CREATE FUNCTION raceway.performance(since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (service text, kind text, operation text, events bigint, durations bigint, mean_ms double precision, p50_ms double precision,
               p95_ms double precision, p99_ms double precision)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $performance$
#variable_conflict use_column
BEGIN
    IF since IS NULL AND until IS NULL THEN
        RETURN QUERY
            SELECT nullif(t.service, ''), t.kind, t.operation, t.events, t.durations, b.mean, b.median, b.p95, b.p99
            FROM raceway.duration_totals t LEFT JOIN raceway.duration_baseline(NULL::text, NULL::text, NULL::text) b ON b.service = t.service AND b.operation = t.operation
            ORDER BY t.service, t.kind, t.operation;
        RETURN;
    END IF;
    RETURN QUERY
        WITH chosen AS MATERIALIZED (
            SELECT d.* FROM raceway.trace_analyses a JOIN raceway.trace_durations d ON d.trace_id = a.trace_id
            WHERE (since IS NULL OR a.end_time >= since AT TIME ZONE 'UTC') AND (until IS NULL OR a.end_time < until AT TIME ZONE 'UTC')
        ), quantiles AS (
            SELECT c.service, c.kind, c.operation, percentile_disc('{0.5, 0.95, 0.99}'::double precision[]) WITHIN GROUP (ORDER BY u.bucket) AS buckets
            FROM chosen c, unnest(c.buckets) u (bucket) GROUP BY 1, 2, 3
        )
        SELECT nullif(s.service, ''), s.kind, s.operation, s.events::bigint, s.durations::bigint, (s.sum_micros / nullif(s.durations, 0) / 1000)::double precision,
               raceway.bucket_ms(q.buckets[1]), raceway.bucket_ms(q.buckets[2]), raceway.bucket_ms(q.buckets[3])
        FROM (SELECT c.service, c.kind, c.operation, sum(c.events) AS events, sum(c.durations) AS durations, sum(c.sum_micros) AS sum_micros
              FROM chosen c GROUP BY 1, 2, 3) s
        LEFT JOIN quantiles q ON q.service = s.service AND q.kind = s.kind AND q.operation = s.operation
        ORDER BY s.service, s.kind, s.operation;
END
$performance$;

COMMENT ON FUNCTION raceway.performance(timestamptz, timestamptz) IS
    'What each service did in all traces, or those that ended in a window, by kind and operation_of(): events, and of those that tell a '
    'duration the mean exactly and percentiles within 1 %, in milliseconds. As of the last refresh_analysis().';

-- ingest: the write path.

CREATE FUNCTION raceway.read_bodies(bodies bytea[]) RETURNS TABLE (
    body integer, index integer, event_id text, trace_id text, kind text, at timestamp, duration_ms real, location text,
    vector_clock jsonb, metadata jsonb, reason text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    texts text[];
    value jsonb;
    of    integer := cardinality(bodies);
BEGIN
    FOR number IN 1..of LOOP
        texts := raceway.events_in(bodies[number], CASE WHEN of > 1 THEN format('It is body %s of %s.', number, of) ELSE '' END);
        FOR place IN 1..cardinality(texts) LOOP
            body := number;
            index := place - 1;
            reason := NULL;
            value := NULL;
            BEGIN
                IF json_typeof(texts[place]::json) <> 'object' THEN
                    PERFORM raceway.reject_event('the event is not an object');
                END IF;
                value := raceway.event_value(texts[place]);
                SELECT e.* INTO event_id, trace_id, kind, at, duration_ms, location, vector_clock, metadata FROM raceway.read_event(value) e;
            EXCEPTION WHEN SQLSTATE 'RW001' THEN
                reason := sqlerrm;
                event_id := left(CASE WHEN value IS NULL THEN raceway.id_in(texts[place])
                                      WHEN jsonb_typeof(value -> 'event_id') = 'string' THEN value ->> 'event_id'
                                      WHEN jsonb_typeof(value -> 'id') = 'string' THEN value ->> 'id' ELSE '' END, 255);
            END;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$read$;

COMMENT ON FUNCTION raceway.read_bodies(bytea[]) IS
    'part of ingest(): the events of bodies as rows, in their order; what cannot be kept has a reason';

CREATE FUNCTION raceway.ingest(bodies bytea[], OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ingest$
DECLARE
    count     constant integer := cardinality(bodies);
    -- What the extension has as raceway.max_body_bytes, which here anybody could set; and the rejections of a body that are told.
    most_bytes constant integer := 67108864;
    most_told  constant integer := 1000;
    size      integer;
    -- Of each event in each body, as it was sent.
    body_of   integer[];
    index_of  integer[];
    ids       text[];
    traces    text[];
    kinds     text[];
    times     timestamp[];
    durations real[];
    locations text[];
    clocks    jsonb[];
    metadata  jsonb[];
    reasons   text[];
    -- Which of them are offered to the tables, and what became of those that were not stored.
    offered   integer[];
    places    integer[];
    under     text[];
    refusals  text[];
    -- Those that say something else than the first of their event, and are offered after it.
    others    integer[];
BEGIN
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'events are stored only in a database with the encoding UTF8' USING ERRCODE = 'feature_not_supported',
            HINT = 'Create the database WITH ENCODING ''UTF8'' TEMPLATE template0.';
    ELSIF array_position(bodies, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a body is NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT max(octet_length(b)) INTO size FROM unnest(bodies) b;
    IF size > most_bytes THEN
        RAISE EXCEPTION 'the body has % bytes; here % are allowed', size, most_bytes USING ERRCODE = 'program_limit_exceeded',
            HINT = 'Send its events in several bodies.';
    END IF;
    SELECT array_agg(r.body), array_agg(r.index), array_agg(r.event_id), array_agg(r.trace_id), array_agg(r.kind), array_agg(r.at),
           array_agg(r.duration_ms), array_agg(r.location), array_agg(r.vector_clock), array_agg(r.metadata), array_agg(r.reason)
    INTO body_of, index_of, ids, traces, kinds, times, durations, locations, clocks, metadata, reasons
    FROM raceway.read_bodies(ARRAY(SELECT unnest(bodies))) r;

    offered := ARRAY(
        SELECT min(s.n)::integer FROM unnest(ids, times, reasons) WITH ORDINALITY s (id, at, reason, n)
        WHERE s.reason IS NULL GROUP BY s.id, s.at ORDER BY s.id COLLATE "C", min(s.n));
    SELECT array_agg(o.place), array_agg(o.standing), array_agg(o.refusal) INTO places, under, refusals
    FROM raceway.ingest_rows(
        ARRAY(SELECT ids[n] FROM unnest(offered) n), ARRAY(SELECT traces[n] FROM unnest(offered) n),
        ARRAY(SELECT kinds[n] FROM unnest(offered) n), ARRAY(SELECT times[n] FROM unnest(offered) n),
        ARRAY(SELECT durations[n] FROM unnest(offered) n), ARRAY(SELECT locations[n] FROM unnest(offered) n),
        ARRAY(SELECT clocks[n] FROM unnest(offered) n), ARRAY(SELECT metadata[n] FROM unnest(offered) n)) o;

    others := ARRAY(
        WITH sendings AS (
            SELECT s.*, min(s.n) OVER (PARTITION BY s.id, s.at) AS first
            FROM unnest(ids, traces, times) WITH ORDINALITY s (id, trace_id, at, n) WHERE reasons[s.n] IS NULL
        ), outcomes AS (
            SELECT f.n, coalesce(u.standing, CASE WHEN u.place IS NULL THEN traces[f.n] END) AS trace_id
            FROM unnest(offered) WITH ORDINALITY f (n, place) LEFT JOIN unnest(places, under) u (place, standing) USING (place)
        )
        SELECT s.n::integer FROM sendings s JOIN outcomes o ON o.n = s.first
        WHERE s.n <> s.first AND s.trace_id = o.trace_id
          AND (s.trace_id, kinds[s.n], durations[s.n], locations[s.n], clocks[s.n], metadata[s.n])
              IS DISTINCT FROM (traces[s.first], kinds[s.first], durations[s.first], locations[s.first], clocks[s.first], metadata[s.first])
        ORDER BY s.id COLLATE "C", s.n);
    SELECT places || array_agg(o.place + cardinality(offered)), under || array_agg(o.standing), refusals || array_agg(o.refusal)
    INTO places, under, refusals
    FROM raceway.ingest_rows(
        ARRAY(SELECT ids[n] FROM unnest(others) n), ARRAY(SELECT traces[n] FROM unnest(others) n),
        ARRAY(SELECT kinds[n] FROM unnest(others) n), ARRAY(SELECT times[n] FROM unnest(others) n),
        ARRAY(SELECT durations[n] FROM unnest(others) n), ARRAY(SELECT locations[n] FROM unnest(others) n),
        ARRAY(SELECT clocks[n] FROM unnest(others) n), ARRAY(SELECT metadata[n] FROM unnest(others) n)) o;
    offered := offered || others;

    RETURN QUERY
        WITH outcomes AS (
            SELECT f.n, u.place IS NULL AS is_stored, coalesce(u.standing, traces[f.n]) AS trace_id, u.refusal, u.standing IS NULL AS is_refused
            FROM unnest(offered) WITH ORDINALITY f (n, place) LEFT JOIN unnest(places, under, refusals) u (place, standing, refusal) USING (place)
        ), sendings AS (
            SELECT s.*, coalesce(o.n, min(s.n) OVER (PARTITION BY s.id, s.at, s.reason IS NULL)) AS offered_as
            FROM unnest(body_of, index_of, ids, traces, times, reasons) WITH ORDINALITY s (body, index, id, trace_id, at, reason, n)
            LEFT JOIN unnest(others) o (n) ON o.n = s.n
        ), judged AS (
            SELECT s.body, s.index, s.id, o.is_stored AND s.n = s.offered_as AS is_new,
                   CASE WHEN s.reason IS NOT NULL THEN s.reason
                        WHEN NOT o.is_stored AND o.is_refused THEN o.refusal
                        WHEN s.trace_id <> o.trace_id THEN 'event_id is already stored under trace ' || o.trace_id
                        ELSE o.refusal END AS reason
            FROM sendings s LEFT JOIN outcomes o ON o.n = s.offered_as
        ), rejections AS (
            SELECT j.body, j.index, j.id, j.reason, row_number() OVER (PARTITION BY j.body ORDER BY j.index) AS place
            FROM judged j WHERE j.reason IS NOT NULL
        ), told AS (
            SELECT r.body, jsonb_agg(jsonb_build_object('index', r.index, 'id', r.id, 'reason', r.reason) ORDER BY r.index)
                               FILTER (WHERE r.place <= most_told) AS some,
                   CASE WHEN count(*) > most_told THEN jsonb_build_object(
                       'index', max(r.index) FILTER (WHERE r.place <= most_told), 'id', '',
                       'reason', format('%s more events behind it are rejected', count(*) - most_told),
                       'more', count(*) - most_told) END AS others
            FROM rejections r GROUP BY r.body
        )
        SELECT count(*) FILTER (WHERE j.reason IS NULL AND j.is_new), count(*) FILTER (WHERE j.reason IS NULL AND NOT j.is_new),
               coalesce((SELECT CASE WHEN t.others IS NULL THEN t.some ELSE t.some || t.others END FROM told t WHERE t.body = b), '[]'),
               'portable'
        FROM generate_series(1, count) b JOIN judged j ON j.body = b
        GROUP BY b ORDER BY b;
END
$ingest$;

CREATE FUNCTION raceway.ingest(batch bytea, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ingest$
BEGIN
    SELECT i.stored, i.duplicates, i.rejected, i.ingest_way INTO stored, duplicates, rejected, ingest_way
    FROM raceway.ingest(ARRAY[batch]) i;
END
$ingest$;

CREATE FUNCTION raceway.ingest(events jsonb, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ingest$
BEGIN
    SELECT i.stored, i.duplicates, i.rejected, i.ingest_way INTO stored, duplicates, rejected, ingest_way
    FROM raceway.ingest(ARRAY[convert_to(events::text, 'UTF8')]) i;
END
$ingest$;

-- Events as columns, for whoever has read the bodies already: a server in front of a database that cannot load a library.
-- The portable edition stores everything by this.

CREATE FUNCTION raceway.blames_an_event(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog."left"(state, 2) OPERATOR(pg_catalog.<>) ALL (ARRAY['08', '0A', '25', '26', '3D', '3F', '40', '42', '53', '55', '57', '58', 'XX']);

COMMENT ON FUNCTION raceway.blames_an_event(text) IS
    'part of ingest_rows(): whether an error speaks of the events themselves, so that without one of them the others may pass';

CREATE FUNCTION raceway.events_are_partitioned() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $partitioned$
BEGIN
    RETURN EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass('raceway.events') AND c.relkind = 'p');
END
$partitioned$;

COMMENT ON FUNCTION raceway.events_are_partitioned() IS 'part of ingest_rows(): whether the key of events holds the time, too';

CREATE FUNCTION raceway.name_services(trace_ids text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $services$
BEGIN
    -- The earliest event names the service; of several at the same microsecond, the one with the smallest id. The trace's
    -- row is locked by this transaction, so whoever adds an event next looks after us.
    UPDATE raceway.traces t
    SET service_name = (SELECT raceway.service_of(e.metadata::jsonb) FROM raceway.events e
                        WHERE e.trace_id = t.trace_id AND e."timestamp" = t.start_time ORDER BY e.event_id LIMIT 1)
    WHERE t.trace_id = ANY (trace_ids);
END
$services$;

COMMENT ON FUNCTION raceway.name_services(text[]) IS 'part of ingest_rows(): has the earliest event of each trace name its service';

-- In both of these: events first, by id, then traces, by id, so that two batches wait for each other in one direction
-- only. The foreign key is checked when the statement ends. A batch whose earliest event is as early as what was there
-- names the trace for another look at whose event is the first.

CREATE FUNCTION raceway.insert_new_rows(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[]
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $insert$
DECLARE
    stored bigint;
    tied   text[];
BEGIN
    WITH stored AS (
        INSERT INTO raceway.events (event_id, trace_id, kind, "timestamp", duration_ms, location, vector_clock, metadata)
        SELECT unnest(event_ids), unnest(trace_ids), unnest(kinds), unnest(times), unnest(durations), unnest(locations),
               unnest(vector_clocks), unnest(insert_new_rows.metadata)
        RETURNING 1
    ), sent AS (
        SELECT m.event_id, m.trace_id, m.at, CASE jsonb_typeof(m.metadata -> 'service_name') WHEN 'string' THEN left(m.metadata ->> 'service_name', 255) END AS service_name
        FROM (SELECT unnest(event_ids) AS event_id, unnest(trace_ids) AS trace_id, unnest(times) AS at, unnest(insert_new_rows.metadata) AS metadata) m
        OFFSET 0  -- so that what is sorted next is narrow
    ), grown AS MATERIALIZED (
        SELECT s.trace_id, min(s.at) AS start_time, max(s.at) AS end_time, count(*)::integer AS event_count,
               (array_agg(s.service_name ORDER BY s.at, s.event_id COLLATE "C"))[1] AS service_name
        FROM sent s GROUP BY s.trace_id
    ), counted AS (
        INSERT INTO raceway.traces AS t (trace_id, service_name, start_time, end_time, event_count)
        SELECT g.trace_id, g.service_name, g.start_time, g.end_time, g.event_count FROM grown g ORDER BY g.trace_id COLLATE "C"
        ON CONFLICT (trace_id) DO UPDATE SET
            event_count = coalesce(t.event_count, 0) + excluded.event_count,
            start_time = least(t.start_time, excluded.start_time),
            end_time = greatest(t.end_time, excluded.end_time),
            service_name = CASE WHEN t.start_time <= excluded.start_time THEN t.service_name ELSE excluded.service_name END
        RETURNING t.trace_id, t.start_time, t.event_count
    )
    SELECT (SELECT count(*) FROM stored),
           (SELECT array_agg(c.trace_id) FROM counted c JOIN grown g ON g.trace_id = c.trace_id
            WHERE c.start_time = g.start_time AND c.event_count > g.event_count)
    INTO stored, tied;
    IF tied IS NOT NULL THEN
        PERFORM raceway.name_services(tied);
    END IF;
    RETURN stored;
END
$insert$;

COMMENT ON FUNCTION raceway.insert_new_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): stores events of which none stands; answers how many there are now';

CREATE FUNCTION raceway.insert_missing_rows(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[], OUT stored_ids text[], OUT stored_times timestamp[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
AS $insert$
DECLARE
    tied text[];
BEGIN
    WITH stored AS (
        INSERT INTO raceway.events AS e (event_id, trace_id, kind, "timestamp", duration_ms, location, vector_clock, metadata)
        SELECT unnest(event_ids), unnest(trace_ids), unnest(kinds), unnest(times), unnest(durations), unnest(locations),
               unnest(vector_clocks), unnest(insert_missing_rows.metadata)
        ON CONFLICT DO NOTHING
        RETURNING e.event_id, e.trace_id, e."timestamp" AS at, raceway.service_of(e.metadata::jsonb) AS service_name
    ), grown AS MATERIALIZED (
        SELECT s.trace_id, min(s.at) AS start_time, max(s.at) AS end_time, count(*)::integer AS event_count,
               (array_agg(s.service_name ORDER BY s.at, s.event_id COLLATE "C"))[1] AS service_name
        FROM stored s GROUP BY s.trace_id
    ), counted AS (
        INSERT INTO raceway.traces AS t (trace_id, service_name, start_time, end_time, event_count)
        SELECT g.trace_id, g.service_name, g.start_time, g.end_time, g.event_count FROM grown g ORDER BY g.trace_id COLLATE "C"
        ON CONFLICT (trace_id) DO UPDATE SET
            event_count = coalesce(t.event_count, 0) + excluded.event_count,
            start_time = least(t.start_time, excluded.start_time),
            end_time = greatest(t.end_time, excluded.end_time),
            service_name = CASE WHEN t.start_time <= excluded.start_time THEN t.service_name ELSE excluded.service_name END
        RETURNING t.trace_id, t.start_time, t.event_count
    )
    SELECT (SELECT array_agg(s.event_id::text) FROM stored s), (SELECT array_agg(s.at) FROM stored s),
           (SELECT array_agg(c.trace_id) FROM counted c JOIN grown g ON g.trace_id = c.trace_id
            WHERE c.start_time = g.start_time AND c.event_count > g.event_count)
    INTO stored_ids, stored_times, tied;
    stored_ids := coalesce(stored_ids, '{}');
    stored_times := coalesce(stored_times, '{}');
    IF tied IS NOT NULL THEN
        PERFORM raceway.name_services(tied);
    END IF;
END
$insert$;

COMMENT ON FUNCTION raceway.insert_missing_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): stores those of the events that do not stand; answers which';

CREATE FUNCTION raceway.standing_rows(event_ids text[], times timestamp[]) RETURNS TABLE (place integer, trace_id text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $standing$
DECLARE
    by_time boolean := raceway.events_are_partitioned();
BEGIN
    RETURN QUERY
        SELECT s.n::integer, e.trace_id::text
        FROM unnest(event_ids, times) WITH ORDINALITY s (event_id, at, n)
        JOIN raceway.events e ON e.event_id = s.event_id AND (NOT by_time OR e."timestamp" = s.at);
END
$standing$;

COMMENT ON FUNCTION raceway.standing_rows(text[], timestamp[]) IS
    'part of ingest_rows(): which of the events stand already, and under which trace';

CREATE FUNCTION raceway.standing_contents(
    event_ids text[], times timestamp[], kinds text[], durations real[], locations text[], vector_clocks jsonb[], metadata jsonb[]
) RETURNS TABLE (place integer, trace_id text, other_contents text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $standing$
DECLARE
    by_time   boolean := raceway.events_are_partitioned();
    differing text;
BEGIN
    -- What is compared: columns that hold what is sent, and that the caller may read. A trigger or a rule may make another
    -- row of what is sent. A jsonb that is equal takes as much but for the scale of its numbers: what takes much more is not
    -- unpacked, so that many small sendings of a large event cost no more than large ones.
    SELECT string_agg(format('CASE WHEN %s THEN %L END', replace(k.differs, '@', quote_ident(k.name)), k.name), ', ' ORDER BY k.n)
    INTO differing
    FROM pg_class c
    CROSS JOIN (VALUES
        (1, 'kind', 50, 'e.@::text COLLATE "C" IS DISTINCT FROM s.@'), (2, 'timestamp', NULL, 'e.@ IS DISTINCT FROM s.@'),
        (3, 'duration_ms', NULL, 'e.@ IS DISTINCT FROM s.@'), (4, 'location', 500, 'e.@::text COLLATE "C" IS DISTINCT FROM s.@'),
        (5, 'vector_clock', NULL, 'pg_column_size(e.@) > 2 * pg_column_size(s.@) + 64 OR e.@ IS DISTINCT FROM s.@'),
        (6, 'metadata', NULL, 'pg_column_size(e.@) > 2 * pg_column_size(s.@) + 64 OR e.@ IS DISTINCT FROM s.@')
    ) AS k (n, name, width, differs)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name AND a.attgenerated = ''
    WHERE c.oid = to_regclass('raceway.events') AND c.relkind IN ('r', 'p') AND NOT c.relhasrules
      AND has_column_privilege(c.oid, a.attnum, 'SELECT')
      AND CASE WHEN k.width IS NOT NULL THEN a.atttypid IN ('varchar'::regtype, 'text'::regtype) AND NOT a.atttypmod BETWEEN 0 AND k.width + 3
               WHEN k.name = 'timestamp' THEN a.atttypid = 'timestamp'::regtype AND a.atttypmod = -1
               WHEN k.name = 'duration_ms' THEN a.atttypid = 'real'::regtype
               ELSE a.atttypid = 'jsonb'::regtype END
      AND NOT EXISTS (  -- before INSERT, for each row
          SELECT FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgtype & 7 = 7
              AND t.tgrelid IN (SELECT c.oid UNION ALL SELECT p.relid FROM pg_partition_tree(c.oid) p));
    RETURN QUERY EXECUTE format($query$
        SELECT s.n::integer, coalesce(e.trace_id::text, ''), 'event_id is already stored with other contents: ' || nullif(concat_ws(', ', %s), '')
        FROM unnest($1, $2, $3, $4, $5, $6, $7)
             WITH ORDINALITY s (event_id, "timestamp", kind, duration_ms, location, vector_clock, metadata, n)
        JOIN raceway.events e ON e.event_id = s.event_id %s$query$,
        coalesce(differing, 'NULL'), CASE WHEN by_time THEN 'AND e."timestamp" = s."timestamp"' END)
    USING event_ids, times, kinds, durations, locations, vector_clocks, standing_contents.metadata;
END
$standing$;

COMMENT ON FUNCTION raceway.standing_contents(text[], timestamp[], text[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): which of the events stand already, under which trace, and why what is sent is no duplicate: where '
    'columns differ, as far as they are what migrate() makes and the caller may read them';

CREATE FUNCTION raceway.try_rows(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[], is_last_try boolean DEFAULT false
) RETURNS TABLE (place integer, standing text, other_contents text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $offer$
DECLARE
    by_time boolean := raceway.events_are_partitioned();
    stored  record;
    missing integer[];
    found   integer[];
    under   text[];
    others  text[];
    lost    integer[];
BEGIN
    stored := raceway.insert_missing_rows(event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, try_rows.metadata);
    IF cardinality(stored.stored_ids) = cardinality(event_ids) THEN
        RETURN;
    END IF;
    -- From here on the columns are those of the missing ones.
    SELECT array_agg(s.n::integer), array_agg(s.event_id), array_agg(s.trace_id), array_agg(s.kind), array_agg(s.at),
           array_agg(s.duration_ms), array_agg(s.location), array_agg(s.vector_clock), array_agg(s.metadata)
    INTO missing, event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, metadata
    FROM (SELECT * FROM unnest(event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, try_rows.metadata)
                        WITH ORDINALITY s (event_id, trace_id, kind, at, duration_ms, location, vector_clock, metadata, n)
          WHERE NOT EXISTS (SELECT FROM unnest(stored.stored_ids, stored.stored_times) g (event_id, at)
                            WHERE g.event_id = s.event_id AND (NOT by_time OR g.at = s.at))
          ORDER BY s.n) s;
    SELECT array_agg(f.place), array_agg(f.trace_id), array_agg(f.other_contents) INTO found, under, others
    FROM raceway.standing_contents(event_ids, times, kinds, durations, locations, vector_clocks, try_rows.metadata) f;
    RETURN QUERY
        SELECT missing[u.place], u.standing, u.other_contents FROM unnest(found, under, others) u (place, standing, other_contents);

    lost := ARRAY(SELECT generate_subscripts(missing, 1) EXCEPT SELECT unnest(found) ORDER BY 1);
    IF is_last_try THEN
        RETURN QUERY SELECT missing[l], NULL::text, NULL::text FROM unnest(lost) l;
    ELSIF cardinality(lost) > 0 THEN
        -- Who is neither stored nor found was in the way and is gone since: the second try stores it, unless the table
        -- itself keeps it out.
        RETURN QUERY
            SELECT missing[lost[o.place]], o.standing, o.other_contents
            FROM raceway.try_rows(
                ARRAY(SELECT event_ids[l] FROM unnest(lost) l), ARRAY(SELECT trace_ids[l] FROM unnest(lost) l),
                ARRAY(SELECT kinds[l] FROM unnest(lost) l), ARRAY(SELECT times[l] FROM unnest(lost) l),
                ARRAY(SELECT durations[l] FROM unnest(lost) l), ARRAY(SELECT locations[l] FROM unnest(lost) l),
                ARRAY(SELECT vector_clocks[l] FROM unnest(lost) l), ARRAY(SELECT try_rows.metadata[l] FROM unnest(lost) l), true) o;
    END IF;
END
$offer$;

COMMENT ON FUNCTION raceway.try_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[], boolean) IS
    'part of ingest_rows(): stores those of the events that do not stand; a row for each other one, with what standing_contents() says';

CREATE FUNCTION raceway.offer_parts(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[]
) RETURNS TABLE (place integer, standing text, refusal text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $parts$
DECLARE
    -- The parts still to be offered, each from and to, the next one last: what is refused comes back as its halves.
    parts  integer[] := ARRAY[1, cardinality(event_ids)];
    first  integer;
    last   integer;
    middle integer;
BEGIN
    WHILE cardinality(parts) > 0 LOOP
        first := parts[cardinality(parts) - 1];
        last := parts[cardinality(parts)];
        parts := parts[1:cardinality(parts) - 2];
        BEGIN
            RETURN QUERY
                SELECT first - 1 + o.place, o.standing,
                       CASE WHEN o.standing IS NULL THEN 'a rule, a trigger or row security of the table keeps it out' ELSE o.other_contents END
                FROM raceway.try_rows(
                    event_ids[first:last], trace_ids[first:last], kinds[first:last], times[first:last], durations[first:last],
                    locations[first:last], vector_clocks[first:last], offer_parts.metadata[first:last]) o;
        EXCEPTION WHEN OTHERS THEN
            IF NOT raceway.blames_an_event(sqlstate) THEN
                RAISE;
            ELSIF first = last THEN
                RETURN QUERY SELECT first, NULL::text, 'the database refuses it: ' || sqlerrm;
            ELSE
                middle := first + (last - first) / 2;
                parts := parts || ARRAY[middle + 1, last, first, middle];
            END IF;
        END;
    END LOOP;
END
$parts$;

COMMENT ON FUNCTION raceway.offer_parts(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): the same, and what the database refuses is split until the refused events stand alone';

CREATE FUNCTION raceway.ingest_rows(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[]
) RETURNS TABLE (place integer, standing text, refusal text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $ingest$
DECLARE
    size constant integer := cardinality(event_ids);
    by_time   boolean := raceway.events_are_partitioned();
    is_stored boolean := false;
    firsts    integer[];
    offered   integer[];
    places    integer[];
    standing_under text[];
    refusals  text[];
BEGIN
    IF size = 0 THEN
        RETURN;
    END IF;
    -- What was sent before is mostly sent again as a whole; else it is quicker not to look first. An attempt that fails
    -- leaves dead rows.
    IF NOT EXISTS (SELECT FROM raceway.standing_rows(ARRAY[event_ids[1], event_ids[(size + 1) / 2], event_ids[size]],
                                                     ARRAY[times[1], times[(size + 1) / 2], times[size]])) THEN
        BEGIN
            IF raceway.insert_new_rows(event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, ingest_rows.metadata) <> size THEN
                RAISE EXCEPTION 'the table keeps events out' USING ERRCODE = 'RW002';
            END IF;
            is_stored := true;
        EXCEPTION WHEN OTHERS THEN
            IF NOT raceway.blames_an_event(sqlstate) THEN
                RAISE;
            END IF;
        END;
    END IF;
    IF is_stored THEN
        RETURN;
    END IF;
    -- Of what comes several times, which is of one id with several times where the key knows no time, the first is offered.
    firsts := ARRAY(
        SELECT min(s.n) OVER (PARTITION BY s.event_id, CASE WHEN by_time THEN s.at END)
        FROM unnest(event_ids, times) WITH ORDINALITY s (event_id, at, n) ORDER BY s.n);
    offered := ARRAY(SELECT f.n FROM unnest(firsts) WITH ORDINALITY f (first, n) WHERE f.first = f.n ORDER BY f.n);
    IF cardinality(offered) = size THEN
        RETURN QUERY SELECT o.place, o.standing, o.refusal FROM raceway.offer_parts(
            event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, ingest_rows.metadata) o;
        RETURN;
    END IF;
    SELECT array_agg(offered[o.place]), array_agg(o.standing), array_agg(o.refusal) INTO places, standing_under, refusals
    FROM (SELECT array_agg(s.event_id) AS event_ids, array_agg(s.trace_id) AS trace_ids, array_agg(s.kind) AS kinds,
                 array_agg(s.at) AS times, array_agg(s.duration_ms) AS durations, array_agg(s.location) AS locations,
                 array_agg(s.vector_clock) AS vector_clocks, array_agg(s.metadata) AS metadata
          FROM (SELECT * FROM unnest(event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, ingest_rows.metadata, firsts)
                              WITH ORDINALITY s (event_id, trace_id, kind, at, duration_ms, location, vector_clock, metadata, first, n)
                WHERE s.first = s.n ORDER BY s.n) s) g,
         LATERAL raceway.offer_parts(g.event_ids, g.trace_ids, g.kinds, g.times, g.durations, g.locations, g.vector_clocks, g.metadata) o;
    RETURN QUERY SELECT u.place, u.standing, u.refusal FROM unnest(places, standing_under, refusals) u (place, standing, refusal);
    -- Where it was refused, the others are, too; else they are compared with what stands now.
    RETURN QUERY
        WITH others AS (
            SELECT f.n, t.trace_id, u.place IS NOT NULL AND u.standing IS NULL AS is_refused, u.standing, u.refusal
            FROM unnest(firsts) WITH ORDINALITY f (first, n)
            JOIN unnest(trace_ids) WITH ORDINALITY t (trace_id, n) ON t.n = f.first
            LEFT JOIN unnest(places, standing_under, refusals) u (place, standing, refusal) ON u.place = f.first
            WHERE f.first <> f.n
        )
        SELECT o.n::integer, CASE WHEN NOT o.is_refused THEN coalesce(c.trace_id, o.standing, o.trace_id) END,
               CASE WHEN o.is_refused THEN o.refusal ELSE c.other_contents END
        FROM others o LEFT JOIN raceway.standing_contents(
            event_ids, times, kinds, durations, locations, vector_clocks, ingest_rows.metadata) c ON c.place = o.n;
END
$ingest$;

COMMENT ON FUNCTION raceway.ingest_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'Stores events that are given as columns, by ascending id (as COLLATE "C" has it), so that batches wait for each other in '
    'one direction only; those of one id in the order in which they were sent. A row for each event that was not stored: its place, from 1, and either the '
    'trace that its id stands under already, or the reason why the database refuses it; both where it stands there with other contents.';

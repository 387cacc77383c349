-- From 0.1.0 to 0.2.0. Cleaning up no longer switches off what protects the tables; what is internal is for the owner of
-- the database and whoever brings the code; ingest tells at most 1000 rejections of a body by name.

DROP FUNCTION raceway.offer_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[], boolean);
DROP FUNCTION raceway.sweep_traces(timestamp);
DROP FUNCTION raceway.sweep_ahead(timestamp, regclass[]);
DROP FUNCTION raceway.delete_ended_traces(timestamp);

COMMENT ON FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_merge_agg(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_merge_agg(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_meet_agg(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_meet_agg(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_running_final(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): the result';

COMMENT ON FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, to be sent';

COMMENT ON FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, as received';

COMMENT ON FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'part of vclock_frontier(): takes one clock in';

COMMENT ON FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) IS
  'part of vclock_frontier(): takes in what another worker has gathered';

COMMENT ON FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) IS
  'part of vclock_frontier(): the result';

COMMENT ON FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, to be sent';

COMMENT ON FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'part of vclock_frontier(): what a worker has gathered, as received';

COMMENT ON FUNCTION raceway.ingest(bytea) IS
    'Stores the events of one body as POST /events takes it, in either wire format, or of spans (OTLP in protobuf or JSON, the JSON of '
    'Jaeger and Zipkin), which become events. What is there already is counted as '
    'a duplicate where it says the same; what says something else, as far as the caller may read it, and what cannot be kept '
    'is named in rejected, an array of {index, id, reason}: the first 1000, and behind them one '
    'that counts the others as "more". ingest_way says how it was written. A body has 64 MB at most, or raceway.max_body_bytes.';

COMMENT ON FUNCTION raceway.blames_an_event(text) IS
    'part of ingest_rows(): whether an error speaks of the events themselves, so that without one of them the others may pass';

COMMENT ON FUNCTION raceway.events_are_partitioned() IS 'part of ingest_rows(): whether the key of events holds the time, too';

CREATE OR REPLACE FUNCTION raceway.name_services(trace_ids text[]) RETURNS void
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

COMMENT ON FUNCTION raceway.insert_new_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'part of ingest_rows(): stores events of which none stands; answers how many there are now';

CREATE OR REPLACE FUNCTION raceway.insert_missing_rows(
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

CREATE OR REPLACE FUNCTION raceway.offer_parts(
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

CREATE OR REPLACE FUNCTION raceway.ingest_rows(
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

CREATE FUNCTION raceway.give_to_owner(made regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $give$
BEGIN
    EXECUTE format('ALTER TABLE %s OWNER TO %I', made,
                   (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = 'raceway.events'::regclass));
END
$give$;

COMMENT ON FUNCTION raceway.give_to_owner(regclass) IS
    'internal to the layout for growth: a table that is to hold events belongs to the owner of events, whoever has made it';

CREATE OR REPLACE FUNCTION raceway.make_partitions(first timestamp, last timestamp) RETURNS integer
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $make$
DECLARE
    most         constant integer := 1000;
    partition_by text := (SELECT l.partition_by FROM raceway.layout l);
    length       interval := raceway.partition_interval(partition_by);
    missing      timestamp[];
    lower_bound  timestamp;
    name         text;
BEGIN
    IF length IS NULL THEN
        RAISE EXCEPTION 'raceway.events is not partitioned' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'A new installation is partitioned by SELECT raceway.migrate(partition_by => ''day'');';
    END IF;
    IF NOT isfinite(first) OR NOT isfinite(last) OR last >= first + most * length THEN
        RAISE EXCEPTION 'from % to % it would be more than % partitions', first, last, most
            USING ERRCODE = 'program_limit_exceeded', HINT = 'What no partition takes, events_default keeps.';
    END IF;
    -- One at a time, and not beside a migration: the same key.
    PERFORM pg_advisory_xact_lock(32195226876993913);

    missing := ARRAY(SELECT l FROM generate_series(date_trunc(partition_by, first), last, length) l
                     WHERE to_regclass(format('raceway.%I', raceway.partition_name(l))) IS NULL);
    FOREACH lower_bound IN ARRAY missing LOOP
        name := raceway.partition_name(lower_bound);
        EXECUTE format('CREATE TABLE raceway.%I (LIKE raceway.events INCLUDING ALL)', name);
        PERFORM raceway.give_to_owner(format('raceway.%I', name)::regclass);
        -- What came before its partition stands in the default one, and moves.
        PERFORM raceway.move_from_default(name, lower_bound, lower_bound + length);
    END LOOP;
    IF cardinality(missing) > 0 AND NOT raceway.lock_tables('attach') THEN
        RAISE EXCEPTION 'events_default is in use' USING ERRCODE = 'lock_not_available',
            HINT = 'Try again when no long query reads it.';
    END IF;
    FOREACH lower_bound IN ARRAY missing LOOP
        name := raceway.partition_name(lower_bound);
        PERFORM raceway.move_from_default(name, lower_bound, lower_bound + length);  -- what came meanwhile
        EXECUTE format('ALTER TABLE raceway.events ATTACH PARTITION raceway.%I FOR VALUES FROM (%L) TO (%L)',
                       name, lower_bound, lower_bound + length);
    END LOOP;
    RETURN cardinality(missing);
END
$make$;

CREATE FUNCTION raceway.drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS 'MODULE_PATHNAME', 'raceway_drop_with_traces';

COMMENT ON FUNCTION raceway.drop_with_traces(regclass[], timestamp) IS
    'internal to drop_partitions(): drops these partitions, all of whose events are before a time, with the traces that ended '
    'before it and that no other event refers to; an error where they are in use. Events of traces that go on are kept';

CREATE OR REPLACE FUNCTION raceway.delete_ended_from_default(before timestamp) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ended$
BEGIN
    DELETE FROM raceway.events_default e
    WHERE e."timestamp" < before AND e.trace_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM raceway.traces t WHERE t.trace_id = e.trace_id);
END
$ended$;

COMMENT ON FUNCTION raceway.delete_ended_from_default(timestamp) IS
    'internal to drop_partitions(): removes the events before a time that no partition of their own took, of traces that are gone';

CREATE FUNCTION raceway.traces_going_on(ends timestamp) RETURNS varchar[]
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $on$
BEGIN
    RETURN ARRAY(SELECT t.trace_id FROM raceway.traces t
                 WHERE coalesce(t.start_time < ends, true) AND (coalesce(t.end_time >= ends, true) OR EXISTS (
                     SELECT FROM raceway.events e WHERE e.trace_id = t.trace_id AND e."timestamp" >= ends)));
END
$on$;

COMMENT ON FUNCTION raceway.traces_going_on(timestamp) IS
    'internal to drop_partitions(): the traces that began before a time and did not end before it, whatever their roll-ups say';

CREATE FUNCTION raceway.drop_with_traces_by_sql(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $drop$
DECLARE
    kept varchar[];
BEGIN
    -- Until the tables are locked any trace may go on.
    IF (SELECT count(*) FROM pg_locks l
        WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.relation IN ('raceway.events'::regclass, 'raceway.traces'::regclass)) < 2 THEN
        RAISE EXCEPTION 'events and traces are not locked by this transaction' USING ERRCODE = 'lock_not_available',
            HINT = 'Use raceway.cleanup(), which drops partitions with their traces.';
    END IF;
    kept := raceway.traces_going_on(ends);
    PERFORM raceway.take_expired_events(e.partition, kept) FROM unnest(expired) e (partition);
    WITH gone AS (
        DELETE FROM raceway.traces t
        WHERE t.end_time < ends AND t.trace_id <> ALL (kept) AND NOT EXISTS (
            SELECT FROM raceway.events e WHERE e.trace_id = t.trace_id
            AND (e."timestamp" >= ends OR e.tableoid <> 'raceway.events_default'::regclass))
        RETURNING t.event_count
    )
    SELECT count(*), coalesce(sum(g.event_count), 0) INTO traces, events FROM gone g;
    PERFORM raceway.delete_ended_from_default(ends);
END
$drop$;

COMMENT ON FUNCTION raceway.drop_with_traces_by_sql(regclass[], timestamp) IS
    'internal to drop_partitions(): drops these partitions with the traces that ended before a time, each with all that hangs on '
    'it; needs the tables locked exclusively';

CREATE FUNCTION raceway.try_drop_with_traces(expired regclass[], ends timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    SELECT d.* INTO traces, events FROM raceway.drop_with_traces(expired, ends) d;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    traces := NULL;
    events := NULL;
END
$try$;

COMMENT ON FUNCTION raceway.try_drop_with_traces(regclass[], timestamp) IS
    'internal to drop_partitions(): drop_with_traces(), or NULL where others are in its way';

CREATE OR REPLACE FUNCTION raceway.drop_partitions(
    before timestamp, OUT partitions bigint, OUT traces bigint, OUT events bigint, OUT bytes bigint
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $drop$
DECLARE
    expired regclass[];
    ends    timestamp;
BEGIN
    IF NOT raceway.keep_vacuum_off() THEN
        RETURN;
    END IF;
    -- Another session may have been faster.
    SELECT count(*), array_agg(p.partition), max(p.upper_bound), coalesce(sum(pg_total_relation_size(p.partition)), 0)
    INTO partitions, expired, ends, bytes
    FROM raceway.event_partitions() p WHERE p.upper_bound <= before;
    IF partitions = 0 THEN
        traces := 0; events := 0;
        RETURN;
    END IF;
    IF NOT raceway.keep_vacuum_off(expired) THEN
        partitions := NULL;
        RETURN;
    END IF;
    SELECT d.* INTO traces, events FROM raceway.try_drop_with_traces(expired, ends) d;
    -- Who adds to such old traces goes first.
    IF traces IS NULL AND raceway.lock_tables('swap') THEN
        SELECT d.* INTO traces, events FROM raceway.try_drop_with_traces(expired, ends) d;
    END IF;
    IF traces IS NULL THEN
        partitions := NULL;
    END IF;
END
$drop$;

CREATE OR REPLACE FUNCTION raceway.partition_drop_steps(before timestamp) RETURNS SETOF timestamp
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $steps$
DECLARE
    -- Where traces cannot be removed while others write, nobody writes while that many go.
    most_traces     constant integer := 100000;
    most_partitions constant integer := 20;
    bounds          timestamp[] := ARRAY(SELECT p.upper_bound FROM raceway.event_partitions() p WHERE p.upper_bound <= before ORDER BY 1);
    ending          record;
    ends            timestamp;
    partitions      integer := 0;
    traces          bigint := 0;
BEGIN
    IF cardinality(bounds) = 0 THEN
        RETURN;
    END IF;
    FOR ending IN
        SELECT b.bound, coalesce(c.traces, 0) AS traces
        FROM unnest(bounds) WITH ORDINALITY b (bound, place) LEFT JOIN (
            SELECT width_bucket(t.end_time, bounds) + 1 AS place, count(*) AS traces
            FROM raceway.traces t WHERE t.end_time < before GROUP BY 1) c USING (place)
        ORDER BY b.place
    LOOP
        IF partitions = most_partitions OR (partitions > 0 AND traces + ending.traces > most_traces) THEN
            RETURN NEXT ends;
            partitions := 0;
            traces := 0;
        END IF;
        ends := ending.bound;
        partitions := partitions + 1;
        traces := traces + ending.traces;
    END LOOP;
    RETURN NEXT ends;
END
$steps$;

CREATE OR REPLACE PROCEDURE raceway.cleanup_partitions(run bigint, before timestamp)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    steps timestamp[];
    ends  timestamp;
    gone  pg_catalog.record;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    steps := ARRAY(SELECT s FROM raceway.partition_drop_steps(before) s);
    FOREACH ends IN ARRAY steps LOOP
        -- Who has looked at the tables is in the way of who locks them; and a snapshot from before they are locked would
        -- miss what came until then.
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM raceway.begin_cleanup_step();
        SELECT d.* INTO gone FROM raceway.drop_partitions(ends) d;
        IF gone.partitions IS NULL THEN
            -- The next ones hold later events of the same traces.
            RAISE NOTICE 'cleanup: the partitions up to % are in use and stay for now, with what is later', ends;
            EXIT;
        END IF;
        CONTINUE WHEN gone.partitions = 0;
        PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.bytes);
        RAISE NOTICE 'cleanup: dropped % partitions up to %, with % traces', gone.partitions, ends, gone.traces;
    END LOOP;
    COMMIT;  -- with the locks of the last step
END
$cleanup$;

CREATE OR REPLACE FUNCTION raceway.begin_cleanup_step() RETURNS void
LANGUAGE plpgsql VOLATILE
AS $step$
BEGIN
    -- A procedure that commits can have no SET clause, so each of its transactions begins with this; until then names are
    -- looked up where the caller's search_path says, and so are those of its declarations: they name their schema. A crash
    -- that undoes the last of the transactions does no harm: they are done again.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    PERFORM pg_catalog.set_config('jit', 'off', true);
END
$step$;

CREATE OR REPLACE PROCEDURE raceway.cleanup_rows(
    run bigint, before timestamp, max_traces bigint, max_bytes bigint, batch_size integer, by_time text
)
LANGUAGE plpgsql
AS $rows$
DECLARE
    size    pg_catalog.record;
    victim  pg_catalog.record;
    gone    pg_catalog.record;
    ids     varchar[];
    ages    timestamp[];
    events  bigint;
    chosen  bigint;
    removed bigint;
    total   bigint := 0;
    told_at pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    began   pg_catalog.timestamptz;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    SELECT b.* INTO size FROM raceway.row_bytes() b;
    LOOP
        ids := '{}'; ages := '{}'; events := 0; chosen := 0; removed := 0;
        FOR victim IN
            SELECT v.*, row_number() OVER () = count(*) OVER () AS is_last
            FROM raceway.traces_to_clean(before, max_traces, max_bytes, by_time) v
        LOOP
            chosen := chosen + 1;
            ids := ids || victim.trace_id;
            ages := ages || victim.age;
            events := events + victim.events;
            CONTINUE WHEN events < batch_size AND cardinality(ids) < batch_size AND NOT victim.is_last;

            began := clock_timestamp();
            SELECT r.* INTO gone FROM raceway.remove_traces(ids, ages, by_time) r;
            PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.traces * size.trace + gone.events * size.event);
            COMMIT;
            PERFORM raceway.begin_cleanup_step();
            removed := removed + gone.traces;
            total := total + gone.traces;
            ids := '{}'; ages := '{}'; events := 0;
            -- Half of the time belongs to those who write.
            PERFORM pg_sleep(least(extract(epoch FROM clock_timestamp() - began), 0.1));
            IF clock_timestamp() > told_at + interval '5 s' THEN
                told_at := clock_timestamp();
                RAISE NOTICE 'cleanup: % traces so far', total;
            END IF;
        END LOOP;
        -- Again for what others held, as long as that helps; what they hold on to is theirs.
        EXIT WHEN removed = 0 OR removed = chosen;
    END LOOP;
END
$rows$;

CREATE OR REPLACE PROCEDURE raceway.cleanup(
    older_than interval DEFAULT NULL, max_traces bigint DEFAULT NULL, max_bytes bigint DEFAULT NULL,
    batch_size integer DEFAULT 1000, dry_run boolean DEFAULT false, by text DEFAULT NULL,
    INOUT traces_removed bigint DEFAULT NULL, INOUT events_removed bigint DEFAULT NULL, INOUT bytes_removed bigint DEFAULT NULL
)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    partition_by pg_catalog.text;
    by_time      pg_catalog.text;
    before       timestamp;
    rule         pg_catalog.text;
    run          bigint;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'cleanup: this is a standby, its primary cleans up';
        RETURN;
    END IF;
    SELECT l.partition_by INTO partition_by FROM raceway.layout l;
    by_time := coalesce(by, CASE partition_by WHEN 'none' THEN 'created_at' ELSE 'end_time' END);
    rule := raceway.cleanup_rule(older_than, max_traces, max_bytes, batch_size, by_time);
    before := (now() AT TIME ZONE 'UTC') - older_than;

    IF dry_run THEN
        run := raceway.begin_cleanup_run(rule || ', dry run');
        PERFORM raceway.note_cleanup(run, count(*), coalesce(sum(v.events), 0)::bigint, coalesce(sum(v.bytes), 0))
        FROM raceway.traces_to_clean(before, max_traces, max_bytes, by_time) v;
    ELSE
        run := raceway.begin_cleanup_run(rule);
        COMMIT;
        PERFORM raceway.begin_cleanup_step();
        IF partition_by <> 'none' AND by_time = 'end_time' AND older_than IS NOT NULL THEN
            CALL raceway.cleanup_partitions(run, before);
            PERFORM raceway.begin_cleanup_step();
            -- A partition goes when its last day is old enough; what stands in the default one goes with its day.
            before := date_trunc(partition_by, before);
        END IF;
        CALL raceway.cleanup_rows(run, before, max_traces, max_bytes, batch_size, by_time);
        PERFORM raceway.begin_cleanup_step();
    END IF;

    UPDATE raceway.cleanup_runs r
    SET outcome = CASE WHEN dry_run THEN 'dry run' ELSE 'done' END, ended_at = clock_timestamp() AT TIME ZONE 'UTC'
    WHERE r.run_id = run
    RETURNING r.traces, r.events, r.bytes INTO traces_removed, events_removed, bytes_removed;
    RAISE NOTICE 'cleanup: % % traces with % events, about %', CASE WHEN dry_run THEN 'would remove' ELSE 'removed' END,
        traces_removed, events_removed, pg_size_pretty(bytes_removed);
END
$cleanup$;

CREATE OR REPLACE FUNCTION raceway.user_indexes_of_events() RETURNS TABLE (name name, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $indexes$
    -- What follows the name, by its length: it may hold anything, what looks like the rest of a definition too.
    SELECT c.relname, substr(pg_get_indexdef(c.oid), length(format('CREATE INDEX %I ON %I.%I ', c.relname, 'raceway', 'events')) + 1)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass('raceway.events') AND NOT i.indisunique AND NOT i.indisexclusion
$indexes$;

COMMENT ON FUNCTION raceway.user_indexes_of_events() IS
    'internal to repartition(): the indexes of events that are made anew, and how; check_nothing_is_lost() refuses the others';

CREATE FUNCTION raceway.check_nothing_is_lost() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    events   constant regclass := 'raceway.events';
    copy     constant regclass := to_regclass('raceway.events_new');
    obstacle text;
BEGIN
    SELECT string_agg(o.what, '; ' ORDER BY o.what) INTO obstacle FROM (
        SELECT format('the view or rule %s reads it', r.ev_class::regclass) AS what
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = events
        UNION
        SELECT format('the index %s %s', i.indexrelid::regclass, CASE WHEN i.indisunique THEN 'is unique' ELSE 'excludes rows' END) FROM pg_index i
        WHERE i.indrelid = events AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary
        UNION
        SELECT format('the index raceway.%I came after the copy was begun', i.name) FROM raceway.user_indexes_of_events() i
        WHERE copy IS NOT NULL AND to_regclass(format('raceway.%I', 'new_' || i.name)) IS NULL
        UNION
        SELECT format('it has the constraint %I', c.conname) FROM pg_constraint c
        WHERE c.conrelid = events AND (c.contype = 'c' OR c.contype = 'f' AND c.confrelid <> 'raceway.traces'::regclass)
        UNION
        SELECT format('the column %I is generated', a.attname) FROM pg_attribute a
        WHERE a.attrelid = events AND (a.attgenerated <> '' OR a.attidentity <> '') AND NOT a.attisdropped
        UNION
        SELECT format('it has the trigger %I', t.tgname) FROM pg_trigger t
        WHERE t.tgrelid = events AND NOT t.tgisinternal AND t.tgname NOT LIKE 'raceway\_follow\_%'
        UNION
        SELECT format('%s refers to it', c.conrelid::regclass) FROM pg_constraint c
        WHERE c.confrelid = events
        UNION
        SELECT format('the publication %I names it', p.pubname)
        FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid WHERE m.prrelid = events
        UNION
        SELECT 'it has row security' FROM pg_class c WHERE c.oid = events AND c.relrowsecurity
    ) o;
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'another table cannot take the place of raceway.events: %', obstacle
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Remove these, and bring them back afterwards.';
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_nothing_is_lost() IS
    'internal to repartition(): an error where events has what its copy in partitions would not have';

CREATE OR REPLACE FUNCTION raceway.check_repartition(partition_by text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $check$
BEGIN
    IF partition_by IS NULL OR partition_by NOT IN ('day', 'week', 'month') THEN
        RAISE EXCEPTION 'events cannot be partitioned by "%"', coalesce(partition_by, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose day, week or month.';
    END IF;
    IF (SELECT l.partition_by FROM raceway.layout l) <> 'none' THEN
        RAISE EXCEPTION 'events is partitioned already' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF to_regclass('raceway.events_new') IS NOT NULL
       AND obj_description(to_regclass('raceway.events_new'), 'pg_class') IS DISTINCT FROM 'repartition by ' || partition_by THEN
        RAISE EXCEPTION 'raceway.events_new is there, and is not from a repartition by %', partition_by
            USING ERRCODE = 'duplicate_table', HINT = 'SELECT raceway.cancel_repartition(); gives up an earlier one.';
    END IF;
    PERFORM raceway.check_nothing_is_lost();
    IF EXISTS (SELECT FROM raceway.events e WHERE e."timestamp" IS NULL) THEN
        RAISE EXCEPTION 'another table cannot take the place of raceway.events: there are events without a timestamp'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give them one, or remove them.';
    END IF;
END
$check$;

CREATE OR REPLACE FUNCTION raceway.make_events_new(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $make$
DECLARE
    length    interval := raceway.partition_interval(partition_by);
    lower     timestamp;
    last      timestamp := (now() AT TIME ZONE 'UTC') + 7 * length;
    made      record;
BEGIN
    CREATE TABLE raceway.events_new (LIKE raceway.events INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE INCLUDING COMPRESSION)
        PARTITION BY RANGE ("timestamp");
    EXECUTE format('COMMENT ON TABLE raceway.events_new IS %L', 'repartition by ' || partition_by);
    ALTER TABLE raceway.events_new ADD CONSTRAINT events_new_pkey PRIMARY KEY (event_id, "timestamp");
    FOR made IN SELECT i.* FROM raceway.user_indexes_of_events() i LOOP
        EXECUTE format('CREATE INDEX %I ON raceway.events_new %s', 'new_' || made.name, made.definition);
    END LOOP;
    -- Times far back share the default partition.
    SELECT date_trunc(partition_by, greatest(coalesce(min(e."timestamp"), last - 8 * length), last - 500 * length))
    INTO lower FROM raceway.events e;
    CREATE TABLE raceway.events_default PARTITION OF raceway.events_new DEFAULT;
    WHILE lower <= last LOOP
        EXECUTE format('CREATE TABLE raceway.%I PARTITION OF raceway.events_new FOR VALUES FROM (%L) TO (%L)',
                       raceway.partition_name(lower), lower, lower + length);
        lower := lower + length;
    END LOOP;
    PERFORM raceway.give_to_owner(t.relid) FROM pg_partition_tree('raceway.events_new') t;
    -- Who writes events writes the copies, too.
    FOR made IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role, a.privilege_type, a.is_grantable
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'raceway.events'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON raceway.events_new TO %s%s', made.privilege_type, made.role,
                       CASE WHEN made.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$make$;

CREATE OR REPLACE FUNCTION raceway.end_repartition(partition_by text) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $end$
DECLARE
    index_name  name;
    index_names name[];
BEGIN
    IF NOT raceway.lock_tables('swap', going => ARRAY['raceway.events']::regclass[]) THEN
        RETURN false;
    END IF;
    PERFORM raceway.check_nothing_is_lost();  -- of what came while it was copied
    SELECT coalesce(array_agg(i.name), '{}') INTO index_names FROM raceway.user_indexes_of_events() i;
    DROP TABLE raceway.events;
    ALTER TABLE raceway.events_new RENAME TO events;
    ALTER TABLE raceway.events RENAME CONSTRAINT events_new_pkey TO events_pkey;
    ALTER TABLE raceway.events RENAME CONSTRAINT events_new_trace_id_fkey TO events_trace_id_fkey;
    FOREACH index_name IN ARRAY index_names LOOP
        EXECUTE format('ALTER INDEX IF EXISTS raceway.%I RENAME TO %I', 'new_' || index_name, index_name);
    END LOOP;
    PERFORM raceway.note_partitioned(partition_by);
    RETURN true;
END
$end$;

CREATE OR REPLACE PROCEDURE raceway.repartition(partition_by text)
LANGUAGE plpgsql
AS $repartition$
DECLARE
    pages_at_once constant bigint := 128;
    pages   bigint;
    copied  bigint := 0;
    told_at pg_catalog.timestamptz := pg_catalog.clock_timestamp();
BEGIN
    PERFORM raceway.begin_cleanup_step();
    PERFORM raceway.check_repartition(partition_by);
    IF to_regclass('raceway.events_new') IS NULL AND NOT raceway.begin_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available', HINT = 'Try again when no long query reads it.';
    END IF;
    COMMIT;
    PERFORM raceway.begin_cleanup_step();
    pages := pg_relation_size('raceway.events') / current_setting('block_size')::bigint;
    FOR part IN 0..pages / pages_at_once LOOP
        copied := copied + raceway.copy_event_pages(part * pages_at_once, pages_at_once);
        COMMIT;
        PERFORM raceway.begin_cleanup_step();
        IF clock_timestamp() > told_at + interval '5 s' THEN
            told_at := clock_timestamp();
            RAISE NOTICE 'repartition: % events copied, % of % pages', copied, (part + 1) * pages_at_once, pages;
        END IF;
    END LOOP;
    IF NOT raceway.end_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use; its copy is complete and follows it' USING ERRCODE = 'lock_not_available',
            HINT = 'Call it again when no long query reads events.';
    END IF;
    COMMIT;
    ANALYZE raceway.events;
    RAISE NOTICE 'repartition: done, % events copied', copied;
END
$repartition$;

CREATE OR REPLACE FUNCTION raceway.require_cron() RETURNS void
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

CREATE OR REPLACE PROCEDURE raceway.maintain(partitions_ahead integer DEFAULT 7, keep_job_runs interval DEFAULT '7 days')
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

CREATE OR REPLACE FUNCTION raceway.service_volume(since interval DEFAULT '1 day')
RETURNS TABLE (service text, traces bigint, events bigint, bytes numeric, first_event timestamp, last_event timestamp)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $volume$
BEGIN
    RETURN QUERY
        SELECT raceway.service_of(e.metadata::jsonb), count(DISTINCT e.trace_id), count(*), sum(pg_column_size(e.*))::numeric,
               min(e."timestamp"), max(e."timestamp")
        FROM raceway.events e
        WHERE since IS NULL OR e."timestamp" >= (now() AT TIME ZONE 'UTC') - since
        GROUP BY 1 ORDER BY 3 DESC, 1;
END
$volume$;

CREATE FUNCTION raceway.happens_before(trace text, a text, b text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_happens_before';

COMMENT ON FUNCTION raceway.happens_before(text, text, text) IS
    'How event a of a trace stands to event b: before, after, equal or concurrent, by parents, threads, tasks, spans, links and clocks; '
    'vclock_compare() goes by the sent clocks alone. P0002 where there is no such trace or event.';

CREATE FUNCTION raceway.causal_order(trace text)
RETURNS TABLE (place integer, event_id text, strand integer, "position" integer, service text, thread_id text, effective_clock jsonb)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_causal_order';

COMMENT ON FUNCTION raceway.causal_order(text) IS
    'The events of a trace, causes before effects. A strand is a line of events each of which happened before the next: a thread, or '
    'events that name none; position counts within it. effective_clock says how far the event knows each strand, itself included: '
    'a happened before b where b''s clock has at least a''s position for a''s strand.';

CREATE FUNCTION raceway.causal_edges(trace text)
RETURNS TABLE (from_event text, to_event text, reason text, kept boolean)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_causal_edges';

COMMENT ON FUNCTION raceway.causal_edges(text) IS
    'What the order of a trace is made of: from_event was before to_event since it is its parent, the one before in its thread (program), '
    'began its task (spawn), ended what it waits for (await), called it (span), or by the sent clocks (clock, neighbours only). kept is '
    'false where it contradicts what is trusted more.';

CREATE FUNCTION raceway.explain_order(trace text, a text, b text)
RETURNS TABLE (step integer, event_id text, reason text, branch text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_explain_order';

COMMENT ON FUNCTION raceway.explain_order(text, text, text) IS
    'Why two events of a trace are ordered: a shortest chain from the one to the other, each step with the reason of its edge. Where they '
    'are concurrent: the last event that happened before both, if there is any, as step 0, and from there the branches to a and to b.';

CREATE FUNCTION raceway.races(trace text, variable text DEFAULT NULL, classes text[] DEFAULT NULL, max_pairs integer DEFAULT 100)
RETURNS TABLE (variable text, severity text, class text, sharing text, first boolean, event1 text, event2 text,
               location1 text, location2 text, access1 text, access2 text, thread1 text, thread2 text, service1 text, service2 text,
               value1 jsonb, value2 jsonb, clock1 jsonb, clock2 jsonb, last_common text, locks1 text[], locks2 text[], gap interval)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_races';

COMMENT ON FUNCTION raceway.races(text, text, text[], integer) IS
    'Pairs of accesses to one variable, one of them a write, that nothing orders: of a trace or one variable of it, worst first, '
    'max_pairs at most (NULL: all). classes are write-write and read-write unless others are asked for: atomic (both accesses are), '
    'protected (by a common lock), unknown (one has no thread, clock or parent). sharing says what both have in common: process, service, '
    'or only the variable''s name. first is the race of its variable to mend first. values are the new ones, clocks those that were sent; '
    'last_common is the last event that happened before both, gap the time between them.';

CREATE FUNCTION raceway.race_counts(trace text)
RETURNS TABLE (variable text, accesses bigint, writes bigint, atomic_reads bigint, atomic_writes bigint, write_write bigint, read_write bigint, atomic bigint, protected bigint, unknown bigint)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_race_counts';

COMMENT ON FUNCTION raceway.race_counts(text) IS
    'Each variable of a trace: its accesses (writes are all of them, atomic_writes among them), and its unordered pairs by class, exactly, '
    'however many they are. Of the classes see races().';

CREATE FUNCTION raceway.race_sites(trace text)
RETURNS TABLE (variable text, site1 text, access1 text, site2 text, access2 text, pairs bigint, protected bigint, severity text, example1 text, example2 text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_race_sites';

COMMENT ON FUNCTION raceway.race_sites(text) IS
    'Which two places in the program race in a trace, worst first: how many pairs race, how many more a common lock keeps apart, and the '
    'first pair of the worst class. A site is a location, or the function around it where that lies in an SDK; NULL is any beyond the first '
    '64 of a variable, or one that is not told.';

CREATE FUNCTION raceway.audit_trail(trace text, variable text)
RETURNS TABLE (place integer, event_id text, "timestamp" timestamp, service text, thread text, access text, old_value jsonb, new_value jsonb,
               location text, after_previous boolean, races_with_previous boolean, locks text[])
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_audit_trail';

COMMENT ON FUNCTION raceway.audit_trail(text, text) IS
    'The accesses to a variable of a trace one after the other: whether the one before happened before this one or races with it, and the '
    'locks held. place is that of causal_order().';

CREATE FUNCTION raceway.critical_path(trace text, by text DEFAULT 'elapsed')
RETURNS TABLE (step integer, service text, thread text, event_id text, "from" numeric, "to" numeric, ms numeric, reason text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_critical_path';

COMMENT ON FUNCTION raceway.critical_path(text, text) IS
    'Where the time of a trace went, in milliseconds since its earliest start. by => ''elapsed'': who had each instant of the longest '
    'activity that nobody called; event_id is the event that the strand was on its way to, reason how the strand was called. '
    'by => ''durations'': the chain of events, each called by the one before for that reason, whose durations have the largest sum; ms is '
    'the event''s own.';

CREATE FUNCTION raceway.trace_calls(trace text)
RETURNS TABLE (from_service text, to_service text, link text, calls bigint)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_trace_calls';

COMMENT ON FUNCTION raceway.trace_calls(text) IS
    'Calls from service to service in a trace, within one, too: by spans, and by parents of another service. link is HttpCall, '
    'DatabaseQuery or Custom; from_service is NULL where the caller is not stored.';

CREATE FUNCTION raceway.text_in(metadata jsonb, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.jsonb_typeof(metadata OPERATOR(pg_catalog.->) name) OPERATOR(pg_catalog.=) ANY (ARRAY['string', 'number'])
            THEN metadata OPERATOR(pg_catalog.->>) name ELSE '' END;

COMMENT ON FUNCTION raceway.text_in(jsonb, text) IS
    'part of the analysis: a text of an event''s metadata, or a number as text; empty where it is neither';

CREATE FUNCTION raceway.operation_of(kind text, metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
    WHEN 'FunctionCall' THEN 'FunctionCall(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'function_name') OPERATOR(pg_catalog.||) ')'
    WHEN 'StateChange' THEN 'StateChange(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'variable') OPERATOR(pg_catalog.||) ')'
    WHEN 'LockAcquire' THEN 'LockAcquire(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'lock_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'LockRelease' THEN 'LockRelease(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'lock_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'HttpRequest' THEN 'HttpRequest(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'method') OPERATOR(pg_catalog.||) ')'
    WHEN 'HttpResponse' THEN 'HttpResponse(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'status') OPERATOR(pg_catalog.||) ')'
    WHEN 'Error' THEN 'Error(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'error_type') OPERATOR(pg_catalog.||) ')'
    WHEN 'Custom' THEN 'Custom(' OPERATOR(pg_catalog.||) raceway.text_in(metadata, 'name') OPERATOR(pg_catalog.||) ')'
    ELSE coalesce(kind, '') END;

COMMENT ON FUNCTION raceway.operation_of(text, jsonb) IS
    'What an event did, by kind and metadata: FunctionCall(pay), HttpRequest(GET), DatabaseQuery. Durations are compared within a service and an operation.';

CREATE FUNCTION raceway.duration_micros(duration_ms real, metadata jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN (metadata OPERATOR(pg_catalog.->>) 'duration_ns') OPERATOR(pg_catalog.~) '^[0-9]{1,18}$'
    THEN (metadata OPERATOR(pg_catalog.->>) 'duration_ns')::pg_catalog.int8 OPERATOR(pg_catalog./) 1000
    WHEN duration_ms OPERATOR(pg_catalog.>=) 0::real AND duration_ms OPERATOR(pg_catalog.<) 9e12::real
    THEN pg_catalog.floor(pg_catalog.floor(duration_ms::pg_catalog.float8 OPERATOR(pg_catalog.*) 1e6::pg_catalog.float8
                                           OPERATOR(pg_catalog.+) 0.5::pg_catalog.float8)
                          OPERATOR(pg_catalog./) 1000::pg_catalog.float8)::pg_catalog.int8 END;

COMMENT ON FUNCTION raceway.duration_micros(real, jsonb) IS
    'How long an event took, in whole microseconds: by the nanoseconds in its metadata, or else by duration_ms; NULL where it tells none.';

CREATE FUNCTION raceway.duration_bucket(micros bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN micros OPERATOR(pg_catalog.<) 1 THEN -1
            ELSE pg_catalog.floor(pg_catalog.ln(micros::pg_catalog.float8) OPERATOR(pg_catalog./) pg_catalog.ln(1.02::pg_catalog.float8))::pg_catalog.int4 END;

COMMENT ON FUNCTION raceway.duration_bucket(bigint) IS
    'The number of the bucket that a duration in microseconds is counted in, each 2 % wider than the one before; -1 for 0.';

CREATE FUNCTION raceway.bucket_ms(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN bucket OPERATOR(pg_catalog.<) 0 THEN 0::pg_catalog.float8
            ELSE pg_catalog.power(1.02::pg_catalog.float8, bucket::pg_catalog.float8 OPERATOR(pg_catalog.+) 0.5::pg_catalog.float8)
                 OPERATOR(pg_catalog./) 1000::pg_catalog.float8 END;

COMMENT ON FUNCTION raceway.bucket_ms(integer) IS
    'The middle of a bucket of durations, in milliseconds: within 1 % of each duration that is counted in it.';

CREATE FUNCTION raceway.roll_up_name(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 500 THEN name
            ELSE pg_catalog.concat(pg_catalog."left"(name, 100), '... ', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(name, 'UTF8')), 'hex')) END;

COMMENT ON FUNCTION raceway.roll_up_name(text) IS
    'A name as the roll-ups have it: one of more than 500 bytes, which no index could hold, by its first 100 characters and a digest.';

CREATE FUNCTION raceway.stale_traces()
RETURNS TABLE (trace_id varchar, events bigint, gone boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $stale$
BEGIN
    -- One scan of each; events are never changed, so a trace is known by how many it has and when.
    RETURN QUERY
        SELECT coalesce(t.trace_id, a.trace_id), coalesce(t.event_count, 0)::bigint, t.trace_id IS NULL
        FROM raceway.traces t FULL JOIN raceway.trace_analyses a ON a.trace_id = t.trace_id
        WHERE t.trace_id IS NULL OR a.trace_id IS NULL OR t.event_count IS DISTINCT FROM a.event_count
           OR t.start_time IS DISTINCT FROM a.start_time OR t.end_time IS DISTINCT FROM a.end_time;
END
$stale$;

COMMENT ON FUNCTION raceway.stale_traces() IS
    'The traces that came, changed or went since refresh_analysis() saw them, with their events; gone where they are no more.';

CREATE FUNCTION raceway.roll_up_variables(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $variables$
DECLARE
    unused text[];
BEGIN
    WITH old AS (
        DELETE FROM raceway.trace_variables v WHERE v.trace_id = ANY (ids) RETURNING v.*
    ), delta AS (
        SELECT o.variable, count(*) AS traces, sum(o.reads) AS reads, sum(o.writes) AS writes, sum(o.atomic_reads) AS atomic_reads,
               sum(o.atomic_writes) AS atomic_writes, sum(o.write_write) AS write_write, sum(o.read_write) AS read_write,
               sum(o.atomic) AS atomic, sum(o.protected) AS protected, sum(o.unknown) AS unknown,
               sum(o.writes * o.writes) AS own_write_write, sum(o.writes * o.atomic_writes) AS own_write_atomic,
               sum(o.writes * (o.reads + o.atomic_reads) + o.atomic_writes * o.reads) AS own_read_write
        FROM old o GROUP BY o.variable
    ), changed AS (
        UPDATE raceway.variable_totals t
        SET traces = t.traces - d.traces, reads = t.reads - d.reads, writes = t.writes - d.writes,
            atomic_reads = t.atomic_reads - d.atomic_reads, atomic_writes = t.atomic_writes - d.atomic_writes,
            write_write = t.write_write - d.write_write, read_write = t.read_write - d.read_write, atomic = t.atomic - d.atomic,
            protected = t.protected - d.protected, unknown = t.unknown - d.unknown,
            own_write_write = t.own_write_write - d.own_write_write, own_write_atomic = t.own_write_atomic - d.own_write_atomic,
            own_read_write = t.own_read_write - d.own_read_write
        FROM delta d WHERE t.variable = d.variable
        RETURNING t.variable, t.traces
    )
    SELECT array_agg(c.variable) INTO unused FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.variable_totals t WHERE t.variable = ANY (unused);

    WITH new AS (
        INSERT INTO raceway.trace_variables (trace_id, variable, start_time, end_time, reads, writes, atomic_reads, atomic_writes,
            write_write, read_write, atomic, protected, unknown)
        SELECT t.trace_id, raceway.roll_up_name(c.variable), t.start_time, t.end_time,
               sum(c.accesses - c.writes - c.atomic_reads), sum(c.writes - c.atomic_writes), sum(c.atomic_reads), sum(c.atomic_writes),
               sum(c.write_write), sum(c.read_write), sum(c.atomic), sum(c.protected), sum(c.unknown)
        FROM raceway.traces t CROSS JOIN LATERAL raceway.race_counts(t.trace_id::text) c
        WHERE t.trace_id = ANY (known) GROUP BY t.trace_id, 2
        RETURNING *
    )
    INSERT INTO raceway.variable_totals AS t (variable, traces, reads, writes, atomic_reads, atomic_writes, write_write,
        read_write, atomic, protected, unknown, own_write_write, own_write_atomic, own_read_write)
    SELECT n.variable, count(*), sum(n.reads), sum(n.writes), sum(n.atomic_reads), sum(n.atomic_writes), sum(n.write_write),
           sum(n.read_write), sum(n.atomic), sum(n.protected), sum(n.unknown), sum(n.writes * n.writes),
           sum(n.writes * n.atomic_writes), sum(n.writes * (n.reads + n.atomic_reads) + n.atomic_writes * n.reads)
    FROM new n GROUP BY n.variable ORDER BY n.variable
    ON CONFLICT (variable) DO UPDATE
    SET traces = t.traces + excluded.traces, reads = t.reads + excluded.reads, writes = t.writes + excluded.writes,
        atomic_reads = t.atomic_reads + excluded.atomic_reads, atomic_writes = t.atomic_writes + excluded.atomic_writes,
        write_write = t.write_write + excluded.write_write, read_write = t.read_write + excluded.read_write,
        atomic = t.atomic + excluded.atomic, protected = t.protected + excluded.protected, unknown = t.unknown + excluded.unknown,
        own_write_write = t.own_write_write + excluded.own_write_write,
        own_write_atomic = t.own_write_atomic + excluded.own_write_atomic,
        own_read_write = t.own_read_write + excluded.own_read_write;
END
$variables$;

COMMENT ON FUNCTION raceway.roll_up_variables(varchar[], varchar[]) IS 'internal to refresh_analysis(): the accesses and races of these traces';

CREATE FUNCTION raceway.roll_up_durations(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $durations$
DECLARE
    unused_buckets    record;
    unused_operations record;
BEGIN
    WITH old AS (
        SELECT d.service, d.operation, b.bucket, count(*) AS durations
        FROM raceway.trace_durations d, unnest(d.buckets) b (bucket) WHERE d.trace_id = ANY (ids) GROUP BY 1, 2, 3
    ), changed AS (
        UPDATE raceway.duration_buckets b SET durations = b.durations - o.durations
        FROM old o WHERE b.service = o.service AND b.operation = o.operation AND b.bucket = o.bucket
        RETURNING b.service, b.operation, b.bucket, b.durations
    )
    SELECT array_agg(c.service) AS services, array_agg(c.operation) AS operations, array_agg(c.bucket) AS buckets
    INTO unused_buckets FROM changed c WHERE c.durations = 0;
    DELETE FROM raceway.duration_buckets b USING unnest(unused_buckets.services, unused_buckets.operations, unused_buckets.buckets)
        u (service, operation, bucket) WHERE b.service = u.service AND b.operation = u.operation AND b.bucket = u.bucket;

    WITH old AS (
        DELETE FROM raceway.trace_durations d WHERE d.trace_id = ANY (ids) RETURNING d.*
    ), delta AS (
        SELECT o.service, o.kind, o.operation, count(*) AS traces, sum(o.events) AS events, sum(o.durations) AS durations,
               sum(o.sum_micros) AS sum_micros, sum(o.sum_squares) AS sum_squares
        FROM old o GROUP BY 1, 2, 3
    ), changed AS (
        UPDATE raceway.duration_totals t
        SET traces = t.traces - d.traces, events = t.events - d.events, durations = t.durations - d.durations,
            sum_micros = t.sum_micros - d.sum_micros, sum_squares = t.sum_squares - d.sum_squares
        FROM delta d WHERE t.service = d.service AND t.kind = d.kind AND t.operation = d.operation
        RETURNING t.service, t.kind, t.operation, t.traces
    )
    SELECT array_agg(c.service) AS services, array_agg(c.kind) AS kinds, array_agg(c.operation) AS operations
    INTO unused_operations FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.duration_totals t USING unnest(unused_operations.services, unused_operations.kinds, unused_operations.operations)
        u (service, kind, operation) WHERE t.service = u.service AND t.kind = u.kind AND t.operation = u.operation;

    WITH new AS (
        INSERT INTO raceway.trace_durations (trace_id, service, kind, operation, events, last_event, durations, sum_micros, sum_squares, buckets)
        SELECT e.trace_id, raceway.roll_up_name(e.service), e.kind, raceway.roll_up_name(e.operation), e.events, e.last_event,
               e.durations, e.sum_micros, e.sum_squares, e.buckets
        FROM (SELECT e.trace_id, e.service, e.kind, e.operation, count(*) AS events, max(e."timestamp") AS last_event,
                     count(e.micros) AS durations, coalesce(sum(e.micros), 0) AS sum_micros,
                     coalesce(sum(e.micros::numeric * e.micros), 0) AS sum_squares,
                     coalesce(array_agg(raceway.duration_bucket(e.micros)) FILTER (WHERE e.micros IS NOT NULL), '{}') AS buckets
              FROM (SELECT e.trace_id, raceway.text_in(e.metadata, 'service_name') COLLATE "C" AS service, coalesce(e.kind, '') COLLATE "C" AS kind,
                           raceway.operation_of(e.kind::text, e.metadata) COLLATE "C" AS operation, e."timestamp",
                           raceway.duration_micros(e.duration_ms, e.metadata) AS micros
                    FROM raceway.events e WHERE e.trace_id = ANY (known)) e
              GROUP BY 1, 2, 3, 4) e
        RETURNING *
    ), added AS (
        INSERT INTO raceway.duration_buckets AS b (service, operation, bucket, durations)
        SELECT n.service, n.operation, u.bucket, count(*) FROM new n, unnest(n.buckets) u (bucket) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (service, operation, bucket) DO UPDATE SET durations = b.durations + excluded.durations
    )
    INSERT INTO raceway.duration_totals AS t (service, kind, operation, traces, events, durations, sum_micros, sum_squares)
    SELECT n.service, n.kind, n.operation, count(*), sum(n.events), sum(n.durations), sum(n.sum_micros), sum(n.sum_squares)
    FROM new n GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (service, kind, operation) DO UPDATE
    SET traces = t.traces + excluded.traces, events = t.events + excluded.events, durations = t.durations + excluded.durations,
        sum_micros = t.sum_micros + excluded.sum_micros, sum_squares = t.sum_squares + excluded.sum_squares;
END
$durations$;

COMMENT ON FUNCTION raceway.roll_up_durations(varchar[], varchar[]) IS
    'internal to refresh_analysis(): what these traces'' services did, and how long it took';

CREATE FUNCTION raceway.roll_up_services(ids varchar[], known varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $services$
DECLARE
    unused text[];
BEGIN
    WITH old AS (
        DELETE FROM raceway.trace_services s WHERE s.trace_id = ANY (ids) RETURNING s.*
    ), changed AS (
        UPDATE raceway.service_totals t SET traces = t.traces - d.traces, events = t.events - d.events
        FROM (SELECT o.service, count(*) AS traces, sum(o.events) AS events FROM old o GROUP BY 1) d
        WHERE t.service = d.service RETURNING t.service, t.traces
    )
    SELECT array_agg(c.service) INTO unused FROM changed c WHERE c.traces = 0;
    DELETE FROM raceway.service_totals t WHERE t.service = ANY (unused);

    WITH new AS (
        INSERT INTO raceway.trace_services (trace_id, service, events, last_event)
        SELECT d.trace_id, d.service, sum(d.events), max(d.last_event)
        FROM raceway.trace_durations d WHERE d.trace_id = ANY (ids) GROUP BY 1, 2
        RETURNING *
    )
    INSERT INTO raceway.service_totals AS t (service, traces, events)
    SELECT n.service, count(*), sum(n.events) FROM new n GROUP BY 1 ORDER BY 1
    ON CONFLICT (service) DO UPDATE SET traces = t.traces + excluded.traces, events = t.events + excluded.events;

    DELETE FROM raceway.trace_calls_kept c WHERE c.trace_id = ANY (ids);
    INSERT INTO raceway.trace_calls_kept (trace_id, from_service, to_service, link, calls)
    SELECT t.trace_id, raceway.roll_up_name(coalesce(c.from_service, '')), raceway.roll_up_name(coalesce(c.to_service, '')), c.link, sum(c.calls)
    FROM raceway.traces t CROSS JOIN LATERAL raceway.trace_calls(t.trace_id::text) c WHERE t.trace_id = ANY (known) GROUP BY 1, 2, 3, 4;
END
$services$;

COMMENT ON FUNCTION raceway.roll_up_services(varchar[], varchar[]) IS
    'internal to refresh_analysis(): the services of these traces, after roll_up_durations(), and whom they call';

CREATE FUNCTION raceway.roll_up_traces(ids varchar[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $traces$
DECLARE
    known varchar[] := CASE WHEN reason IS NULL THEN ids ELSE '{}' END;
BEGIN
    -- One at a time; the key spells "raceway" and a half.
    PERFORM pg_advisory_xact_lock(32195226876993914);
    -- As they are told of before their events are read: what comes meanwhile makes them stale again.
    DELETE FROM raceway.trace_analyses a WHERE a.trace_id = ANY (ids);
    INSERT INTO raceway.trace_analyses (trace_id, event_count, start_time, end_time, error)
    SELECT t.trace_id, t.event_count, t.start_time, t.end_time, reason FROM raceway.traces t WHERE t.trace_id = ANY (ids);
    PERFORM raceway.roll_up_variables(ids, known);
    PERFORM raceway.roll_up_durations(ids, known);
    PERFORM raceway.roll_up_services(ids, known);
END
$traces$;

COMMENT ON FUNCTION raceway.roll_up_traces(varchar[], text) IS
    'internal to refresh_analysis(): these traces, at once; where there is a reason why they cannot be analysed, nothing is known of them';

CREATE FUNCTION raceway.try_roll_up(ids varchar[]) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    PERFORM raceway.roll_up_traces(ids, NULL::text);
    RETURN NULL;
EXCEPTION WHEN program_limit_exceeded OR data_exception THEN
    -- The trace's own fault: the others go on without it.
    IF cardinality(ids) = 1 THEN
        PERFORM raceway.roll_up_traces(ids, SQLERRM);
    ELSE
        PERFORM raceway.try_roll_up(ARRAY[one.id]) FROM unnest(ids) one (id);
    END IF;
    RETURN NULL;
WHEN OTHERS THEN
    RETURN format('%s (%s)', SQLERRM, SQLSTATE);
END
$try$;

COMMENT ON FUNCTION raceway.try_roll_up(varchar[]) IS
    'internal to refresh_analysis(): these traces but those that cannot be analysed, which are noted; why it ends, where it does';

CREATE PROCEDURE raceway.refresh_analysis(max_traces bigint DEFAULT NULL, INOUT traces_refreshed bigint DEFAULT NULL)
LANGUAGE plpgsql
AS $refresh$
DECLARE
    traces_a_step constant integer := 200;
    events_a_step constant integer := 50000;
    began         timestamp;
    chosen        varchar[];
    sizes         bigint[];
    ids           varchar[] := '{}';
    events        bigint := 0;
    failed        pg_catalog.text;
BEGIN
    PERFORM raceway.begin_cleanup_step();
    IF pg_is_in_recovery() THEN
        RAISE NOTICE 'refresh_analysis: this is a standby, its primary refreshes';
        RETURN;
    END IF;
    IF max_traces < 1 THEN
        RAISE EXCEPTION 'max_traces is %, which is below 1', max_traces USING ERRCODE = 'invalid_parameter_value';
    END IF;
    began := clock_timestamp() AT TIME ZONE 'UTC';
    traces_refreshed := 0;
    SELECT array_agg(s.trace_id), array_agg(s.events) INTO chosen, sizes
    FROM (SELECT s.* FROM raceway.stale_traces() s ORDER BY s.gone DESC, s.trace_id LIMIT max_traces) s;
    COMMIT;
    -- What others write while this one waits for its turn is to be seen.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM raceway.begin_cleanup_step();
    FOR place IN 1 .. coalesce(cardinality(chosen), 0) LOOP
        ids := ids || chosen[place];
        events := events + sizes[place];
        CONTINUE WHEN cardinality(ids) < traces_a_step AND events < events_a_step AND place < cardinality(chosen);
        failed := raceway.try_roll_up(ids);
        IF failed IS NOT NULL THEN
            UPDATE raceway.analysis_run r SET last_run = clock_timestamp() AT TIME ZONE 'UTC', last_error = failed;
            COMMIT;
            RAISE EXCEPTION 'refresh_analysis: %', failed;
        END IF;
        traces_refreshed := traces_refreshed + cardinality(ids);
        ids := '{}'; events := 0;
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        PERFORM raceway.begin_cleanup_step();
    END LOOP;
    UPDATE raceway.analysis_run r
    SET last_run = clock_timestamp() AT TIME ZONE 'UTC', last_error = NULL,
        as_of = CASE WHEN cardinality(chosen) >= max_traces THEN r.as_of ELSE began END;
END
$refresh$;

COMMENT ON PROCEDURE raceway.refresh_analysis(bigint, bigint) IS
    'Brings what is known of all traces up to date, for those that came, changed or went since: at most max_traces of them, some 200 a '
    'commit. May be called by several at once, or be ended at any time. A trace whose analysis needs too much is left out and noted in '
    'trace_analyses; see the view analysis_state.';

CREATE FUNCTION raceway.read_analysis_state()
RETURNS TABLE (pending_traces bigint, failed_traces bigint, as_of timestamp, last_run timestamp, last_error text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $state$
BEGIN
    RETURN QUERY
        SELECT (SELECT count(*) FROM raceway.stale_traces()), (SELECT count(*) FROM raceway.trace_analyses a WHERE a.error IS NOT NULL),
               r.as_of, r.last_run, r.last_error
        FROM raceway.analysis_run r;
END
$state$;

COMMENT ON FUNCTION raceway.read_analysis_state() IS 'The row of the view analysis_state.';

CREATE VIEW raceway.analysis_state AS
SELECT s.pending_traces, s.failed_traces, s.as_of, s.last_run, s.last_error FROM raceway.read_analysis_state() s;

COMMENT ON VIEW raceway.analysis_state IS
    'How up to date the answers about all traces are: the traces that came, changed or went since (counted now, by looking at each), '
    'those that could not be analysed, the moment when none was pending (UTC), the last run of refresh_analysis() and its error.';

GRANT SELECT ON raceway.analysis_state TO PUBLIC;

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

CREATE OR REPLACE FUNCTION raceway.migrate(partition_by text DEFAULT NULL) RETURNS text
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

DO $privileges$
DECLARE
    extension record;
    it        regprocedure;
BEGIN
    -- Who owns the extension, not who upgrades it.
    SELECT e.oid, e.extowner::regrole AS owner INTO extension FROM pg_catalog.pg_extension e
    WHERE e.extname OPERATOR(pg_catalog.=) 'raceway';
    FOR it IN
        SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) p.oid
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::regclass AND d.deptype OPERATOR(pg_catalog.=) 'e'
          AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::regclass
          AND d.refobjid OPERATOR(pg_catalog.=) extension.oid
          AND pg_catalog.obj_description(p.oid, 'pg_proc') OPERATOR(pg_catalog.~~) 'internal%'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', it);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pg_database_owner, %s WITH GRANT OPTION', it, extension.owner);
    END LOOP;
END
$privileges$;

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
    'Stores the events of one body as POST /events takes it, in either wire format. What is there already is counted as '
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
    'How event a of a trace stands to event b: before, after, equal or concurrent, by parents, threads, tasks, spans and clocks; '
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
RETURNS TABLE (variable text, accesses bigint, writes bigint, write_write bigint, read_write bigint, atomic bigint, protected bigint, unknown bigint)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_race_counts';

COMMENT ON FUNCTION raceway.race_counts(text) IS
    'Each variable of a trace: its accesses, and its unordered pairs by class, exactly, however many they are. Of the classes see races().';

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

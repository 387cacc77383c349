-- The extension raceway. Run by CREATE EXTENSION as the bootstrap superuser, on behalf of whoever owns the database:
-- every name is qualified, and nothing that exists already is replaced or taken over.
\echo Use "CREATE EXTENSION raceway" to load this file. \quit

-- What is a vector clock.

CREATE FUNCTION raceway.vclock_valid(clock pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_valid' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_valid(pg_catalog.jsonb) IS
  'whether this is a vector clock: an object whose values are whole numbers from 0 to 2^64-1';

CREATE DOMAIN raceway.vclock AS pg_catalog.jsonb
  CONSTRAINT vclock_valid CHECK (raceway.vclock_valid(VALUE));
COMMENT ON DOMAIN raceway.vclock IS
  'a vector clock: an object that maps components to counters from 0 to 2^64-1; a missing component is 0';

-- The algebra of vector clocks. A missing component is 0; what builds a clock leaves zeros out. What is no clock is an
-- error: 22003 for a number that is no counter, 22023 for anything else.

-- Making clocks.

CREATE FUNCTION raceway.vclock_normalize(clock pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_normalize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_normalize(pg_catalog.jsonb) IS
  'the clock in its shortest form: of an object without its zeros, or of an array of [component, counter] pairs, '
  'where the larger counter of a repeated component stands';

CREATE FUNCTION raceway.vclock_increment(
  clock pg_catalog.jsonb, component pg_catalog.text, by pg_catalog.numeric DEFAULT 1)
  RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_increment' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_increment(pg_catalog.jsonb, pg_catalog.text, pg_catalog.numeric) IS
  'the clock with the counter of one component increased';

CREATE FUNCTION raceway.vclock_merge(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'the larger counter of each component: the least clock that is after or equal to both';

CREATE FUNCTION raceway.vclock_meet(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'the smaller counter of each component: the greatest clock that is before or equal to both';

CREATE FUNCTION raceway.vclock_diff(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_diff' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_diff(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'by how much a is ahead of b in each component where it is; empty if and only if a is before b or equal';

CREATE FUNCTION raceway.vclock_without(clock pg_catalog.jsonb, components pg_catalog.text[]) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_without' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_without(pg_catalog.jsonb, pg_catalog.text[]) IS
  'the clock without the named components';

-- Reading clocks.

CREATE FUNCTION raceway.vclock_get(clock pg_catalog.jsonb, component pg_catalog.text) RETURNS pg_catalog.numeric
  AS 'MODULE_PATHNAME', 'raceway_vclock_get' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_get(pg_catalog.jsonb, pg_catalog.text) IS
  'the counter of one component, 0 where the clock lacks it';

CREATE FUNCTION raceway.vclock_components(clock pg_catalog.jsonb)
  RETURNS TABLE (component pg_catalog.text, counter pg_catalog.numeric)
  AS 'MODULE_PATHNAME', 'raceway_vclock_components' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION raceway.vclock_components(pg_catalog.jsonb) IS
  'the components with a counter above 0, in the order in which jsonb keeps them';

CREATE FUNCTION raceway.vclock_size(clock pg_catalog.jsonb) RETURNS pg_catalog.int4
  AS 'MODULE_PATHNAME', 'raceway_vclock_size' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_size(pg_catalog.jsonb) IS
  'the number of components with a counter above 0';

CREATE FUNCTION raceway.vclock_sum(clock pg_catalog.jsonb) RETURNS pg_catalog.numeric
  AS 'MODULE_PATHNAME', 'raceway_vclock_sum' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_sum(pg_catalog.jsonb) IS
  'the sum of all counters';

-- Comparing clocks: every counter of a <= the one of b and one smaller means that a happened before b.

CREATE FUNCTION raceway.vclock_compare(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.text
  AS 'MODULE_PATHNAME', 'raceway_vclock_compare' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_compare(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'how a stands to b: before, after, equal or concurrent';

CREATE FUNCTION raceway.vclock_happened_before(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_before' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_before(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened before b';

CREATE FUNCTION raceway.vclock_happened_before_or_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_before_or_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_before_or_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened before b or is equal to it';

CREATE FUNCTION raceway.vclock_happened_after(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_after' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_after(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened after b';

CREATE FUNCTION raceway.vclock_happened_after_or_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_happened_after_or_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_happened_after_or_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether a happened after b or is equal to it';

CREATE FUNCTION raceway.vclock_concurrent(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_concurrent' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_concurrent(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether neither happened before the other and they differ';

CREATE FUNCTION raceway.vclock_comparable(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_comparable' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_comparable(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether one happened before the other or they are equal';

CREATE FUNCTION raceway.vclock_equal(a pg_catalog.jsonb, b pg_catalog.jsonb) RETURNS pg_catalog.bool
  AS 'MODULE_PATHNAME', 'raceway_vclock_equal' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_equal(pg_catalog.jsonb, pg_catalog.jsonb) IS
  'whether all counters are equal; a missing component is 0';

-- The order of clocks as operators. It is partial: that a is not before b does not make it after or equal, so none of
-- these negates another. The estimates are constants (one in ten): an estimator that tries the operator on sampled rows
-- would fail the whole query on a row that is no clock, even where another condition leaves that row out.

CREATE OPERATOR raceway.<< (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_before,
  COMMUTATOR = OPERATOR(raceway.>>), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<< (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened before';

CREATE OPERATOR raceway.>> (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_after,
  COMMUTATOR = OPERATOR(raceway.<<), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.>> (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened after';

CREATE OPERATOR raceway.<<= (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_before_or_equal,
  COMMUTATOR = OPERATOR(raceway.>>=), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<<= (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened before or equal';

CREATE OPERATOR raceway.>>= (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_happened_after_or_equal,
  COMMUTATOR = OPERATOR(raceway.<<=), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.>>= (pg_catalog.jsonb, pg_catalog.jsonb) IS 'happened after or equal';

CREATE OPERATOR raceway.<||> (
  LEFTARG = pg_catalog.jsonb, RIGHTARG = pg_catalog.jsonb, FUNCTION = raceway.vclock_concurrent,
  COMMUTATOR = OPERATOR(raceway.<||>), RESTRICT = pg_catalog.positionsel, JOIN = pg_catalog.positionjoinsel);
COMMENT ON OPERATOR raceway.<||> (pg_catalog.jsonb, pg_catalog.jsonb) IS 'concurrent';

-- Aggregates over clocks. A NULL is left out; of no clock at all they are NULL. Parallel workers gather states of their
-- own, which travel as bytea and are combined.

CREATE FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'internal to vclock_merge_agg(): takes one clock in';

CREATE FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_merge_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_merge_combine(pg_catalog.internal, pg_catalog.internal) IS
  'internal to vclock_merge_agg(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'internal to vclock_meet_agg(): takes one clock in';

CREATE FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_meet_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_meet_combine(pg_catalog.internal, pg_catalog.internal) IS
  'internal to vclock_meet_agg(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_running_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_final' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_final(pg_catalog.internal) IS
  'internal to vclock_merge_agg() and vclock_meet_agg(): the result';

CREATE FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_serialize(pg_catalog.internal) IS
  'internal to vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, to be sent';

CREATE FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_running_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_running_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'internal to vclock_merge_agg() and vclock_meet_agg(): what a worker has gathered, as received';

CREATE AGGREGATE raceway.vclock_merge_agg(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_merge_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_running_final,
  COMBINEFUNC = raceway.vclock_merge_combine, SERIALFUNC = raceway.vclock_running_serialize,
  DESERIALFUNC = raceway.vclock_running_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_merge_agg(pg_catalog.jsonb) IS
  'the larger counter of each component over all clocks';

CREATE AGGREGATE raceway.vclock_meet_agg(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_meet_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_running_final,
  COMBINEFUNC = raceway.vclock_meet_combine, SERIALFUNC = raceway.vclock_running_serialize,
  DESERIALFUNC = raceway.vclock_running_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_meet_agg(pg_catalog.jsonb) IS
  'the smaller counter of each component over all clocks';

CREATE FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_row' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_row(pg_catalog.internal, pg_catalog.jsonb) IS
  'internal to vclock_frontier(): takes one clock in';

CREATE FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_combine' LANGUAGE c IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_combine(pg_catalog.internal, pg_catalog.internal) IS
  'internal to vclock_frontier(): takes in what another worker has gathered';

CREATE FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) RETURNS pg_catalog.jsonb[]
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_final' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_final(pg_catalog.internal) IS
  'internal to vclock_frontier(): the result';

CREATE FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_serialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_serialize(pg_catalog.internal) IS
  'internal to vclock_frontier(): what a worker has gathered, to be sent';

CREATE FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME', 'raceway_vclock_frontier_deserialize' LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION raceway.vclock_frontier_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
  'internal to vclock_frontier(): what a worker has gathered, as received';

CREATE AGGREGATE raceway.vclock_frontier(pg_catalog.jsonb) (
  SFUNC = raceway.vclock_frontier_row, STYPE = pg_catalog.internal, FINALFUNC = raceway.vclock_frontier_final,
  COMBINEFUNC = raceway.vclock_frontier_combine, SERIALFUNC = raceway.vclock_frontier_serialize,
  DESERIALFUNC = raceway.vclock_frontier_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE raceway.vclock_frontier(pg_catalog.jsonb) IS
  'the clocks that no other is after, each once; any two of them are concurrent';

-- What service an event belongs to.

CREATE FUNCTION raceway.service_of(metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN pg_catalog.jsonb_typeof(pg_catalog.jsonb_extract_path(metadata, 'service_name')) OPERATOR(pg_catalog.=) 'string'
    THEN pg_catalog."left"(pg_catalog.jsonb_extract_path_text(metadata, 'service_name'), 255)
END;

COMMENT ON FUNCTION raceway.service_of(jsonb) IS
    'The service that an event''s metadata names, as wide as traces.service_name; NULL where it names none.';

-- ingest: the write path.

CREATE FUNCTION raceway.ingest(batch bytea, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_body';

COMMENT ON FUNCTION raceway.ingest(bytea) IS
    'Stores the events of one body as POST /events takes it, in either wire format. What is there already is counted as '
    'a duplicate; what cannot be kept is named in rejected, an array of {index, id, reason}; ingest_way says how it was written.';

CREATE FUNCTION raceway.ingest(events jsonb, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_jsonb';

COMMENT ON FUNCTION raceway.ingest(jsonb) IS
    'Stores events given as jsonb: {"events": [...]}, an array of events, or one event, in either wire format.';

CREATE FUNCTION raceway.ingest(bodies bytea[], OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_bodies';

COMMENT ON FUNCTION raceway.ingest(bytea[]) IS
    'Stores several bodies in one go; one row for each body, in their order.';

-- Events as columns, for whoever has read the bodies already: a server in front of a database that cannot load a library.
-- The portable edition stores everything by this.

CREATE FUNCTION raceway.blames_an_event(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog."left"(state, 2) OPERATOR(pg_catalog.<>) ALL (ARRAY['08', '0A', '25', '26', '3D', '3F', '40', '42', '53', '55', '57', '58', 'XX']);

COMMENT ON FUNCTION raceway.blames_an_event(text) IS
    'internal to ingest_rows(): whether an error speaks of the events themselves, so that without one of them the others may pass';

CREATE FUNCTION raceway.events_are_partitioned() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $partitioned$
BEGIN
    RETURN EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass('raceway.events') AND c.relkind = 'p');
END
$partitioned$;

COMMENT ON FUNCTION raceway.events_are_partitioned() IS 'internal to ingest_rows(): whether the key of events holds the time, too';

CREATE FUNCTION raceway.name_services(trace_ids text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $services$
BEGIN
    -- The earliest event names the service; of several at the same microsecond, the one with the smallest id. The trace's
    -- row is locked by this transaction, so whoever adds an event next looks after us.
    UPDATE raceway.traces t
    SET service_name = (SELECT raceway.service_of(e.metadata) FROM raceway.events e
                        WHERE e.trace_id = t.trace_id AND e."timestamp" = t.start_time ORDER BY e.event_id LIMIT 1)
    WHERE t.trace_id = ANY (trace_ids);
END
$services$;

COMMENT ON FUNCTION raceway.name_services(text[]) IS 'internal to ingest_rows(): has the earliest event of each trace name its service';

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
    'internal to ingest_rows(): stores events of which none stands; answers how many there are now';

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
        RETURNING e.event_id, e.trace_id, e."timestamp" AS at, raceway.service_of(e.metadata) AS service_name
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
    'internal to ingest_rows(): stores those of the events that do not stand; answers which';

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
    'internal to ingest_rows(): which of the events stand already, and under which trace';

CREATE FUNCTION raceway.offer_rows(
    event_ids text[], trace_ids text[], kinds text[], times timestamp[], durations real[], locations text[], vector_clocks jsonb[],
    metadata jsonb[], is_last_try boolean DEFAULT false
) RETURNS TABLE (place integer, standing text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $offer$
DECLARE
    by_time boolean := raceway.events_are_partitioned();
    stored  record;
    missing integer[];
    found   integer[];
    under   text[];
    lost    integer[];
BEGIN
    stored := raceway.insert_missing_rows(event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, offer_rows.metadata);
    IF cardinality(stored.stored_ids) = cardinality(event_ids) THEN
        RETURN;
    END IF;
    missing := ARRAY(
        SELECT s.n::integer FROM unnest(event_ids, times) WITH ORDINALITY s (event_id, at, n)
        WHERE NOT EXISTS (SELECT FROM unnest(stored.stored_ids, stored.stored_times) g (event_id, at)
                          WHERE g.event_id = s.event_id AND (NOT by_time OR g.at = s.at))
        ORDER BY s.n);
    SELECT array_agg(missing[f.place]), array_agg(f.trace_id) INTO found, under
    FROM raceway.standing_rows(ARRAY(SELECT event_ids[m] FROM unnest(missing) m), ARRAY(SELECT times[m] FROM unnest(missing) m)) f;
    RETURN QUERY SELECT u.place, u.standing FROM unnest(found, under) u (place, standing);

    lost := ARRAY(SELECT unnest(missing) EXCEPT SELECT unnest(found) ORDER BY 1);
    IF is_last_try THEN
        RETURN QUERY SELECT l, NULL::text FROM unnest(lost) l;
    ELSIF cardinality(lost) > 0 THEN
        -- Who is neither stored nor found was in the way and is gone since: the second try stores it, unless the table
        -- itself keeps it out.
        RETURN QUERY
            SELECT lost[o.place], o.standing
            FROM raceway.offer_rows(
                ARRAY(SELECT event_ids[l] FROM unnest(lost) l), ARRAY(SELECT trace_ids[l] FROM unnest(lost) l),
                ARRAY(SELECT kinds[l] FROM unnest(lost) l), ARRAY(SELECT times[l] FROM unnest(lost) l),
                ARRAY(SELECT durations[l] FROM unnest(lost) l), ARRAY(SELECT locations[l] FROM unnest(lost) l),
                ARRAY(SELECT vector_clocks[l] FROM unnest(lost) l), ARRAY(SELECT offer_rows.metadata[l] FROM unnest(lost) l), true) o;
    END IF;
END
$offer$;

COMMENT ON FUNCTION raceway.offer_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[], boolean) IS
    'internal to ingest_rows(): stores those of the events that do not stand; a row for each other one, with the trace it stands under';

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
                       CASE WHEN o.standing IS NULL THEN 'a rule, a trigger or row security of the table keeps it out' END
                FROM raceway.offer_rows(
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
    'internal to ingest_rows(): the same, and what the database refuses is split until the refused events stand alone';

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
    -- Of one id with several times, where the key knows no time, the first is offered and speaks for the others.
    firsts := ARRAY(
        SELECT min(s.n) OVER (PARTITION BY s.event_id, CASE WHEN by_time THEN s.at END)
        FROM unnest(event_ids, times) WITH ORDINALITY s (event_id, at, n) ORDER BY s.n);
    offered := ARRAY(SELECT f.n FROM unnest(firsts) WITH ORDINALITY f (first, n) WHERE f.first = f.n ORDER BY f.n);
    IF cardinality(offered) = size THEN
        RETURN QUERY SELECT o.place, o.standing, o.refusal FROM raceway.offer_parts(
            event_ids, trace_ids, kinds, times, durations, locations, vector_clocks, ingest_rows.metadata) o;
        RETURN;
    END IF;
    RETURN QUERY
        WITH answers AS MATERIALIZED (
            SELECT offered[o.place] AS place, o.standing, o.refusal
            FROM raceway.offer_parts(
                ARRAY(SELECT event_ids[n] FROM unnest(offered) n), ARRAY(SELECT trace_ids[n] FROM unnest(offered) n),
                ARRAY(SELECT kinds[n] FROM unnest(offered) n), ARRAY(SELECT times[n] FROM unnest(offered) n),
                ARRAY(SELECT durations[n] FROM unnest(offered) n), ARRAY(SELECT locations[n] FROM unnest(offered) n),
                ARRAY(SELECT vector_clocks[n] FROM unnest(offered) n), ARRAY(SELECT ingest_rows.metadata[n] FROM unnest(offered) n)) o
        )
        SELECT f.n::integer, CASE WHEN a.refusal IS NULL THEN coalesce(a.standing, trace_ids[f.first]) END, a.refusal
        FROM unnest(firsts) WITH ORDINALITY f (first, n) LEFT JOIN answers a ON a.place = f.first
        WHERE a.place IS NOT NULL OR f.n <> f.first;
END
$ingest$;

COMMENT ON FUNCTION raceway.ingest_rows(text[], text[], text[], timestamp[], real[], text[], jsonb[], jsonb[]) IS
    'Stores events that are given as columns, by ascending id (as COLLATE "C" has it), so that batches wait for each other in '
    'one direction only; none twice with the same id and time. A row for each event that was not stored: its place, from 1, and either the trace that its id '
    'stands under already, or the reason why the database refuses it.';

-- How events and traces are locked for a step that nobody else may be in, beside those who read and write all the time.

CREATE FUNCTION raceway.keep_vacuum_off(going regclass[] DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '30s'
AS $off$
DECLARE
    it regclass;
BEGIN
    -- Autovacuum gives way to whoever waits for deadlock_timeout; here that keeps no writer waiting.
    LOCK TABLE raceway.events, raceway.traces IN SHARE UPDATE EXCLUSIVE MODE;
    FOR it IN SELECT c.oid FROM pg_class c WHERE c.oid = ANY (going) AND c.reltoastrelid <> 0 LOOP
        -- It comes to what is stored out of line alone, too. LOCK does not, but this locks that likewise, and changes nothing.
        EXECUTE format('ALTER TABLE %s RESET (toast.log_autovacuum_min_duration)', it);
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$off$;

COMMENT ON FUNCTION raceway.keep_vacuum_off(regclass[]) IS
    'internal: keeps everyone else who moves tables, or cleans them up, off events and traces for this transaction, and off what '
    'the tables that are going store out of line; false if one of them did not end in half a minute';

CREATE FUNCTION raceway.keeps_others_waiting() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $waiting$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)))
$waiting$;

COMMENT ON FUNCTION raceway.keeps_others_waiting() IS 'internal: whether somebody waits for a lock that this session holds';

CREATE FUNCTION raceway.others_on_tables(purpose text) RETURNS text[]
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $others$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT l.virtualtransaction FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND CASE purpose
              WHEN 'swap' THEN l.relation IN (SELECT 'raceway.traces'::regclass UNION SELECT t.relid FROM pg_partition_tree('raceway.events') t
                                              UNION SELECT 'raceway.events'::regclass)
              ELSE l.relation = to_regclass('raceway.events_default')
                   OR (l.relation = 'raceway.traces'::regclass AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')) END);
END
$others$;

COMMENT ON FUNCTION raceway.others_on_tables(text) IS
    'internal: the transactions of others that hold a lock which is in the way of lock_tables()';

CREATE FUNCTION raceway.lock_tables(purpose text, give_way boolean DEFAULT false, going regclass[] DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
-- Whoever comes while we wait for the tables waits behind us: so we never wait for long.
SET lock_timeout = '100ms'
AS $lock$
DECLARE
    tries constant integer := CASE purpose WHEN 'swap' THEN 100 ELSE 40 END;
    long  constant interval := interval '1 s';
    others     text[];
    seen       text[] := '{}';
    seen_long  text[] := '{}';
    seen_at    timestamptz := clock_timestamp();
BEGIN
    IF NOT raceway.keep_vacuum_off(going) THEN
        RETURN false;
    END IF;
    FOR try IN 1..tries LOOP
        others := raceway.others_on_tables(purpose);
        IF clock_timestamp() > seen_at + long THEN
            seen_long := seen;
            seen := others;
            seen_at := clock_timestamp();
        END IF;
        -- Nor do we ask at all where one is on them who takes long.
        IF NOT others && seen_long THEN
            BEGIN
                IF purpose = 'swap' THEN
                    LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE;
                ELSE
                    LOCK TABLE raceway.events_default IN ACCESS EXCLUSIVE MODE;
                    LOCK TABLE raceway.traces IN SHARE ROW EXCLUSIVE MODE;
                END IF;
                RETURN true;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                NULL;  -- the next try
            END;
        END IF;
        EXIT WHEN give_way AND raceway.keeps_others_waiting();
        PERFORM pg_sleep(0.1 + random() * 0.2);
    END LOOP;
    RETURN false;
END
$lock$;

COMMENT ON FUNCTION raceway.lock_tables(text, boolean, regclass[]) IS
    'internal: locks for this transaction what nobody may use meanwhile, without keeping writers waiting for more than a tenth of a '
    'second: to swap, events and traces; to attach a partition, events_default, and traces against writing. False if others did '
    'not let go of them for some time, or, where it is to give way, wait for what this session holds already. Of going see '
    'keep_vacuum_off()';

-- The layout for growth: `events` in partitions by ranges of "timestamp". Its key holds the time, too: a re-sent event
-- carries the same time, so the key still tells it.

CREATE FUNCTION raceway.partition_interval(partition_by text) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE partition_by WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' WHEN 'month' THEN interval '1 month' END;

COMMENT ON FUNCTION raceway.partition_interval(text) IS
    'internal to the layout for growth: how long a partition is; NULL where there are none';

CREATE FUNCTION raceway.partition_name(lower_bound timestamp) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN 'events_' || to_char(lower_bound, 'FMYYYY_MM_DD');

COMMENT ON FUNCTION raceway.partition_name(timestamp) IS
    'internal to the layout for growth: what the partition is called that begins at a time';

CREATE FUNCTION raceway.note_partitioned(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $note$
BEGIN
    COMMENT ON TABLE raceway.events IS 'One row an event, in partitions by time. Times are UTC; vector_clock maps components to counters.';
    COMMENT ON TABLE raceway.events_default IS 'The events of times that have no partition of their own, see raceway.make_partitions().';
    UPDATE raceway.layout l SET partition_by = note_partitioned.partition_by;
END
$note$;

COMMENT ON FUNCTION raceway.note_partitioned(text) IS 'internal to the layout for growth: says that the tables have it now';

CREATE FUNCTION raceway.move_from_default(name text, lower_bound timestamp, upper_bound timestamp) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $move$
BEGIN
    EXECUTE format('WITH moved AS (DELETE FROM raceway.events_default WHERE "timestamp" >= $1 AND "timestamp" < $2 RETURNING *)'
                   ' INSERT INTO raceway.%I SELECT * FROM moved', name)
        USING lower_bound, upper_bound;
END
$move$;

COMMENT ON FUNCTION raceway.move_from_default(text, timestamp, timestamp) IS
    'internal to make_partitions(): moves the events between two times from the default partition to one that is to be';

CREATE FUNCTION raceway.make_partitions(first timestamp, last timestamp) RETURNS integer
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

COMMENT ON FUNCTION raceway.make_partitions(timestamp, timestamp) IS
    'Makes the partitions of events that are missing between two times, and moves into them what stands in the default one; answers '
    'their number. An error where events_default is in use for long.';

CREATE FUNCTION raceway.try_make_partitions(first timestamp, last timestamp) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $try$
BEGIN
    PERFORM raceway.make_partitions(first, last);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RAISE NOTICE 'maintain: %, the partitions from % to % are made another time', SQLERRM, first, last;
    RETURN false;
END
$try$;

COMMENT ON FUNCTION raceway.try_make_partitions(timestamp, timestamp) IS
    'internal to maintain(): make_partitions(), or false where others are in its way';

CREATE FUNCTION raceway.partition_empty_events(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $partition$
BEGIN
    ALTER TABLE raceway.events RENAME TO events_default;
    ALTER TABLE raceway.events_default DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_trace_id_fkey;
    ALTER TABLE raceway.events_default ALTER "timestamp" SET NOT NULL;
    CREATE TABLE raceway.events (LIKE raceway.events_default INCLUDING DEFAULTS INCLUDING COMMENTS)
        PARTITION BY RANGE ("timestamp");
    ALTER TABLE raceway.events ADD PRIMARY KEY (event_id, "timestamp"),
        ADD FOREIGN KEY (trace_id) REFERENCES raceway.traces (trace_id) ON DELETE CASCADE;
    ALTER INDEX raceway.idx_events_trace_id RENAME TO events_default_trace_id_idx;
    ALTER INDEX raceway.idx_events_timestamp RENAME TO events_default_timestamp_idx;
    CREATE INDEX idx_events_trace_id ON raceway.events (trace_id);
    CREATE INDEX idx_events_timestamp ON raceway.events ("timestamp");
    ALTER TABLE raceway.events ATTACH PARTITION raceway.events_default DEFAULT;
    PERFORM raceway.note_partitioned(partition_by);
    PERFORM raceway.make_partitions(
        (now() AT TIME ZONE 'UTC') - raceway.partition_interval(partition_by),
        (now() AT TIME ZONE 'UTC') + 7 * raceway.partition_interval(partition_by));
END
$partition$;

COMMENT ON FUNCTION raceway.partition_empty_events(text) IS 'internal to migrate(): partitions events while it is new';

-- Retention by partitions: the traces whose events go with their partitions.

CREATE FUNCTION raceway.sweep_traces(before timestamp, OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_sweep_traces';

COMMENT ON FUNCTION raceway.sweep_traces(timestamp) IS
    'internal to cleanup(): tells the traces that began before a time and go on after it, and removes those that ended, whose '
    'events the caller removes; traces and events are NULL where that is left to delete_ended_traces(), when the events are gone';

CREATE FUNCTION raceway.sweep_ahead(before timestamp, expired regclass[], OUT traces bigint, OUT events bigint, OUT going_on varchar[])
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $ahead$
DECLARE
    partition regclass;
BEGIN
    -- Only who writes events as old as these waits.
    FOREACH partition IN ARRAY expired || 'raceway.events_default'::regclass LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', partition);
    END LOOP;
    SELECT s.* INTO traces, events, going_on FROM raceway.sweep_traces(before) s;
    -- A trace that ended and is not removed yet could go on until the tables are locked.
    IF traces IS NULL THEN
        RAISE EXCEPTION 'not to be done ahead' USING ERRCODE = 'lock_not_available';
    END IF;
    PERFORM raceway.delete_ended_from_default(before);
    IF NOT raceway.lock_tables('swap', give_way => true) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available';
    END IF;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    going_on := NULL;
END
$ahead$;

COMMENT ON FUNCTION raceway.sweep_ahead(timestamp, regclass[]) IS
    'internal to drop_partitions(): does sweep_traces() while others write, and locks the tables then; going_on is NULL, and '
    'nothing is done, where that is not to be had';

CREATE FUNCTION raceway.delete_ended_traces(before timestamp, OUT traces bigint, OUT events bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_delete_ended_traces';

COMMENT ON FUNCTION raceway.delete_ended_traces(timestamp) IS
    'internal to cleanup(): removes the traces that ended before a time, whose events are gone; needs events locked exclusively';

-- Retention by partitions: the events of a time go in one step, with the traces that end in it.

CREATE FUNCTION raceway.event_partitions() RETURNS TABLE (partition regclass, lower_bound timestamp, upper_bound timestamp)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $partitions$
    -- A bound that is none, MINVALUE or MAXVALUE, is NULL; so are both of the default partition.
    SELECT c.oid::regclass,
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\)')::timestamp,
           substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamp
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('raceway.events') AND c.relispartition
$partitions$;

COMMENT ON FUNCTION raceway.event_partitions() IS
    'The partitions of events and the times they hold: from lower_bound up to, not including, upper_bound; both NULL for events_default.';

CREATE FUNCTION raceway.take_expired_events(partition regclass, going_on varchar[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
-- They are few, and are to be found by index, whatever the planner thinks of it.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $take$
BEGIN
    EXECUTE format('ALTER TABLE raceway.events DETACH PARTITION %s', partition);
    -- Traces stay whole: the events of those that go on are kept where no partition is in their time.
    EXECUTE format('INSERT INTO raceway.events_default SELECT p.* FROM unnest($1) g (trace_id) JOIN %s p USING (trace_id)', partition)
        USING going_on;
    EXECUTE format('DROP TABLE %s', partition);
END
$take$;

COMMENT ON FUNCTION raceway.take_expired_events(regclass, varchar[]) IS
    'internal to drop_partitions(): drops a partition, and keeps the events of these traces';

CREATE FUNCTION raceway.delete_ended_from_default(before timestamp) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $ended$
BEGIN
    DELETE FROM raceway.events_default e
    WHERE e."timestamp" < before AND e.trace_id IS NOT NULL AND NOT coalesce(
        (SELECT (t.end_time < before) IS NOT TRUE FROM raceway.traces t WHERE t.trace_id = e.trace_id), false);
END
$ended$;

COMMENT ON FUNCTION raceway.delete_ended_from_default(timestamp) IS
    'internal to drop_partitions(): removes the events that no partition of their own took, of traces that ended before a time '
    'or are gone';

CREATE FUNCTION raceway.drop_partitions(
    before timestamp, OUT partitions bigint, OUT traces bigint, OUT events bigint, OUT bytes bigint
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $drop$
DECLARE
    expired  regclass[];
    ends     timestamp;
    going_on varchar[];
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
    SELECT s.* INTO traces, events, going_on FROM raceway.sweep_ahead(ends, expired) s;
    IF going_on IS NULL THEN
        -- Who adds to such old traces goes first.
        IF NOT raceway.lock_tables('swap') THEN
            partitions := NULL;
            RETURN;
        END IF;
        SELECT s.* INTO traces, events, going_on FROM raceway.sweep_traces(ends) s;
        PERFORM raceway.delete_ended_from_default(ends);
    END IF;
    PERFORM raceway.take_expired_events(e.partition, going_on) FROM unnest(expired) e (partition);
    IF traces IS NULL THEN
        SELECT d.traces, d.events INTO traces, events FROM raceway.delete_ended_traces(ends) d;
    END IF;
END
$drop$;

COMMENT ON FUNCTION raceway.drop_partitions(timestamp) IS
    'internal to cleanup(): drops the partitions of events that end at a time or before, with the traces that ended before '
    'the last of them does; NULL where they are in use';

CREATE FUNCTION raceway.partition_drop_steps(before timestamp) RETURNS SETOF timestamp
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $steps$
DECLARE
    -- Where traces cannot be swept ahead, nobody writes while that many go.
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

COMMENT ON FUNCTION raceway.partition_drop_steps(timestamp) IS
    'internal to cleanup(): up to when partitions of events are to be dropped in each of its steps; none where none ends before a time';

CREATE PROCEDURE raceway.cleanup_partitions(run bigint, before timestamp)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    steps timestamp[];
    ends  timestamp;
    gone  record;
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

COMMENT ON PROCEDURE raceway.cleanup_partitions(bigint, timestamp) IS 'internal to cleanup(): drops the partitions that end before a time';

-- Retention: whole traces, oldest first, in small commits. Where events is partitioned and the rule is an age, whole
-- partitions go first (partition_retention.sql).

CREATE FUNCTION raceway.begin_cleanup_step() RETURNS void
LANGUAGE plpgsql VOLATILE
AS $step$
BEGIN
    -- A procedure that commits can have no SET clause, so each of its transactions begins with this. A crash that undoes
    -- the last of them does no harm: they are done again.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    PERFORM pg_catalog.set_config('jit', 'off', true);
END
$step$;

COMMENT ON FUNCTION raceway.begin_cleanup_step() IS 'internal to cleanup(): the settings of one of its transactions';

CREATE FUNCTION raceway.row_bytes(OUT event numeric, OUT trace numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $bytes$
DECLARE
    -- Beside its key: a line pointer, and for each entry in an index a header, a line pointer and a time or a posting.
    overhead_of_event constant integer := 4 + 3 * 20;
    overhead_of_trace constant integer := 4 + 4 * 20;
    rows_looked_at    constant integer := 2000;
    known             real;
BEGIN
    SELECT sum(greatest(c.reltuples, 0)) INTO known FROM pg_partition_tree('raceway.events') p JOIN pg_class c ON c.oid = p.relid;
    SELECT avg(pg_column_size(s.*) + pg_column_size(s.event_id)) + overhead_of_event INTO event
    FROM (SELECT e.* FROM raceway.events e TABLESAMPLE SYSTEM (least(100, 100.0 * 10 * rows_looked_at / greatest(known, 1)))
          LIMIT rows_looked_at) s;
    SELECT avg(pg_column_size(s.*) + pg_column_size(s.trace_id)) + overhead_of_trace INTO trace
    FROM (SELECT t.* FROM raceway.traces t LIMIT rows_looked_at) s;
    event := coalesce(event, 0);
    trace := coalesce(trace, 0);
END
$bytes$;

COMMENT ON FUNCTION raceway.row_bytes() IS
    'About how many bytes a row of events, and of traces, takes with its entries in our indexes: estimated from a sample. '
    'What deleted rows left free is not counted: it is used again.';

CREATE FUNCTION raceway.begin_cleanup_run(rule text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $begin$
DECLARE
    runs_kept constant integer := 1000;
    run       bigint;
BEGIN
    -- Who is said to run, and is not there any more, was interrupted. Others' backend_start may be hidden from us.
    UPDATE raceway.cleanup_runs r SET outcome = 'interrupted'
    WHERE r.outcome = 'running' AND (r.pid = pg_backend_pid() OR NOT EXISTS (
        SELECT FROM pg_stat_activity a
        WHERE a.pid = r.pid AND coalesce(a.backend_start, r.backend_start) = r.backend_start));
    INSERT INTO raceway.cleanup_runs (run_by, pid, backend_start, rule, outcome)
    SELECT session_user, a.pid, a.backend_start, begin_cleanup_run.rule, 'running'
    FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    RETURNING run_id INTO run;
    DELETE FROM raceway.cleanup_runs r WHERE r.run_id <= run - runs_kept;
    RETURN run;
END
$begin$;

COMMENT ON FUNCTION raceway.begin_cleanup_run(text) IS 'internal to cleanup(): its row in cleanup_runs, which holds the last 1,000 runs';

CREATE FUNCTION raceway.note_cleanup(run bigint, traces bigint, events bigint, bytes numeric) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note$
BEGIN
    UPDATE raceway.cleanup_runs r
    SET traces = r.traces + note_cleanup.traces, events = r.events + note_cleanup.events,
        bytes = r.bytes + round(note_cleanup.bytes)::bigint, ended_at = clock_timestamp() AT TIME ZONE 'UTC'
    WHERE r.run_id = run;
END
$note$;

COMMENT ON FUNCTION raceway.note_cleanup(bigint, bigint, bigint, numeric) IS
    'internal to cleanup(): adds to its row in cleanup_runs what a step has removed';

CREATE FUNCTION raceway.traces_to_clean(before timestamp, max_traces bigint, max_bytes bigint, by_time text)
RETURNS TABLE (trace_id varchar, age timestamp, events bigint, bytes numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $victims$
BEGIN
    IF max_traces IS NULL AND max_bytes IS NULL THEN
        RETURN QUERY
        SELECT t.trace_id, a.age, coalesce(t.event_count, 0)::bigint, b.trace + b.event * coalesce(t.event_count, 0)
        FROM raceway.row_bytes() b, raceway.traces t, LATERAL (
            SELECT CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END) a (age)
        WHERE a.age < before
        ORDER BY a.age, t.trace_id;
        RETURN;
    END IF;
    -- One scan and one sort of traces, once a pass: an index on created_at would cost each batch of events more.
    RETURN QUERY
    WITH sized AS (
        SELECT t.trace_id, coalesce(t.event_count, 0)::bigint AS events,
               CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END AS age,
               b.trace + b.event * coalesce(t.event_count, 0) AS bytes
        FROM raceway.traces t, raceway.row_bytes() b
    ), ranked AS (
        SELECT s.*, row_number() OVER newest_first AS place, sum(s.bytes) OVER newest_first AS kept_bytes
        FROM sized s WINDOW newest_first AS (ORDER BY s.age DESC NULLS FIRST, s.trace_id DESC)
    )
    SELECT r.trace_id, r.age, r.events, r.bytes FROM ranked r
    WHERE r.age < before OR r.place > max_traces OR r.kept_bytes > max_bytes
    ORDER BY r.age NULLS LAST, r.trace_id;
END
$victims$;

COMMENT ON FUNCTION raceway.traces_to_clean(timestamp, bigint, bigint, text) IS
    'The traces that cleanup() would remove by these rules, oldest first. by_time: created_at or end_time.';

CREATE FUNCTION raceway.remove_traces(trace_ids varchar[], ages timestamp[], by_time text, OUT traces bigint, OUT events bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $remove$
BEGIN
    -- Who holds a trace's row adds events to it, or removes it: it is left to them. What has grown since it was chosen is
    -- judged again by the next pass.
    WITH held AS (
        SELECT t.trace_id
        FROM unnest(trace_ids, ages) v (trace_id, age) JOIN raceway.traces t USING (trace_id)
        WHERE CASE by_time WHEN 'end_time' THEN t.end_time ELSE t.created_at END IS NOT DISTINCT FROM v.age
        FOR UPDATE OF t SKIP LOCKED
    ), gone AS (
        DELETE FROM raceway.traces t USING held h WHERE t.trace_id = h.trace_id RETURNING t.event_count
    )
    SELECT count(*), coalesce(sum(g.event_count), 0) INTO traces, events FROM gone g;
END
$remove$;

COMMENT ON FUNCTION raceway.remove_traces(varchar[], timestamp[], text) IS
    'internal to cleanup(): removes those of the traces that are as old as they were, and that nobody else holds';

CREATE FUNCTION raceway.cleanup_rule(
    older_than interval, max_traces bigint, max_bytes bigint, batch_size integer, by_time text
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rule$
BEGIN
    IF older_than IS NULL AND max_traces IS NULL AND max_bytes IS NULL THEN
        RAISE EXCEPTION 'cleanup has no rule' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Say what may go: CALL raceway.cleanup(older_than => ''30 days''), or max_traces, or max_bytes.';
    END IF;
    IF older_than < interval '0' OR max_traces < 0 OR max_bytes < 0 THEN
        RAISE EXCEPTION 'older_than, max_traces and max_bytes cannot be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF batch_size IS NULL OR batch_size NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'batch_size is %, not from 1 to 1000000', coalesce(batch_size::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF by_time NOT IN ('created_at', 'end_time') THEN
        RAISE EXCEPTION 'the age of a trace cannot be told by "%"', by_time
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose created_at or end_time.';
    END IF;
    RETURN concat_ws(', ', 'older_than ' || older_than, 'max_traces ' || max_traces, 'max_bytes ' || max_bytes, 'by ' || by_time);
END
$rule$;

COMMENT ON FUNCTION raceway.cleanup_rule(interval, bigint, bigint, integer, text) IS
    'internal to cleanup(): its rule in words; an error where it has none, or a wrong one';

CREATE PROCEDURE raceway.cleanup_rows(
    run bigint, before timestamp, max_traces bigint, max_bytes bigint, batch_size integer, by_time text
)
LANGUAGE plpgsql
AS $rows$
DECLARE
    size    record;
    victim  record;
    gone    record;
    ids     varchar[];
    ages    timestamp[];
    events  bigint;
    chosen  bigint;
    removed bigint;
    total   bigint := 0;
    told_at timestamptz := clock_timestamp();
    began   timestamptz;
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
            PERFORM raceway.begin_cleanup_step();
            SELECT r.* INTO gone FROM raceway.remove_traces(ids, ages, by_time) r;
            PERFORM raceway.note_cleanup(run, gone.traces, gone.events, gone.traces * size.trace + gone.events * size.event);
            COMMIT;
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
        PERFORM raceway.begin_cleanup_step();
    END LOOP;
END
$rows$;

COMMENT ON PROCEDURE raceway.cleanup_rows(bigint, timestamp, bigint, bigint, integer, text) IS
    'internal to cleanup(): removes traces by rows';

CREATE PROCEDURE raceway.cleanup(
    older_than interval DEFAULT NULL, max_traces bigint DEFAULT NULL, max_bytes bigint DEFAULT NULL,
    batch_size integer DEFAULT 1000, dry_run boolean DEFAULT false, by text DEFAULT NULL,
    INOUT traces_removed bigint DEFAULT NULL, INOUT events_removed bigint DEFAULT NULL, INOUT bytes_removed bigint DEFAULT NULL
)
LANGUAGE plpgsql
AS $cleanup$
DECLARE
    partition_by text;
    by_time      text;
    before       timestamp;
    rule         text;
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

COMMENT ON PROCEDURE raceway.cleanup(interval, bigint, bigint, integer, boolean, text, bigint, bigint, bigint) IS
    'Removes whole traces, oldest first, about batch_size events a commit: those older than older_than, and of the rest all '
    'but the newest max_traces, and max_bytes. Several may run at once. by: created_at (default), or end_time (default where '
    'events is partitioned: there whole partitions are dropped). Each run has a row in cleanup_runs.';

-- From the plain layout to the one for growth, while events come and go: the new table is filled in small commits and
-- follows the old one by triggers; in the end it takes its place.

CREATE FUNCTION raceway.follow_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $follow$
BEGIN
    IF TG_OP IN ('DELETE', 'UPDATE') THEN
        DELETE FROM raceway.events_new n USING gone_events g WHERE n.event_id = g.event_id AND n."timestamp" = g."timestamp";
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        INSERT INTO raceway.events_new SELECT c.* FROM come_events c ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$follow$;

COMMENT ON FUNCTION raceway.follow_events() IS 'internal to repartition(): the trigger by which events_new follows events';

CREATE FUNCTION raceway.check_repartition(partition_by text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    obstacle text;
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

    SELECT string_agg(o.what, '; ' ORDER BY o.what) INTO obstacle FROM (
        SELECT format('the view or rule %s reads it', r.ev_class::regclass) AS what
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = 'raceway.events'::regclass
        UNION
        SELECT format('the index %s is unique', i.indexrelid::regclass) FROM pg_index i
        WHERE i.indrelid = 'raceway.events'::regclass AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary
        UNION
        SELECT format('it has the trigger %I', t.tgname) FROM pg_trigger t
        WHERE t.tgrelid = 'raceway.events'::regclass AND NOT t.tgisinternal AND t.tgname NOT LIKE 'raceway\_follow\_%'
        UNION
        SELECT format('%s refers to it', c.conrelid::regclass) FROM pg_constraint c
        WHERE c.confrelid = 'raceway.events'::regclass
        UNION
        SELECT format('the publication %I names it', p.pubname)
        FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid WHERE m.prrelid = 'raceway.events'::regclass
        UNION
        SELECT 'it has row security' FROM pg_class c WHERE c.oid = 'raceway.events'::regclass AND c.relrowsecurity
        UNION
        SELECT 'there are events without a timestamp' WHERE EXISTS (SELECT FROM raceway.events e WHERE e."timestamp" IS NULL)
    ) o;
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'another table cannot take the place of raceway.events: %', obstacle
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Remove these, and bring them back afterwards.';
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_repartition(text) IS 'internal to repartition(): an error where it cannot be done';

CREATE FUNCTION raceway.user_indexes_of_events() RETURNS TABLE (name name, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $indexes$
    SELECT c.relname, substring(pg_get_indexdef(c.oid) FROM ' ON raceway\.events (USING .*)$')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass('raceway.events') AND NOT i.indisprimary
$indexes$;

COMMENT ON FUNCTION raceway.user_indexes_of_events() IS 'internal to repartition(): the indexes of events beside its key, and how they are made';

CREATE FUNCTION raceway.make_events_new(partition_by text) RETURNS void
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

COMMENT ON FUNCTION raceway.make_events_new(text) IS 'internal to repartition(): makes events_new and its partitions, in which nothing is yet';

CREATE FUNCTION raceway.begin_repartition(partition_by text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $begin$
BEGIN
    IF NOT raceway.keep_vacuum_off() THEN
        RETURN false;
    END IF;
    -- Hundreds of partitions take seconds: before anybody has to wait.
    PERFORM raceway.make_events_new(partition_by);
    IF NOT raceway.lock_tables('swap') THEN
        RETURN false;
    END IF;
    ALTER TABLE raceway.events_new
        ADD CONSTRAINT events_new_trace_id_fkey FOREIGN KEY (trace_id) REFERENCES raceway.traces (trace_id) ON DELETE CASCADE;
    CREATE TRIGGER raceway_follow_insert AFTER INSERT ON raceway.events REFERENCING NEW TABLE AS come_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    CREATE TRIGGER raceway_follow_update AFTER UPDATE ON raceway.events REFERENCING OLD TABLE AS gone_events NEW TABLE AS come_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    CREATE TRIGGER raceway_follow_delete AFTER DELETE ON raceway.events REFERENCING OLD TABLE AS gone_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    RETURN true;
END
$begin$;

COMMENT ON FUNCTION raceway.begin_repartition(text) IS
    'internal to repartition(): makes events_new, which follows events from then on; false where events is in use';

CREATE FUNCTION raceway.copy_event_pages(first bigint, pages bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $copy$
DECLARE
    from_row tid := format('(%s,0)', first);
    to_row   tid := format('(%s,0)', first + pages);
    copied   bigint;
BEGIN
    -- Traces before events, as who deletes a trace locks them; what is held cannot change before its copy is there.
    PERFORM FROM raceway.traces t
    WHERE t.trace_id IN (SELECT e.trace_id FROM raceway.events e WHERE e.ctid >= from_row AND e.ctid < to_row)
    ORDER BY t.trace_id FOR KEY SHARE;
    INSERT INTO raceway.events_new
    SELECT e.* FROM raceway.events e WHERE e.ctid >= from_row AND e.ctid < to_row FOR SHARE
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN copied;
END
$copy$;

COMMENT ON FUNCTION raceway.copy_event_pages(bigint, bigint) IS 'internal to repartition(): copies what stands in some pages of events';

CREATE FUNCTION raceway.end_repartition(partition_by text) RETURNS boolean
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

COMMENT ON FUNCTION raceway.end_repartition(text) IS
    'internal to repartition(): events_new takes the place of events; false where events is in use';

CREATE PROCEDURE raceway.repartition(partition_by text)
LANGUAGE plpgsql
AS $repartition$
DECLARE
    pages_at_once constant bigint := 128;
    pages   bigint;
    copied  bigint := 0;
    told_at timestamptz := clock_timestamp();
BEGIN
    PERFORM raceway.begin_cleanup_step();
    PERFORM raceway.check_repartition(partition_by);
    IF to_regclass('raceway.events_new') IS NULL AND NOT raceway.begin_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available', HINT = 'Try again when no long query reads it.';
    END IF;
    COMMIT;
    pages := pg_catalog.pg_relation_size('raceway.events') / pg_catalog.current_setting('block_size')::bigint;
    FOR part IN 0..pages / pages_at_once LOOP
        PERFORM raceway.begin_cleanup_step();
        copied := copied + raceway.copy_event_pages(part * pages_at_once, pages_at_once);
        COMMIT;
        IF pg_catalog.clock_timestamp() > told_at + interval '5 s' THEN
            told_at := pg_catalog.clock_timestamp();
            RAISE NOTICE 'repartition: % events copied, % of % pages', copied, (part + 1) * pages_at_once, pages;
        END IF;
    END LOOP;
    PERFORM raceway.begin_cleanup_step();
    IF NOT raceway.end_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use; its copy is complete and follows it' USING ERRCODE = 'lock_not_available',
            HINT = 'Call it again when no long query reads events.';
    END IF;
    COMMIT;
    ANALYZE raceway.events;
    RAISE NOTICE 'repartition: done, % events copied', copied;
END
$repartition$;

COMMENT ON PROCEDURE raceway.repartition(text) IS
    'Lays the plain table events out in partitions by day, week or month, while events come and go. Interrupted, it is called '
    'again, or given up by cancel_repartition(). Needs as much disk again as events takes, until it is done.';

CREATE FUNCTION raceway.cancel_repartition() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $cancel$
BEGIN
    IF coalesce(obj_description(to_regclass('raceway.events_new'), 'pg_class'), '') NOT LIKE 'repartition by %' THEN
        RETURN false;
    END IF;
    IF NOT raceway.lock_tables('swap', going => ARRAY(SELECT t.relid FROM pg_partition_tree('raceway.events_new') t)) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available', HINT = 'Try again when no long query reads it.';
    END IF;
    DROP TRIGGER IF EXISTS raceway_follow_insert ON raceway.events;
    DROP TRIGGER IF EXISTS raceway_follow_update ON raceway.events;
    DROP TRIGGER IF EXISTS raceway_follow_delete ON raceway.events;
    DROP TABLE raceway.events_new;
    RETURN true;
END
$cancel$;

COMMENT ON FUNCTION raceway.cancel_repartition() IS 'Gives up a repartition() that did not end; false where there is none.';

-- Schedules, kept by pg_cron in this database.

CREATE FUNCTION raceway.require_cron() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $require$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
        RAISE EXCEPTION 'pg_cron is not in this database' USING ERRCODE = 'undefined_function',
            DETAIL = 'Schedules are kept by the extension pg_cron (Debian: postgresql-15-cron).',
            HINT = format('Set shared_preload_libraries = ''pg_cron'' and cron.database_name = %L, restart, and run CREATE EXTENSION pg_cron;', current_database());
    END IF;
    IF NOT has_schema_privilege('cron', 'USAGE') THEN
        RAISE EXCEPTION 'the role "%" may not use pg_cron', current_user USING ERRCODE = 'insufficient_privilege',
            HINT = format('As superuser: GRANT USAGE ON SCHEMA cron TO %I;', current_user);
    END IF;
END
$require$;

COMMENT ON FUNCTION raceway.require_cron() IS 'internal to schedules: an error that says what to do where pg_cron cannot be used';

CREATE FUNCTION raceway.unschedule(job text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $unschedule$
DECLARE
    id bigint;
BEGIN
    PERFORM raceway.require_cron();
    SELECT j.jobid INTO id FROM cron.job j WHERE j.jobname = job AND j.username = current_user;
    RETURN CASE WHEN id IS NULL THEN false ELSE cron.unschedule(id) END;
END
$unschedule$;

COMMENT ON FUNCTION raceway.unschedule(text) IS 'internal to schedules: ends the caller''s job of this name; false where there is none';

CREATE FUNCTION raceway.schedule_cleanup(
    cron text, older_than interval DEFAULT NULL, max_traces bigint DEFAULT NULL, max_bytes bigint DEFAULT NULL,
    batch_size integer DEFAULT 1000, by text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $schedule$
BEGIN
    PERFORM raceway.require_cron();
    -- A wrong rule is an error now, not each night.
    PERFORM raceway.cleanup_rule(older_than, max_traces, max_bytes, batch_size, by);
    RETURN cron.schedule('raceway cleanup', cron, format(
        'CALL raceway.cleanup(older_than => %L, max_traces => %L, max_bytes => %L, batch_size => %L, by => %L)',
        older_than, max_traces, max_bytes, batch_size, by));
END
$schedule$;

COMMENT ON FUNCTION raceway.schedule_cleanup(text, interval, bigint, bigint, integer, text) IS
    'Has pg_cron call cleanup() with these rules, at times as cron writes them, in GMT: ''0 3 * * *'' is three at night. '
    'Again, it replaces the schedule. Answers the id of the job in cron.job.';

CREATE FUNCTION raceway.unschedule_cleanup() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN raceway.unschedule('raceway cleanup');

COMMENT ON FUNCTION raceway.unschedule_cleanup() IS 'Ends what schedule_cleanup() began; false where nothing was scheduled.';

CREATE PROCEDURE raceway.maintain(partitions_ahead integer DEFAULT 7, keep_job_runs interval DEFAULT '7 days')
LANGUAGE plpgsql
AS $maintain$
DECLARE
    partition_by text;
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
        -- On demand: a time that brought many events to the default partition, and is not one that went already.
        FOR late IN
            SELECT date_trunc(l.partition_by, e."timestamp") FROM raceway.events_default e, raceway.layout l
            WHERE free AND e."timestamp" >= (SELECT min(p.lower_bound) FROM raceway.event_partitions() p)
            GROUP BY 1 HAVING count(*) >= 1000 ORDER BY count(*) DESC LIMIT 100
        LOOP
            PERFORM raceway.begin_cleanup_step();
            free := raceway.try_make_partitions(late, late);
            COMMIT;
            EXIT WHEN NOT free;
        END LOOP;
        PERFORM raceway.begin_cleanup_step();
    END IF;
    IF EXISTS (SELECT FROM pg_namespace n JOIN pg_extension e ON e.extname = 'pg_cron'
               WHERE n.nspname = 'cron' AND has_schema_privilege(n.oid, 'USAGE')) THEN
        -- pg_cron never removes what it notes of its runs; row security shows a role its own.
        DELETE FROM cron.job_run_details d WHERE d.end_time < now() - keep_job_runs AND d.username = current_user;
    END IF;
END
$maintain$;

COMMENT ON PROCEDURE raceway.maintain(integer, interval) IS
    'What is to be done now and then: makes partitions of events ahead, and for times that brought many events to '
    'events_default; removes old rows of the caller''s jobs from cron.job_run_details.';

CREATE FUNCTION raceway.schedule_maintenance(
    cron text DEFAULT '17 * * * *', partitions_ahead integer DEFAULT 7, keep_job_runs interval DEFAULT '7 days'
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $schedule$
BEGIN
    PERFORM raceway.require_cron();
    RETURN cron.schedule('raceway maintenance', cron, format(
        'CALL raceway.maintain(partitions_ahead => %L, keep_job_runs => %L)', partitions_ahead, keep_job_runs));
END
$schedule$;

COMMENT ON FUNCTION raceway.schedule_maintenance(text, integer, interval) IS
    'Has pg_cron call maintain(), by default every hour. Again, it replaces the schedule. Answers the id of the job in cron.job.';

CREATE FUNCTION raceway.unschedule_maintenance() RETURNS boolean
LANGUAGE sql VOLATILE
RETURN raceway.unschedule('raceway maintenance');

COMMENT ON FUNCTION raceway.unschedule_maintenance() IS 'Ends what schedule_maintenance() began; false where nothing was scheduled.';

-- What operators ask. Views over the catalogs, and functions where the tables are asked: those are no members of the
-- extension and may not be there yet. All of it answers with the rights of whoever asks; SQL and PL/pgSQL only.

CREATE VIEW raceway.active_connections AS
SELECT a.pid, a.usename AS role, a.application_name, a.client_addr, a.state, a.wait_event_type, a.wait_event,
       pg_catalog.now() OPERATOR(pg_catalog.-) a.xact_start AS transaction_age,
       pg_catalog.now() OPERATOR(pg_catalog.-) a.state_change AS state_age,
       pg_catalog.pg_blocking_pids(a.pid) AS blocked_by,
       pg_catalog.left(a.query, 200) AS query
FROM pg_catalog.pg_stat_activity a
WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND coalesce(a.backend_type, 'client backend') OPERATOR(pg_catalog.=) 'client backend';  -- hidden where it is another role's

COMMENT ON VIEW raceway.active_connections IS
    'The sessions in this database: what each does, for how long, and whom it waits for. What other roles'' sessions do is '
    'shown to members of pg_read_all_stats.';

CREATE VIEW raceway.table_sizes AS
SELECT c.relname AS table_name, coalesce(p.relname, c.relname) AS part_of,
       pg_catalog.pg_table_size(c.oid) AS table_bytes, pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
       pg_catalog.pg_total_relation_size(c.oid) AS total_bytes,
       s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
       s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_del AS rows_deleted,
       greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum, greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'raceway'
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) c.oid
LEFT JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) i.inhparent
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid OPERATOR(pg_catalog.=) c.oid
WHERE c.relkind OPERATOR(pg_catalog.=) 'r';

COMMENT ON VIEW raceway.table_sizes IS
    'Each table, and each partition of events: bytes with and without indexes, and what the statistics say of its rows, counted since they were reset.';

CREATE VIEW raceway.index_use AS
SELECT t.relname AS table_name, x.relname AS index_name, pg_catalog.pg_relation_size(x.oid) AS bytes,
       s.idx_scan AS scans, s.idx_tup_read AS entries_read, s.idx_tup_fetch AS rows_fetched,
       pg_catalog.round(100.0 OPERATOR(pg_catalog.*) io.idx_blks_hit
           OPERATOR(pg_catalog./) nullif(io.idx_blks_hit OPERATOR(pg_catalog.+) io.idx_blks_read, 0), 1) AS cached_percent,
       i.indisunique AS is_unique, i.indisvalid AS is_valid,
       s.idx_scan OPERATOR(pg_catalog.=) 0 AND NOT i.indisunique AS is_unused
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid AND x.relkind OPERATOR(pg_catalog.=) 'i'
JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'raceway'
LEFT JOIN pg_catalog.pg_stat_user_indexes s ON s.indexrelid OPERATOR(pg_catalog.=) x.oid
LEFT JOIN pg_catalog.pg_statio_user_indexes io ON io.indexrelid OPERATOR(pg_catalog.=) x.oid;

COMMENT ON VIEW raceway.index_use IS
    'Each index: its bytes, and how much it was used and found in the cache since the statistics were reset. is_unused: no query used it, and it keeps nothing unique.';

CREATE VIEW raceway.replication_lag AS
SELECT 'standby'::text AS kind, r.application_name AS name, r.state, r.sync_state,
       pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
                                       ELSE pg_catalog.pg_current_wal_lsn() END, r.replay_lsn)::bigint AS lag_bytes,
       r.write_lag, r.flush_lag, r.replay_lag
FROM pg_catalog.pg_stat_replication r
UNION ALL
SELECT 'slot', s.slot_name::text, CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL,
       pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
                                       ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn)::bigint, NULL, NULL, NULL
FROM pg_catalog.pg_replication_slots s
UNION ALL
SELECT 'this server', NULL, 'recovery', NULL,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::bigint, NULL, NULL,
       CASE WHEN pg_catalog.pg_last_wal_receive_lsn() OPERATOR(pg_catalog.=) pg_catalog.pg_last_wal_replay_lsn() THEN interval '0'
            ELSE pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.pg_last_xact_replay_timestamp() END
WHERE pg_catalog.pg_is_in_recovery();

COMMENT ON VIEW raceway.replication_lag IS
    'How far each standby is behind, how much of the log each slot holds back, and, on a standby, how far it is behind itself. '
    'Details are shown to members of pg_read_all_stats.';

CREATE FUNCTION raceway.slow_statements(how_many integer DEFAULT 20)
RETURNS TABLE (calls bigint, total_ms double precision, mean_ms double precision, max_ms double precision, rows bigint, query text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $slow$
DECLARE
    hint constant text := 'In postgresql.conf: shared_preload_libraries = ''pg_stat_statements''; restart; CREATE EXTENSION pg_stat_statements;';
    home name;
BEGIN
    SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements';
    IF home IS NULL THEN
        RAISE NOTICE 'pg_stat_statements is not in this database' USING HINT = hint;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT s.calls, s.total_exec_time, s.mean_exec_time, s.max_exec_time, s.rows, left(s.query, 500) '
        'FROM %I.pg_stat_statements s WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) '
        'ORDER BY s.total_exec_time DESC LIMIT $1', home) USING how_many;
EXCEPTION WHEN object_not_in_prerequisite_state OR insufficient_privilege OR undefined_table OR undefined_column THEN
    RAISE NOTICE 'pg_stat_statements cannot be asked: %', SQLERRM USING HINT = hint;
END
$slow$;

COMMENT ON FUNCTION raceway.slow_statements(integer) IS
    'The statements of this database that took most time in all, from pg_stat_statements (1.8 or later); no row, and a hint, where that is not to be had.';

CREATE FUNCTION raceway.ingest_rate(since interval DEFAULT '1 hour', step text DEFAULT 'minute', by text DEFAULT 'timestamp')
RETURNS TABLE (at timestamp, events bigint, traces bigint, events_per_second numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rate$
DECLARE
    first constant timestamp := (now() AT TIME ZONE 'UTC') - since;
BEGIN
    IF step IS NULL OR step NOT IN ('second', 'minute', 'hour', 'day') THEN
        RAISE EXCEPTION 'step is %, not second, minute, hour or day', coalesce('"' || step || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF by IS NULL OR by NOT IN ('timestamp', 'created_at') THEN
        RAISE EXCEPTION 'by is %, not timestamp or created_at', coalesce('"' || by || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
        SELECT date_trunc(step, CASE by WHEN 'timestamp' THEN e."timestamp" ELSE e.created_at END),
               count(*), count(DISTINCT e.trace_id), round(count(*) / extract(epoch FROM ('1 ' || step)::interval), 2)
        FROM raceway.events e
        WHERE (by = 'timestamp' AND e."timestamp" >= first) OR (by = 'created_at' AND e.created_at >= first)
        GROUP BY 1 ORDER BY 1;
END
$rate$;

COMMENT ON FUNCTION raceway.ingest_rate(interval, text, text) IS
    'Events and their traces a step (second, minute, hour, day), UTC. By default by the events'' own times, for which there is an index; '
    'by => ''created_at'': by when they were stored, which reads the whole table. A step without events has no row.';

CREATE FUNCTION raceway.cleanup_rate(since interval DEFAULT '30 days')
RETURNS TABLE (day date, runs bigint, not_done bigint, traces numeric, events numeric, bytes numeric, took interval, events_per_second numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rate$
BEGIN
    RETURN QUERY
        SELECT r.started_at::date, count(*), count(*) FILTER (WHERE r.outcome <> 'done'), sum(r.traces), sum(r.events), sum(r.bytes),
               sum(r.duration), round(sum(r.events) / nullif(extract(epoch FROM sum(r.duration)), 0), 2)
        FROM raceway.cleanup_runs r
        WHERE r.started_at >= (now() AT TIME ZONE 'UTC') - since AND r.outcome <> 'dry run'
        GROUP BY 1 ORDER BY 1;
END
$rate$;

COMMENT ON FUNCTION raceway.cleanup_rate(interval) IS
    'What cleanup() removed each day, from the runs that cleanup_runs still holds; not_done counts those that were interrupted or still run. UTC.';

CREATE FUNCTION raceway.service_volume(since interval DEFAULT '1 day')
RETURNS TABLE (service text, traces bigint, events bigint, bytes numeric, first_event timestamp, last_event timestamp)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $volume$
BEGIN
    RETURN QUERY
        SELECT raceway.service_of(e.metadata), count(DISTINCT e.trace_id), count(*), sum(pg_column_size(e.*))::numeric,
               min(e."timestamp"), max(e."timestamp")
        FROM raceway.events e
        WHERE since IS NULL OR e."timestamp" >= (now() AT TIME ZONE 'UTC') - since
        GROUP BY 1 ORDER BY 3 DESC, 1;
END
$volume$;

COMMENT ON FUNCTION raceway.service_volume(interval) IS
    'Traces, events and bytes (without indexes) of each service since then, by the events'' own times; NULL: of all times. A NULL service is of events that name none.';

-- The schema is the gate: whoever may use it sees of these what the catalogs show to everyone.
GRANT SELECT ON raceway.active_connections, raceway.table_sizes, raceway.index_use, raceway.replication_lag TO PUBLIC;

-- migrate: brings the tables, or upgrades them. They are the user's data, not members of the extension.

CREATE FUNCTION raceway.migrate(partition_by text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $migrate$
DECLARE
    latest  constant integer := 3;
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

-- Which edition of the code is in this database.

CREATE FUNCTION raceway.edition() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'extension';

COMMENT ON FUNCTION raceway.edition() IS
    'The edition of the code in schema raceway: extension, with functions in C++, or portable, in SQL and PL/pgSQL only.';


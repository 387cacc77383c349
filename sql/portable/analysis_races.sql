-- The analysis of one trace: races. What an access knows is a bit for each place in the order, and so are the accesses of a
-- group; those before it that it races with are what is in the one and not in the other.

CREATE FUNCTION raceway.access_number(access text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.array_position(ARRAY['Read', 'Write', 'AtomicRead', 'AtomicWrite', 'AtomicRMW'], access);

COMMENT ON FUNCTION raceway.access_number(text) IS
    'part of the analysis: 1 and 2 are a plain read and write, from 3 on they are atomic; 1 and 3 only read';

CREATE FUNCTION raceway.race_class(a integer, b integer, is_unknown boolean, is_protected boolean) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN a OPERATOR(pg_catalog.=) ANY (ARRAY[1, 3]) AND b OPERATOR(pg_catalog.=) ANY (ARRAY[1, 3]) THEN NULL
    WHEN is_unknown THEN 5
    WHEN is_protected THEN 4
    WHEN a OPERATOR(pg_catalog.>=) 3 AND b OPERATOR(pg_catalog.>=) 3 THEN 3
    WHEN a OPERATOR(pg_catalog.=) ANY (ARRAY[1, 3]) OR b OPERATOR(pg_catalog.=) ANY (ARRAY[1, 3]) THEN 2
    ELSE 1 END;

COMMENT ON FUNCTION raceway.race_class(integer, integer, boolean, boolean) IS
    'part of the analysis: the class of two unordered accesses by their numbers: write-write, read-write, atomic, protected, unknown; '
    'NULL where neither writes';

CREATE FUNCTION raceway.severity_of(class integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE class WHEN 1 THEN 'CRITICAL' WHEN 2 THEN 'WARNING' ELSE 'INFO' END;

COMMENT ON FUNCTION raceway.severity_of(integer) IS 'part of the analysis: how bad a class of races is';

CREATE FUNCTION raceway.trace_accesses(trace text, wanted text, places integer[], lines integer[], parents integer[], known bit varying[]) RETURNS TABLE (
    place integer, event_id text, at timestamp, variable_of text, access text, number integer, location text, site text, service text, thread text,
    process integer, is_unknown boolean, alone text[], beside text[], locks text[], knows bit varying,
    old_value jsonb, new_value jsonb, vector_clock jsonb
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $accesses$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH event AS MATERIALIZED (
            SELECT e.*, p.place, p.line, p.knows, p.parent AS kept_parent,
                   count(*) FILTER (WHERE e.kind = 'FunctionCall') OVER (PARTITION BY p.line ORDER BY p.place) AS calls
            FROM raceway.trace_events(trace) e
            JOIN unnest(places, lines, known, parents) WITH ORDINALITY p (place, line, knows, parent, rank) ON p.rank = e.rank
        ), counted AS (
            -- How often a strand holds each lock from here on; what it does not hold it cannot release.
            SELECT l.*, l.balance - least(min(l.balance) OVER same, 0) AS times, lead(l.place) OVER same AS until
            FROM (SELECT e.strand, e.subject, e.shared, e.place,
                         sum(CASE e.kind WHEN 'LockAcquire' THEN 1 ELSE -1 END) OVER (PARTITION BY e.strand, e.subject, e.shared ORDER BY e.place) AS balance
                  FROM event e WHERE e.strand > 0 AND e.kind IN ('LockAcquire', 'LockRelease')) l
            WINDOW same AS (PARTITION BY l.strand, l.subject, l.shared ORDER BY l.place)
        ), accessed AS (
            SELECT e.*, first_value(e.subject) OVER (PARTITION BY e.line, e.calls ORDER BY e.place) AS function FROM event e
        ), held AS (
            SELECT a.place, l.subject AS name, l.shared FROM accessed a
            JOIN counted l ON l.strand = a.strand AND l.place < a.place AND (l.until IS NULL OR l.until > a.place) AND l.times > 0
            WHERE a.access <> ''
            UNION SELECT a.place, l.name, false FROM accessed a, unnest(a.locks) l (name) WHERE a.access <> ''
        ), named AS (
            SELECT h.place, array_agg(h.name ORDER BY h.name COLLATE "C") FILTER (WHERE NOT h.shared) AS alone,
                   array_agg(h.name ORDER BY h.name COLLATE "C") FILTER (WHERE h.shared) AS beside,
                   array_agg(h.name || CASE WHEN h.shared THEN ' (shared)' ELSE '' END ORDER BY h.name COLLATE "C", h.shared) AS locks
            FROM held h GROUP BY 1
        )
        SELECT a.place, a.event_id, a.at, a.subject, a.access, raceway.access_number(a.access), a.location,
               -- Where an SDK tells its own file and line, that is the same for all that it watches.
               CASE WHEN a.calls > 0 AND a.function <> '' AND position('auto-track.' IN a.location) > 0 THEN a.function ELSE a.location END,
               a.service, a.thread, a.process,
               a.strand = 0 AND a.kept_parent = 0 AND NOT EXISTS (SELECT FROM jsonb_each(a.clock) c WHERE c.value <> '0'),
               coalesce(n.alone, '{}'), coalesce(n.beside, '{}'), coalesce(n.locks, '{}'), a.knows, a.old_value, a.new_value, a.vector_clock
        FROM accessed a LEFT JOIN named n ON n.place = a.place
        WHERE a.access <> '' AND a.subject <> '' AND (wanted IS NULL OR a.subject = wanted)
        ORDER BY 1;
END
$accesses$;

COMMENT ON FUNCTION raceway.trace_accesses(text, text, integer[], integer[], integer[], bit varying[]) IS
    'part of the analysis: the accesses of a trace, or to one variable of it, in the linear order: where, with which locks (held alone or '
    'beside others), whether nothing at all is told of its order, and what it knows';

CREATE FUNCTION raceway.race_groups(trace text, wanted text, by_site boolean, by_process boolean, places integer[], lines integer[], parents integer[],
                                    known bit varying[]) RETURNS TABLE (
    variable text, place integer, class integer, process integer, service text, access integer, site text, earlier_process integer,
    earlier_service text, earlier_access integer, earlier_site text, racing bit varying
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $groups$
#variable_conflict use_column
DECLARE
    most_sites constant integer := 64;  -- of a variable, that are told apart
BEGIN
    RETURN QUERY
        WITH accessed AS MATERIALIZED (
            SELECT a.place, a.variable_of, a.number, a.is_unknown, a.process, a.service, a.site, a.knows, a.alone, a.beside,
                   CASE WHEN by_site THEN min(a.place) OVER (PARTITION BY a.variable_of, a.site) END AS site_first
            FROM raceway.trace_accesses(trace, wanted, places, lines, parents, known) a
        ), sited AS MATERIALIZED (
            SELECT a.*, CASE WHEN dense_rank() OVER (PARTITION BY a.variable_of ORDER BY a.site_first) <= most_sites THEN a.site END AS known_site
            FROM accessed a
        ), grouped AS MATERIALIZED (
            SELECT a.variable_of, a.number, a.is_unknown, a.alone, a.beside, CASE WHEN by_process OR a.alone <> '{}' OR a.beside <> '{}' THEN a.process END AS process,
                   CASE WHEN by_process THEN a.service END AS service, CASE WHEN by_site THEN a.known_site END AS known_site,
                   bit_or(set_bit((repeat('0', length(a.knows)))::bit varying, a.place - 1, 1))::bit varying AS members
            FROM sited a GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        )
        SELECT a.variable_of, a.place, c.class, a.process, a.service, a.number, a.known_site, g.process, g.service, g.number, g.known_site, m.racing
        FROM sited a JOIN grouped g ON g.variable_of = a.variable_of,
            -- Locks of two processes are two locks, whatever they are called.
            LATERAL (SELECT raceway.race_class(a.number, g.number, a.is_unknown OR g.is_unknown,
                                               a.process = g.process AND (a.alone && (g.alone || g.beside) OR a.beside && g.alone)) AS class) c,
            LATERAL (SELECT substring(g.members & ~a.knows FROM 1 FOR a.place - 1)::bit varying AS racing OFFSET 0) m
        WHERE c.class IS NOT NULL AND position(B'1' IN m.racing) > 0;
END
$groups$;

COMMENT ON FUNCTION raceway.race_groups(text, text, boolean, boolean, integer[], integer[], integer[], bit varying[]) IS
    'part of the analysis: each access with the groups before it that it races with: those of one class that are told apart by access, '
    'locks and, if asked for, site or process. racing has a bit for each of their places';

CREATE FUNCTION raceway.list_races(trace text, wanted text, classes integer[], most integer, places integer[], lines integer[], parents integer[],
                                   known bit varying[]) RETURNS TABLE (
    variable text, class integer, sharing integer, earlier integer, later integer, is_first boolean
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $list$
#variable_conflict use_column
DECLARE
    group_of record;
    told     bigint := 0;
BEGIN
    FOR group_of IN
        SELECT s.*, min(s.both) FILTER (WHERE s.rank < 3) OVER (PARTITION BY s.variable) AS first_both
        FROM (SELECT r.variable, r.place, least(r.class, 3) AS rank, r.sharing, bit_or(r.racing) FILTER (WHERE r.class = ANY (classes)) AS racing,
                     bit_or(r.racing) FILTER (WHERE r.class = 3) AS atomic, bit_or(r.racing) FILTER (WHERE r.class = 4) AS protected,
                     ARRAY[r.place, min(position(B'1' IN r.racing))] AS both
              FROM (SELECT g.*, CASE WHEN g.process = g.earlier_process THEN 1 WHEN g.service = g.earlier_service THEN 2 ELSE 3 END AS sharing
                    FROM raceway.race_groups(trace, wanted, false, true, places, lines, parents, known) g) r
              GROUP BY 1, 2, 3, 4) s
        ORDER BY s.rank, s.sharing, s.variable COLLATE "C", s.place
    LOOP
        CONTINUE WHEN group_of.racing IS NULL;
        variable := group_of.variable;
        sharing := group_of.sharing;
        later := group_of.place;
        earlier := position(B'1' IN group_of.racing);
        WHILE earlier > 0 LOOP
            told := told + 1;
            IF told > most THEN
                RETURN;
            END IF;
            class := CASE WHEN group_of.rank < 3 THEN group_of.rank
                          WHEN get_bit(group_of.atomic, earlier - 1) = 1 THEN 3 WHEN get_bit(group_of.protected, earlier - 1) = 1 THEN 4 ELSE 5 END;
            is_first := coalesce(group_of.rank < 3 AND ARRAY[later, earlier] = group_of.first_both, false);
            RETURN NEXT;
            group_of.racing := set_bit(group_of.racing, earlier - 1, 0);
            earlier := position(B'1' IN group_of.racing);
        END LOOP;
    END LOOP;
END
$list$;

COMMENT ON FUNCTION raceway.list_races(text, text, integer[], integer, integer[], integer[], integer[], bit varying[]) IS
    'part of the analysis: pairs of accesses, by their places, that race, worst first. sharing: process, service, name';

CREATE FUNCTION raceway.find_races(trace text, wanted text, classes text[], max_pairs integer)
RETURNS TABLE (variable text, severity text, class text, sharing text, first boolean, event1 text, event2 text,
               location1 text, location2 text, access1 text, access2 text, thread1 text, thread2 text, service1 text, service2 text,
               value1 jsonb, value2 jsonb, clock1 jsonb, clock2 jsonb, last_common text, locks1 text[], locks2 text[], gap interval)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $races$
#variable_conflict use_column
DECLARE
    names   constant text[] := ARRAY['write-write', 'read-write', 'atomic', 'protected', 'unknown'];
    name    text;
    numbers integer[] := '{}';
    o       record;
BEGIN
    FOREACH name IN ARRAY coalesce(classes, '{write-write,read-write}') LOOP
        IF name IS NULL THEN
            RAISE EXCEPTION 'a class of races is NULL' USING ERRCODE = 'null_value_not_allowed';
        ELSIF name <> ALL (names) THEN
            RAISE EXCEPTION 'there is no class of races "%"', name USING ERRCODE = 'invalid_parameter_value',
                HINT = 'The classes are write-write, read-write, atomic, protected and unknown.';
        END IF;
        numbers := numbers || array_position(names, name);
    END LOOP;
    IF max_pairs < 0 THEN
        RAISE EXCEPTION 'max_pairs is %, which is below 0', max_pairs USING ERRCODE = 'invalid_parameter_value';
    ELSIF trace IS NULL THEN
        RETURN;
    END IF;
    SELECT t.place, t.line, t.parents, t.known INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        WITH accessed AS MATERIALIZED (
            SELECT a.* FROM raceway.trace_accesses(trace, wanted, o.place, o.line, o.parents, o.known) a
        ), event AS (
            SELECT p.place, e.event_id FROM raceway.trace_events(trace) e JOIN unnest(o.place) WITH ORDINALITY p (place, rank) ON p.rank = e.rank
        )
        SELECT l.variable, raceway.severity_of(l.class), names[l.class], (ARRAY['process', 'service', 'name'])[l.sharing], l.is_first,
               a.event_id, b.event_id, nullif(a.location, ''), nullif(b.location, ''), a.access, b.access, nullif(a.thread, ''), nullif(b.thread, ''),
               nullif(a.service, ''), nullif(b.service, ''), a.new_value, b.new_value, a.vector_clock, b.vector_clock, c.event_id,
               a.locks, b.locks, CASE WHEN isfinite(a.at) AND isfinite(b.at) THEN b.at - a.at END
        FROM raceway.list_races(trace, wanted, numbers, max_pairs, o.place, o.line, o.parents, o.known) WITH ORDINALITY l
             (variable, class, sharing, earlier, later, is_first, n)
        JOIN accessed a ON a.place = l.earlier JOIN accessed b ON b.place = l.later
        -- The last one that both know of.
        LEFT JOIN event c ON c.place = length(rtrim((a.knows & b.knows)::text, '0'))
        ORDER BY l.n;
END
$races$;

COMMENT ON FUNCTION raceway.find_races(text, text, text[], integer) IS
    'part of the analysis: races(), which has one name for an argument and for a column';

CREATE FUNCTION raceway.races(trace text, variable text DEFAULT NULL, classes text[] DEFAULT NULL, max_pairs integer DEFAULT 100)
RETURNS TABLE (variable text, severity text, class text, sharing text, first boolean, event1 text, event2 text,
               location1 text, location2 text, access1 text, access2 text, thread1 text, thread2 text, service1 text, service2 text,
               value1 jsonb, value2 jsonb, clock1 jsonb, clock2 jsonb, last_common text, locks1 text[], locks2 text[], gap interval)
LANGUAGE sql STABLE PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
AS $races$
    SELECT r.* FROM raceway.find_races($1, $2, $3, $4) r;
$races$;

CREATE FUNCTION raceway.race_counts(trace text)
RETURNS TABLE (variable text, accesses bigint, writes bigint, atomic_reads bigint, atomic_writes bigint, write_write bigint, read_write bigint,
               atomic bigint, protected bigint, unknown bigint)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $counts$
#variable_conflict use_column
DECLARE
    o record;
BEGIN
    SELECT t.place, t.line, t.parents, t.known INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        SELECT a.*, coalesce(p.write_write, 0)::bigint, coalesce(p.read_write, 0)::bigint, coalesce(p.atomic, 0)::bigint,
               coalesce(p.protected, 0)::bigint, coalesce(p.unknown, 0)::bigint
        FROM (SELECT a.variable_of, count(*) AS accesses, count(*) FILTER (WHERE a.number IN (2, 4, 5)) AS writes,
                     count(*) FILTER (WHERE a.number = 3), count(*) FILTER (WHERE a.number > 3)
              FROM raceway.trace_accesses(trace, NULL, o.place, o.line, o.parents, o.known) a GROUP BY 1) a
        LEFT JOIN (
            SELECT g.variable, sum(bit_count(g.racing)) FILTER (WHERE g.class = 1) AS write_write, sum(bit_count(g.racing)) FILTER (WHERE g.class = 2) AS read_write,
                   sum(bit_count(g.racing)) FILTER (WHERE g.class = 3) AS atomic, sum(bit_count(g.racing)) FILTER (WHERE g.class = 4) AS protected,
                   sum(bit_count(g.racing)) FILTER (WHERE g.class = 5) AS unknown
            FROM raceway.race_groups(trace, NULL, false, false, o.place, o.line, o.parents, o.known) g GROUP BY 1) p ON p.variable = a.variable_of
        ORDER BY a.variable_of COLLATE "C";
END
$counts$;

CREATE FUNCTION raceway.race_sites(trace text)
RETURNS TABLE (variable text, site1 text, access1 text, site2 text, access2 text, pairs bigint, protected bigint, severity text, example1 text, example2 text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $sites$
#variable_conflict use_column
DECLARE
    names constant text[] := ARRAY['Read', 'Write', 'AtomicRead', 'AtomicWrite', 'AtomicRMW'];
    o     record;
BEGIN
    SELECT t.place, t.line, t.parents, t.known INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        WITH raced AS (
            SELECT g.variable, g.class, bit_count(g.racing) AS pairs, ARRAY[g.class, g.place, position(B'1' IN g.racing)] AS example,
                   -- The smaller side first, so that it does not show who came first. What no site is told apart for is the largest.
                   least(s.later, s.earlier) AS side1, greatest(s.later, s.earlier) AS side2
            FROM raceway.race_groups(trace, NULL, true, false, o.place, o.line, o.parents, o.known) g,
                LATERAL (SELECT ARRAY[(g.site IS NULL)::integer::text, g.site, g.access::text] COLLATE "C" AS later,
                                ARRAY[(g.earlier_site IS NULL)::integer::text, g.earlier_site, g.earlier_access::text] COLLATE "C" AS earlier) s
        ), summed AS (
            SELECT r.variable, r.side1, r.side2, sum(r.pairs) FILTER (WHERE r.class IN (1, 2)) AS pairs, sum(r.pairs) FILTER (WHERE r.class = 4) AS protected,
                   min(r.example) AS example
            FROM raced r GROUP BY 1, 2, 3
        ), event AS (
            SELECT p.place, e.event_id FROM raceway.trace_events(trace) e JOIN unnest(o.place) WITH ORDINALITY p (place, rank) ON p.rank = e.rank
        )
        SELECT s.variable, nullif(s.side1[2], ''), names[s.side1[3]::integer], nullif(s.side2[2], ''), names[s.side2[3]::integer],
               coalesce(s.pairs, 0)::bigint, coalesce(s.protected, 0)::bigint, raceway.severity_of(s.example[1]), a.event_id, b.event_id
        FROM summed s JOIN event a ON a.place = s.example[3] JOIN event b ON b.place = s.example[2]
        ORDER BY least(s.example[1], 3), coalesce(s.pairs, 0) DESC, s.variable COLLATE "C", s.side1, s.side2;
END
$sites$;

CREATE FUNCTION raceway.audit_trail(trace text, variable text)
RETURNS TABLE (place integer, event_id text, "timestamp" timestamp, service text, thread text, access text, old_value jsonb, new_value jsonb,
               location text, after_previous boolean, races_with_previous boolean, locks text[])
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $trail$
#variable_conflict use_column
DECLARE
    o record;
BEGIN
    SELECT t.place, t.line, t.parents, t.known INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        SELECT a.place, a.event_id, a.at, nullif(a.service, ''), nullif(a.thread, ''), a.access, a.old_value, a.new_value, nullif(a.location, ''),
               c.is_after, NOT c.is_after AND coalesce(raceway.race_class(
                   a.number, a.number_before, a.is_unknown OR a.unknown_before,
                   a.process = a.process_before AND (a.alone && (a.alone_before || a.beside_before) OR a.beside && a.alone_before)) < 3, false), a.locks
        FROM (SELECT a.*, lag(a.place) OVER (ORDER BY a.place) AS place_before, lag(a.number) OVER (ORDER BY a.place) AS number_before,
                     lag(a.is_unknown) OVER (ORDER BY a.place) AS unknown_before, lag(a.process) OVER (ORDER BY a.place) AS process_before,
                     lag(a.alone) OVER (ORDER BY a.place) AS alone_before, lag(a.beside) OVER (ORDER BY a.place) AS beside_before
              FROM raceway.trace_accesses(trace, audit_trail.variable, o.place, o.line, o.parents, o.known) a) a,
            LATERAL (SELECT coalesce(get_bit(a.knows, a.place_before - 1) = 1, true) AS is_after) c
        ORDER BY 1;
END
$trail$;

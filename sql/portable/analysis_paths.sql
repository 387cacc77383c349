-- The analysis of one trace: why events are ordered, where the time went, and who called whom.

CREATE FUNCTION raceway.shortest_chain(a integer, b integer, events integer, strands integer, line integer[], "position" integer[], begins integer[], before integer[],
                                       edge_sources integer[], edge_targets integer[], edge_reasons integer[],
                                       OUT chain integer[], OUT reasons integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $chain$
DECLARE
    nodes    constant integer := cardinality(begins) - 1;
    previous integer[] := array_fill(0, ARRAY[cardinality(line)]);  -- in the strand
    -- Backwards from b: for each node reached the one after it on the way. Those of clocks count nothing.
    beyond   integer[] := array_fill(0, ARRAY[cardinality(begins)]);
    passed   boolean[] := array_fill(false, ARRAY[cardinality(begins)]);
    reached  integer[] := array_fill(0, ARRAY[2 * cardinality(begins)]);
    head     integer := cardinality(begins);  -- of those reached, and behind the last of them
    behind   integer := cardinality(begins) + 1;
    at       integer;
    source   integer;
    it       record;
BEGIN
    FOR it IN
        SELECT p.n::integer AS event, lag(p.n, 1, 0::bigint) OVER (PARTITION BY p.line ORDER BY p."position") AS before
        FROM unnest(line, "position") WITH ORDINALITY p (line, "position", n) WHERE p.line <= strands
    LOOP
        previous[it.event] := it.before;
    END LOOP;
    reached[head] := b;
    beyond[b] := b;
    WHILE head < behind AND NOT passed[a] LOOP
        at := reached[head];
        head := head + 1;
        CONTINUE WHEN passed[at];
        passed[at] := true;
        FOR n IN begins[at]..begins[at + 1] LOOP
            -- One more than there are edges: what stands before it in its strand.
            IF n < begins[at + 1] THEN
                source := before[n];
            ELSE
                source := CASE WHEN at <= events THEN previous[at] ELSE 0 END;
            END IF;
            CONTINUE WHEN source = 0 OR beyond[source] > 0;
            beyond[source] := at;
            IF source <= events THEN
                reached[behind] := source;
                behind := behind + 1;
            ELSE
                head := head - 1;
                reached[head] := source;
            END IF;
        END LOOP;
    END LOOP;
    chain := '{}';
    at := a;
    WHILE at > 0 LOOP
        IF at <= events THEN
            chain := chain || at;
        END IF;
        EXIT WHEN at = b;
        at := beyond[at];
    END LOOP;
    SELECT array_agg(x.reason ORDER BY x.n) INTO reasons
    FROM (SELECT c.n, CASE WHEN c.n > 1 THEN least(min(e.reason), CASE WHEN line[c.event] = line[c.before] AND line[c.event] <= strands THEN 2 ELSE 7 END) END AS reason
          FROM (SELECT c.event, c.n, lag(c.event) OVER (ORDER BY c.n) AS before FROM unnest(chain) WITH ORDINALITY c (event, n)) c
          LEFT JOIN unnest(edge_sources, edge_targets, edge_reasons) e (source, target, reason) ON e.source = c.before AND e.target = c.event
          GROUP BY c.n, c.event, c.before) x;
END
$chain$;

COMMENT ON FUNCTION raceway.shortest_chain(integer, integer, integer, integer, integer[], integer[], integer[], integer[], integer[], integer[], integer[]) IS
    'part of the analysis: a shortest chain of kept edges from one event to another that it happened before, with their reasons';

CREATE FUNCTION raceway.explain_order(trace text, a text, b text)
RETURNS TABLE (step integer, event_id text, reason text, branch text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $explain$
#variable_conflict use_column
DECLARE
    names  constant text[] := ARRAY['parent', 'program', 'spawn', 'await', 'span', 'link', 'clock'];
    o      record;
    one    integer;
    two    integer;
    common integer;
BEGIN
    SELECT t.* INTO o FROM raceway.trace_order(trace) t;
    one := raceway.event_rank(trace, a);
    two := raceway.event_rank(trace, b);
    IF one <> two AND get_bit(o.known[one], o.place[two] - 1) = 0 AND get_bit(o.known[two], o.place[one] - 1) = 0 THEN
        common := array_position(o.place, length(rtrim((o.known[one] & o.known[two])::text, '0')));
        IF common IS NULL THEN
            -- Nothing is before both: each is a branch by itself.
            RETURN QUERY VALUES (1, a, NULL::text, 'a'), (1, b, NULL, 'b');
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
        WITH asked AS (
            SELECT * FROM (VALUES (CASE WHEN o.place[one] < o.place[two] THEN one ELSE two END, CASE WHEN o.place[one] < o.place[two] THEN two ELSE one END, NULL, 0)) v
                (source, target, branch, turn) WHERE common IS NULL
            UNION ALL SELECT common, v.* FROM (VALUES (one, 'a', 1), (two, 'b', 2)) v WHERE common IS NOT NULL
        )
        SELECT (c.n - 1)::integer, e.event_id, names[c.reason], CASE WHEN c.n > 1 OR common IS NULL THEN q.branch END
        FROM asked q, raceway.shortest_chain(q.source, q.target, o.events, o.strands, o.line, o."position", o.begins, o.before,
                                             o.edge_sources, o.edge_targets, o.edge_reasons) s,
            unnest(s.chain, s.reasons) WITH ORDINALITY c (event, reason, n)
        JOIN raceway.trace_events(trace) e ON e.rank = c.event
        WHERE c.n > 1 OR q.turn < 2
        ORDER BY q.turn * sign(c.n - 1), c.n;
END
$explain$;

CREATE FUNCTION raceway.trace_times(trace text) RETURNS TABLE (rank integer, ends bigint, took bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $times$
DECLARE
    furthest constant bigint := 4611686018427387903;
BEGIN
    RETURN QUERY
        SELECT t.rank, (t.told - least(min(t.told - t.took) OVER (), 0)), t.took
        FROM (SELECT m.rank, m.took, CASE WHEN m.micros - first_value(m.micros) OVER (ORDER BY m.rank) > furthest / 1000 - 1 THEN furthest
                                          ELSE ((m.micros - first_value(m.micros) OVER (ORDER BY m.rank)) * 1000 + m.nanos)::bigint END AS told
              FROM (SELECT e.rank, e.nanos, least(e.duration, furthest) AS took,
                           CASE e.at WHEN 'infinity' THEN 1e19 WHEN '-infinity' THEN -1e19 ELSE extract(epoch FROM e.at - timestamp '2000-01-01') * 1000000 END AS micros
                    FROM raceway.trace_events(trace) e) m) t;
END
$times$;

COMMENT ON FUNCTION raceway.trace_times(text) IS
    'part of the analysis: when each event ended, in nanoseconds since the earliest start of all, and how long it took';

CREATE FUNCTION raceway.longest_durations(place integer[], took bigint[], edge_sources integer[], edge_targets integer[], edge_reasons integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $longest$
DECLARE
    furthest constant bigint := 4611686018427387903;  -- sums end there instead of running over
    calls    record;
    begins   integer[];
    callers  integer[];
    nanos    bigint[] := took;
    length   integer[] := array_fill(1, ARRAY[cardinality(place)]);
    caller   integer[] := array_fill(0, ARRAY[cardinality(place)]);
    event    integer;
    other    integer;
    best     integer;
    last_one integer := 0;
    path     integer[] := '{}';
BEGIN
    SELECT coalesce(array_agg(e.target), '{}') AS targets, coalesce(array_agg(e.source), '{}') AS sources INTO calls
    FROM unnest(edge_sources, edge_targets, edge_reasons) e (source, target, reason)
    WHERE e.reason IN (1, 5) AND place[e.source] < place[e.target];
    SELECT d.begins, d.heads INTO begins, callers FROM raceway.digraph(cardinality(place), calls.targets, calls.sources) d;
    FOREACH event IN ARRAY ARRAY(SELECT p.n::integer FROM unnest(place) WITH ORDINALITY p (place, n) ORDER BY p.place) LOOP
        best := 0;
        FOR n IN begins[event]..begins[event + 1] - 1 LOOP
            other := callers[n];
            IF best = 0 OR (-nanos[other], length[other], place[other]) < (-nanos[best], length[best], place[best]) THEN
                best := other;
            END IF;
        END LOOP;
        -- What took no time is no part of the way to what did.
        IF best > 0 AND nanos[best] > 0 THEN
            nanos[event] := CASE WHEN took[event] > furthest - nanos[best] THEN furthest ELSE took[event] + nanos[best] END;
            length[event] := length[best] + 1;
            caller[event] := best;
        END IF;
        IF last_one = 0 OR (-nanos[event], length[event], place[event]) < (-nanos[last_one], length[last_one], place[last_one]) THEN
            last_one := event;
        END IF;
    END LOOP;
    WHILE last_one > 0 LOOP
        path := last_one || path;
        last_one := caller[last_one];
    END LOOP;
    RETURN path;
END
$longest$;

COMMENT ON FUNCTION raceway.longest_durations(integer[], bigint[], integer[], integer[], integer[]) IS
    'part of the analysis: the chain of events along kept edges of parents and spans whose durations have the largest sum; of equal ones '
    'that with fewer events, then the one that ends earlier in the linear order';

CREATE FUNCTION raceway.elapsed_path(starts bigint[], ends bigint[], caller integer[], detached boolean[], first_place integer[],
                                     OUT piece_line integer[], OUT piece_from bigint[], OUT piece_to bigint[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $elapsed$
DECLARE
    lines    constant integer := cardinality(starts);
    begins   integer[];
    called   integer[];
    -- Whose time it is, from where on, up to where, and which of what it called comes next.
    of_line  integer[];
    from_at  bigint[];
    cursors  bigint[];
    nexts    integer[];
    depth    integer := 1;
    line     integer;
    child    integer;
    starting bigint;
    ending   bigint;
BEGIN
    piece_line := '{}';
    piece_from := '{}';
    piece_to := '{}';
    -- Under its caller and within its time; a caller's first event stands before that of what it calls.
    FOREACH line IN ARRAY ARRAY(SELECT p.n::integer FROM unnest(first_place) WITH ORDINALITY p (place, n) ORDER BY p.place) LOOP
        CONTINUE WHEN caller[line] = 0 OR detached[line];
        IF ends[line] < starts[caller[line]] OR starts[line] > ends[caller[line]] THEN
            detached[line] := true;
        ELSE
            starts[line] := greatest(starts[line], starts[caller[line]]);
            ends[line] := least(ends[line], ends[caller[line]]);
        END IF;
    END LOOP;
    SELECT l.n::integer INTO line FROM unnest(starts, ends, caller, first_place) WITH ORDINALITY l (starts, ends, caller, place, n)
    WHERE l.caller = 0 ORDER BY l.starts - l.ends, l.starts, l.place LIMIT 1;
    IF line IS NULL THEN
        RETURN;
    END IF;
    SELECT d.begins, d.heads INTO begins, called
    FROM (SELECT coalesce(array_agg(l.caller ORDER BY -l.ends, -l.starts, l.place), '{}') AS sources,
                 coalesce(array_agg(l.n::integer ORDER BY -l.ends, -l.starts, l.place), '{}') AS targets
          FROM unnest(starts, ends, caller, detached, first_place) WITH ORDINALITY l (starts, ends, caller, detached, place, n)
          WHERE l.caller > 0 AND NOT l.detached) l, raceway.digraph(lines, l.sources, l.targets) d;
    of_line[1] := line;
    from_at[1] := starts[line];
    cursors[1] := ends[line];
    nexts[1] := begins[line];
    WHILE depth > 0 LOOP
        line := of_line[depth];
        ending := cursors[depth];
        WHILE nexts[depth] < begins[line + 1] AND ends[called[nexts[depth]]] > ending LOOP
            nexts[depth] := nexts[depth] + 1;
        END LOOP;
        child := CASE WHEN nexts[depth] < begins[line + 1] THEN called[nexts[depth]] END;
        IF child IS NULL OR ends[child] <= from_at[depth] THEN
            child := NULL;
            starting := from_at[depth];
            depth := depth - 1;
        ELSE
            nexts[depth] := nexts[depth] + 1;
            starting := ends[child];
            cursors[depth] := greatest(starts[child], from_at[depth]);
        END IF;
        IF starting < ending THEN
            piece_line := piece_line || line;
            piece_from := piece_from || starting;
            piece_to := piece_to || ending;
        END IF;
        IF child IS NOT NULL AND cursors[depth] < ends[child] THEN
            depth := depth + 1;
            of_line[depth] := child;
            from_at[depth] := cursors[depth - 1];
            cursors[depth] := ends[child];
            nexts[depth] := begins[child];
        END IF;
    END LOOP;
END
$elapsed$;

COMMENT ON FUNCTION raceway.elapsed_path(bigint[], bigint[], integer[], boolean[], integer[]) IS
    'part of the analysis: who had each instant of the longest activity that nobody called, backwards from its end: of what a line called '
    'that which ended last before an instant has the time from its end to its start, and so on within it; what is between is its own';

CREATE FUNCTION raceway.critical_path(trace text, by text DEFAULT 'elapsed')
RETURNS TABLE (step integer, service text, thread text, event_id text, "from" numeric, "to" numeric, ms numeric, reason text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $critical$
#variable_conflict use_column
DECLARE
    names   constant text[] := ARRAY['parent', 'program', 'spawn', 'await', 'span', 'link', 'clock'];
    o       record;
    path    integer[];
    pieces  record;
    of_line record;
BEGIN
    IF $2 NOT IN ('elapsed', 'durations') THEN
        RAISE EXCEPTION 'by is "%", not elapsed or durations', $2 USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT t.* INTO o FROM raceway.trace_order(trace) t;
    IF $2 = 'durations' THEN
        path := raceway.longest_durations(o.place, ARRAY(SELECT t.took FROM raceway.trace_times(trace) t ORDER BY t.rank), o.edge_sources, o.edge_targets, o.edge_reasons);
        RETURN QUERY
            SELECT p.n::integer, nullif(e.service, ''), nullif(e.thread, ''), e.event_id, round((t.ends - t.took)::numeric / 1000000, 6),
                   round(t.ends::numeric / 1000000, 6), round(t.took::numeric / 1000000, 6),
                   (SELECT names[min(x.reason)] FROM unnest(o.edge_sources, o.edge_targets, o.edge_reasons) x (source, target, reason)
                    WHERE x.reason IN (1, 5) AND x.target = p.event AND x.source = path[p.n - 1])
            FROM unnest(path) WITH ORDINALITY p (event, n) JOIN raceway.trace_events(trace) e ON e.rank = p.event JOIN raceway.trace_times(trace) t ON t.rank = p.event
            ORDER BY 1;
        RETURN;
    END IF;
    WITH event AS MATERIALIZED (
        SELECT p.rank, p.place, p.line, p."position", t.ends - t.took AS starts, t.ends, e.kind
        FROM unnest(o.place, o.line, o."position") WITH ORDINALITY p (place, line, "position", rank)
        JOIN raceway.trace_times(trace) t ON t.rank = p.rank JOIN raceway.trace_events(trace) e ON e.rank = p.rank
    ), edge AS MATERIALIZED (
        SELECT x.reason, x.n, a.line AS caller, a.kind, b.line, b."position"
        FROM unnest(o.edge_sources, o.edge_targets, o.edge_reasons) WITH ORDINALITY x (source, target, reason, n)
        JOIN event a ON a.rank = x.source JOIN event b ON b.rank = x.target WHERE a.place < b.place AND a.line <> b.line AND x.reason < 6
    ), call AS (
        SELECT DISTINCT ON (x.line) x.* FROM edge x WHERE x.reason <> 4 AND x."position" = 1 ORDER BY x.line, x.n
    ), line AS (
        SELECT e.line, min(e.starts) AS starts, max(e.ends) AS ends, min(e.place) AS place FROM event e GROUP BY 1
    )
    SELECT coalesce(array_agg(l.starts ORDER BY l.line), '{}') AS starts, coalesce(array_agg(greatest(l.ends, 0) ORDER BY l.line), '{}') AS ends,
           coalesce(array_agg(coalesce(c.caller, 0) ORDER BY l.line), '{}') AS caller,
           -- Who is started, and waited for by nobody, is no part of who started it.
           coalesce(array_agg(coalesce(c.kind = 'AsyncSpawn', false)
                              AND NOT EXISTS (SELECT FROM edge x WHERE x.reason = 4 AND x.caller = l.line) ORDER BY l.line), '{}') AS detached,
           coalesce(array_agg(l.place ORDER BY l.line), '{}') AS first_place, coalesce(array_agg(c.reason ORDER BY l.line), '{}') AS reason
    INTO of_line FROM line l LEFT JOIN call c ON c.line = l.line;
    SELECT e.* INTO pieces FROM raceway.elapsed_path(of_line.starts, of_line.ends, of_line.caller, of_line.detached, of_line.first_place) e;
    RETURN QUERY
        WITH event AS MATERIALIZED (
            SELECT e.event_id, e.service, e.thread, p.line, p."position", max(t.ends) OVER (PARTITION BY p.line ORDER BY p."position") AS ends_by_then,
                   count(*) OVER (PARTITION BY p.line) AS length
            FROM raceway.trace_events(trace) e JOIN raceway.trace_times(trace) t ON t.rank = e.rank
            JOIN unnest(o.line, o."position") WITH ORDINALITY p (line, "position", rank) ON p.rank = e.rank
        ), piece AS (
            SELECT p.*, row_number() OVER (ORDER BY p.n DESC) AS step
            FROM unnest(pieces.piece_line, pieces.piece_from, pieces.piece_to) WITH ORDINALITY p (line, "from", "to", n)
        ), headed AS (
            -- The event that the line was on its way to: the first that was told then or later, else its last.
            SELECT x.step, coalesce(x.heading, x.length::integer) AS heading
            FROM (SELECT y.step, y.length, min(y."position") OVER (PARTITION BY y.line ORDER BY y.until DESC, y.turn ROWS UNBOUNDED PRECEDING) AS heading
                  FROM (SELECT e.line, e.ends_by_then AS until, 0 AS turn, e."position", NULL AS step, NULL AS length FROM event e
                        UNION ALL SELECT p.line, p."to", 1, NULL, p.step, (SELECT max(e.length) FROM event e WHERE e.line = p.line) FROM piece p) y) x
            WHERE x.step IS NOT NULL
        )
        SELECT p.step::integer, nullif(f.service, ''), nullif(f.thread, ''), e.event_id, round(p."from"::numeric / 1000000, 6), round(p."to"::numeric / 1000000, 6),
               round((p."to" - p."from")::numeric / 1000000, 6), names[of_line.reason[p.line]]
        FROM piece p JOIN headed h ON h.step = p.step JOIN event e ON e.line = p.line AND e."position" = h.heading
        JOIN event f ON f.line = p.line AND f."position" = 1
        ORDER BY 1;
END
$critical$;

CREATE FUNCTION raceway.trace_calls(trace text)
RETURNS TABLE (from_service text, to_service text, link text, calls bigint)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $calls$
#variable_conflict use_column
DECLARE
    o record;
BEGIN
    SELECT t.* INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        WITH event AS MATERIALIZED (
            SELECT e.rank, e.service, e.span, p.parent, p.place, p.line, CASE WHEN e.span > 0 THEN o.upstream_of[e.span] ELSE 0 END AS upstream,
                   CASE WHEN e.kind IN ('HttpRequest', 'HttpResponse') THEN 'HttpCall' WHEN e.kind = 'DatabaseQuery' THEN 'DatabaseQuery' ELSE 'Custom' END AS link
            FROM raceway.trace_events(trace) e
            JOIN unnest(o.place, o.line, o.parents) WITH ORDINALITY p (place, line, parent, rank) ON p.rank = e.rank
        ), called AS MATERIALIZED (
            SELECT e.upstream, e.span, coalesce(c.service, '') AS caller, e.service, e.link
            FROM (SELECT DISTINCT ON (e.span) e.* FROM event e WHERE e.span > 0 ORDER BY e.span, e.place) e
            LEFT JOIN event c ON c.rank = CASE WHEN e.upstream > 0 THEN o.span_first[e.upstream] END
            WHERE e.upstream <> 0 AND e.upstream <> e.span AND c.line IS DISTINCT FROM e.line
        )
        SELECT nullif(x.caller, ''), nullif(x.service, ''), x.link, count(*)
        FROM (SELECT c.caller, c.service, c.link FROM called c
              UNION ALL SELECT p.service, e.service, e.link FROM event e JOIN event p ON p.rank = e.parent
              LEFT JOIN called c ON c.upstream = p.span AND c.span = e.span
              WHERE p.service <> e.service AND c.span IS NULL) x
        GROUP BY x.caller, x.service, x.link
        ORDER BY x.caller COLLATE "C", x.service COLLATE "C", CASE x.link WHEN 'HttpCall' THEN 1 WHEN 'DatabaseQuery' THEN 2 ELSE 3 END;
END
$calls$;

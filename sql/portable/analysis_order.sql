-- The analysis of one trace: its order, which everything else starts from.

CREATE FUNCTION raceway.trace_order(trace text, OUT events integer, OUT place integer[], OUT line integer[], OUT "position" integer[], OUT known bit varying[],
                                    OUT parents integer[], OUT edge_sources integer[], OUT edge_targets integer[], OUT edge_reasons integer[],
                                    OUT class_of integer[], OUT class_from integer[], OUT class_to integer[], OUT nodes integer[],
                                    OUT begins integer[], OUT before integer[], OUT strands integer, OUT span_first integer[], OUT upstream_of integer[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $order$
DECLARE
    strand     integer[];
    span       integer[];
    upstream   integer[];
    process    integer[];
    component  text[];
    kinds      text[];
    subjects   text[];
    threads    text[];
    clocks     jsonb[];
    linked     jsonb;  -- by rank, the ranks that it names as causes
    link_sources integer[];
    link_targets integer[];
    -- The entries of all clocks, and the numbers of components that stand for requests.
    entry_event     integer[];
    entry_name      text[];
    entry_counter   numeric[];
    entry_component integer[];
    own        integer[];
    numbers    numeric[];
    requests   jsonb;
    base       integer[];
    base_place integer[];
    links      record;
    asked      record;
    more       record;
    node_place integer[];
    classes    integer;
    count      integer;
    unheard    bit varying;
    heard      bit varying;
    latest     integer[];  -- by line
    event      integer;
    n_before   integer;
BEGIN
    PERFORM raceway.require_analysable(trace);
    SELECT count(*), coalesce(array_agg(e.parent), '{}'), coalesce(array_agg(e.strand), '{}'), coalesce(array_agg(e.span), '{}'),
           coalesce(array_agg(e.upstream), '{}'), coalesce(array_agg(e.process), '{}'), coalesce(array_agg(e.component), '{}'),
           coalesce(array_agg(e.kind), '{}'), coalesce(array_agg(e.subject), '{}'), coalesce(array_agg(e.thread), '{}'), coalesce(array_agg(e.clock), '{}'),
           coalesce(jsonb_object_agg(e.rank, e.links) FILTER (WHERE e.links <> '{}'), '{}')
    INTO events, parents, strand, span, upstream, process, component, kinds, subjects, threads, clocks, linked
    FROM raceway.trace_events(trace) e;
    SELECT coalesce(array_agg(l.source::integer ORDER BY t.target::integer, l.n), '{}'), coalesce(array_agg(t.target::integer ORDER BY t.target::integer, l.n), '{}')
    INTO link_sources, link_targets
    FROM jsonb_each(linked) t (target, sources), jsonb_array_elements_text(t.sources) WITH ORDINALITY l (source, n);
    strands := coalesce((SELECT max(s) FROM unnest(strand) s), 0);

    -- The events by parents and time alone.
    parents := raceway.cut_cycles(parents);
    base := ARRAY(SELECT generate_series(1, events));
    IF EXISTS (SELECT FROM unnest(parents) WITH ORDINALITY p (parent, n) WHERE p.parent > p.n) THEN
        base := raceway.order_by_constraints(events, events, ARRAY(SELECT p.parent FROM unnest(parents) WITH ORDINALITY p (parent, n) WHERE p.parent > 0 ORDER BY p.n),
                                             ARRAY(SELECT p.n::integer FROM unnest(parents) WITH ORDINALITY p (parent, n) WHERE p.parent > 0 ORDER BY p.n));
    END IF;
    base_place := ARRAY(SELECT b.n::integer FROM unnest(base) WITH ORDINALITY b (event, n) ORDER BY b.event);
    span_first := array_fill(0, ARRAY[events]);
    upstream_of := span_first;
    FOREACH event IN ARRAY base LOOP
        IF span[event] > 0 THEN
            IF span_first[span[event]] = 0 THEN
                span_first[span[event]] := event;
            END IF;
            IF upstream_of[span[event]] = 0 THEN
                upstream_of[span[event]] := upstream[event];
            END IF;
        END IF;
    END LOOP;

    -- The edges.
    SELECT t.sources, t.targets, t.reasons INTO edge_sources, edge_targets, edge_reasons
    FROM raceway.told_edges(parents, base_place, strand, process, span, upstream_of, span_first, kinds, subjects, threads,
                            link_sources, link_targets) t;
    SELECT coalesce(array_agg(x.event ORDER BY x.event, x.n), '{}'), coalesce(array_agg(x.key ORDER BY x.event, x.n), '{}'),
           coalesce(array_agg(x.counter ORDER BY x.event, x.n), '{}')
    INTO entry_event, entry_name, entry_counter
    FROM (SELECT c.event::integer AS event, e.key, trunc(e.value::numeric) AS counter, e.n
          FROM unnest(clocks) WITH ORDINALITY c (clock, event), jsonb_each(c.clock) WITH ORDINALITY e (key, value, n)) x
    WHERE x.counter > 0;
    SELECT coalesce(jsonb_object_agg(r.name, r.n), '{}') INTO requests
    FROM (SELECT c.name, row_number() OVER (ORDER BY c.name COLLATE "C") AS n
          FROM (SELECT DISTINCT c.name FROM unnest(component) c (name) JOIN unnest(entry_name) e (name) ON e.name = c.name) c) r;
    IF requests <> '{}' THEN
        entry_component := ARRAY(SELECT coalesce((requests -> e.name)::integer, 0) FROM unnest(entry_name) WITH ORDINALITY e (name, n) ORDER BY e.n);
        own := ARRAY(SELECT coalesce((requests -> c.name)::integer, 0) FROM unnest(component) WITH ORDINALITY c (name, n) ORDER BY c.n);
        numbers := ARRAY(SELECT trunc((nullif(c.clock ->> c.name, '0'))::numeric) FROM unnest(component, clocks) WITH ORDINALITY c (name, clock, n) ORDER BY c.n);
        SELECT r.* INTO links FROM raceway.request_edges(base, strand, span, upstream_of, own, numbers, entry_event, entry_component, entry_counter) r;
        edge_sources := edge_sources || links.sources;
        edge_targets := edge_targets || links.targets;
        edge_reasons := edge_reasons || array_fill(7, ARRAY[cardinality(links.sources)]);
        -- The others are plain: a clock is either the one or the other.
        SELECT coalesce(array_agg(x.event ORDER BY x.n), '{}'), coalesce(array_agg(x.name ORDER BY x.n), '{}'), coalesce(array_agg(x.counter ORDER BY x.n), '{}')
        INTO entry_event, entry_name, entry_counter
        FROM (SELECT e.*, max(e.component) OVER (PARTITION BY e.event) AS is_request
              FROM unnest(entry_event, entry_name, entry_counter, entry_component) WITH ORDINALITY e (event, name, counter, component, n)) x
        WHERE x.is_request = 0;
    END IF;
    SELECT p.class_of, p.classes, p.class_from, p.class_to INTO class_of, classes, class_from, class_to
    FROM raceway.clock_precedence(events, entry_event, entry_name, entry_counter) p;

    -- The linear order, and what of the edges it keeps, by their ends.
    SELECT w.* INTO links FROM raceway.without_circles(base_place, edge_sources, edge_targets, edge_reasons) w;
    SELECT c.* INTO asked FROM raceway.clock_edges(events, class_of, classes, class_from, class_to) c;
    count := events + 2 * classes;
    nodes := raceway.order_by_constraints(events, count, links.link_sources || asked.sources, links.link_targets || asked.targets);
    node_place := ARRAY(SELECT p.n::integer FROM unnest(nodes) WITH ORDINALITY p (node, n) ORDER BY p.node);
    place := ARRAY(SELECT p.n::integer FROM (
        SELECT p.node, row_number() OVER (ORDER BY p.n) AS n FROM unnest(nodes) WITH ORDINALITY p (node, n) WHERE p.node <= events) p ORDER BY p.node);
    SELECT p.* INTO more FROM raceway.passed_clocks(events, node_place, class_of, asked.sources, asked.targets) p;
    SELECT d.begins, d.heads INTO begins, before
    FROM (SELECT coalesce(array_agg(k.source ORDER BY k.n), '{}') AS sources, coalesce(array_agg(k.target ORDER BY k.n), '{}') AS targets
          FROM unnest(edge_sources || asked.sources || more.from_nodes, edge_targets || asked.targets || more.to_nodes) WITH ORDINALITY k (source, target, n)
          WHERE node_place[k.source] < node_place[k.target]) k, raceway.digraph(count, k.targets, k.sources) d;
    SELECT l.line, l."position" INTO line, "position" FROM raceway.find_lines(events, strands, nodes, strand, begins, before) l;

    -- What happened before each event, and itself, as bits by place.
    unheard := repeat('0', events)::bit varying;
    latest := array_fill(0, ARRAY[coalesce((SELECT max(l) FROM unnest(line) l), 0)]);
    FOREACH event IN ARRAY nodes LOOP
        heard := unheard;
        IF event <= events THEN
            IF latest[line[event]] > 0 THEN
                heard := known[latest[line[event]]];
            END IF;
            latest[line[event]] := event;
        END IF;
        FOR n IN begins[event]..begins[event + 1] - 1 LOOP
            n_before := before[n];
            IF n_before > events THEN
                heard := heard | known[n_before];
            ELSIF get_bit(heard, place[n_before] - 1) = 0 THEN
                heard := heard | known[n_before];
            END IF;
        END LOOP;
        known[event] := CASE WHEN event <= events THEN set_bit(heard, place[event] - 1, 1) ELSE heard END;
    END LOOP;
    known := known[1:events];
END
$order$;

COMMENT ON FUNCTION raceway.trace_order(text) IS
    'part of the analysis: the order of a trace. Of each event, by rank, its place in the linear order, its line and its position there, and '
    'what it knows: a bit for each place. Edges with their reasons, kept where they lead to a later place; classes of plain clocks; all nodes '
    'in order, with what is kept of the edges backwards; and of spans their first events and what called them';

CREATE FUNCTION raceway.event_rank(trace text, event_id text) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $rank$
DECLARE
    found integer := (SELECT min(e.rank) FROM raceway.trace_events(trace) e WHERE e.event_id = event_rank.event_id);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'trace "%" has no event "%"', trace, event_id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN found;
END
$rank$;

COMMENT ON FUNCTION raceway.event_rank(text, text) IS 'part of the analysis: the earliest event of that id';

CREATE FUNCTION raceway.effective_clocks(place integer[], line integer[], "position" integer[], known bit varying[]) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $clocks$
DECLARE
    events   constant integer[] := ARRAY(SELECT p.event::integer FROM unnest(place) WITH ORDINALITY p (place, event) ORDER BY p.place);
    latest   integer[] := array_fill(0, ARRAY[coalesce((SELECT max(l) FROM unnest(line) l), 0)]);  -- by line
    clocks   jsonb[] := array_fill(NULL::jsonb, ARRAY[cardinality(place)]);
    clock    jsonb;
    news     bit varying;
    fresh    integer[];
    event    integer;
    previous integer;
    at       integer;
BEGIN
    FOREACH event IN ARRAY events LOOP
        previous := latest[line[event]];
        latest[line[event]] := event;
        clock := '{}';
        news := known[event];
        IF previous > 0 THEN
            clock := clocks[previous];
            news := news & ~known[previous];
        END IF;
        fresh := '{}';
        LOOP
            at := position(B'1' IN news);
            EXIT WHEN at = 0;
            news := set_bit(news, at - 1, 0);
            fresh := fresh || events[at];
        END LOOP;
        IF cardinality(fresh) = 1 THEN
            clock := clock || jsonb_build_object(line[event], "position"[event]);
        ELSE
            clock := clock || (SELECT jsonb_object_agg(line[f], "position"[f] ORDER BY "position"[f]) FROM unnest(fresh) f);
        END IF;
        clocks[event] := clock;
    END LOOP;
    RETURN clocks;
END
$clocks$;

COMMENT ON FUNCTION raceway.effective_clocks(integer[], integer[], integer[], bit varying[]) IS
    'part of the analysis: what each event knows of each line, as an object';

CREATE FUNCTION raceway.happens_before(trace text, a text, b text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $happens$
DECLARE
    o   record;
    one integer;
    two integer;
BEGIN
    SELECT t.place, t.known INTO o FROM raceway.trace_order(trace) t;
    one := raceway.event_rank(trace, a);
    two := raceway.event_rank(trace, b);
    RETURN CASE WHEN one = two THEN 'equal'
                WHEN get_bit(o.known[two], o.place[one] - 1) = 1 THEN 'before'
                WHEN get_bit(o.known[one], o.place[two] - 1) = 1 THEN 'after'
                ELSE 'concurrent' END;
END
$happens$;

CREATE FUNCTION raceway.causal_order(trace text)
RETURNS TABLE (place integer, event_id text, strand integer, "position" integer, service text, thread_id text, effective_clock jsonb)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $order$
#variable_conflict use_column
DECLARE
    o record;
BEGIN
    SELECT t.* INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        SELECT p.place, e.event_id, p.line, p."position", nullif(e.service, ''), nullif(e.thread, ''), c.clock
        FROM unnest(o.place, o.line, o."position") WITH ORDINALITY p (place, line, "position", rank)
        JOIN raceway.trace_events(trace) e ON e.rank = p.rank
        JOIN unnest(raceway.effective_clocks(o.place, o.line, o."position", o.known)) WITH ORDINALITY c (clock, rank) ON c.rank = p.rank
        ORDER BY 1;
END
$order$;

CREATE FUNCTION raceway.causal_edges(trace text)
RETURNS TABLE (from_event text, to_event text, reason text, kept boolean)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $edges$
#variable_conflict use_column
DECLARE
    o   record;
BEGIN
    SELECT t.* INTO o FROM raceway.trace_order(trace) t;
    RETURN QUERY
        WITH event AS MATERIALIZED (
            SELECT e.rank, e.event_id, p.place, p.line, p."position", p.class
            FROM raceway.trace_events(trace) e
            JOIN unnest(o.place, o.line, o."position", o.class_of) WITH ORDINALITY p (place, line, "position", class, rank) ON p.rank = e.rank
        ), edge AS (
            SELECT e.source, e.target, e.reason, 1 AS turn, e.n, 0 AS n2, 0 AS n3
            FROM unnest(o.edge_sources, o.edge_targets, o.edge_reasons) WITH ORDINALITY e (source, target, reason, n)
            UNION ALL SELECT a.rank, b.rank, 2, 2, a.line, a."position", 0 FROM event a JOIN event b ON b.line = a.line AND b."position" = a."position" + 1
            WHERE a.line <= o.strands
            UNION ALL SELECT a.rank, b.rank, 7, 3, c.n, a.rank, b.rank
            FROM unnest(o.class_from, o.class_to) WITH ORDINALITY c (source, target, n) JOIN event a ON a.class = c.source JOIN event b ON b.class = c.target
        )
        SELECT a.event_id, b.event_id, (ARRAY['parent', 'program', 'spawn', 'await', 'span', 'link', 'clock'])[e.reason], a.place < b.place
        FROM edge e JOIN event a ON a.rank = e.source JOIN event b ON b.rank = e.target
        ORDER BY e.turn, e.n, e.n2, e.n3;
END
$edges$;

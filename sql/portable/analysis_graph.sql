-- The analysis of one trace: graphs, whose nodes are numbers from 1. The edges that leave node n go to heads[begins[n]] up to,
-- and without, heads[begins[n + 1]], in the order in which they were given.

CREATE FUNCTION raceway.digraph(nodes integer, sources integer[], targets integer[], OUT begins integer[], OUT heads integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $digraph$
DECLARE
    source integer;
    behind integer := 1;
BEGIN
    begins := array_fill(0, ARRAY[nodes + 1]);
    heads := targets;
    FOREACH source IN ARRAY sources LOOP
        begins[source] := begins[source] + 1;
    END LOOP;
    FOR node IN 1..nodes + 1 LOOP
        behind := behind + begins[node];
        begins[node] := behind;
    END LOOP;
    FOR n IN REVERSE cardinality(sources)..1 LOOP
        source := sources[n];
        begins[source] := begins[source] - 1;
        heads[begins[source]] := targets[n];
    END LOOP;
END
$digraph$;

COMMENT ON FUNCTION raceway.digraph(integer, integer[], integer[]) IS 'part of the analysis: a graph of edges';

CREATE FUNCTION raceway.strongly_connected(nodes integer, begins integer[], heads integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $connected$
DECLARE
    visited   integer[] := array_fill(0, ARRAY[nodes]);  -- the when of the first visit
    lowest    integer[] := visited;                      -- the earliest open node known to be reachable
    component integer[] := visited;
    following integer[] := begins;
    path      integer[] := visited;
    open      integer[] := visited;
    visits    integer := 0;
    depth     integer;
    opened    integer := 0;
    entered   integer;
    node      integer;
    head      integer;
BEGIN
    FOR root IN 1..nodes LOOP
        CONTINUE WHEN visited[root] > 0;
        depth := 0;
        entered := root;
        LOOP
            IF entered > 0 THEN
                visits := visits + 1;
                visited[entered] := visits;
                lowest[entered] := visits;
                opened := opened + 1;
                open[opened] := entered;
                depth := depth + 1;
                path[depth] := entered;
                entered := 0;
            END IF;
            node := path[depth];
            IF following[node] < begins[node + 1] THEN
                head := heads[following[node]];
                following[node] := following[node] + 1;
                IF visited[head] = 0 THEN
                    entered := head;
                ELSIF component[head] = 0 AND visited[head] < lowest[node] THEN
                    lowest[node] := visited[head];
                END IF;
                CONTINUE;
            END IF;
            depth := depth - 1;
            IF lowest[node] = visited[node] THEN
                LOOP
                    head := open[opened];
                    opened := opened - 1;
                    component[head] := node;
                    EXIT WHEN head = node;
                END LOOP;
            END IF;
            EXIT WHEN depth = 0;
            lowest[path[depth]] := least(lowest[path[depth]], lowest[node]);
        END LOOP;
    END LOOP;
    RETURN component;
END
$connected$;

COMMENT ON FUNCTION raceway.strongly_connected(integer, integer[], integer[]) IS
    'part of the analysis: a node for each node, the same for two exactly if each can be reached from the other (Tarjan 1972)';

CREATE FUNCTION raceway.cut_cycles(parents integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $cut$
DECLARE
    walk_of  integer[] := array_fill(0, ARRAY[cardinality(parents)]);
    at       integer;
    other    integer;
    earliest integer;
BEGIN
    FOR start IN 1..cardinality(parents) LOOP
        at := start;
        WHILE at > 0 AND walk_of[at] = 0 LOOP
            walk_of[at] := start;
            at := parents[at];
        END LOOP;
        CONTINUE WHEN at = 0 OR walk_of[at] <> start;
        earliest := at;
        other := parents[at];
        WHILE other <> at LOOP
            earliest := least(earliest, other);
            other := parents[other];
        END LOOP;
        parents[earliest] := 0;
    END LOOP;
    RETURN parents;
END
$cut$;

COMMENT ON FUNCTION raceway.cut_cycles(integer[]) IS
    'part of the analysis: takes its parent from the earliest event of each cycle of parents';

CREATE FUNCTION raceway.clock_edges(events integer, class_of integer[], classes integer, class_from integer[], class_to integer[],
                                    OUT sources integer[], OUT targets integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $edges$
BEGIN
    SELECT coalesce(array_agg(x.source ORDER BY x.turn, x.n, x.step), '{}'), coalesce(array_agg(x.target ORDER BY x.turn, x.n, x.step), '{}')
    INTO sources, targets
    FROM (SELECT 1 AS turn, e.n, 1 AS step, events + 2 * e.source AS source, events + 2 * e.target - 1 AS target
          FROM unnest(class_from, class_to) WITH ORDINALITY e (source, target, n)
          UNION ALL SELECT 2, c, 1, events + 2 * c - 1, events + 2 * c FROM generate_series(1, classes) c
          UNION ALL SELECT 3, e.n, s, CASE s WHEN 1 THEN events + 2 * e.class - 1 ELSE e.n END, CASE s WHEN 1 THEN e.n ELSE events + 2 * e.class END
          FROM unnest(class_of) WITH ORDINALITY e (class, n), generate_series(1, 2) s WHERE e.class > 0) x;
END
$edges$;

COMMENT ON FUNCTION raceway.clock_edges(integer, integer[], integer, integer[], integer[]) IS
    'part of the analysis: what plain clocks ask for. Behind the events each class of equal clocks has two nodes: it opens when all '
    'classes before it are complete and lets its events pass, and is complete when it opened and they all did';

CREATE FUNCTION raceway.order_by_constraints(events integer, nodes integer, sources integer[], targets integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $order$
DECLARE
    begins    integer[];
    heads     integer[];
    zeros     constant integer[] := array_fill(0, ARRAY[nodes]);
    no_events constant bit varying := repeat('0', events)::bit varying;
    placed    integer[] := '{}';
    waiting   integer[] := zeros;  -- by node: its predecessors that are not done
    done      boolean[] := array_fill(false, ARRAY[nodes]);
    finished  integer[] := zeros;  -- done, but their successors still have to learn it
    finishing integer := 0;
    free      bit varying := no_events;  -- events that nothing has to come before any more; the smallest is its first bit
    node      integer;
    head      integer;
    -- Once links and clocks contradict each other: a knot is one strongly connected component. Only one with nothing left to
    -- wait for outside gives up an event, which must miss no link itself and be linked to one that misses nothing but links.
    knot_of   integer[];
    outside   integer[];    -- by knot: edges into it from outside, from nodes that are not done
    links     integer[];    -- by event: links to it from events that are not done
    back_from integer[];
    back_to   integer[];
    touched   integer[];    -- events that may wait for less than before
    awaited   bit varying;  -- events, not done, that one of their knot waits for that misses nothing but links
    unlinked  bit varying;  -- events that miss no link
    untied    bit varying;  -- events of knots with nothing outside
    members_of integer[];   -- by knot: its events
    members   integer[];
    path      integer[];
    depth     integer;
BEGIN
    SELECT * INTO begins, heads FROM raceway.digraph(nodes, sources, targets);
    FOREACH head IN ARRAY heads LOOP
        waiting[head] := waiting[head] + 1;
    END LOOP;
    FOR n IN 1..nodes LOOP
        IF waiting[n] > 0 THEN
            CONTINUE;
        ELSIF n <= events THEN
            free := set_bit(free, n - 1, 1);
        ELSE
            finishing := finishing + 1;
            finished[finishing] := n;
        END IF;
    END LOOP;
    FOR left_over IN REVERSE events..0 LOOP
        WHILE finishing > 0 LOOP
            node := finished[finishing];
            finishing := finishing - 1;
            IF node > events THEN
                placed[cardinality(placed) + 1] := node;
                done[node] := true;
            END IF;
            FOR n IN begins[node]..begins[node + 1] - 1 LOOP
                head := heads[n];
                waiting[head] := waiting[head] - 1;
                IF waiting[head] = 0 AND NOT done[head] THEN
                    IF head <= events THEN
                        free := set_bit(free, head - 1, 1);
                    ELSE
                        finishing := finishing + 1;
                        finished[finishing] := head;
                    END IF;
                END IF;
                CONTINUE WHEN knot_of IS NULL;
                IF head <= events AND NOT done[head] THEN
                    IF node <= events THEN
                        links[head] := links[head] - 1;
                        IF links[head] = 0 THEN
                            unlinked := set_bit(unlinked, head - 1, 1);
                        END IF;
                    END IF;
                    touched := touched || head;
                END IF;
                IF knot_of[node] <> knot_of[head] THEN
                    outside[knot_of[head]] := outside[knot_of[head]] - 1;
                    IF outside[knot_of[head]] = 0 THEN
                        FOR member IN members_of[knot_of[head]]..members_of[knot_of[head] + 1] - 1 LOOP
                            untied := set_bit(untied, members[member] - 1, 1);
                        END LOOP;
                    END IF;
                END IF;
            END LOOP;
        END LOOP;
        EXIT WHEN left_over = 0;
        node := position(B'1' IN free);
        IF node > 0 THEN
            free := set_bit(free, node - 1, 0);
        ELSE
            IF knot_of IS NULL THEN
                knot_of := raceway.strongly_connected(nodes, begins, heads);
                outside := zeros;
                links := zeros;
                awaited := no_events;
                unlinked := no_events;
                untied := no_events;
                back_to := '{}';
                back_from := '{}';
                touched := ARRAY(SELECT generate_series(1, events));
                FOR source IN 1..nodes LOOP
                    CONTINUE WHEN done[source];
                    FOR n IN begins[source]..begins[source + 1] - 1 LOOP
                        head := heads[n];
                        IF knot_of[source] <> knot_of[head] THEN
                            outside[knot_of[head]] := outside[knot_of[head]] + 1;
                        END IF;
                        IF source <= events AND head <= events AND NOT done[head] THEN
                            links[head] := links[head] + 1;
                            back_from[cardinality(back_from) + 1] := head;
                            back_to[cardinality(back_to) + 1] := source;
                        END IF;
                    END LOOP;
                END LOOP;
                SELECT * INTO back_from, back_to FROM raceway.digraph(events, back_from, back_to);
                SELECT * INTO members_of, members FROM raceway.digraph(nodes, knot_of[1:events], touched);
                FOR event IN 1..events LOOP
                    IF links[event] = 0 THEN
                        unlinked := set_bit(unlinked, event - 1, 1);
                    END IF;
                    IF outside[knot_of[event]] = 0 THEN
                        untied := set_bit(untied, event - 1, 1);
                    END IF;
                END LOOP;
            END IF;
            FOREACH head IN ARRAY touched LOOP
                CONTINUE WHEN done[head] OR links[head] = 0 OR waiting[head] <> links[head];
                path[1] := head;
                depth := 1;
                WHILE depth > 0 LOOP
                    node := path[depth];
                    depth := depth - 1;
                    FOR n IN back_from[node]..back_from[node + 1] - 1 LOOP
                        head := back_to[n];
                        CONTINUE WHEN done[head] OR knot_of[head] <> knot_of[node] OR get_bit(awaited, head - 1) = 1;
                        awaited := set_bit(awaited, head - 1, 1);
                        depth := depth + 1;
                        path[depth] := head;
                    END LOOP;
                END LOOP;
            END LOOP;
            touched := '{}';
            node := position(B'1' IN awaited & unlinked & untied);
        END IF;
        IF awaited IS NOT NULL THEN
            awaited := set_bit(awaited, node - 1, 0);
        END IF;
        placed[cardinality(placed) + 1] := node;
        done[node] := true;
        finishing := 1;
        finished[1] := node;
    END LOOP;
    RETURN placed;
END
$order$;

COMMENT ON FUNCTION raceway.order_by_constraints(integer, integer, integer[], integer[]) IS
    'part of the analysis: all nodes, the sources of edges first, and of the events that are free to go the smallest (Kahn 1962). The edges '
    'between events have no cycle, and win where they contradict those of clocks';

-- The analysis of one trace: what says that one event was before another, which of it is kept, and lines of events.

CREATE FUNCTION raceway.told_edges(parents integer[], base_place integer[], strands integer[], processes integer[], spans integer[], upstream_of integer[],
                                   span_first integer[], kinds text[], subjects text[], threads text[],
                                   link_sources integer[], link_targets integer[],
                                   OUT sources integer[], OUT targets integer[], OUT reasons integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $told$
BEGIN
    WITH event AS MATERIALIZED (
        SELECT e.* FROM unnest(parents, base_place, strands, processes, spans, kinds, subjects, threads)
            WITH ORDINALITY e (parent, place, strand, process, span, kind, subject, thread, n)
    ), spawned AS (
        SELECT DISTINCT ON (e.process, e.subject) e.process, e.subject, e.n, e.strand FROM event e
        WHERE e.kind = 'AsyncSpawn' AND e.subject <> '' ORDER BY e.process, e.subject, e.place
    ), strand AS (
        SELECT s.*, f.parent FROM (
            SELECT e.strand, min(e.process) AS process, min(e.thread) AS thread, (array_agg(e.n ORDER BY e.place))[1] AS first,
                   (array_agg(e.n ORDER BY e.place DESC))[1] AS last
            FROM event e WHERE e.strand > 0 GROUP BY 1) s JOIN event f ON f.n = s.first
        WHERE EXISTS (SELECT FROM event e WHERE e.kind IN ('AsyncSpawn', 'AsyncAwait'))
    ), task AS (
        -- The strands of each task: the thread of that name, and those that its spawn is the parent of.
        SELECT s.process, s.thread AS subject, s.strand, s.last FROM strand s WHERE s.thread <> ''
        UNION SELECT p.process, p.subject, s.strand, s.last FROM strand s JOIN event p ON p.n = s.parent
        WHERE p.kind = 'AsyncSpawn' AND p.strand <> s.strand
    ), awaiting AS (
        -- What a strand waits for again it has waited for already.
        SELECT DISTINCT ON (e.process, e.subject, e.strand, CASE e.strand WHEN 0 THEN e.n END) e.* FROM event e
        WHERE e.kind = 'AsyncAwait' AND e.subject <> '' AND EXISTS (SELECT FROM task t WHERE t.process = e.process AND t.subject = e.subject)
        ORDER BY e.process, e.subject, e.strand, CASE e.strand WHEN 0 THEN e.n END, e.place
    ), called AS (
        SELECT DISTINCT ON (e.span, e.strand) e.* FROM event e
        WHERE e.span > 0 AND upstream_of[e.span] > 0 AND upstream_of[e.span] <> e.span ORDER BY e.span, e.strand, e.place
    )
    SELECT coalesce(array_agg(x.source ORDER BY x.turn, x.n1, x.n2), '{}'), coalesce(array_agg(x.target ORDER BY x.turn, x.n1, x.n2), '{}'),
           coalesce(array_agg(x.turn ORDER BY x.turn, x.n1, x.n2), '{}')
    INTO sources, targets, reasons
    FROM (SELECT e.parent AS source, e.n::integer AS target, 1 AS turn, e.n AS n1, 0 AS n2 FROM event e WHERE e.parent > 0
          UNION ALL SELECT p.n::integer, s.first::integer, 3, s.strand, 0 FROM strand s JOIN spawned p ON p.process = s.process AND p.subject = s.thread
          WHERE p.strand <> s.strand
          UNION ALL SELECT t.last::integer, a.n::integer, 4, a.place, t.strand FROM awaiting a
          JOIN task t ON t.process = a.process AND t.subject = a.subject AND t.strand <> a.strand
          UNION ALL SELECT span_first[upstream_of[c.span]], c.n::integer, 5, c.place, 0 FROM called c
          UNION ALL SELECT l.source, l.target, 6, l.n, 0 FROM unnest(link_sources, link_targets) WITH ORDINALITY l (source, target, n)) x;
END
$told$;

COMMENT ON FUNCTION raceway.told_edges(integer[], integer[], integer[], integer[], integer[], integer[], integer[], text[], text[], text[], integer[], integer[]) IS
    'part of the analysis: the edges of parents, tasks, spans and links, by falling trust. Reasons are numbered: parent, program, spawn, await, span, link, clock';

CREATE FUNCTION raceway.without_circles(base_place integer[], sources integer[], targets integer[], reasons integer[],
                                        OUT link_sources integer[], OUT link_targets integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $circles$
DECLARE
    trust      integer;
    is_forward boolean := true;
    knots      integer[];
    graph      record;
    before     integer;
BEGIN
    link_sources := '{}';
    link_targets := '{}';
    FOREACH trust IN ARRAY ARRAY[1, 3, 5, 6, 7] LOOP
        before := cardinality(link_sources);
        FOR n IN 1..cardinality(sources) LOOP
            CONTINUE WHEN reasons[n] <> trust AND NOT (trust = 3 AND reasons[n] = 4);
            link_sources := link_sources || sources[n];
            link_targets := link_targets || targets[n];
            is_forward := is_forward AND base_place[sources[n]] < base_place[targets[n]];
        END LOOP;
        CONTINUE WHEN is_forward OR cardinality(link_sources) = before;
        graph := raceway.digraph(cardinality(base_place), link_sources, link_targets);
        knots := raceway.strongly_connected(cardinality(base_place), graph.begins, graph.heads);
        SELECT array_agg(l.source ORDER BY l.n), array_agg(l.target ORDER BY l.n) INTO link_sources, link_targets
        FROM unnest(link_sources, link_targets) WITH ORDINALITY l (source, target, n) WHERE l.n <= before OR knots[l.source] <> knots[l.target];
        link_sources := coalesce(link_sources, '{}');
        link_targets := coalesce(link_targets, '{}');
    END LOOP;
END
$circles$;

COMMENT ON FUNCTION raceway.without_circles(integer[], integer[], integer[], integer[]) IS
    'part of the analysis: edges of one trust after the other, of each those that lie on no circle with those before';

CREATE FUNCTION raceway.passed_clocks(events integer, node_place integer[], class_of integer[], sources integer[], targets integer[],
                                      OUT from_nodes integer[], OUT to_nodes integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $passed$
DECLARE
    nodes      constant integer := cardinality(node_place);
    steps_left integer := 64 * (events + 1024);  -- contradictions everywhere could ask for the square of the classes
    begins     integer[];
    heads      integer[];
    looked_for integer[] := array_fill(0, ARRAY[cardinality(node_place)]);
    stack      integer[];
    depth      integer;
    node       integer;
    head       integer;
    event      integer;
BEGIN
    from_nodes := '{}';
    to_nodes := '{}';
    FOR event IN
        SELECT e.n::integer FROM unnest(class_of) WITH ORDINALITY e (class, n)
        WHERE e.class > 0 AND node_place[events + 2 * e.class - 1] > node_place[e.n] ORDER BY node_place[e.n]
    LOOP
        IF begins IS NULL THEN
            SELECT d.* INTO begins, heads
            FROM raceway.digraph(nodes, ARRAY(SELECT x.t FROM unnest(sources, targets) WITH ORDINALITY x (s, t, n) WHERE x.t > events ORDER BY x.n),
                                 ARRAY(SELECT x.s FROM unnest(sources, targets) WITH ORDINALITY x (s, t, n) WHERE x.t > events ORDER BY x.n)) d;
        END IF;
        stack[1] := events + 2 * class_of[event] - 1;
        depth := 1;
        WHILE depth > 0 AND steps_left > 0 LOOP
            node := stack[depth];
            depth := depth - 1;
            FOR n IN begins[node]..begins[node + 1] - 1 LOOP
                head := heads[n];
                steps_left := steps_left - 1;
                IF head <> event AND looked_for[head] <> event THEN
                    looked_for[head] := event;
                    IF node_place[head] < node_place[event] THEN
                        from_nodes := from_nodes || head;
                        to_nodes := to_nodes || event;
                    ELSIF head > events THEN
                        depth := depth + 1;
                        stack[depth] := head;
                    END IF;
                END IF;
                EXIT WHEN steps_left = 0;
            END LOOP;
        END LOOP;
    END LOOP;
END
$passed$;

COMMENT ON FUNCTION raceway.passed_clocks(integer, integer[], integer[], integer[], integer[]) IS
    'part of the analysis: an event that had to go before its clock allowed it has still heard of all that stands before it and that its '
    'clock follows. These edges are added for it';

CREATE FUNCTION raceway.find_lines(events integer, strands integer, nodes integer[], strand integer[], begins integer[], before integer[],
                                   OUT line integer[], OUT "position" integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $lines$
DECLARE
    previous   integer[] := array_fill(0, ARRAY[cardinality(nodes)]);  -- by node: in its strand
    latest     integer[] := array_fill(0, ARRAY[strands]);
    length     integer[] := array_fill(0, ARRAY[strands]);
    lines      integer := strands;
    is_end     boolean[] := array_fill(false, ARRAY[cardinality(nodes)]);
    dry        boolean[] := is_end;  -- no end lies before it, nor is it one
    passed     integer[] := previous;  -- by node: so many of those before it are dry
    stands_for integer[] := previous;  -- by node: the one way that is left
    path       integer[];
    depth      integer;
    steps_left integer := 64 * (cardinality(nodes) + 1024);
    event      integer;
    node       integer;
    beyond       integer;
    count      integer;
    found      integer;
BEGIN
    line := array_fill(0, ARRAY[events]);
    "position" := line;
    FOREACH event IN ARRAY nodes LOOP
        CONTINUE WHEN event > events;
        IF strand[event] > 0 THEN
            found := strand[event];
            previous[event] := latest[found];
            latest[found] := event;
        ELSE
            -- The end of a chain that a path leads from.
            found := 0;
            path[1] := event;
            depth := 1;
            WHILE depth > 0 AND steps_left > 0 LOOP
                steps_left := steps_left - 1;
                node := path[depth];
                IF is_end[node] THEN
                    is_end[node] := false;
                    found := line[node];
                    EXIT;
                END IF;
                count := begins[node + 1] - begins[node] + CASE previous[node] WHEN 0 THEN 0 ELSE 1 END;
                IF passed[node] = count THEN
                    dry[node] := true;
                    depth := depth - 1;
                    CONTINUE;
                END IF;
                beyond := CASE WHEN passed[node] < begins[node + 1] - begins[node] THEN before[begins[node] + passed[node]] ELSE previous[node] END;
                WHILE NOT is_end[beyond] AND stands_for[beyond] > 0 LOOP
                    IF NOT is_end[stands_for[beyond]] AND stands_for[stands_for[beyond]] > 0 THEN
                        stands_for[beyond] := stands_for[stands_for[beyond]];
                    END IF;
                    beyond := stands_for[beyond];
                END LOOP;
                IF dry[beyond] THEN
                    passed[node] := passed[node] + 1;
                    CONTINUE;
                END IF;
                IF passed[node] + 1 = count THEN
                    stands_for[node] := beyond;
                    depth := depth - 1;
                END IF;
                depth := depth + 1;
                path[depth] := beyond;
            END LOOP;
            IF found = 0 THEN
                lines := lines + 1;
                found := lines;
                length[found] := 0;
            END IF;
            is_end[event] := true;
            dry[event] := false;
        END IF;
        length[found] := length[found] + 1;
        line[event] := found;
        "position"[event] := length[found];
    END LOOP;
END
$lines$;

COMMENT ON FUNCTION raceway.find_lines(integer, integer, integer[], integer[], integer[], integer[]) IS
    'part of the analysis: where each event is. A line is a strand, or a chain of events that have none, of which each happened before the next';

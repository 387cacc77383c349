-- The analysis of one trace: plain clocks, those of no requests. One is before another where it is so component by component.

CREATE FUNCTION raceway.clock_within(first integer, last integer, components integer[], counters bigint[], other bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $within$
BEGIN
    FOR n IN first..last LOOP
        IF counters[n] OPERATOR(pg_catalog.>) other[components[n]] THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$within$;

COMMENT ON FUNCTION raceway.clock_within(integer, integer, integer[], bigint[], bigint[]) IS
    'part of the analysis: whether no counter of a clock is larger than that of another, which is given by component';

CREATE FUNCTION raceway.clock_precedence(events integer, entry_event integer[], entry_name text[], entry_counter numeric[],
                                         OUT class_of integer[], OUT classes integer, OUT class_from integer[], OUT class_to integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $precedence$
DECLARE
    -- The entries of the classes, one class after the other.
    begins     integer[];
    components integer[];
    counters   bigint[];
    frequency  integer[];  -- by component: in how many classes it is
    current    bigint[];   -- by component: the counters of the class that is being linked
    highest    bigint[];   -- by component: in the classes linked so far
    raised_by  integer[];  -- by component: the chain whose class raised the highest counter
    raised     integer[];
    -- Classes fall into chains, each of which is found by a component that all its classes have.
    chains     integer := 0;
    ends       integer[];  -- by chain: its last class
    beginning  integer[];  -- by chain: its first class
    beside     integer[];  -- by chain: the next one with its component
    chains_of  integer[];  -- by component: the first and the last chain with it
    chains_end integer[];
    depth      integer[];  -- by class: its place in its chain, the one behind it, the one before, and one farther before
    behind     integer[];
    before     integer[];
    jump       integer[];
    -- What happened before the chain's last class: of these chains, up to these classes.
    past_begin integer[];
    past_size  integer[];
    past_chain integer[] := '{}';
    past_class integer[] := '{}';
    known      integer[];  -- by chain, while a class is linked
    met_chain  integer[];
    met_class  integer[];
    met        integer;
    chain      integer;
    other      integer;
    at         integer;
    found      integer;
    best       integer;
    is_known   boolean;
BEGIN
    WITH entry AS (
        SELECT e.event, dense_rank() OVER (ORDER BY octet_length(e.name), e.name COLLATE "C") AS component,
               -- Large counters are replaced by their ranks, which compare as they do.
               CASE WHEN max(e.counter) OVER () < 4294967296 THEN e.counter::bigint
                    ELSE dense_rank() OVER (PARTITION BY e.name ORDER BY e.counter) END AS counter
        FROM unnest(entry_event, entry_name, entry_counter) e (event, name, counter)
    ), clock AS (
        SELECT e.event, sum(e.counter) AS total, array_agg((e.component << 32) + e.counter ORDER BY e.component) AS codes
        FROM entry e GROUP BY e.event
    )
    SELECT array_agg(coalesce(c.class, 0) ORDER BY n), coalesce(max(c.class), 0) INTO class_of, classes
    FROM generate_series(1, events) n
    LEFT JOIN (SELECT c.event, (dense_rank() OVER (ORDER BY c.total, c.codes))::integer AS class FROM clock c) c ON c.event = n;
    class_from := '{}';
    class_to := '{}';
    IF classes = 0 THEN
        RETURN;
    END IF;
    WITH representative AS (
        SELECT class_of[e.event] AS class, min(e.event) AS event FROM unnest(entry_event) e (event) GROUP BY 1
    ), entry AS (
        SELECT r.class, dense_rank() OVER (ORDER BY octet_length(e.name), e.name COLLATE "C") AS component,
               CASE WHEN max(e.counter) OVER () < 4294967296 THEN e.counter::bigint
                    ELSE dense_rank() OVER (PARTITION BY e.name ORDER BY e.counter) END AS counter
        FROM unnest(entry_event, entry_name, entry_counter) e (event, name, counter) JOIN representative r USING (event)
    ), begin AS (
        SELECT e.class, 1 + sum(count(*)) OVER (ORDER BY e.class) - count(*) AS first FROM entry e GROUP BY e.class
    )
    SELECT array_agg(e.component ORDER BY e.class, e.component), array_agg(e.counter ORDER BY e.class, e.component),
           (SELECT array_agg(b.first ORDER BY b.class) FROM begin b) || count(*)::integer + 1
    INTO components, counters, begins FROM entry e;
    frequency := array_fill(0, ARRAY[(SELECT max(c) FROM unnest(components) c)]);
    FOREACH at IN ARRAY components LOOP
        frequency[at] := frequency[at] + 1;
    END LOOP;
    raised_by := array_fill(0, ARRAY[cardinality(frequency)]);
    current := raised_by;
    highest := raised_by;
    chains_of := raised_by;
    chains_end := raised_by;
    depth := array_fill(0, ARRAY[classes]);
    behind := depth;
    before := depth;
    jump := depth;
    FOR class IN 1..classes LOOP
        FOR n IN begins[class]..begins[class + 1] - 1 LOOP
            current[components[n]] := counters[n];
        END LOOP;
        -- The chain of the thread that made this clock, if it shows: a thread raises its own counter to where nobody has seen
        -- it, so the chain that raised the same counter before is continued.
        chain := 0;
        raised := '{}';
        FOR n IN begins[class]..begins[class + 1] - 1 LOOP
            at := components[n];
            CONTINUE WHEN counters[n] <= highest[at];
            highest[at] := counters[n];
            raised := raised || at;
            other := raised_by[at];
            IF other > 0 AND (chain = 0 OR ends[other] > ends[chain])
               AND raceway.clock_within(begins[ends[other]], begins[ends[other] + 1] - 1, components, counters, current) THEN
                chain := other;
            END IF;
            -- Whoever has not seen this clock has not seen this counter: compare it first.
            components[n] := components[begins[class]];
            components[begins[class]] := at;
            counters[n] := counters[begins[class]];
            counters[begins[class]] := current[at];
        END LOOP;
        is_known := chain > 0;
        IF is_known THEN
            FOR n IN past_begin[chain]..past_begin[chain] + past_size[chain] - 1 LOOP
                known[past_chain[n]] := past_class[n];
            END LOOP;
        END IF;
        met := 0;
        FOR n IN begins[class]..begins[class + 1] - 1 LOOP
            other := chains_of[components[n]];
            WHILE other > 0 LOOP
                -- The last class of the chain that happened before this one: behind the known one, if any, and from there
                -- backwards from the end, in steps as wide as can be.
                found := known[other];
                at := CASE WHEN found = 0 THEN beginning[other] ELSE behind[found] END;
                IF at > 0 AND raceway.clock_within(begins[at], begins[at + 1] - 1, components, counters, current) THEN
                    best := at;
                    at := ends[other];
                    WHILE depth[at] > depth[best] AND NOT raceway.clock_within(begins[at], begins[at + 1] - 1, components, counters, current) LOOP
                        found := jump[at];
                        IF depth[found] > depth[best]
                           AND NOT raceway.clock_within(begins[found], begins[found + 1] - 1, components, counters, current) THEN
                            at := found;
                        ELSE
                            at := before[at];
                        END IF;
                    END LOOP;
                    found := at;
                    class_from := class_from || found;
                    class_to := class_to || class;
                END IF;
                IF found > 0 THEN
                    met := met + 1;
                    met_chain[met] := other;
                    met_class[met] := found;
                    IF NOT is_known AND found = ends[other] AND (chain = 0 OR ends[other] > ends[chain]) THEN
                        chain := other;
                    END IF;
                END IF;
                other := beside[other];
            END LOOP;
        END LOOP;
        FOR n IN 1..met LOOP
            known[met_chain[n]] := 0;
        END LOOP;
        IF chain = 0 THEN
            chains := chains + 1;
            chain := chains;
            SELECT c INTO at FROM unnest(components[begins[class]:begins[class + 1] - 1]) c ORDER BY frequency[c], c LIMIT 1;
            IF chains_of[at] = 0 THEN
                chains_of[at] := chain;
            ELSE
                beside[chains_end[at]] := chain;
            END IF;
            chains_end[at] := chain;
            beside[chain] := 0;
            beginning[chain] := class;
            known[chain] := 0;
            past_begin[chain] := 0;
            past_size[chain] := 0;
            depth[class] := 1;
        ELSE
            at := ends[chain];
            behind[at] := class;
            before[class] := at;
            depth[class] := depth[at] + 1;
            jump[class] := CASE WHEN jump[at] > 0 AND jump[jump[at]] > 0 AND depth[at] - depth[jump[at]] = depth[jump[at]] - depth[jump[jump[at]]]
                                THEN jump[jump[at]] ELSE at END;
        END IF;
        ends[chain] := class;
        IF met > past_size[chain] THEN
            past_begin[chain] := cardinality(past_chain) + 1;
        END IF;
        past_size[chain] := met;
        FOR n IN 1..met LOOP
            past_chain[past_begin[chain] + n - 1] := met_chain[n];
            past_class[past_begin[chain] + n - 1] := met_class[n];
        END LOOP;
        FOREACH at IN ARRAY raised LOOP
            raised_by[at] := chain;
        END LOOP;
        FOR n IN begins[class]..begins[class + 1] - 1 LOOP
            current[components[n]] := 0;
        END LOOP;
    END LOOP;
END
$precedence$;

COMMENT ON FUNCTION raceway.clock_precedence(integer, integer[], text[], numeric[]) IS
    'part of the analysis: happened-before among plain clocks, given by their entries above 0. Equal clocks are one class, by rising sums; '
    'class a happened before class b exactly if edges lead from a to b. Classes fall into chains, and one edge a chain is enough';

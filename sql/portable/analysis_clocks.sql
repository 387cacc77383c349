-- The analysis of one trace: what its clocks say. Those whose components stand for requests (service#instance, which counts from
-- 0 in each request) are read as what they are; others, plain ones, by what is before what component by component.

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

CREATE FUNCTION raceway.request_edges(base integer[], strand integer[], span integer[], upstream_of integer[], component integer[], numbers numeric[],
                                      entry_event integer[], entry_component integer[], entry_counter numeric[],
                                      OUT sources integer[], OUT targets integer[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $requests$
DECLARE
    -- How far upstream a component is looked for, and how many threads of one request a number may mean.
    most_hops  constant integer := 256;
    most_meant constant integer := 64;
    events     constant integer := cardinality(base);
    zeros      constant integer[] := array_fill(0, ARRAY[cardinality(base)]);
    base_place integer[] := zeros;
    request_of integer[] := zeros;
    -- A request is the part of one strand that is in one span, of those whose component is known.
    requests   integer := 0;
    strand_of  integer[];
    span_of    integer[];
    named      integer[];
    first_of   integer[];
    numbered   boolean[];
    lowest     numeric[];
    ordered    integer[];  -- by component, span and number
    ordered_as integer[];
    first_with integer[];  -- by component: where its requests begin in `ordered`
    -- Of the component at hand: by span where its requests begin in `ordered`, and which were found upstream of it before.
    run_for    integer[] := zeros;
    run_of     integer[] := zeros;
    known_for  integer[] := zeros;
    known_run  integer[] := zeros;
    heard_for  integer[];
    heard      numeric[];
    begun      integer := 0;
    walked     integer[];
    hops       integer;
    at         integer;
    above      integer;
    run        integer;
    request    integer;
    it         record;
    references_n integer := 0;
    received   numeric[];
    passed     integer;
    free       numeric;
    ref_event   integer[] := '{}';
    ref_request integer[] := '{}';
    ref_counter numeric[] := '{}';
    ref_place   integer[] := '{}';
    ref_turn    bigint[] := '{}';
    -- Requests that send no numbers of their own are numbered by position, leaving out those that others received.
    counted_event  integer[] := '{}';
    counted_number numeric[] := '{}';
BEGIN
    FOR n IN 1..events LOOP
        base_place[base[n]] := n;
    END LOOP;
    SELECT array_agg(g.strand ORDER BY g.first), array_agg(g.span ORDER BY g.first), array_agg(g.component ORDER BY g.first),
           array_agg(base[g.first] ORDER BY g.first), array_agg(g.lowest IS NOT NULL ORDER BY g.first), array_agg(g.lowest ORDER BY g.first), count(*)
    INTO strand_of, span_of, named, first_of, numbered, lowest, requests
    FROM (SELECT e.strand, e.span, e.component, min(base_place[e.n]) AS first, min(e.number) AS lowest
          FROM unnest(strand, span, component, numbers) WITH ORDINALITY e (strand, span, component, number, n)
          WHERE e.component > 0 GROUP BY 1, 2, 3) g;
    SELECT array_agg(m.request ORDER BY m.n) INTO request_of
    FROM (SELECT e.n, coalesce(r.request, 0)::integer AS request FROM unnest(strand, span, component) WITH ORDINALITY e (strand, span, component, n)
          LEFT JOIN unnest(strand_of, span_of) WITH ORDINALITY r (strand, span, request)
          ON r.strand = e.strand AND r.span = e.span AND e.component > 0) m;
    SELECT array_agg(r.n ORDER BY r.named, r.span, r.n), array_agg(r.named ORDER BY r.named, r.span, r.n) INTO ordered, ordered_as
    FROM unnest(named, span_of) WITH ORDINALITY r (named, span, n);
    first_with := array_fill(0, ARRAY[ordered_as[requests]]);
    FOR n IN REVERSE requests..1 LOOP
        first_with[ordered_as[n]] := n;
    END LOOP;
    heard_for := array_fill(0, ARRAY[requests]);
    heard := array_fill(0::numeric, ARRAY[requests]);

    -- Component by component, what others have from its requests; then what requests of it have from others that it names.
    FOR it IN
        SELECT x.component, x.event, x.request, x.counter, x.turn
        FROM (SELECT e.component, e.event, 0::bigint AS request, e.counter, base_place[e.event] AS place, e.n AS turn
              FROM unnest(entry_event, entry_component, entry_counter) WITH ORDINALITY e (event, component, counter, n)
              WHERE e.component > 0 AND request_edges.component[e.event] <> e.component
              UNION ALL SELECT r.named, r.first, r.n, r.lowest - 1, NULL, NULL
              FROM unnest(named, first_of, lowest, span_of) WITH ORDINALITY r (named, first, lowest, span, n)
              WHERE r.lowest IS NOT NULL AND r.span > 0) x
        ORDER BY x.component, x.place, x.request, x.turn
    LOOP
        IF it.component <> begun THEN
            begun := it.component;
            FOR n IN coalesce(nullif(first_with[begun], 0), requests + 1)..requests LOOP
                EXIT WHEN ordered_as[n] <> begun;
                at := span_of[ordered[n]];
                IF at > 0 AND run_for[at] <> begun THEN
                    run_for[at] := begun;
                    run_of[at] := n;
                END IF;
            END LOOP;
        END IF;
        request := request_of[it.event];
        IF request > 0 AND it.request = 0 THEN
            -- The same number again tells nothing new.
            CONTINUE WHEN heard_for[request] = begun AND heard[request] = it.counter;
            heard_for[request] := begun;
            heard[request] := it.counter;
        END IF;
        run := 0;
        IF span[it.event] > 0 THEN
            at := span[it.event];
            hops := 0;
            walked := '{}';
            WHILE hops < most_hops AND at > 0 LOOP
                IF known_for[at] = begun THEN
                    run := known_run[at];
                    EXIT;
                END IF;
                walked := walked || at;
                above := upstream_of[at];
                EXIT WHEN above = span[it.event];
                IF above > 0 AND run_for[above] = begun THEN
                    run := run_of[above];
                    EXIT;
                END IF;
                at := above;
                hops := hops + 1;
            END LOOP;
            FOREACH at IN ARRAY walked LOOP
                known_for[at] := begun;
                known_run[at] := run;
            END LOOP;
        ELSE
            -- Without spans, only if exactly one request of another strand has it.
            FOR n IN first_with[begun]..requests LOOP
                EXIT WHEN ordered_as[n] <> begun;
                CONTINUE WHEN strand_of[ordered[n]] = strand[it.event];
                run := CASE WHEN run = 0 THEN n ELSE -1 END;
                EXIT WHEN run < 0;
            END LOOP;
        END IF;
        CONTINUE WHEN run <= 0;
        FOR n IN run..requests LOOP
            request := ordered[n];
            EXIT WHEN ordered_as[n] <> begun OR (span[it.event] > 0 AND span_of[request] <> span_of[ordered[run]])
                      OR (span[it.event] = 0 AND n > run) OR (it.request = 0 AND n - run >= most_meant);
            CONTINUE WHEN CASE WHEN it.request = 0 THEN strand_of[request] = strand[it.event]
                               ELSE request = it.request OR span_of[request] = span_of[it.request] END;
            references_n := references_n + 1;
            ref_event[references_n] := it.event;
            ref_request[references_n] := request;
            ref_counter[references_n] := it.counter;
            ref_place[references_n] := CASE WHEN it.request = 0 THEN base_place[it.event] ELSE events + it.request END;
            ref_turn[references_n] := it.turn;
        END LOOP;
    END LOOP;

    at := 0;
    FOR it IN
        SELECT m.request, m.event, r.received
        FROM (SELECT e.request, e.n AS event FROM unnest(request_of) WITH ORDINALITY e (request, n)) m
        JOIN (SELECT r.request, array_agg(DISTINCT r.counter) AS received
              FROM unnest(ref_request, ref_counter, ref_place) r (request, counter, place)
              WHERE r.place <= events AND lowest[r.request] IS NULL GROUP BY 1) r USING (request)
        ORDER BY m.request, base_place[m.event]
    LOOP
        IF it.request <> at THEN
            at := it.request;
            received := it.received;
            passed := 1;
            free := 1;
        END IF;
        WHILE passed <= cardinality(received) AND received[passed] <= free LOOP
            IF received[passed] = free THEN
                free := free + 1;
            END IF;
            passed := passed + 1;
        END LOOP;
        counted_event := counted_event || it.event;
        counted_number := counted_number || free;
        free := free + 1;
    END LOOP;

    WITH counted AS MATERIALIZED (
        SELECT request_of[c.event] AS request, c.number, c.event, c.is_own,
               row_number() OVER (ORDER BY request_of[c.event], c.number, base_place[c.event]) AS n
        FROM (SELECT e.n::integer AS event, e.number, true AS is_own FROM unnest(numbers, request_of) WITH ORDINALITY e (number, request, n)
              WHERE e.number IS NOT NULL AND e.request > 0
              UNION ALL SELECT e.event, e.number, false FROM unnest(counted_event, counted_number) e (event, number)) c
    ), referred AS (
        SELECT x.ref, max(x.n) OVER (PARTITION BY x.request ORDER BY x.number, x.turn ROWS UNBOUNDED PRECEDING) AS n
        FROM (SELECT c.request, c.number, 0 AS turn, c.n, NULL AS ref FROM counted c
              UNION ALL SELECT r.request, r.counter, 1, NULL, r.n FROM unnest(ref_request, ref_counter) WITH ORDINALITY r (request, counter, n)) x
    )
    SELECT coalesce(array_agg(x.source ORDER BY x.turn, x.n1, x.n2, x.n3), '{}'), coalesce(array_agg(x.target ORDER BY x.turn, x.n1, x.n2, x.n3), '{}')
    INTO sources, targets
    FROM (SELECT c.before AS source, c.event AS target, 1 AS turn, c.n AS n1, 0 AS n2, 0 AS n3
          FROM (SELECT c.*, lag(c.event) OVER same AS before, lag(c.number) OVER same AS number_before FROM counted c
                WHERE c.is_own WINDOW same AS (PARTITION BY c.request ORDER BY c.n)) c
          WHERE c.number_before < c.number
          UNION ALL SELECT c.event, r.event, 2, r.place, r.turn, r.n
          FROM unnest(ref_event, ref_place, ref_turn) WITH ORDINALITY r (event, place, turn, n)
          JOIN referred f ON f.ref = r.n JOIN counted c ON c.n = f.n WHERE c.event <> r.event) x;
END
$requests$;

COMMENT ON FUNCTION raceway.request_edges(integer[], integer[], integer[], integer[], integer[], numeric[], integer[], integer[], numeric[]) IS
    'part of the analysis: the edges of request clocks. Each component means the request upstream that has this name, nearest first; an '
    'event comes behind the last one of it that its clock has counted, and in its own request behind the one that counted before it';

-- The analysis of one trace: clocks whose components stand for requests. service#instance names an instance, but counts from 0 in each
-- request: what it means is the request upstream that has this name.

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

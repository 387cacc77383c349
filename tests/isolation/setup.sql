-- What the specs call; run once in a database that has the extension and its tables.

-- What was answered to whom committed.
CREATE TABLE public.sent (stored bigint, duplicates bigint);

-- One event for each id, the same each time. Its second follows from the id's number: some ids share one.
CREATE FUNCTION public.events_of(trace text, ids text, kind text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('event_id', id, 'trace_id', trace, 'kind', kind,
        'timestamp', to_char(timestamp '2026-01-01' + n * interval '1 s', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'vector_clock', jsonb_build_object('a', n), 'metadata', jsonb_build_object('service_name', 's-' || id)))
    FROM string_to_table(ids, ' ') AS u (id), LATERAL (SELECT substring(id, '[0-9]+')::integer % 3) AS m (n)
$$;

CREATE FUNCTION public.send(way text, trace text, ids text, OUT stored bigint, OUT duplicates bigint,
                            OUT rejected text, OUT way_taken text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('raceway.ingest_way', way, true);
    SELECT i.stored, i.duplicates, (SELECT string_agg(r ->> 'id', ',') FROM jsonb_array_elements(i.rejected) r), i.ingest_way
    INTO stored, duplicates, rejected, way_taken
    FROM raceway.ingest(public.events_of(trace, ids, 'Log')) AS i;
    INSERT INTO public.sent VALUES (stored, duplicates);
END
$$;

-- The same with another kind than Log; and why what is rejected is.
CREATE FUNCTION public.send_other(way text, trace text, ids text, OUT stored bigint, OUT duplicates bigint, OUT reasons text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('raceway.ingest_way', way, true);
    SELECT i.stored, i.duplicates, (SELECT string_agg(r ->> 'reason', ',') FROM jsonb_array_elements(i.rejected) r)
    INTO stored, duplicates, reasons
    FROM raceway.ingest(public.events_of(trace, ids, 'Other')) AS i;
END
$$;

-- The traces as they are, and as their events say.
CREATE VIEW public.roll_ups AS
    SELECT coalesce(t.trace_id, e.trace_id) AS trace, t.event_count AS count, t.service_name AS service, e.ids,
           t.event_count IS NOT DISTINCT FROM e.n AND t.start_time IS NOT DISTINCT FROM e.first
           AND t.end_time IS NOT DISTINCT FROM e.last AND t.service_name IS NOT DISTINCT FROM e.service AS exact
    FROM raceway.traces t FULL JOIN (
        SELECT trace_id, count(*) AS n, min(timestamp) AS first, max(timestamp) AS last,
               (array_agg(metadata ->> 'service_name' ORDER BY timestamp, event_id))[1] AS service,
               string_agg(event_id, ',' ORDER BY event_id) AS ids
        FROM raceway.events GROUP BY trace_id) e USING (trace_id)
    ORDER BY 1;

-- What happened before what in one trace, and what races: all that its events tell, read with the caller's rights. The
-- answers depend on the events alone, not on when or in which order they came.

-- The order.

CREATE FUNCTION raceway.happens_before(trace text, a text, b text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_happens_before';

COMMENT ON FUNCTION raceway.happens_before(text, text, text) IS
    'How event a of a trace stands to event b: before, after, equal or concurrent, by parents, threads, tasks, spans, links and clocks; '
    'vclock_compare() goes by the sent clocks alone. P0002 where there is no such trace or event.';

CREATE FUNCTION raceway.causal_order(trace text)
RETURNS TABLE (place integer, event_id text, strand integer, "position" integer, service text, thread_id text, effective_clock jsonb)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_causal_order';

COMMENT ON FUNCTION raceway.causal_order(text) IS
    'The events of a trace, causes before effects. A strand is a line of events each of which happened before the next: a thread, or '
    'events that name none; position counts within it. effective_clock says how far the event knows each strand, itself included: '
    'a happened before b where b''s clock has at least a''s position for a''s strand.';

CREATE FUNCTION raceway.causal_edges(trace text)
RETURNS TABLE (from_event text, to_event text, reason text, kept boolean)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_causal_edges';

COMMENT ON FUNCTION raceway.causal_edges(text) IS
    'What the order of a trace is made of: from_event was before to_event since it is its parent, the one before in its thread (program), '
    'began its task (spawn), ended what it waits for (await), called it (span), or by the sent clocks (clock, neighbours only). kept is '
    'false where it contradicts what is trusted more.';

CREATE FUNCTION raceway.explain_order(trace text, a text, b text)
RETURNS TABLE (step integer, event_id text, reason text, branch text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_explain_order';

COMMENT ON FUNCTION raceway.explain_order(text, text, text) IS
    'Why two events of a trace are ordered: a shortest chain from the one to the other, each step with the reason of its edge. Where they '
    'are concurrent: the last event that happened before both, if there is any, as step 0, and from there the branches to a and to b.';

-- Races.

CREATE FUNCTION raceway.races(trace text, variable text DEFAULT NULL, classes text[] DEFAULT NULL, max_pairs integer DEFAULT 100)
RETURNS TABLE (variable text, severity text, class text, sharing text, first boolean, event1 text, event2 text,
               location1 text, location2 text, access1 text, access2 text, thread1 text, thread2 text, service1 text, service2 text,
               value1 jsonb, value2 jsonb, clock1 jsonb, clock2 jsonb, last_common text, locks1 text[], locks2 text[], gap interval)
LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_races';

COMMENT ON FUNCTION raceway.races(text, text, text[], integer) IS
    'Pairs of accesses to one variable, one of them a write, that nothing orders: of a trace or one variable of it, worst first, '
    'max_pairs at most (NULL: all). classes are write-write and read-write unless others are asked for: atomic (both accesses are), '
    'protected (by a common lock), unknown (one has no thread, clock or parent). sharing says what both have in common: process, service, '
    'or only the variable''s name. first is the race of its variable to mend first. values are the new ones, clocks those that were sent; '
    'last_common is the last event that happened before both, gap the time between them.';

CREATE FUNCTION raceway.race_counts(trace text)
RETURNS TABLE (variable text, accesses bigint, writes bigint, atomic_reads bigint, atomic_writes bigint, write_write bigint, read_write bigint, atomic bigint, protected bigint, unknown bigint)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_race_counts';

COMMENT ON FUNCTION raceway.race_counts(text) IS
    'Each variable of a trace: its accesses (writes are all of them, atomic_writes among them), and its unordered pairs by class, exactly, '
    'however many they are. Of the classes see races().';

CREATE FUNCTION raceway.race_sites(trace text)
RETURNS TABLE (variable text, site1 text, access1 text, site2 text, access2 text, pairs bigint, protected bigint, severity text, example1 text, example2 text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_race_sites';

COMMENT ON FUNCTION raceway.race_sites(text) IS
    'Which two places in the program race in a trace, worst first: how many pairs race, how many more a common lock keeps apart, and the '
    'first pair of the worst class. A site is a location, or the function around it where that lies in an SDK; NULL is any beyond the first '
    '64 of a variable, or one that is not told.';

CREATE FUNCTION raceway.audit_trail(trace text, variable text)
RETURNS TABLE (place integer, event_id text, "timestamp" timestamp, service text, thread text, access text, old_value jsonb, new_value jsonb,
               location text, after_previous boolean, races_with_previous boolean, locks text[])
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'raceway_audit_trail';

COMMENT ON FUNCTION raceway.audit_trail(text, text) IS
    'The accesses to a variable of a trace one after the other: whether the one before happened before this one or races with it, and the '
    'locks held. place is that of causal_order().';

-- Where the time went, and who called whom.

CREATE FUNCTION raceway.critical_path(trace text, by text DEFAULT 'elapsed')
RETURNS TABLE (step integer, service text, thread text, event_id text, "from" numeric, "to" numeric, ms numeric, reason text)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_critical_path';

COMMENT ON FUNCTION raceway.critical_path(text, text) IS
    'Where the time of a trace went, in milliseconds since its earliest start. by => ''elapsed'': who had each instant of the longest '
    'activity that nobody called; event_id is the event that the strand was on its way to, reason how the strand was called. '
    'by => ''durations'': the chain of events, each called by the one before for that reason, whose durations have the largest sum; ms is '
    'the event''s own.';

CREATE FUNCTION raceway.trace_calls(trace text)
RETURNS TABLE (from_service text, to_service text, link text, calls bigint)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'raceway_trace_calls';

COMMENT ON FUNCTION raceway.trace_calls(text) IS
    'Calls from service to service in a trace, within one, too: by spans, and by parents of another service. link is HttpCall, '
    'DatabaseQuery or Custom; from_service is NULL where the caller is not stored.';

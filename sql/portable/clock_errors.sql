-- What is wrong with something that was to be a clock.

CREATE FUNCTION raceway.cut_text(long text, bytes integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $cut$
DECLARE
    cut text := left(long, bytes);
BEGIN
    IF octet_length(long) <= bytes THEN
        RETURN long;
    END IF;
    WHILE octet_length(cut) > bytes LOOP
        cut := left(cut, -1);
    END LOOP;
    RETURN cut || '...';
END
$cut$;

COMMENT ON FUNCTION raceway.cut_text(text, integer) IS 'part of error messages: a text of at most so many bytes, and dots where it was longer';

CREATE FUNCTION raceway.raise_invalid_clock(kind text, component text, value text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $raise$
DECLARE
    name  text := 'component "' || raceway.cut_text(component, 100) || '" of the vector clock';
    shown text := raceway.cut_text(value, 100);
BEGIN
    CASE kind
    WHEN 'not_a_clock' THEN
        RAISE EXCEPTION 'not a vector clock: %', shown USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A vector clock is an object that maps components to counters, like {"api": 2, "db": 1}.',
            HINT = 'raceway.vclock_normalize() makes a clock of an object or of an array of [component, counter] pairs.';
    WHEN 'not_a_number' THEN
        RAISE EXCEPTION '% has an invalid counter: %', name, shown USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A counter is a number, not a value of another type.',
            HINT = 'Send the counter as a JSON number, without quotes; leave the component out where there is none.';
    WHEN 'out_of_range' THEN
        RAISE EXCEPTION '% has an invalid counter: %', name, shown USING ERRCODE = 'numeric_value_out_of_range',
            DETAIL = 'A counter is a whole number from 0 to 18446744073709551615.',
            HINT = 'Count the component''s own events from 1, and leave a component out that has not been heard of.';
    WHEN 'bad_step' THEN
        RAISE EXCEPTION '% cannot grow by %', name, shown USING ERRCODE = 'numeric_value_out_of_range',
            DETAIL = 'A counter grows by a whole number from 0 to 18446744073709551615.',
            HINT = 'Give the number of new events of the component; a counter never goes back.';
    WHEN 'counter_overflow' THEN
        RAISE EXCEPTION '% cannot grow by %', name, shown USING ERRCODE = 'numeric_value_out_of_range',
            DETAIL = 'A counter ends at 18446744073709551615.',
            HINT = 'Begin a new trace, or give the component another name.';
    END CASE;
END
$raise$;

COMMENT ON FUNCTION raceway.raise_invalid_clock(text, text, text) IS 'part of clocks: raises what is wrong with one';

CREATE FUNCTION raceway.is_counter(value numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN value OPERATOR(pg_catalog.>=) 0 AND value OPERATOR(pg_catalog.<=) 18446744073709551615
    AND pg_catalog.trunc(value) OPERATOR(pg_catalog.=) value;

COMMENT ON FUNCTION raceway.is_counter(numeric) IS 'part of clocks: whether this is a whole number from 0 to 2^64-1';

CREATE FUNCTION raceway.check_counter(component text, value jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $check$
BEGIN
    IF value IS NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(value) <> 'number' THEN
        PERFORM raceway.raise_invalid_clock('not_a_number', component, value::text);
    ELSIF NOT raceway.is_counter(value::numeric) THEN
        PERFORM raceway.raise_invalid_clock('out_of_range', component, value::text);
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_counter(text, jsonb) IS 'part of clocks: raises unless the value is a counter, or NULL';

CREATE FUNCTION raceway.check_object(clock jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $check$
BEGIN
    IF jsonb_typeof(clock) <> 'object' THEN
        PERFORM raceway.raise_invalid_clock('not_a_clock', '', clock::text);
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_object(jsonb) IS 'part of clocks: raises unless this is an object';

CREATE FUNCTION raceway.check_clock(clock jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $check$
BEGIN
    IF NOT raceway.vclock_valid(clock) THEN
        PERFORM raceway.check_object(clock);
        PERFORM raceway.check_counter(c.key, c.value) FROM jsonb_each(clock) c;
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_clock(jsonb) IS 'part of clocks: raises at the first thing that makes this no clock';

CREATE FUNCTION raceway.check_clocks(a jsonb, b jsonb, until_concurrent boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    pair      record;
    a_greater boolean := false;
    b_greater boolean := false;
BEGIN
    IF raceway.vclock_valid(a) AND raceway.vclock_valid(b) THEN
        RETURN;
    END IF;
    PERFORM raceway.check_object(a);
    PERFORM raceway.check_object(b);
    -- Which of several faults is named: the first on a walk over both in the order of their names. A comparison ends
    -- its walk where the two turn out to be concurrent.
    FOR pair IN
        SELECT coalesce(x.key, y.key) AS name, x.value AS in_a, y.value AS in_b
        FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y ON x.key = y.key
        ORDER BY octet_length(coalesce(x.key, y.key)), coalesce(x.key, y.key) COLLATE "C"
    LOOP
        PERFORM raceway.check_counter(pair.name, pair.in_a);
        PERFORM raceway.check_counter(pair.name, pair.in_b);
        a_greater := a_greater OR coalesce(pair.in_a::numeric, 0) > coalesce(pair.in_b::numeric, 0);
        b_greater := b_greater OR coalesce(pair.in_b::numeric, 0) > coalesce(pair.in_a::numeric, 0);
        EXIT WHEN until_concurrent AND a_greater AND b_greater;
    END LOOP;
    PERFORM raceway.check_clock(a);
    PERFORM raceway.check_clock(b);
END
$check$;

COMMENT ON FUNCTION raceway.check_clocks(jsonb, jsonb, boolean) IS 'part of clocks: raises unless both are clocks';

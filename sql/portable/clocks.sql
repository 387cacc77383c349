-- The algebra of vector clocks, see sql/clocks.sql for what each function is; its comments are taken from there.

-- Making clocks.

CREATE FUNCTION raceway.vclock_of_pairs(pairs jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $pairs$
DECLARE
    element record;
BEGIN
    FOR element IN SELECT e.value, e.n - 1 AS place FROM jsonb_array_elements(pairs) WITH ORDINALITY e (value, n) LOOP
        IF jsonb_typeof(element.value) <> 'array' OR jsonb_array_length(element.value) <> 2
           OR jsonb_typeof(element.value -> 0) <> 'string' THEN
            PERFORM raceway.raise_invalid_clock('not_a_clock', '',
                format('element %s is no [component, counter] pair: %s', element.place, element.value));
        END IF;
        PERFORM raceway.check_counter(element.value ->> 0, element.value -> 1);
    END LOOP;
    RETURN (SELECT coalesce(jsonb_object_agg(c.name, c.counter) FILTER (WHERE c.counter > 0), '{}')
            FROM (SELECT e.value ->> 0 AS name, trunc(max((e.value -> 1)::numeric)) AS counter
                  FROM jsonb_array_elements(pairs) e GROUP BY 1) c);
END
$pairs$;

COMMENT ON FUNCTION raceway.vclock_of_pairs(jsonb) IS 'part of vclock_normalize(): the clock of an array of [component, counter] pairs';

CREATE FUNCTION raceway.vclock_normalize(clock jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $normalize$
BEGIN
    IF jsonb_typeof(clock) = 'array' THEN
        RETURN raceway.vclock_of_pairs(clock);
    END IF;
    PERFORM raceway.check_clock(clock);
    RETURN (SELECT coalesce(jsonb_object_agg(c.key, trunc(c.value::numeric)) FILTER (WHERE c.value::numeric > 0), '{}')
            FROM jsonb_each(clock) c);
END
$normalize$;

CREATE FUNCTION raceway.vclock_increment(clock jsonb, component text, by numeric DEFAULT 1) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $increment$
DECLARE
    grown numeric;
BEGIN
    PERFORM raceway.check_object(clock);
    IF NOT raceway.is_counter(by) THEN
        PERFORM raceway.raise_invalid_clock('bad_step', component, by::text);
    END IF;
    -- What stands before the component is looked at first, then whether it can grow.
    PERFORM raceway.check_counter(c.key, c.value) FROM jsonb_each(clock) c
    WHERE (octet_length(c.key), c.key COLLATE "C") <= (octet_length(component), component COLLATE "C");
    grown := coalesce((clock -> component)::numeric, 0) + by;
    IF NOT raceway.is_counter(grown) THEN
        PERFORM raceway.raise_invalid_clock('counter_overflow', component, trunc(by)::text);
    END IF;
    RETURN raceway.vclock_normalize(clock || jsonb_build_object(component, grown));
END
$increment$;

CREATE FUNCTION raceway.vclock_merge(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $merge$
BEGIN
    PERFORM raceway.check_clocks(a, b);
    RETURN (SELECT coalesce(jsonb_object_agg(c.name, c.counter) FILTER (WHERE c.counter > 0), '{}')
            FROM (SELECT coalesce(x.key, y.key) AS name, trunc(greatest(x.value::numeric, y.value::numeric)) AS counter
                  FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y ON x.key = y.key) c);
END
$merge$;

CREATE FUNCTION raceway.vclock_meet(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $meet$
BEGIN
    PERFORM raceway.check_clocks(a, b);
    RETURN (SELECT coalesce(jsonb_object_agg(c.name, c.counter) FILTER (WHERE c.counter > 0), '{}')
            FROM (SELECT x.key AS name, trunc(least(x.value::numeric, y.value::numeric)) AS counter
                  FROM jsonb_each(a) x JOIN jsonb_each(b) y ON x.key = y.key) c);
END
$meet$;

CREATE FUNCTION raceway.vclock_diff(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $diff$
BEGIN
    PERFORM raceway.check_clocks(a, b);
    RETURN (SELECT coalesce(jsonb_object_agg(c.name, c.ahead) FILTER (WHERE c.ahead > 0), '{}')
            FROM (SELECT x.key AS name, trunc(x.value::numeric - coalesce(y.value::numeric, 0)) AS ahead
                  FROM jsonb_each(a) x LEFT JOIN jsonb_each(b) y ON x.key = y.key) c);
END
$diff$;

CREATE FUNCTION raceway.vclock_without(clock jsonb, components text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $without$
BEGIN
    PERFORM raceway.check_clock(clock);
    RETURN raceway.vclock_normalize(clock - array_remove(ARRAY(SELECT unnest(components)), NULL));
END
$without$;

-- Reading clocks.

CREATE FUNCTION raceway.vclock_get(clock jsonb, component text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $get$
BEGIN
    PERFORM raceway.check_object(clock);
    PERFORM raceway.check_counter(component, clock -> component);
    RETURN trunc(coalesce((clock -> component)::numeric, 0));
END
$get$;

CREATE FUNCTION raceway.vclock_components(clock jsonb) RETURNS TABLE (component text, counter numeric)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $components$
BEGIN
    PERFORM raceway.check_clock(clock);
    RETURN QUERY SELECT c.key, trunc(c.value::numeric) FROM jsonb_each(clock) c WHERE c.value::numeric > 0;
END
$components$;

CREATE FUNCTION raceway.vclock_size(clock jsonb) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $size$
BEGIN
    PERFORM raceway.check_clock(clock);
    RETURN (SELECT count(*) FROM jsonb_each(clock) c WHERE c.value::numeric > 0);
END
$size$;

CREATE FUNCTION raceway.vclock_sum(clock jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $sum$
BEGIN
    PERFORM raceway.check_clock(clock);
    RETURN (SELECT trunc(coalesce(sum(c.value::numeric), 0)) FROM jsonb_each(clock) c);
END
$sum$;

-- Comparing clocks.

CREATE FUNCTION raceway.vclock_compare(a jsonb, b jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $compare$
DECLARE
    a_greater boolean;
    b_greater boolean;
BEGIN
    PERFORM raceway.check_clocks(a, b, true);
    IF a = b THEN
        RETURN 'equal';
    END IF;
    SELECT bool_or(coalesce(x.value::numeric, 0) > coalesce(y.value::numeric, 0)),
           bool_or(coalesce(y.value::numeric, 0) > coalesce(x.value::numeric, 0)) INTO a_greater, b_greater
    FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y ON x.key = y.key;
    RETURN CASE WHEN a_greater AND b_greater THEN 'concurrent' WHEN a_greater THEN 'after' WHEN b_greater THEN 'before'
                ELSE 'equal' END;
END
$compare$;

CREATE FUNCTION raceway.vclock_happened_before(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) 'before';

CREATE FUNCTION raceway.vclock_happened_before_or_equal(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) ANY (ARRAY['before', 'equal']);

CREATE FUNCTION raceway.vclock_happened_after(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) 'after';

CREATE FUNCTION raceway.vclock_happened_after_or_equal(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) ANY (ARRAY['after', 'equal']);

CREATE FUNCTION raceway.vclock_concurrent(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) 'concurrent';

CREATE FUNCTION raceway.vclock_comparable(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.<>) 'concurrent';

CREATE FUNCTION raceway.vclock_equal(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN raceway.vclock_compare(a, b) OPERATOR(pg_catalog.=) 'equal';

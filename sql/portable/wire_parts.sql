-- The wire: what both formats share. An event that cannot be kept raises SQLSTATE RW001 with the reason for its sender;
-- whoever reads a body catches it. The reasons are those of extension/src/wire.

CREATE FUNCTION raceway.reject_event(reason text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $reject$
BEGIN
    RAISE EXCEPTION '%', reason USING ERRCODE = 'RW001';
END
$reject$;

COMMENT ON FUNCTION raceway.reject_event(text) IS 'part of ingest(): an event cannot be kept, for this reason';

CREATE FUNCTION raceway.compact_json(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $compact$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'array' THEN (SELECT '[' || coalesce(string_agg(raceway.compact_json(e.value), ',' ORDER BY e.n), '') || ']'
                           FROM jsonb_array_elements(value) WITH ORDINALITY e (value, n))
        WHEN 'object' THEN (SELECT '{' || coalesce(string_agg(to_jsonb(m.key)::text || ':' || raceway.compact_json(m.value), ',' ORDER BY m.n), '') || '}'
                            FROM jsonb_each(value) WITH ORDINALITY m (key, value, n))
        ELSE value::text END;
END
$compact$;

COMMENT ON FUNCTION raceway.compact_json(jsonb) IS 'part of ingest(): the value as text without white space';

CREATE FUNCTION raceway.shown_json(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $shown$
DECLARE
    most constant integer := 60;
    compact text := raceway.compact_json(value);
BEGIN
    RETURN CASE WHEN octet_length(compact) <= most THEN compact ELSE left(compact, most) || '...' END;
END
$shown$;

COMMENT ON FUNCTION raceway.shown_json(jsonb) IS 'part of ingest(): the value as a reason shows it';

CREATE FUNCTION raceway.present(object jsonb, field text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN NULLIF(pg_catalog.jsonb_object_field(object, field), 'null'::pg_catalog.jsonb);

COMMENT ON FUNCTION raceway.present(jsonb, text) IS 'part of ingest(): a field that is there and not null, or NULL';

CREATE FUNCTION raceway.required_text(event jsonb, field text, most integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $required$
DECLARE
    value jsonb := raceway.present(event, field);
    found text := value #>> '{}';
BEGIN
    IF value IS NULL THEN
        PERFORM raceway.reject_event(field || ' is missing');
    ELSIF jsonb_typeof(value) <> 'string' THEN
        PERFORM raceway.reject_event(format('%s is %s, not a string', field, raceway.shown_json(value)));
    ELSIF found = '' THEN
        PERFORM raceway.reject_event(field || ' is empty');
    ELSIF length(found) > most THEN
        PERFORM raceway.reject_event(format('%s has %s characters; at most %s are kept', field, length(found), most));
    END IF;
    RETURN found;
END
$required$;

COMMENT ON FUNCTION raceway.required_text(jsonb, text, integer) IS 'part of ingest(): a string of 1 to so many characters';

CREATE FUNCTION raceway.normalized_uuid(id text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN id OPERATOR(pg_catalog.~) '^([{]?|[uU][rR][nN]:[uU][uU][iI][dD]:)([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})[}]?$'
                 AND pg_catalog."left"(id, 1) OPERATOR(pg_catalog.=) '{' OPERATOR(pg_catalog.=) (pg_catalog."right"(id, 1) OPERATOR(pg_catalog.=) '}')
            THEN pg_catalog.regexp_replace(pg_catalog.lower(pg_catalog.regexp_replace(id, '^[uU][rR][nN]:[uU][uU][iI][dD]:|[-{}]', '', 'g') COLLATE "C"),
                                           '^(.{8})(.{4})(.{4})(.{4})', '\1-\2-\3-\4-')
            ELSE id END;

COMMENT ON FUNCTION raceway.normalized_uuid(text) IS
    'part of ingest(): a UUID in any usual form in lower case with hyphens; anything else as it is';

CREATE FUNCTION raceway.read_clock(value jsonb, field text, OUT clock jsonb, OUT reproducible boolean)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    component record;
BEGIN
    IF jsonb_typeof(value) NOT IN ('object', 'array') THEN
        PERFORM raceway.reject_event(format('%s is %s, neither an object nor pairs [component, counter]', field, raceway.shown_json(value)));
    END IF;
    IF jsonb_typeof(value) = 'object' AND raceway.vclock_valid(value) THEN
        -- As it stands, but for counters with a fraction of zeros.
        reproducible := true;
        clock := CASE WHEN strpos(value::text, '.') = 0 THEN value
            ELSE (SELECT jsonb_object_agg(c.key, trunc(c.value::numeric)) FROM jsonb_each(value) c) END;
        RETURN;
    END IF;
    FOR component IN
        SELECT c.key AS name, c.value AS counter, NULL::jsonb AS pair, c.n
        FROM jsonb_each(CASE jsonb_typeof(value) WHEN 'object' THEN value ELSE '{}' END) WITH ORDINALITY c (key, value, n)
        UNION ALL
        SELECT p.value ->> 0, p.value -> 1, p.value, p.n
        FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END) WITH ORDINALITY p (value, n)
        ORDER BY 4
    LOOP
        IF component.pair IS NOT NULL AND (jsonb_typeof(component.pair) <> 'array' OR jsonb_array_length(component.pair) <> 2
                                           OR jsonb_typeof(component.pair -> 0) <> 'string') THEN
            PERFORM raceway.reject_event(format('%s: %s is not a pair [component, counter]', field, raceway.shown_json(component.pair)));
        END IF;
        IF jsonb_typeof(component.counter) <> 'number' OR NOT raceway.is_counter(CASE jsonb_typeof(component.counter)
                                                                                 WHEN 'number' THEN component.counter::numeric END) THEN
            PERFORM raceway.reject_event(format(
                '%s: component %s has counter %s; a counter is a whole number from 0 to 18446744073709551615',
                field, raceway.shown_json(to_jsonb(component.name)), raceway.shown_json(component.counter)));
        END IF;
    END LOOP;
    SELECT coalesce(jsonb_object_agg(c.name, c.counter), '{}') INTO clock
    FROM (SELECT p.value ->> 0 AS name, max(trunc((p.value -> 1)::numeric)) AS counter
          FROM jsonb_array_elements(value) p GROUP BY 1) c;
    -- The object gives the pairs back where they stood in its order, each once.
    SELECT coalesce(bool_and(p.earlier IS NULL OR (octet_length(p.earlier), p.earlier COLLATE "C") < (octet_length(p.name), p.name COLLATE "C")), true)
    INTO reproducible
    FROM (SELECT q.value ->> 0 AS name, lag(q.value ->> 0) OVER (ORDER BY q.n) AS earlier
          FROM jsonb_array_elements(value) WITH ORDINALITY q (value, n)) p;
END
$read$;

COMMENT ON FUNCTION raceway.read_clock(jsonb, text) IS
    'part of ingest(): a clock of an object or of pairs, and whether its object gives back what was sent';

CREATE FUNCTION raceway.read_duration(number jsonb, field text, in_a_millisecond double precision) RETURNS real
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    widest   constant double precision := 3.4028234663852886e38;
    smallest constant numeric := 2.4703282292062328e-324;
    lost     constant double precision := 7.006492321624086e-46;
    value        numeric;
    milliseconds double precision;
BEGIN
    IF jsonb_typeof(number) = 'number' THEN
        value := number::numeric;
        IF value = 0 OR (abs(value) > smallest AND abs(value) < 1e300) THEN
            milliseconds := value::double precision / in_a_millisecond;
            IF abs(milliseconds) <= widest THEN
                RETURN CASE WHEN value = 0 THEN 0::real WHEN abs(milliseconds) >= lost THEN milliseconds::real
                            WHEN value < 0 THEN '-0'::real ELSE 0::real END;
            END IF;
        END IF;
    END IF;
    PERFORM raceway.reject_event(format('%s is %s, not a number that a duration can be', field, raceway.shown_json(number)));
END
$read$;

COMMENT ON FUNCTION raceway.read_duration(jsonb, text, double precision) IS 'part of ingest(): a duration in milliseconds';

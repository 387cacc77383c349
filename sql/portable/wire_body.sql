-- The wire: the bodies of POST /events, and the events in them. What one event holds that no jsonb can hold fails that
-- event only: so a body is taken apart as text first.

CREATE FUNCTION raceway.reject_body(problem text, which text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $reject$
BEGIN
    IF which = '' THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'invalid_json_text';
    END IF;
    RAISE EXCEPTION '%', problem USING ERRCODE = 'invalid_json_text', DETAIL = which;
END
$reject$;

COMMENT ON FUNCTION raceway.reject_body(text, text) IS 'part of ingest(): the body as a whole is not JSON, or holds no event';

CREATE FUNCTION raceway.checked_body(body bytea, which text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $checked$
DECLARE
    document text;
    problem  text;
BEGIN
    document := convert_from(body, 'UTF8');
    PERFORM document::json;
    RETURN document;
EXCEPTION
    WHEN character_not_in_repertoire OR untranslatable_character THEN
        PERFORM raceway.reject_body('the body is not JSON: it is not valid UTF-8, or holds a bare control character', which);
    WHEN invalid_text_representation THEN
        GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
        PERFORM raceway.reject_body('the body is not JSON: ' || raceway.cut_text(problem, 200), which);
    WHEN statement_too_complex THEN
        PERFORM raceway.reject_body('the body is not JSON that can be read here: it nests too deep', which);
END
$checked$;

COMMENT ON FUNCTION raceway.checked_body(bytea, text) IS 'part of ingest(): the text of a body, which is JSON';

CREATE FUNCTION raceway.escape_mark(document text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $mark$
DECLARE
    letter constant text := chr(57344);
    mark text := letter;
BEGIN
    WHILE strpos(document, mark) > 0 LOOP
        mark := mark || letter;
    END LOOP;
    RETURN mark;
END
$mark$;

COMMENT ON FUNCTION raceway.escape_mark(text) IS 'part of ingest(): a text that stands nowhere in another';

CREATE FUNCTION raceway.unescaped(string text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $unescaped$
BEGIN
    RETURN string::jsonb #>> '{}';
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
    RETURN NULL;
END
$unescaped$;

COMMENT ON FUNCTION raceway.unescaped(text) IS 'part of ingest(): what a JSON string stands for; NULL where no text can hold it';

CREATE FUNCTION raceway.members_of(document text) RETURNS TABLE (name text, value text)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $members$
DECLARE
    mark   text;
    marked text := document;
BEGIN
    IF strpos(document, '\u') = 0 THEN
        RETURN QUERY SELECT m.key, m.value::text FROM json_each(document::json) WITH ORDINALITY m (key, value, n) ORDER BY m.n;
        RETURN;
    END IF;
    -- json_each() fails at an escape that no text can hold, wherever it stands: none is shown to it.
    mark := raceway.escape_mark(document);
    marked := regexp_replace(document, '(?<!\\)((?:\\\\)*)\\u', '\1' || mark, 'g');
    RETURN QUERY
        SELECT CASE WHEN strpos(m.key, mark) = 0 THEN m.key ELSE coalesce(raceway.unescaped(replace(to_json(m.key)::text, mark, '\u')), '') END,
               replace(m.value::text, mark, '\u')
        FROM json_each(marked::json) WITH ORDINALITY m (key, value, n) ORDER BY m.n;
END
$members$;

COMMENT ON FUNCTION raceway.members_of(text) IS
    'part of ingest(): the members of an object in their order; the name is empty where no text can hold it';

CREATE FUNCTION raceway.events_in(body bytea, which text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $events$
DECLARE
    document text := raceway.checked_body(body, which);
    member   record;
    wrapped  text;
    is_event boolean := false;
    events   text[] := '{}';
BEGIN
    IF json_typeof(document::json) = 'array' THEN
        wrapped := document;
    ELSIF json_typeof(document::json) = 'object' THEN
        -- Of several members of that name the last one stands.
        FOR member IN SELECT m.name, m.value FROM raceway.members_of(document) m LOOP
            IF member.name = 'events' THEN
                wrapped := CASE json_typeof(member.value::json) WHEN 'array' THEN member.value END;
            END IF;
            is_event := is_event OR member.name IN ('id', 'event_id', 'trace_id');
        END LOOP;
        IF wrapped IS NULL AND is_event THEN
            RETURN ARRAY[document];
        END IF;
    END IF;
    IF wrapped IS NOT NULL THEN
        events := ARRAY(SELECT e.value::text FROM json_array_elements(wrapped::json) WITH ORDINALITY e (value, n) ORDER BY e.n);
    END IF;
    IF cardinality(events) = 0 THEN
        PERFORM raceway.reject_body('the body holds no event; send {"events":[...]}, an array of events, or one event', which);
    END IF;
    RETURN events;
END
$events$;

COMMENT ON FUNCTION raceway.events_in(bytea, text) IS 'part of ingest(): the texts of the events of a body';

CREATE FUNCTION raceway.long_number(event text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $number$
DECLARE
    digits constant integer := 1000;
    number text;
    plain  text;
BEGIN
    FOR number IN
        SELECT m[1] FROM regexp_matches(regexp_replace(event, '"(\\.|[^"\\])*"', '""', 'g'), '(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)', 'g') m
    LOOP
        BEGIN
            plain := abs(number::numeric)::text;
        EXCEPTION WHEN numeric_value_out_of_range THEN
            RETURN number;
        END;
        IF length(split_part(plain, '.', 1)) > digits OR length(split_part(plain, '.', 2)) > digits THEN
            RETURN number;
        END IF;
    END LOOP;
    RETURN NULL;
END
$number$;

COMMENT ON FUNCTION raceway.long_number(text) IS
    'part of ingest(): the first number of an event that has more digits than are kept; NULL where there is none';

CREATE FUNCTION raceway.check_extent(event text, value jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    written text := value::text;
    number  text;
BEGIN
    IF length(written) > 1000 AND written ~ '[0-9]{250}' THEN
        number := raceway.long_number(event);
        IF number IS NOT NULL THEN
            PERFORM raceway.reject_event(format('the number %s has more than 1000 digits before or after the point', left(number, 40)));
        END IF;
    END IF;
    IF length(written) - length(translate(written, '[{', '')) > 128
       AND jsonb_path_exists(value, 'strict $.**{128} ? (@.type() == "array" || @.type() == "object")') THEN
        PERFORM raceway.reject_event('it nests deeper than 128 levels');
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_extent(text, jsonb) IS 'part of ingest(): numbers and nesting have their measure';

CREATE FUNCTION raceway.event_value(event text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $value$
DECLARE
    value   jsonb;
    problem text;
BEGIN
    BEGIN
        value := event::jsonb;
    EXCEPTION
        WHEN untranslatable_character THEN
            problem := 'a string holds the character \u0000, which no database text can hold';
        WHEN invalid_text_representation THEN
            problem := 'a string holds half of a surrogate pair (\ud800 to \udfff)';
        WHEN numeric_value_out_of_range THEN
            problem := format('the number %s has more than 1000 digits before or after the point', left(raceway.long_number(event), 40));
        WHEN program_limit_exceeded THEN
            problem := sqlerrm;
    END;
    IF problem IS NOT NULL THEN
        PERFORM raceway.reject_event(problem);
    END IF;
    PERFORM raceway.check_extent(event, value);
    RETURN value;
END
$value$;

COMMENT ON FUNCTION raceway.event_value(text) IS 'part of ingest(): an event as jsonb';

CREATE FUNCTION raceway.id_in(event text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $id$
DECLARE
    member record;
    text   text;
    id     text := '';
    named  text := '';
BEGIN
    IF json_typeof(event::json) <> 'object' THEN
        RETURN '';
    END IF;
    FOR member IN SELECT m.name, m.value FROM raceway.members_of(event) m WHERE m.name IN ('id', 'event_id') LOOP
        IF json_typeof(member.value::json) = 'string' THEN
            text := raceway.unescaped(member.value);
            id := CASE member.name WHEN 'id' THEN coalesce(text, id) ELSE id END;
            named := CASE member.name WHEN 'event_id' THEN coalesce(text, named) ELSE named END;
        END IF;
    END LOOP;
    RETURN coalesce(nullif(named, ''), id);
END
$id$;

COMMENT ON FUNCTION raceway.id_in(text) IS 'part of ingest(): an id to name a rejected event by, as far as it can be read';

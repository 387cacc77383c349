-- The wire: times as RFC 3339 writes them.

CREATE FUNCTION raceway.reject_time(sent text, problem text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $reject$
BEGIN
    PERFORM raceway.reject_event(format('timestamp "%s" %s', left(sent, 60), problem));
END
$reject$;

COMMENT ON FUNCTION raceway.reject_time(text, text) IS 'part of ingest(): this is no time';

CREATE FUNCTION raceway.days_in(year integer, month integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN month = 2 AND (year % 400 = 0 OR (year % 4 = 0 AND year % 100 <> 0)) THEN 29
            ELSE (ARRAY[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month] END;

COMMENT ON FUNCTION raceway.days_in(integer, integer) IS 'part of ingest(): how many days a month has';

CREATE FUNCTION raceway.explain_time(sent text) RETURNS void
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $explain$
DECLARE
    malformed constant text := 'is not a time like 2024-01-01T12:00:00.123456Z';
    head text[] := regexp_match(sent, '^(\+?)([0-9]{0,7})(.*)$');
    rest text := head[3];
    year integer;
    part record;
    value integer;
    month integer;
BEGIN
    IF length(head[2]) < 4 OR (head[1] = '+' AND length(head[2]) < 5) THEN
        PERFORM raceway.reject_time(sent, malformed);
    END IF;
    year := head[2]::integer;
    IF year > 294276 THEN
        PERFORM raceway.reject_time(sent, 'is out of range (years 0000 to 294276)');
    END IF;
    FOR part IN
        SELECT * FROM (VALUES ('-', 1, 12), ('-', 1, NULL), ('[Tt ]', 0, 23), (':', 0, 59), (':', 0, 60)) p (before, least, most)
    LOOP
        IF rest !~ ('^' || part.before || '[0-9][0-9]') THEN
            PERFORM raceway.reject_time(sent, malformed);
        END IF;
        value := substr(rest, 2, 2)::integer;
        IF value NOT BETWEEN part.least AND coalesce(part.most, raceway.days_in(year, month)) THEN
            PERFORM raceway.reject_time(sent, 'has a part out of range');
        END IF;
        month := coalesce(month, value);
        rest := substr(rest, 4);
    END LOOP;
    IF rest ~ '^[.,]' THEN
        IF rest !~ '^.[0-9]' THEN
            PERFORM raceway.reject_time(sent, malformed);
        END IF;
        rest := ltrim(substr(rest, 2), '0123456789');
    END IF;
    IF rest = '' THEN
        PERFORM raceway.reject_time(sent, 'has no zone; add Z or an offset like +00:00');
    END IF;
    IF rest ~ '^[+-][0-9][0-9]' THEN
        IF substr(rest, 2, 2)::integer > 23 THEN
            PERFORM raceway.reject_time(sent, 'has a part out of range');
        END IF;
        rest := regexp_replace(substr(rest, 4), '^:', '');
        IF rest ~ '^[0-9][0-9]' AND left(rest, 2)::integer > 59 THEN
            PERFORM raceway.reject_time(sent, 'has a part out of range');
        END IF;
    END IF;
    PERFORM raceway.reject_time(sent, malformed);
END
$explain$;

COMMENT ON FUNCTION raceway.explain_time(text) IS 'part of ingest(): raises what keeps this from being a time';

CREATE FUNCTION raceway.read_time(sent text, OUT at timestamp, OUT nanos integer)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $read$
DECLARE
    parts text[] := regexp_match(sent, '^(?:\+(?=[0-9]{5}))?([0-9]{4,7})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})'
                                       '(?:[.,]([0-9]+))?(?:[Zz]|([+-][0-9]{2})(?::?([0-9]{2}))?)$');
    year    integer := parts[1];
    month   integer := parts[2];
    day     integer := parts[3];
    zone    integer;
    seconds bigint;
    march   integer;
BEGIN
    IF parts IS NULL OR year > 294276 OR month NOT BETWEEN 1 AND 12 OR day NOT BETWEEN 1 AND raceway.days_in(year, month)
       OR parts[4]::integer > 23 OR parts[5]::integer > 59 OR parts[6]::integer > 60
       OR abs(parts[8]::integer) > 23 OR parts[9]::integer > 59 THEN
        PERFORM raceway.explain_time(sent);
    END IF;
    zone := coalesce(parts[8]::integer * 3600, 0)
        + coalesce(parts[9]::integer * 60 * CASE left(parts[8], 1) WHEN '-' THEN -1 ELSE 1 END, 0);
    -- Days since 2000-01-01. Years counted from March end with the leap day; whole eras of 400 years keep it positive.
    march := year + 400 - CASE WHEN month <= 2 THEN 1 ELSE 0 END;
    seconds := 365::bigint * march + march / 4 - march / 100 + march / 400
        + (153 * (month + CASE WHEN month > 2 THEN -3 ELSE 9 END) + 2) / 5 + day - 1 - 876522;
    seconds := seconds * 86400 + parts[4]::integer * 3600 + parts[5]::integer * 60 + parts[6]::integer - zone;
    IF seconds NOT BETWEEN -63113904000 AND 9223371331199 THEN
        PERFORM raceway.reject_time(sent, 'is out of range (years 0000 to 294276 in UTC)');
    END IF;
    parts[7] := rpad(coalesce(parts[7], ''), 9, '0');
    nanos := substr(parts[7], 7, 3)::integer;
    at := timestamp '2000-01-01' + (seconds / 86400) * interval '1 day' + (seconds % 86400) * interval '1 second'
        + substr(parts[7], 1, 6)::integer * interval '1 microsecond';
END
$read$;

COMMENT ON FUNCTION raceway.read_time(text) IS 'part of ingest(): a time in UTC to the microsecond, and what is finer';

CREATE FUNCTION raceway.required_time(event jsonb, OUT at timestamp, OUT nanos integer)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $required$
DECLARE
    value jsonb := raceway.present(event, 'timestamp');
BEGIN
    IF value IS NULL THEN
        PERFORM raceway.reject_event('timestamp is missing');
    ELSIF jsonb_typeof(value) <> 'string' THEN
        PERFORM raceway.reject_event(format('timestamp is %s, not a string', raceway.shown_json(value)));
    END IF;
    SELECT t.at, t.nanos INTO at, nanos FROM raceway.read_time(value #>> '{}') t;
END
$required$;

COMMENT ON FUNCTION raceway.required_time(jsonb) IS 'part of ingest(): the time of an event';

-- The wire: events of the two formats as rows of events. See extension/src/wire/fields.hpp for what stands where.

CREATE FUNCTION raceway.object_of(members jsonb, field text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN members OPERATOR(pg_catalog.=) '{}'::pg_catalog.jsonb THEN '{}'::pg_catalog.jsonb
            ELSE pg_catalog.jsonb_build_object(field, members) END;

COMMENT ON FUNCTION raceway.object_of(jsonb, text) IS 'part of ingest(): members under one name, nothing where there are none';

CREATE FUNCTION raceway.read_documented_event(
    event jsonb, OUT event_id text, OUT trace_id text, OUT kind text, OUT at timestamp, OUT duration_ms real, OUT location text,
    OUT vector_clock jsonb, OUT metadata jsonb
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $read$
DECLARE
    fields constant text[] := ARRAY['event_id', 'trace_id', 'kind', 'timestamp', 'duration_ms', 'location', 'vector_clock', 'metadata'];
    sent         jsonb;
    value        jsonb;
    nanos        integer;
    reproducible boolean;
    leftovers    jsonb := '{}';
    unknown      jsonb;
    taken        text[];
BEGIN
    event_id := raceway.required_text(event, 'event_id', 255);
    trace_id := raceway.required_text(event, 'trace_id', 255);
    kind := raceway.required_text(event, 'kind', 50);
    SELECT t.at, t.nanos INTO at, nanos FROM raceway.required_time(event) t;

    sent := coalesce(raceway.present(event, 'metadata'), '{}');
    IF jsonb_typeof(sent) <> 'object' THEN
        PERFORM raceway.reject_event('metadata is not an object');
    END IF;
    metadata := sent;
    value := raceway.present(event, 'vector_clock');
    IF value IS NOT NULL THEN
        SELECT c.clock, c.reproducible INTO vector_clock, reproducible FROM raceway.read_clock(value, 'vector_clock') c;
        IF NOT reproducible AND NOT metadata ? 'causality_vector' THEN
            metadata := metadata || jsonb_build_object('causality_vector', value);
        END IF;
    END IF;
    value := raceway.present(event, 'duration_ms');
    IF value IS NOT NULL THEN
        duration_ms := raceway.read_duration(value, 'duration_ms', 1);
        -- Where the column's 32 bits do not give the number back, it is kept.
        IF duration_ms::text::double precision <> value::text::double precision AND NOT metadata ? 'duration_ms' THEN
            metadata := metadata || jsonb_build_object('duration_ms', value);
        END IF;
    END IF;
    value := raceway.present(event, 'location');
    IF value IS NOT NULL THEN
        IF jsonb_typeof(value) <> 'string' THEN
            PERFORM raceway.reject_event('location is not a string');
        END IF;
        location := left(value #>> '{}', 500);
        IF location <> value #>> '{}' THEN
            IF metadata ? 'location' THEN
                leftovers := jsonb_build_object('location', value);
            ELSE
                metadata := metadata || jsonb_build_object('location', value);
            END IF;
        END IF;
    END IF;
    unknown := event - fields;
    IF unknown <> '{}' THEN
        taken := ARRAY(SELECT k FROM jsonb_object_keys(unknown) k
                       WHERE sent ? k OR (k = 'causality_vector' AND metadata ? 'causality_vector'));
        leftovers := leftovers || (unknown - ARRAY(SELECT k FROM jsonb_object_keys(unknown) k WHERE k <> ALL (taken)));
        metadata := metadata || (unknown - taken);
    END IF;
    IF NOT metadata ? 'event_fields' THEN
        metadata := metadata || raceway.object_of(leftovers, 'event_fields');
    END IF;
    IF nanos <> 0 AND NOT metadata ? 'timestamp_nanos' THEN
        metadata := metadata || jsonb_build_object('timestamp_nanos', nanos);
    END IF;
END
$read$;

COMMENT ON FUNCTION raceway.read_documented_event(jsonb) IS 'part of ingest(): the row of an event in the documented form';

CREATE FUNCTION raceway.read_variant(
    event jsonb, OUT kind text, OUT duration_ms real, OUT location text, OUT metadata jsonb
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    taken constant text[] := ARRAY['thread_id', 'process_id', 'service_name', 'environment', 'tags', 'duration_ns', 'instance_id',
        'distributed_span_id', 'upstream_span_id', 'parent_id', 'lock_set', 'causality_vector', 'timestamp_nanos', 'kind_fields',
        'metadata_fields', 'event_fields'];
    value   jsonb := raceway.present(event, 'kind');
    variant jsonb;
    place   text;
    derived text;
BEGIN
    metadata := '{}';
    IF value IS NULL THEN
        PERFORM raceway.reject_event('kind is missing');
    ELSIF jsonb_typeof(value) = 'string' THEN
        kind := raceway.required_text(event, 'kind', 50);
        RETURN;
    ELSIF jsonb_typeof(value) <> 'object' OR (SELECT count(*) FROM jsonb_object_keys(value)) <> 1 THEN
        PERFORM raceway.reject_event('kind is not an object of exactly one variant');
    END IF;
    SELECT v.key, v.value INTO kind, variant FROM jsonb_each(value) v;
    IF length(kind) NOT BETWEEN 1 AND 50 THEN
        PERFORM raceway.reject_event(format('kind has a name of %s characters; 1 to 50 are kept', length(kind)));
    ELSIF variant = 'null' THEN
        RETURN;
    ELSIF jsonb_typeof(variant) <> 'object' THEN
        PERFORM raceway.reject_event(format('kind.%s is not an object', kind));
    END IF;
    IF jsonb_typeof(variant -> 'file') = 'string' AND jsonb_typeof(variant -> 'line') = 'number' THEN
        derived := (variant ->> 'file') || ':' || (variant ->> 'line');
    END IF;
    IF jsonb_typeof(variant -> 'location') = 'string' THEN
        place := variant ->> 'location';
        location := left(place, 500);
        -- The column alone gives it back, unless it was cut, or could be taken for file and line.
        IF location = place AND left(derived, 500) IS DISTINCT FROM place THEN
            variant := variant - 'location';
        END IF;
    ELSE
        location := left(derived, 500);
    END IF;
    metadata := (variant - taken) || raceway.object_of(
        variant - ARRAY(SELECT k FROM jsonb_object_keys(variant) k WHERE k <> ALL (taken)), 'kind_fields');
    IF jsonb_typeof(variant -> 'duration_ms') = 'number' THEN
        duration_ms := raceway.read_duration(variant -> 'duration_ms', 'duration_ms', 1);
    END IF;
END
$read$;

COMMENT ON FUNCTION raceway.read_variant(jsonb) IS 'part of ingest(): what the kind of an event in the SDK''s form says';

CREATE FUNCTION raceway.read_sdk_event(
    event jsonb, OUT event_id text, OUT trace_id text, OUT kind text, OUT at timestamp, OUT duration_ms real, OUT location text,
    OUT vector_clock jsonb, OUT metadata jsonb
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    fields constant text[] := ARRAY['id', 'trace_id', 'parent_id', 'timestamp', 'kind', 'metadata', 'causality_vector', 'lock_set'];
    known  constant text[] := ARRAY['thread_id', 'process_id', 'service_name', 'environment', 'tags', 'duration_ns', 'instance_id',
        'distributed_span_id', 'upstream_span_id'];
    value        jsonb;
    nanos        integer;
    reproducible boolean;
BEGIN
    event_id := raceway.normalized_uuid(raceway.required_text(event, 'id', 255));
    trace_id := raceway.normalized_uuid(raceway.required_text(event, 'trace_id', 255));
    SELECT t.at, t.nanos INTO at, nanos FROM raceway.required_time(event) t;
    SELECT v.kind, v.duration_ms, v.location, v.metadata INTO kind, duration_ms, location, metadata FROM raceway.read_variant(event) v;

    value := raceway.present(event, 'metadata');
    IF value IS NOT NULL THEN
        IF jsonb_typeof(value) <> 'object' THEN
            PERFORM raceway.reject_event('metadata is not an object');
        END IF;
        metadata := metadata || (value - ARRAY(SELECT k FROM jsonb_object_keys(value) k WHERE k <> ALL (known)))
            || raceway.object_of(value - known, 'metadata_fields');
        IF jsonb_typeof(value -> 'duration_ns') = 'number' THEN
            duration_ms := raceway.read_duration(value -> 'duration_ns', 'duration_ns', 1e6);
        END IF;
    END IF;
    value := raceway.present(event, 'parent_id');
    IF value IS NOT NULL THEN
        IF jsonb_typeof(value) <> 'string' THEN
            PERFORM raceway.reject_event('parent_id is neither a string nor null');
        END IF;
        metadata := metadata || jsonb_build_object('parent_id', raceway.normalized_uuid(value #>> '{}'));
    END IF;
    value := raceway.present(event, 'causality_vector');
    IF value IS NOT NULL THEN
        SELECT c.clock, c.reproducible INTO vector_clock, reproducible FROM raceway.read_clock(value, 'causality_vector') c;
        IF NOT reproducible THEN
            metadata := metadata || jsonb_build_object('causality_vector', value);
        END IF;
    END IF;
    value := raceway.present(event, 'lock_set');
    IF value IS NOT NULL THEN
        IF jsonb_typeof(value) <> 'array' THEN
            PERFORM raceway.reject_event('lock_set is not an array');
        ELSIF value <> '[]' THEN
            metadata := metadata || jsonb_build_object('lock_set', value);
        END IF;
    END IF;
    IF nanos <> 0 THEN
        metadata := metadata || jsonb_build_object('timestamp_nanos', nanos);
    END IF;
    metadata := metadata || raceway.object_of(event - fields, 'event_fields');
END
$read$;

COMMENT ON FUNCTION raceway.read_sdk_event(jsonb) IS 'part of ingest(): the row of an event in the SDK''s form';

CREATE FUNCTION raceway.read_event(
    event jsonb, OUT event_id text, OUT trace_id text, OUT kind text, OUT at timestamp, OUT duration_ms real, OUT location text,
    OUT vector_clock jsonb, OUT metadata jsonb
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $read$
DECLARE
    read record;
BEGIN
    IF jsonb_typeof(event) <> 'object' THEN
        PERFORM raceway.reject_event('the event is not an object');
    ELSIF event ? 'event_id' THEN
        read := raceway.read_documented_event(event);
    ELSIF event ? 'id' THEN
        read := raceway.read_sdk_event(event);
    ELSE
        PERFORM raceway.reject_event('the event has neither id nor event_id');
    END IF;
    event_id := read.event_id; trace_id := read.trace_id; kind := read.kind; at := read.at; duration_ms := read.duration_ms;
    location := read.location; vector_clock := read.vector_clock; metadata := read.metadata;
END
$read$;

COMMENT ON FUNCTION raceway.read_event(jsonb) IS 'part of ingest(): the row of an event in either form';

-- What service an event belongs to.

CREATE FUNCTION raceway.service_of(metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN pg_catalog.jsonb_typeof(pg_catalog.jsonb_extract_path(metadata, 'service_name')) OPERATOR(pg_catalog.=) 'string'
    THEN pg_catalog."left"(pg_catalog.jsonb_extract_path_text(metadata, 'service_name'), 255)
END;

COMMENT ON FUNCTION raceway.service_of(jsonb) IS
    'The service that an event''s metadata names, as wide as traces.service_name; NULL where it names none.';

-- ingest: the write path.

CREATE FUNCTION raceway.ingest(batch bytea, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_body';

COMMENT ON FUNCTION raceway.ingest(bytea) IS
    'Stores the events of one body as POST /events takes it, in either wire format, or of spans (OTLP in protobuf or JSON, the JSON of '
    'Jaeger and Zipkin), which become events. What is there already is counted as '
    'a duplicate where it says the same; what says something else, as far as the caller may read it, and what cannot be kept '
    'is named in rejected, an array of {index, id, reason}: the first 1000, and behind them one '
    'that counts the others as "more". ingest_way says how it was written. A body has 64 MB at most, or raceway.max_body_bytes.';

CREATE FUNCTION raceway.ingest(events jsonb, OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_jsonb';

COMMENT ON FUNCTION raceway.ingest(jsonb) IS
    'Stores events given as jsonb: {"events": [...]}, an array of events, or one event, in either wire format.';

CREATE FUNCTION raceway.ingest(bodies bytea[], OUT stored bigint, OUT duplicates bigint, OUT rejected jsonb, OUT ingest_way text)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'raceway_ingest_bodies';

COMMENT ON FUNCTION raceway.ingest(bytea[]) IS
    'Stores several bodies in one go; one row for each body, in their order.';

-- Which edition of the code is in this database.

CREATE FUNCTION raceway.edition() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'portable';

CREATE FUNCTION raceway.portable_version(OUT version text, OUT build text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ROW('@VERSION@'::pg_catalog.text, '@BUILD@'::pg_catalog.text);

COMMENT ON FUNCTION raceway.portable_version() IS
    'The version of the portable edition that is here, and a digest of its text, by which a server tells its own.';

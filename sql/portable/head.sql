-- Raceway @VERSION@, the portable edition: schema raceway in SQL and PL/pgSQL only, for a PostgreSQL on which no library
-- can be installed. It brings code; SELECT raceway.migrate(); then brings the tables, or upgrades them.
--
-- Apply it as the role that is to own it, in one transaction: psql -1 -f raceway-portable.sql, or paste it whole into
-- the SQL console of a managed database. Applied again, or over an older version, it replaces its own code, removes
-- what it no longer has, and touches no row. Made by the build from sql/ and sql/portable/.

DO $head$
DECLARE
    owner name;
BEGIN
    -- One at a time, and not beside a migration: the key spells "raceway".
    PERFORM pg_catalog.pg_advisory_xact_lock(32195226876993913);
    IF EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'raceway') THEN
        RAISE EXCEPTION 'the extension raceway is in this database' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'DROP EXTENSION raceway; keeps every row; then apply this again.';
    END IF;
    SELECT pg_catalog.pg_get_userbyid(n.nspowner) INTO owner FROM pg_catalog.pg_namespace n WHERE n.nspname = 'raceway';
    IF owner IS NULL THEN
        CREATE SCHEMA raceway;
    ELSIF NOT pg_catalog.pg_has_role(owner, 'MEMBER') THEN
        RAISE EXCEPTION 'the schema raceway belongs to "%"', owner USING ERRCODE = 'insufficient_privilege',
            HINT = 'Apply this as that role.';
    END IF;
    -- The routines of the version that is here, as its drop_portable() names them. What is still the same row at the end
    -- was not replaced.
    PERFORM pg_catalog.set_config('raceway_portable.before', coalesce((
        SELECT pg_catalog.string_agg(pg_catalog.concat(p.oid, ' ', p.xmin), ',')
        FROM pg_catalog.pg_proc leaving
        JOIN pg_catalog.pg_proc p ON p.pronamespace = leaving.pronamespace
            AND p.proname = ANY (pg_catalog.substring(leaving.prosrc, 'routines +constant name\[\] := ''([^'']*)''')::name[])
        WHERE leaving.pronamespace = pg_catalog.to_regnamespace('raceway') AND leaving.proname = 'drop_portable'), ''), true);
END
$head$;

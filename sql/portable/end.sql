-- Leaving the portable edition: for the extension, or for good.

CREATE FUNCTION raceway.drop_portable() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $drop$
DECLARE
    views    constant name[] := '{@VIEWS@}';
    routines constant name[] := '{@ROUTINES@}';
    it record;
BEGIN
    PERFORM pg_advisory_xact_lock(32195226876993913);
    FOR it IN
        WITH RECURSIVE ours AS (
            SELECT p.oid, p.prokind FROM pg_proc p
            WHERE p.pronamespace = 'raceway'::regnamespace AND p.proname = ANY (routines)
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        ), needed AS (  -- by so many one after the other
            SELECT o.oid, 0 AS depth FROM ours o
            UNION ALL
            SELECT d.refobjid, n.depth + 1 FROM needed n JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = n.oid
            WHERE d.refclassid = 'pg_proc'::regclass
        )
        SELECT format('VIEW raceway.%I', c.relname) AS what, 0 AS turn FROM pg_class c
        WHERE c.relnamespace = 'raceway'::regnamespace AND c.relkind = 'v' AND c.relname = ANY (views)
        UNION ALL SELECT format('OPERATOR raceway.%s (jsonb, jsonb)', o.oprname), 1 FROM pg_operator o
        WHERE o.oprnamespace = 'raceway'::regnamespace
        UNION ALL SELECT 'DOMAIN raceway.vclock', 3 WHERE to_regtype('raceway.vclock') IS NOT NULL
        -- Aggregates before what they are made of, and what other code is bound to by its definition after that code.
        UNION ALL SELECT format('%s %s', CASE o.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, o.oid::regprocedure),
               CASE WHEN o.prokind = 'a' THEN 2 ELSE 4 + (SELECT max(n.depth) FROM needed n WHERE n.oid = o.oid) END
        FROM ours o
        ORDER BY turn
    LOOP
        EXECUTE 'DROP ' || it.what;
    END LOOP;
END
$drop$;

COMMENT ON FUNCTION raceway.drop_portable() IS
    'Removes the code of the portable edition and leaves the tables as they are: CREATE EXTENSION raceway may follow, or the '
    'portable edition again. An error where something of yours hangs on the code, such as a view or an index.';

-- What the version before had and this one has not, by name or by arguments: left beside it, it would answer in its place,
-- or make calls ambiguous.
DO $obsolete$
DECLARE
    before constant text[] := pg_catalog.string_to_array(pg_catalog.current_setting('raceway_portable.before', true), ',');
    it   regprocedure;
    gone boolean := true;
BEGIN
    WHILE gone LOOP  -- again as long as one goes: they may hang on each other
        gone := false;
        FOR it IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE pg_catalog.concat(p.oid, ' ', p.xmin) = ANY (before) LOOP
            BEGIN
                EXECUTE 'DROP ROUTINE ' || it::text;
                gone := true;
            EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
            END;
        END LOOP;
    END LOOP;
    FOR it IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE pg_catalog.concat(p.oid, ' ', p.xmin) = ANY (before) LOOP
        RAISE WARNING '% is of an older version, and something of yours hangs on it', it
            USING HINT = 'Take that off it, then: DROP ROUTINE ' || it::text || ';';
    END LOOP;
END
$obsolete$;

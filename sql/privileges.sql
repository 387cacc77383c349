-- Who may call what. Everything runs with the rights of whoever calls it; still, what is internal to cleaning up and to
-- moving tables is for those alone who do that: the owner of the database and whoever brings the code, and whom they let.

DO $privileges$
DECLARE
    extension record;
    it        regprocedure;
BEGIN
    -- Who owns the extension, not who upgrades it.
    SELECT e.oid, e.extowner::regrole AS owner INTO extension FROM pg_catalog.pg_extension e
    WHERE e.extname OPERATOR(pg_catalog.=) 'raceway';
    FOR it IN
        SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) p.oid
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::regclass AND d.deptype OPERATOR(pg_catalog.=) 'e'
          AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::regclass
          AND d.refobjid OPERATOR(pg_catalog.=) extension.oid
          AND pg_catalog.obj_description(p.oid, 'pg_proc') OPERATOR(pg_catalog.~~) 'internal%'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', it);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pg_database_owner, %s WITH GRANT OPTION', it, extension.owner);
    END LOOP;
END
$privileges$;

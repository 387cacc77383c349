-- Who may call what. Everything runs with the rights of whoever calls it; still, what is internal to cleaning up and to
-- moving tables is for those alone who do that: who applies this, and whom they let.

DO $privileges$
DECLARE
    it regprocedure;
BEGIN
    FOR it IN
        SELECT p.oid FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'raceway'::regnamespace AND p.proname OPERATOR(pg_catalog.=) ANY ('{@ROUTINES@}'::name[])
          AND pg_catalog.pg_has_role(p.proowner, 'USAGE')
          AND pg_catalog.obj_description(p.oid, 'pg_proc') OPERATOR(pg_catalog.~~) 'internal%'
    LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', it);
    END LOOP;
END
$privileges$;

-- What a managed PostgreSQL such as Supabase's does to a database before its user comes: a role without superuser that does
-- not own it, a schema `public` that it cannot write to, roles of the web API, and row security on every new table.
-- Run by the superuser; psql variable: role.
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO :"role";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
ALTER DATABASE :"DBNAME" SET search_path = "$user", public, extensions;

CREATE FUNCTION extensions.secure_new_tables() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() c
                WHERE c.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS') AND c.object_type = 'table'
                  AND c.schema_name NOT IN ('pg_temp', 'pg_catalog') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made.object_identity);
    END LOOP;
END $$;
CREATE EVENT TRIGGER secure_new_tables ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS')
    EXECUTE FUNCTION extensions.secure_new_tables();

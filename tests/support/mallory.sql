-- What mallory has made ready: code that tells what it is when it runs, and tries what mallory may not. Run by mallory.
-- It runs wherever it is called, under any search_path: so every name is qualified.
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;

-- `always` are tried whenever code runs: what a foreign key, an audit or a policy protects. The others follow from who it
-- runs as, and take longer: with evil.thorough = on.
CREATE TABLE evil.attempts (statement pg_catalog.text, always pg_catalog.bool);
GRANT SELECT ON evil.attempts TO PUBLIC;
INSERT INTO evil.attempts SELECT pg_catalog.unnest(ARRAY[
    'DELETE FROM dba.vault', 'DELETE FROM dba.ledger WHERE id OPERATOR(pg_catalog.=) 1', 'DELETE FROM dba.ledger WHERE id OPERATOR(pg_catalog.=) 2',
    'INSERT INTO dba.receipts VALUES (2, 999)', 'DELETE FROM dba.orders WHERE id OPERATOR(pg_catalog.=) 1', 'DELETE FROM dba.guarded',
    'SET LOCAL session_replication_role = replica']), true;
INSERT INTO evil.attempts SELECT pg_catalog.unnest(ARRAY[
    'SELECT FROM dba.vault', 'INSERT INTO dba.vault VALUES (2)', 'UPDATE dba.vault SET secret = NULL', 'DROP TABLE dba.vault',
    'TRUNCATE dba.orders', 'UPDATE dba.ledger SET id = 3 WHERE id OPERATOR(pg_catalog.=) 1', 'DELETE FROM dba.lines',
    'UPDATE dba.guarded SET owner = ''mallory''', 'DELETE FROM dba.notes', 'DELETE FROM dba.pins',
    'DELETE FROM dba.kinds', 'DELETE FROM dba.audit', 'DELETE FROM dba.seen',
    'ALTER TABLE dba.ledger DISABLE TRIGGER ALL', 'ALTER TABLE dba.guarded DISABLE ROW LEVEL SECURITY',
    'CREATE ROLE made_by_mallory', 'ALTER ROLE mallory SUPERUSER', 'ALTER SYSTEM SET work_mem = ''1MB''',
    'GRANT pg_execute_server_program TO mallory', 'COPY (SELECT 1) TO PROGRAM ''true''',
    'SELECT rolpassword FROM pg_catalog.pg_authid', 'SELECT pg_catalog.pg_read_file(''postgresql.conf'')',
    'SET LOCAL ROLE postgres', 'SET LOCAL SESSION AUTHORIZATION postgres', 'SET LOCAL raceway.direct_writes = off',
    'ALTER FUNCTION raceway.service_of(pg_catalog.jsonb) SECURITY DEFINER', 'DROP FUNCTION raceway.edition()',
    'CREATE OR REPLACE FUNCTION raceway.edition() RETURNS pg_catalog.text LANGUAGE sql IMMUTABLE RETURN ''mine''',
    'ALTER EXTENSION raceway DROP FUNCTION raceway.edition()', 'ALTER EXTENSION raceway SET SCHEMA evil',
    'CREATE FUNCTION evil.c() RETURNS pg_catalog.int4 LANGUAGE c AS ''plpgsql'', ''plpgsql_call_handler''']), false;

CREATE FUNCTION evil.hit(label pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $hit$
DECLARE
    known   pg_catalog.text := pg_catalog.current_setting('evil.known', true);
    key     pg_catalog.text := pg_catalog.concat('<', pg_catalog.concat_ws('|', label, current_user,
        pg_catalog.current_setting('session_replication_role'), pg_catalog.current_setting('row_security')), '>');
    attempt pg_catalog.text;
    gained  pg_catalog.text[] := '{}';
BEGIN
    IF pg_catalog.strpos(known, key) OPERATOR(pg_catalog.>) 0 THEN
        RETURN true;
    END IF;
    PERFORM pg_catalog.set_config('evil.known', pg_catalog.concat(known, key), true);
    IF current_user OPERATOR(pg_catalog.=) 'mallory' AND session_user OPERATOR(pg_catalog.=) 'mallory' THEN
        FOR attempt IN
            SELECT a.statement FROM evil.attempts a
            WHERE a.always OR pg_catalog.current_setting('evil.thorough', true) OPERATOR(pg_catalog.=) 'on'
        LOOP
            BEGIN
                EXECUTE attempt;
                gained := pg_catalog.array_append(gained, attempt);
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
    END IF;
    PERFORM dba.note(pg_catalog.jsonb_build_object(
        'label', label, 'user', current_user, 'session', session_user, 'superuser', pg_catalog.current_setting('is_superuser'),
        'replication', pg_catalog.current_setting('session_replication_role'), 'row_security', pg_catalog.current_setting('row_security'),
        'path', pg_catalog.current_setting('search_path'), 'gained', gained));
    RETURN true;
END
$hit$;

-- Where PostgreSQL takes functions only that say they are immutable.
CREATE FUNCTION evil.surely(label pg_catalog.text) RETURNS pg_catalog.bool IMMUTABLE LANGUAGE plpgsql AS
    $hit$BEGIN RETURN evil.hit(label); END$hit$;
CREATE FUNCTION evil.passed(label pg_catalog.text, value anyelement) RETURNS anyelement IMMUTABLE LANGUAGE plpgsql AS
    $hit$BEGIN PERFORM evil.hit(label); RETURN value; END$hit$;

CREATE FUNCTION evil.fire() RETURNS trigger LANGUAGE plpgsql AS $fire$
BEGIN
    PERFORM evil.hit(pg_catalog.concat_ws(' ', 'trigger', TG_NAME));
    RETURN COALESCE(NEW, OLD);
END
$fire$;

-- How events and traces are locked for a step that nobody else may be in, beside those who read and write all the time.

CREATE FUNCTION raceway.keep_vacuum_off(going regclass[] DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '30s'
AS $off$
DECLARE
    it regclass;
BEGIN
    -- Autovacuum gives way to whoever waits for deadlock_timeout; here that keeps no writer waiting.
    LOCK TABLE raceway.events, raceway.traces IN SHARE UPDATE EXCLUSIVE MODE;
    FOR it IN SELECT c.oid FROM pg_class c WHERE c.oid = ANY (going) AND c.reltoastrelid <> 0 LOOP
        -- It comes to what is stored out of line alone, too. LOCK does not, but this locks that likewise, and changes nothing.
        EXECUTE format('ALTER TABLE %s RESET (toast.log_autovacuum_min_duration)', it);
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$off$;

COMMENT ON FUNCTION raceway.keep_vacuum_off(regclass[]) IS
    'internal: keeps everyone else who moves tables, or cleans them up, off events and traces for this transaction, and off what '
    'the tables that are going store out of line; false if one of them did not end in half a minute';

CREATE FUNCTION raceway.keeps_others_waiting() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $waiting$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)))
$waiting$;

COMMENT ON FUNCTION raceway.keeps_others_waiting() IS 'internal: whether somebody waits for a lock that this session holds';

CREATE FUNCTION raceway.others_on_tables(purpose text) RETURNS text[]
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $others$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT l.virtualtransaction FROM pg_locks l
        WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND CASE purpose
              WHEN 'swap' THEN l.relation IN (SELECT 'raceway.traces'::regclass UNION SELECT t.relid FROM pg_partition_tree('raceway.events') t
                                              UNION SELECT 'raceway.events'::regclass)
              ELSE l.relation = to_regclass('raceway.events_default')
                   OR (l.relation = 'raceway.traces'::regclass AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')) END);
END
$others$;

COMMENT ON FUNCTION raceway.others_on_tables(text) IS
    'internal: the transactions of others that hold a lock which is in the way of lock_tables()';

CREATE FUNCTION raceway.lock_tables(purpose text, give_way boolean DEFAULT false, going regclass[] DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
-- Whoever comes while we wait for the tables waits behind us: so we never wait for long.
SET lock_timeout = '100ms'
AS $lock$
DECLARE
    tries constant integer := CASE purpose WHEN 'swap' THEN 100 ELSE 40 END;
    long  constant interval := interval '1 s';
    others     text[];
    seen       text[] := '{}';
    seen_long  text[] := '{}';
    seen_at    timestamptz := clock_timestamp();
BEGIN
    IF NOT raceway.keep_vacuum_off(going) THEN
        RETURN false;
    END IF;
    FOR try IN 1..tries LOOP
        others := raceway.others_on_tables(purpose);
        IF clock_timestamp() > seen_at + long THEN
            seen_long := seen;
            seen := others;
            seen_at := clock_timestamp();
        END IF;
        -- Nor do we ask at all where one is on them who takes long.
        IF NOT others && seen_long THEN
            BEGIN
                IF purpose = 'swap' THEN
                    LOCK TABLE raceway.events, raceway.traces IN ACCESS EXCLUSIVE MODE;
                ELSE
                    LOCK TABLE raceway.events_default IN ACCESS EXCLUSIVE MODE;
                    LOCK TABLE raceway.traces IN SHARE ROW EXCLUSIVE MODE;
                END IF;
                RETURN true;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                NULL;  -- the next try
            END;
        END IF;
        EXIT WHEN give_way AND raceway.keeps_others_waiting();
        PERFORM pg_sleep(0.1 + random() * 0.2);
    END LOOP;
    RETURN false;
END
$lock$;

COMMENT ON FUNCTION raceway.lock_tables(text, boolean, regclass[]) IS
    'internal: locks for this transaction what nobody may use meanwhile, without keeping writers waiting for more than a tenth of a '
    'second: to swap, events and traces; to attach a partition, events_default, and traces against writing. False if others did '
    'not let go of them for some time, or, where it is to give way, wait for what this session holds already. Of going see '
    'keep_vacuum_off()';

-- From the plain layout to the one for growth, while events come and go: the new table is filled in small commits and
-- follows the old one by triggers; in the end it takes its place.

CREATE FUNCTION raceway.follow_events() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $follow$
BEGIN
    IF TG_OP IN ('DELETE', 'UPDATE') THEN
        DELETE FROM raceway.events_new n USING gone_events g WHERE n.event_id = g.event_id AND n."timestamp" = g."timestamp";
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        INSERT INTO raceway.events_new SELECT c.* FROM come_events c ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$follow$;

COMMENT ON FUNCTION raceway.follow_events() IS 'internal to repartition(): the trigger by which events_new follows events';

CREATE FUNCTION raceway.user_indexes_of_events() RETURNS TABLE (name name, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $indexes$
    -- What follows the name, by its length: it may hold anything, what looks like the rest of a definition too.
    SELECT c.relname, substr(pg_get_indexdef(c.oid), length(format('CREATE INDEX %I ON %I.%I ', c.relname, 'raceway', 'events')) + 1)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass('raceway.events') AND NOT i.indisunique AND NOT i.indisexclusion
$indexes$;

COMMENT ON FUNCTION raceway.user_indexes_of_events() IS
    'internal to repartition(): the indexes of events that are made anew, and how; check_nothing_is_lost() refuses the others';

CREATE FUNCTION raceway.check_nothing_is_lost() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    events   constant regclass := 'raceway.events';
    copy     constant regclass := to_regclass('raceway.events_new');
    obstacle text;
BEGIN
    SELECT string_agg(o.what, '; ' ORDER BY o.what) INTO obstacle FROM (
        SELECT format('the view or rule %s reads it', r.ev_class::regclass) AS what
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = events
        UNION
        SELECT format('the index %s %s', i.indexrelid::regclass, CASE WHEN i.indisunique THEN 'is unique' ELSE 'excludes rows' END) FROM pg_index i
        WHERE i.indrelid = events AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary
        UNION
        SELECT format('the index raceway.%I came after the copy was begun', i.name) FROM raceway.user_indexes_of_events() i
        WHERE copy IS NOT NULL AND to_regclass(format('raceway.%I', 'new_' || i.name)) IS NULL
        UNION
        SELECT format('it has the constraint %I', c.conname) FROM pg_constraint c
        WHERE c.conrelid = events AND (c.contype = 'c' OR c.contype = 'f' AND c.confrelid <> 'raceway.traces'::regclass)
        UNION
        SELECT format('the column %I is generated', a.attname) FROM pg_attribute a
        WHERE a.attrelid = events AND (a.attgenerated <> '' OR a.attidentity <> '') AND NOT a.attisdropped
        UNION
        SELECT format('it has the trigger %I', t.tgname) FROM pg_trigger t
        WHERE t.tgrelid = events AND NOT t.tgisinternal AND t.tgname NOT LIKE 'raceway\_follow\_%'
        UNION
        SELECT format('%s refers to it', c.conrelid::regclass) FROM pg_constraint c
        WHERE c.confrelid = events
        UNION
        SELECT format('the publication %I names it', p.pubname)
        FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid WHERE m.prrelid = events
        UNION
        SELECT 'it has row security' FROM pg_class c WHERE c.oid = events AND c.relrowsecurity
    ) o;
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'another table cannot take the place of raceway.events: %', obstacle
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Remove these, and bring them back afterwards.';
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_nothing_is_lost() IS
    'internal to repartition(): an error where events has what its copy in partitions would not have';

CREATE FUNCTION raceway.check_repartition(partition_by text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $check$
BEGIN
    IF partition_by IS NULL OR partition_by NOT IN ('day', 'week', 'month') THEN
        RAISE EXCEPTION 'events cannot be partitioned by "%"', coalesce(partition_by, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Choose day, week or month.';
    END IF;
    IF (SELECT l.partition_by FROM raceway.layout l) <> 'none' THEN
        RAISE EXCEPTION 'events is partitioned already' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF to_regclass('raceway.events_new') IS NOT NULL
       AND obj_description(to_regclass('raceway.events_new'), 'pg_class') IS DISTINCT FROM 'repartition by ' || partition_by THEN
        RAISE EXCEPTION 'raceway.events_new is there, and is not from a repartition by %', partition_by
            USING ERRCODE = 'duplicate_table', HINT = 'SELECT raceway.cancel_repartition(); gives up an earlier one.';
    END IF;
    PERFORM raceway.check_nothing_is_lost();
    IF EXISTS (SELECT FROM raceway.events e WHERE e."timestamp" IS NULL) THEN
        RAISE EXCEPTION 'another table cannot take the place of raceway.events: there are events without a timestamp'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give them one, or remove them.';
    END IF;
END
$check$;

COMMENT ON FUNCTION raceway.check_repartition(text) IS 'internal to repartition(): an error where it cannot be done';

CREATE FUNCTION raceway.make_events_new(partition_by text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $make$
DECLARE
    length    interval := raceway.partition_interval(partition_by);
    lower     timestamp;
    last      timestamp := (now() AT TIME ZONE 'UTC') + 7 * length;
    made      record;
BEGIN
    CREATE TABLE raceway.events_new (LIKE raceway.events INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE INCLUDING COMPRESSION)
        PARTITION BY RANGE ("timestamp");
    EXECUTE format('COMMENT ON TABLE raceway.events_new IS %L', 'repartition by ' || partition_by);
    ALTER TABLE raceway.events_new ADD CONSTRAINT events_new_pkey PRIMARY KEY (event_id, "timestamp");
    FOR made IN SELECT i.* FROM raceway.user_indexes_of_events() i LOOP
        EXECUTE format('CREATE INDEX %I ON raceway.events_new %s', 'new_' || made.name, made.definition);
    END LOOP;
    -- Times far back share the default partition.
    SELECT date_trunc(partition_by, greatest(coalesce(min(e."timestamp"), last - 8 * length), last - 500 * length))
    INTO lower FROM raceway.events e;
    CREATE TABLE raceway.events_default PARTITION OF raceway.events_new DEFAULT;
    WHILE lower <= last LOOP
        EXECUTE format('CREATE TABLE raceway.%I PARTITION OF raceway.events_new FOR VALUES FROM (%L) TO (%L)',
                       raceway.partition_name(lower), lower, lower + length);
        lower := lower + length;
    END LOOP;
    PERFORM raceway.give_to_owner(t.relid) FROM pg_partition_tree('raceway.events_new') t;
    -- Who writes events writes the copies, too.
    FOR made IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role, a.privilege_type, a.is_grantable
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'raceway.events'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON raceway.events_new TO %s%s', made.privilege_type, made.role,
                       CASE WHEN made.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$make$;

COMMENT ON FUNCTION raceway.make_events_new(text) IS 'internal to repartition(): makes events_new and its partitions, in which nothing is yet';

CREATE FUNCTION raceway.begin_repartition(partition_by text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $begin$
BEGIN
    IF NOT raceway.keep_vacuum_off() THEN
        RETURN false;
    END IF;
    -- Hundreds of partitions take seconds: before anybody has to wait.
    PERFORM raceway.make_events_new(partition_by);
    IF NOT raceway.lock_tables('swap') THEN
        RETURN false;
    END IF;
    ALTER TABLE raceway.events_new
        ADD CONSTRAINT events_new_trace_id_fkey FOREIGN KEY (trace_id) REFERENCES raceway.traces (trace_id) ON DELETE CASCADE;
    CREATE TRIGGER raceway_follow_insert AFTER INSERT ON raceway.events REFERENCING NEW TABLE AS come_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    CREATE TRIGGER raceway_follow_update AFTER UPDATE ON raceway.events REFERENCING OLD TABLE AS gone_events NEW TABLE AS come_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    CREATE TRIGGER raceway_follow_delete AFTER DELETE ON raceway.events REFERENCING OLD TABLE AS gone_events
        FOR EACH STATEMENT EXECUTE FUNCTION raceway.follow_events();
    RETURN true;
END
$begin$;

COMMENT ON FUNCTION raceway.begin_repartition(text) IS
    'internal to repartition(): makes events_new, which follows events from then on; false where events is in use';

CREATE FUNCTION raceway.copy_event_pages(first bigint, pages bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $copy$
DECLARE
    from_row tid := format('(%s,0)', first);
    to_row   tid := format('(%s,0)', first + pages);
    copied   bigint;
BEGIN
    -- Traces before events, as who deletes a trace locks them; what is held cannot change before its copy is there.
    PERFORM FROM raceway.traces t
    WHERE t.trace_id IN (SELECT e.trace_id FROM raceway.events e WHERE e.ctid >= from_row AND e.ctid < to_row)
    ORDER BY t.trace_id FOR KEY SHARE;
    INSERT INTO raceway.events_new
    SELECT e.* FROM raceway.events e WHERE e.ctid >= from_row AND e.ctid < to_row FOR SHARE
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN copied;
END
$copy$;

COMMENT ON FUNCTION raceway.copy_event_pages(bigint, bigint) IS 'internal to repartition(): copies what stands in some pages of events';

CREATE FUNCTION raceway.end_repartition(partition_by text) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $end$
DECLARE
    index_name  name;
    index_names name[];
BEGIN
    IF NOT raceway.lock_tables('swap', going => ARRAY['raceway.events']::regclass[]) THEN
        RETURN false;
    END IF;
    PERFORM raceway.check_nothing_is_lost();  -- of what came while it was copied
    SELECT coalesce(array_agg(i.name), '{}') INTO index_names FROM raceway.user_indexes_of_events() i;
    DROP TABLE raceway.events;
    ALTER TABLE raceway.events_new RENAME TO events;
    ALTER TABLE raceway.events RENAME CONSTRAINT events_new_pkey TO events_pkey;
    ALTER TABLE raceway.events RENAME CONSTRAINT events_new_trace_id_fkey TO events_trace_id_fkey;
    FOREACH index_name IN ARRAY index_names LOOP
        EXECUTE format('ALTER INDEX IF EXISTS raceway.%I RENAME TO %I', 'new_' || index_name, index_name);
    END LOOP;
    PERFORM raceway.note_partitioned(partition_by);
    RETURN true;
END
$end$;

COMMENT ON FUNCTION raceway.end_repartition(text) IS
    'internal to repartition(): events_new takes the place of events; false where events is in use';

CREATE PROCEDURE raceway.repartition(partition_by text)
LANGUAGE plpgsql
AS $repartition$
DECLARE
    pages_at_once constant bigint := 128;
    pages   bigint;
    copied  bigint := 0;
    told_at pg_catalog.timestamptz := pg_catalog.clock_timestamp();
BEGIN
    PERFORM raceway.begin_cleanup_step();
    PERFORM raceway.check_repartition(partition_by);
    IF to_regclass('raceway.events_new') IS NULL AND NOT raceway.begin_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available', HINT = 'Try again when no long query reads it.';
    END IF;
    COMMIT;
    PERFORM raceway.begin_cleanup_step();
    pages := pg_relation_size('raceway.events') / current_setting('block_size')::bigint;
    FOR part IN 0..pages / pages_at_once LOOP
        copied := copied + raceway.copy_event_pages(part * pages_at_once, pages_at_once);
        COMMIT;
        PERFORM raceway.begin_cleanup_step();
        IF clock_timestamp() > told_at + interval '5 s' THEN
            told_at := clock_timestamp();
            RAISE NOTICE 'repartition: % events copied, % of % pages', copied, (part + 1) * pages_at_once, pages;
        END IF;
    END LOOP;
    IF NOT raceway.end_repartition(partition_by) THEN
        RAISE EXCEPTION 'events is in use; its copy is complete and follows it' USING ERRCODE = 'lock_not_available',
            HINT = 'Call it again when no long query reads events.';
    END IF;
    COMMIT;
    ANALYZE raceway.events;
    RAISE NOTICE 'repartition: done, % events copied', copied;
END
$repartition$;

COMMENT ON PROCEDURE raceway.repartition(text) IS
    'Lays the plain table events out in partitions by day, week or month, while events come and go. Interrupted, it is called '
    'again, or given up by cancel_repartition(). Needs as much disk again as events takes, until it is done.';

CREATE FUNCTION raceway.cancel_repartition() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $cancel$
BEGIN
    IF coalesce(obj_description(to_regclass('raceway.events_new'), 'pg_class'), '') NOT LIKE 'repartition by %' THEN
        RETURN false;
    END IF;
    IF NOT raceway.lock_tables('swap', going => ARRAY(SELECT t.relid FROM pg_partition_tree('raceway.events_new') t)) THEN
        RAISE EXCEPTION 'events is in use' USING ERRCODE = 'lock_not_available', HINT = 'Try again when no long query reads it.';
    END IF;
    DROP TRIGGER IF EXISTS raceway_follow_insert ON raceway.events;
    DROP TRIGGER IF EXISTS raceway_follow_update ON raceway.events;
    DROP TRIGGER IF EXISTS raceway_follow_delete ON raceway.events;
    DROP TABLE raceway.events_new;
    RETURN true;
END
$cancel$;

COMMENT ON FUNCTION raceway.cancel_repartition() IS 'Gives up a repartition() that did not end; false where there is none.';

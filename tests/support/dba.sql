-- What a DBA has in a database beside Raceway: tables that are protected in each of the ways PostgreSQL knows, an audit
-- trail, and the notes of what others' code was when it ran. Run by the superuser; the role `mallory` is there.
CREATE SCHEMA dba;
GRANT USAGE ON SCHEMA dba TO PUBLIC;

-- For whoever's code runs: a note stays in the table where its transaction is committed, and is told in any case.
CREATE TABLE dba.seen (note jsonb NOT NULL);
CREATE FUNCTION dba.note(note jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $note$
BEGIN
    RAISE WARNING 'seen %', note;
    INSERT INTO dba.seen VALUES (note);
END
$note$;

CREATE TABLE dba.audit (of_table text, op text, old_row jsonb, new_row jsonb);
CREATE FUNCTION dba.audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $audit$
BEGIN
    INSERT INTO dba.audit VALUES (TG_RELID::regclass::text, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END
$audit$;

CREATE TABLE dba.vault (id integer, secret text);  -- mallory has no privilege on it
CREATE TABLE dba.ledger (id integer PRIMARY KEY);  -- a foreign key keeps what has a receipt
CREATE TABLE dba.receipts (id integer, ledger_id integer REFERENCES dba.ledger ON DELETE RESTRICT);
CREATE TABLE dba.orders (id integer PRIMARY KEY);
CREATE TABLE dba.lines (order_id integer REFERENCES dba.orders ON DELETE CASCADE);
CREATE TABLE dba.guarded (id integer, owner name);  -- a policy shows to each role its own
CREATE TABLE dba.notes (id integer, trace_id varchar(255) COLLATE "C");
CREATE TABLE dba.pins (trace_id varchar(255) COLLATE "C");
CREATE TABLE dba.kinds (kind varchar(50) PRIMARY KEY);
INSERT INTO dba.vault VALUES (1, 'secret');
INSERT INTO dba.ledger VALUES (1), (2);
INSERT INTO dba.receipts VALUES (1, 1);
INSERT INTO dba.orders VALUES (1), (2);
INSERT INTO dba.lines VALUES (1), (1), (2);
INSERT INTO dba.guarded VALUES (1, 'mallory'), (2, 'postgres');
INSERT INTO dba.kinds VALUES ('Log');
ALTER TABLE dba.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON dba.guarded USING (owner = current_user);
GRANT SELECT, DELETE, UPDATE ON dba.ledger, dba.guarded TO mallory;
GRANT SELECT, INSERT ON dba.receipts TO mallory;
GRANT SELECT, DELETE ON dba.orders TO mallory;
GRANT SELECT, REFERENCES ON dba.kinds TO mallory;
DO $audited$
DECLARE it text;
BEGIN
    FOREACH it IN ARRAY '{vault,ledger,receipts,orders,lines,guarded,notes,pins,kinds}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON dba.%I'
                       ' FOR EACH ROW EXECUTE FUNCTION dba.audit_row()', it);
    END LOOP;
END
$audited$;

-- What the DBA hangs on the tables of Raceway, in the transaction of whoever asks for it.
CREATE FUNCTION dba.link(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $link$
BEGIN
    CASE what
    WHEN 'notes' THEN
        INSERT INTO dba.notes SELECT row_number() OVER (ORDER BY t.trace_id), t.trace_id FROM raceway.traces t;
        ALTER TABLE dba.notes ADD FOREIGN KEY (trace_id) REFERENCES raceway.traces ON DELETE CASCADE;
    WHEN 'pins' THEN
        INSERT INTO dba.pins VALUES ('pinned');
        ALTER TABLE dba.pins ADD FOREIGN KEY (trace_id) REFERENCES raceway.traces;
    WHEN 'late pins' THEN
        INSERT INTO dba.pins VALUES ('pinned');
        ALTER TABLE dba.pins ADD FOREIGN KEY (trace_id) REFERENCES raceway.traces DEFERRABLE INITIALLY DEFERRED;
    WHEN 'audit' THEN
        CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON raceway.traces
            FOR EACH ROW EXECUTE FUNCTION dba.audit_row();
    WHEN 'policy' THEN  -- on a table of mallory's, who may take it off again
        ALTER TABLE raceway.traces ENABLE ROW LEVEL SECURITY;
        ALTER TABLE raceway.traces FORCE ROW LEVEL SECURITY;
        CREATE POLICY keep ON raceway.traces USING (trace_id <> 'pinned') WITH CHECK (true);
    WHEN 'child' THEN
        CREATE TABLE dba.more_traces () INHERITS (raceway.traces);
        INSERT INTO dba.more_traces VALUES ('inherited', NULL, '2024-01-01', '2024-01-01', 0, '2024-01-01');
    WHEN 'partition' THEN
        CREATE TABLE dba.events_2024_01_05 PARTITION OF raceway.events FOR VALUES FROM ('2024-01-05') TO ('2024-01-06');
        INSERT INTO dba.events_2024_01_05 SELECT 'of the DBA', 'pinned', 'Log', '2024-01-05';
    END CASE;
END
$link$;

-- The rows of the DBA's tables, and of traces where that is audited.
CREATE FUNCTION dba.state() RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $state$
DECLARE
    audited regclass := (SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = 'dba.audit_row'::regproc AND t.tgrelid = to_regclass('raceway.traces'));
    traces  jsonb := '{}';
BEGIN
    IF audited IS NOT NULL THEN
        EXECUTE 'SELECT jsonb_build_object(''raceway.traces'', coalesce(jsonb_agg(to_jsonb(t)), ''[]'')) FROM ONLY raceway.traces t' INTO traces;
    END IF;
    RETURN traces || jsonb_build_object(
        'dba.vault', ARRAY(SELECT to_jsonb(t) FROM dba.vault t), 'dba.ledger', ARRAY(SELECT to_jsonb(t) FROM dba.ledger t),
        'dba.receipts', ARRAY(SELECT to_jsonb(t) FROM dba.receipts t), 'dba.orders', ARRAY(SELECT to_jsonb(t) FROM dba.orders t),
        'dba.lines', ARRAY(SELECT to_jsonb(t) FROM dba.lines t), 'dba.guarded', ARRAY(SELECT to_jsonb(t) FROM dba.guarded t),
        'dba.notes', ARRAY(SELECT to_jsonb(t) FROM dba.notes t), 'dba.pins', ARRAY(SELECT to_jsonb(t) FROM dba.pins t),
        'dba.kinds', ARRAY(SELECT to_jsonb(t) FROM dba.kinds t), 'dba.audit', ARRAY(SELECT to_jsonb(t) FROM dba.audit t));
END
$state$;

-- Foreign keys that have to do with the DBA's tables, each of one column, and that rows violate.
CREATE FUNCTION dba.violated_keys() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $violated$
DECLARE
    key         record;
    is_violated boolean;
BEGIN
    FOR key IN
        SELECT k.conname, k.conrelid::regclass AS referring, k.confrelid::regclass AS referred, a.attname AS of_one, b.attname AS of_other,
               CASE f.relkind WHEN 'r' THEN 'ONLY' ELSE '' END AS how
        FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
        WHERE k.contype = 'f' AND k.conparentid = 0 AND 'dba'::regnamespace IN (f.relnamespace, t.relnamespace)
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s %s f WHERE f.%I IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY %s t WHERE t.%I = f.%I))',
                       key.how, key.referring, key.of_one, key.referred, key.of_other, key.of_one) INTO is_violated;
        IF is_violated THEN
            RETURN NEXT format('%s of %s', key.conname, key.referring);
        END IF;
    END LOOP;
END
$violated$;

-- What of the whole database may not change: what superusers own, the members of the extension among it, and who is what.
CREATE FUNCTION dba.catalog() RETURNS text[] LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $catalog$
    SELECT array_agg(x.what) FROM (
        SELECT format('relation %s %s', c.oid, c.relname) FROM pg_class c
        WHERE c.oid >= 16384 AND c.relowner = 10 AND c.relkind NOT IN ('i', 't')
        UNION ALL SELECT format('routine %s %s %s', p.oid, p.proname, p.xmin) FROM pg_proc p WHERE p.oid >= 16384 AND p.proowner = 10
        UNION ALL SELECT format('type %s %s', t.oid, t.typname) FROM pg_type t WHERE t.oid >= 16384 AND t.typowner = 10
        UNION ALL SELECT format('operator %s %s %s', o.oid, o.oprname, o.xmin) FROM pg_operator o WHERE o.oid >= 16384 AND o.oprowner = 10
        UNION ALL SELECT format('schema %s %s', n.oid, n.nspname) FROM pg_namespace n WHERE n.oid >= 16384 AND n.nspowner = 10
        UNION ALL SELECT format('statistics %s', e.oid) FROM pg_statistic_ext e WHERE e.stxowner = 10
        UNION ALL SELECT format('publication %s', p.oid) FROM pg_publication p WHERE p.pubowner = 10
        UNION ALL SELECT format('large object %s', l.oid) FROM pg_largeobject_metadata l WHERE l.lomowner = 10
        UNION ALL SELECT format('event trigger %s', e.oid) FROM pg_event_trigger e
        UNION ALL SELECT format('extension %s %s %s', e.oid, e.extowner, e.extversion) FROM pg_extension e
        UNION ALL SELECT format('role %s %s', r.rolname, r.xmin) FROM pg_authid r WHERE r.oid >= 16384
        UNION ALL SELECT format('member %s %s', m.roleid, m.member) FROM pg_auth_members m) x (what)
$catalog$;

"""What stands in a database's catalogs, in words that are the same in every database that was made in the same way:
object ids and physical places do not show."""

import json

MEMBERS = """
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND x.extname = 'raceway'
"""

# What the portable edition brings, which has no members: the code in its schema.
CODE = """
    SELECT 'pg_proc'::regclass AS classid, oid AS objid FROM pg_proc WHERE pronamespace = to_regnamespace('raceway')
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = to_regnamespace('raceway')
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = to_regnamespace('raceway') AND typtype = 'd'
    UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace = to_regnamespace('raceway') AND relkind = 'v'
"""

# Of each member: whose it is, what is said of it, who may use it, what it hangs on, and its definition.
EXTENSION = f"""
    WITH member AS MATERIALIZED (
        SELECT m.classid, m.objid, i.type || ' ' || i.identity AS name
        FROM ({MEMBERS}) m, pg_identify_object(m.classid, m.objid, 0) i)
    SELECT 'extension', 'version', extversion FROM pg_extension WHERE extname = 'raceway'
    UNION ALL SELECT name, 'comment', obj_description(objid, classid::regclass::name) FROM member
    UNION ALL SELECT name, 'hangs on', concat(d.deptype, ' ', pg_describe_object(refclassid, refobjid, refobjsubid))
        FROM member m JOIN pg_depend d USING (classid, objid)
    UNION ALL SELECT name, 'privileges at first', i.initprivs::text
        FROM member m JOIN pg_init_privs i ON (i.classoid, i.objoid) = (m.classid, m.objid)
    UNION ALL SELECT name, 'function', concat_ws(E'\\n', pg_get_userbyid(proowner), proacl, provolatile, proparallel,
            proisstrict, prosecdef, procost, prorows, prosupport, prorettype::regtype, pg_get_function_arguments(p.oid),
            CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END)
        FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
    UNION ALL SELECT name, 'aggregate', ((to_jsonb(a) - 'aggsortop') || jsonb_build_object(
            'aggtranstype', aggtranstype::regtype, 'aggmtranstype', aggmtranstype::regtype,
            'aggsortop', aggsortop::regoperator))::text
        FROM member m JOIN pg_aggregate a ON a.aggfnoid = m.objid AND m.classid = 'pg_proc'::regclass
    UNION ALL SELECT name, 'operator', concat_ws(' ', pg_get_userbyid(oprowner), oprresult::regtype, oprcode::regproc,
            oprcom::regoperator, oprnegate::regoperator, oprrest::regproc, oprjoin::regproc, oprcanmerge, oprcanhash)
        FROM member m JOIN pg_operator o ON o.oid = m.objid AND m.classid = 'pg_operator'::regclass
    UNION ALL SELECT name, 'type', concat_ws(' ', pg_get_userbyid(typowner), typacl, typtype,
            format_type(typbasetype, typtypmod), typnotnull, typdefault, typcollation,
            (SELECT string_agg(conname || ' ' || pg_get_constraintdef(c.oid), ', ' ORDER BY conname)
             FROM pg_constraint c WHERE c.contypid = t.oid))
        FROM member m JOIN pg_type t ON t.oid = m.objid AND m.classid = 'pg_type'::regclass
    UNION ALL SELECT name, 'relation', concat_ws(' ', pg_get_userbyid(relowner), relacl, relkind, reloptions,
            CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
        FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
"""

# All relations of users, in any schema, with everything they consist of but their rows.
TABLES = f"""
    WITH relation AS MATERIALIZED (
        SELECT c.*, c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT FROM ({MEMBERS}) m WHERE (m.classid, m.objid) = ('pg_class'::regclass, c.oid)))
    SELECT nspname::text, 'schema', concat_ws(' ', pg_get_userbyid(nspowner), nspacl,
            obj_description(oid, 'pg_namespace'))
        FROM pg_namespace WHERE nspname = 'raceway'
    UNION ALL SELECT name, 'relation', concat_ws(' ', relkind, relpersistence, relreplident, relrowsecurity,
            relispopulated, pg_get_userbyid(relowner), relacl, reloptions, obj_description(oid, 'pg_class'),
            (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = r.oid), pg_get_expr(relpartbound, oid),
            pg_get_partkeydef(oid), CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
        FROM relation r
    UNION ALL SELECT name, 'column', concat_ws(' ', row_number() OVER (PARTITION BY r.oid ORDER BY attnum), attname,
            format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, attstorage, attcompression,
            attidentity, attgenerated, attstattarget, attacl,
            -- Newer minor releases count a column's changes there.
            (SELECT string_agg(o, ',') FROM unnest(attoptions) o WHERE o NOT LIKE 'pg\\_attver=%'), pg_get_expr(d.adbin, d.adrelid),
            col_description(r.oid, attnum))
        FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (r.oid, attnum)
    UNION ALL SELECT name, 'constraint', concat_ws(' ', conname, contype, convalidated, conislocal,
            pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint'))
        FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
    UNION ALL SELECT name, 'index', concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisclustered,
            indisreplident, obj_description(indexrelid, 'pg_class'),
            (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = indexrelid))
        FROM relation r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL SELECT name, 'trigger', pg_get_triggerdef(t.oid)
        FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT tgisinternal
    UNION ALL SELECT name, 'statistics', pg_get_statisticsobjdef(s.oid)
        FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
"""

# Every row of the tables that migrate() makes, each value as it is.
ROWS = """
    SELECT 'event ' || to_jsonb(e)::text FROM raceway.events e
    UNION ALL SELECT 'trace ' || to_jsonb(t)::text FROM raceway.traces t
    UNION ALL SELECT 'migration ' || to_jsonb(m)::text FROM raceway.schema_migrations m
    UNION ALL SELECT 'layout ' || to_jsonb(l)::text FROM raceway.layout l
"""


def _lines(database, query):
    """The rows as "what: facet: value", in one order."""
    lines = f"SELECT concat_ws(': ', a, b, c) AS line FROM ({query}) q(a, b, c)"
    return json.loads(database.sql(
        "SET search_path = pg_catalog;"
        f"SELECT coalesce(json_agg(line ORDER BY line COLLATE \"C\"), '[]') FROM ({lines}) l", "postgres"))


def extension_of(database):
    """Every object of the extension raceway, and all that can be told of it."""
    return _lines(database, EXTENSION)


def portable_edition_of(database):
    """The same of the portable edition."""
    return _lines(database, EXTENSION.replace(MEMBERS, CODE))


def tables_of(database):
    """Every table, view and index of users."""
    return _lines(database, TABLES)


def rows_of(database):
    """Every row of the tables, roll-ups and times of arrival included."""
    return _lines(database, f"SELECT 'row', line, '' FROM ({ROWS}) r(line)")


def difference(one, other):
    """What stands in only one of two such lists, for a message that can be read."""
    lost, more = set(one) - set(other), set(other) - set(one)
    return [f"- {line}" for line in one if line in lost] + [f"+ {line}" for line in other if line in more]


def assert_same_database(copy, original):
    """Extension, tables and rows are the same."""
    for of in (extension_of, tables_of, rows_of):
        there, expected = of(copy), of(original)
        assert there == expected, "\n".join(difference(expected, there)[:10])

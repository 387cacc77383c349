-- Code of mallory's under names that Raceway's own code uses: what looks a name up where she may put one finds hers. Run by
-- mallory, after mallory.sql; these only make what is asked of them.

-- The routines of Raceway in this database, and what their bodies say.
CREATE VIEW evil.routines AS
    SELECT p.* FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('raceway') AND p.prokind IN ('f', 'p') AND p.prorettype <> 'trigger'::regtype
      AND 'internal'::regtype <> ALL (p.proargtypes::oid[] || p.prorettype)
      AND pg_get_functiondef(p.oid) !~ 'evil\.';

CREATE FUNCTION evil.make(definition text) RETURNS void LANGUAGE plpgsql AS $make$
BEGIN
    EXECUTE definition;
EXCEPTION WHEN duplicate_function OR duplicate_object OR invalid_function_definition OR undefined_function
    OR feature_not_supported OR syntax_error OR ambiguous_function OR wrong_object_type OR datatype_mismatch THEN NULL;  -- that one cannot be
END
$make$;

-- A routine as `of` is, with other arguments; they may be fewer.
CREATE FUNCTION evil.make_overload(of pg_proc, types text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $overload$
DECLARE
    modes     "char"[] := coalesce(of.proargmodes, array_fill('i'::"char", ARRAY[of.pronargs]));
    arguments text[] := '{}';
    place     integer := 0;
    result    text := CASE of.prokind WHEN 'f' THEN ' RETURNS ' || pg_get_function_result(of.oid) ELSE '' END;
BEGIN
    FOR at IN 1..cardinality(modes) LOOP
        IF modes[at] IN ('i', 'b') THEN
            place := place + 1;
            CONTINUE WHEN place > cardinality(types);
            arguments := arguments || format('%s %I %s', CASE modes[at] WHEN 'b' THEN 'INOUT' ELSE 'IN' END, of.proargnames[at], types[place]);
        ELSIF modes[at] = 'o' THEN
            arguments := arguments || format('OUT %I %s', of.proargnames[at], format_type(of.proallargtypes[at], NULL));
        END IF;
    END LOOP;
    PERFORM evil.make(format('CREATE %s raceway.%I(%s)%s LANGUAGE plpgsql AS %L',
        CASE of.prokind WHEN 'f' THEN 'FUNCTION' ELSE 'PROCEDURE' END, of.proname, array_to_string(arguments, ', '), result,
        format('BEGIN PERFORM evil.hit(%L); RETURN %s; END', format('overload %s(%s)', of.proname, array_to_string(types, ',')),
            CASE WHEN of.prokind = 'p' OR of.proretset OR of.prorettype IN ('record'::regtype, 'void'::regtype) THEN ''
                 WHEN of.prorettype = 'boolean'::regtype THEN 'true' ELSE 'NULL' END)));
END
$overload$;

-- What else an argument may be so that a call fits as well, or better.
CREATE FUNCTION evil.others(type text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $others$
    SELECT CASE type
        WHEN 'text' THEN '{character varying,name,anyelement}' WHEN 'bigint' THEN '{integer,numeric,text}'
        WHEN 'integer' THEN '{smallint,bigint,text}' WHEN 'interval' THEN '{text,time without time zone}'
        WHEN 'timestamp without time zone' THEN '{text,date,timestamp with time zone}' WHEN 'jsonb' THEN '{json,text,evil.clock}'
        WHEN 'regclass' THEN '{oid,text}' WHEN 'regclass[]' THEN '{oid[],text[],text,anyarray}' WHEN 'text[]' THEN '{character varying[],anyarray}'
        WHEN 'character varying[]' THEN '{text[],anyarray}' WHEN 'numeric' THEN '{bigint,double precision,text}'
        WHEN 'boolean' THEN '{text,integer}' WHEN 'bytea' THEN '{text}' WHEN 'bytea[]' THEN '{text[],anyarray}'
        ELSE '{text,anyelement}' END::text[]
$others$;

CREATE DOMAIN evil.clock AS jsonb;

CREATE FUNCTION evil.overload_routines() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $overload$
DECLARE
    of    pg_proc;
    types text[];
    other text;
BEGIN
    FOR of IN SELECT r.* FROM evil.routines r LOOP
        types := ARRAY(SELECT format_type(t.oid, NULL) FROM unnest(of.proargtypes::oid[]) WITH ORDINALITY t (oid, place) ORDER BY t.place);
        FOR given IN cardinality(types) - of.pronargdefaults..cardinality(types) - 1 LOOP
            PERFORM evil.make_overload(of, types[1:given]);
        END LOOP;
        FOR at IN 1..cardinality(types) LOOP
            FOREACH other IN ARRAY evil.others(types[at]) LOOP
                PERFORM evil.make_overload(of, types[1:at - 1] || other || types[at + 1:]);
            END LOOP;
        END LOOP;
    END LOOP;
END
$overload$;

-- Operators that fit types of ours better than those of PostgreSQL.
CREATE FUNCTION evil.make_operators(home text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $operators$
DECLARE
    types constant regtype[] := '{text,varchar,varchar[],text[],name,oid,regclass,integer,bigint,numeric,double precision,
        timestamp,timestamptz,interval,jsonb,"\"char\""}';
    one   regtype;
    other regtype;
    op    text;
BEGIN
    FOREACH one IN ARRAY types LOOP
        FOREACH other IN ARRAY types LOOP
            PERFORM evil.make(format('CREATE FUNCTION evil.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', r.name, one, other, r.type,
                format('BEGIN PERFORM evil.hit(%L); RETURN NULL; END', format('operator on %s and %s', one, other))))
            FROM (VALUES ('compared', 'boolean'), ('joined', one::text)) r (name, type);
            FOREACH op IN ARRAY '{=,<>,<,>,<=,>=,~~,||,+,-,*,/,->,->>}'::text[] LOOP
                CONTINUE WHEN to_regoperator(format('pg_catalog.%s(%s,%s)', op, one, other)) IS NOT NULL;
                PERFORM evil.make(format('CREATE OPERATOR %I.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.%I)', home, op, one, other,
                    CASE WHEN op IN ('=', '<>', '<', '>', '<=', '>=', '~~') THEN 'compared' ELSE 'joined' END));
            END LOOP;
        END LOOP;
    END LOOP;
END
$operators$;

-- The words of the bodies of Raceway's routines.
CREATE FUNCTION evil.words(pattern text) RETURNS SETOF text LANGUAGE sql STABLE AS $words$
    SELECT DISTINCT m.found[1] FROM evil.routines r, regexp_matches(coalesce(pg_get_function_sqlbody(r.oid), r.prosrc), pattern, 'g') m (found)
$words$;

-- The functions, operators and types of PostgreSQL that Raceway's code uses, in schema evil, doing what they do.
CREATE FUNCTION evil.clone_functions() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $clone$
DECLARE
    of record;
BEGIN
    FOR of IN
        SELECT p.proname, p.oid::regprocedure AS signature, pg_get_function_identity_arguments(p.oid) AS arguments,
               pg_get_function_result(p.oid) AS result, p.proretset, p.prokind, ARRAY(SELECT '$' || n FROM generate_series(1, p.pronargs) n) AS given
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN (SELECT evil.words('(?<![.\w])([a-z_]+)\s*\('))
    LOOP
        PERFORM evil.make(format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', of.proname, of.arguments, of.result,
            format('BEGIN PERFORM evil.hit(%L); RETURN %s; END', 'function ' || of.signature,
                CASE WHEN of.proretset THEN format('QUERY SELECT * FROM pg_catalog.%I(%s)', of.proname, array_to_string(of.given, ', '))
                     WHEN of.prokind <> 'f' THEN 'NULL' ELSE format('pg_catalog.%I(%s)', of.proname, array_to_string(of.given, ', ')) END)));
    END LOOP;
END
$clone$;

CREATE FUNCTION evil.clone_operators() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $clone$
DECLARE
    of record;
BEGIN
    FOR of IN
        SELECT o.oid, o.oprname, format_type(o.oprleft, NULL) AS one, format_type(o.oprright, NULL) AS other, o.oprresult::regtype AS result
        FROM pg_operator o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0
          AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~~', '||', '+', '-', '*', '/', '->', '->>', '#>>', '?', '@>', '&&', '~', '!~')
    LOOP
        PERFORM evil.make(format('CREATE FUNCTION evil.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', 'op ' || of.oid, of.one, of.other, of.result,
            format('BEGIN PERFORM evil.hit(%L); RETURN $1 OPERATOR(pg_catalog.%s) $2; END', 'operator ' || of.oid::regoperator, of.oprname)));
        PERFORM evil.make(format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.%I)',
            of.oprname, of.one, of.other, 'op ' || of.oid));
    END LOOP;
END
$clone$;

CREATE FUNCTION evil.clone_types() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $clone$
DECLARE
    it text;
BEGIN
    FOREACH it IN ARRAY '{text,timestamptz,regclass,regtype,regprocedure,name,oid,tid,json,jsonb,bytea}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.hit(%L))', it, it, 'domain ' || it);
    END LOOP;
    CREATE TYPE evil.record AS (nothing integer);
END
$clone$;

CREATE FUNCTION evil.clone_catalogs(home text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $clone$
DECLARE
    it regclass;
BEGIN
    FOR it IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
              AND c.relname IN (SELECT evil.words('(?<![.\w])(pg_[a-z_]+)')) LOOP
        EXECUTE format('CREATE VIEW %I.%I AS SELECT %s FROM pg_catalog.%I WHERE evil.hit(%L)', home, it::text,
                       (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
                        WHERE a.attrelid = it AND a.attnum > 0 AND a.atttypid <> 'anyarray'::regtype), it::text, 'catalog ' || it);
    END LOOP;
END
$clone$;

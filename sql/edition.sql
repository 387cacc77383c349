-- Which edition of the code is in this database.

CREATE FUNCTION raceway.edition() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'extension';

COMMENT ON FUNCTION raceway.edition() IS
    'The edition of the code in schema raceway: extension, with functions in C++, or portable, in SQL and PL/pgSQL only.';

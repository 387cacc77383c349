-- The extension raceway. Run by CREATE EXTENSION as the bootstrap superuser, on behalf of whoever owns the database:
-- every name is qualified, and nothing that exists already is replaced or taken over.
\echo Use "CREATE EXTENSION raceway" to load this file. \quit

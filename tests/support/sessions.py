"""Connections that are kept, for what psql cannot do: many transactions at once, and errors by their SQLSTATE."""

import os
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions

from support.ways import counted

# libpq would read them.
for variable in [name for name in os.environ if name.startswith("PG") and name != "PG_CONFIG"]:
    del os.environ[variable]

DatabaseError = psycopg2.Error
DEADLOCK = "40P01"
CANCELLED = "57014"
FOREIGN_KEY_VIOLATION = "23503"
UNIQUE_VIOLATION = "23505"
DUPLICATE_TABLE = "42P07"


class Session:
    """One connection, by default of the database's owner. Transactions are opened by SQL; else each statement is its
    own. Not thread-safe."""

    def __init__(self, database, user=None):
        self.connection = psycopg2.connect(database.connection_string(user), client_encoding="UTF8")
        self.connection.autocommit = True
        self.pid = self.connection.info.backend_pid
        self.run("SET search_path = raceway, public")

    def run(self, query, *arguments):
        """The rows of a statement as tuples; [] where it has none."""
        with self.connection.cursor() as cursor:
            cursor.execute(query, arguments or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, query, *arguments):
        ((value,),) = self.run(query, *arguments)
        return value

    def ingest(self, bodies, way="automatic"):
        """What ingest answers for each body, as counted() has it. Bodies are bytes; one goes to ingest(bytea), several
        in one call to ingest(bytea[])."""
        self.run(f"SET raceway.ingest_way = '{way}'")
        call = "%s::bytea" if len(bodies) == 1 else "ARRAY[" + ", ".join(["%s::bytea"] * len(bodies)) + "]"
        columns = ("stored", "duplicates", "rejected", "ingest_way")
        rows = self.run(f"SELECT {', '.join(columns)} FROM ingest({call})", *map(psycopg2.Binary, bodies))
        return [counted(dict(zip(columns, row))) for row in rows]

    @contextmanager
    def transaction(self, end="COMMIT"):
        """Runs the block between BEGIN and `end`; an error rolls back and is raised."""
        self.run("BEGIN")
        try:
            yield self
        except BaseException:
            if not self.connection.closed:
                self.run("ROLLBACK")
            raise
        self.run(end)

    def in_transaction(self):
        return self.connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE

    def is_lost(self, error):
        """Whether the error ended the connection, because the server did or was told to."""
        if error.pgcode is None or error.pgcode.startswith("57P"):
            self.close()
        return self.connection.closed != 0

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

"""Databases with a chosen edition of the code: the extension, or the portable one in SQL and PL/pgSQL."""

from support import paths

EDITIONS = ("extension", "portable")


def install_sql(edition):
    """What brings the code into a database, run by its owner."""
    return "CREATE EXTENSION raceway;" if edition == "extension" else paths.PORTABLE.read_text()


def create_database(cluster, edition, migrate="raceway.migrate()"):
    """A new database of the plain role `raceway` with that edition and its tables."""
    database = cluster.create_database()
    # In one transaction, as psql -1 has it.
    database.sql(f"BEGIN;\n{install_sql(edition)}\nSELECT {migrate} \\g /dev/null\nCOMMIT;")
    return database


def edition_of(database):
    return database.value("SELECT raceway.edition()")

"""A database of a DBA in which the plain role `mallory` has brought Raceway, and what may not come of it: see dba.sql,
mallory.sql, surroundings.py and routines.py."""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

from support import paths
from support.cluster import Database
from support.editions import install_sql
from support.sessions import DatabaseError, Session
from support.surroundings import CLONES, dated, fill

HERE = paths.TESTS / "support"
ROLES = 'mallory, writer, "mal""; DROP TABLE dba.vault; --"'
SERVED = ("dba.vault", "dba.ledger", "dba.receipts", "dba.orders", "dba.lines", "dba.guarded", "dba.notes", "dba.pins", "dba.kinds")
# What mallory may do with her own tables by plain SQL, each by itself.
PLAIN_SQL = ["SELECT evil.hit('plain SQL')", "DELETE FROM raceway.traces", "DELETE FROM raceway.events", "UPDATE raceway.traces SET event_count = 1",
         "INSERT INTO raceway.traces (trace_id) VALUES ('plain')",
         *(f"DELETE FROM raceway.traces t WHERE t.trace_id OPERATOR(pg_catalog.{which}) 'pinned'::pg_catalog.text" for which in ("=", "<>"))]


class Ear:
    """What a session is told of hostile code: psycopg2 appends all notices here."""

    def __init__(self):
        self.notes = []

    def append(self, notice):
        first = notice.splitlines()[0]
        if first.startswith("WARNING:  seen "):
            self.notes.append(json.loads(first.removeprefix("WARNING:  seen ")))

    def take(self):
        notes, self.notes = self.notes, []
        return notes


class ListeningSession(Session):
    """Of whomever: it hears what hostile code runs in it."""

    def __init__(self, database, user):
        super().__init__(database, user)
        self.connection.notices = self.ear = Ear()
        self.run("RESET search_path; SET client_min_messages = warning; SET jit = off")

    def run(self, query, *arguments):
        return super().run(dated(query), *arguments)

    @contextmanager
    def tried(self):
        """The block's effects are taken back."""
        self.run("SAVEPOINT tried")
        try:
            yield
        finally:
            self.run("ROLLBACK TO SAVEPOINT tried")

    def outcome(self, statement):
        """How it ended: the SQLSTATE of its error, or 00000."""
        try:
            self.run(statement)
            return "00000"
        except DatabaseError as error:
            if self.connection.closed:
                raise
            return error.pgcode


class Estates:
    """Makes such databases on a cluster: one of each kind from nothing, and copies of them."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.made, self.copies = [], 0
        cluster.sql("".join(f"CREATE ROLE {role} LOGIN;" for role in ROLES.split(", ")))

    def new(self, name, template="template1"):
        self.cluster.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy; GRANT CREATE ON DATABASE {name} TO mallory")
        self.made.append(Database(self.cluster, name, "mallory"))
        return self.made[-1]

    def bare(self, name):
        """With all that is the DBA's and mallory's, but for Raceway."""
        database = self.new(name)
        database.sql(dated((HERE / "dba.sql").read_text()), "postgres")
        database.sql((HERE / "mallory.sql").read_text() + (HERE / "overloads.sql").read_text())
        return database

    def furnished(self, edition, layout):
        database = self.bare(f"hostile_{edition}_{layout}")
        # The schema evil holds clones of what the routines use, so they are made when those are there.
        database.sql(f"BEGIN; {install_sql(edition)} {dated(fill(layout))} COMMIT; {CLONES}")
        return database

    @contextmanager
    def copy(self, database, sql=""):
        """Another one that is as this one is, and in which mallory has run `sql`."""
        self.copies += 1
        made = self.new(f"hostile_{self.copies}", database.name)
        if sql:
            with ListeningSession(made, "mallory") as session:
                session.run(sql)
        yield made
        self.made.remove(made)
        made.drop()

    def remove(self):
        for database in self.made:
            database.drop()
        self.cluster.sql(f"DROP ROLE {ROLES}")


def rows_of(state, table):
    return Counter(json.dumps(row, sort_keys=True) for row in state.get(table, []))


@dataclass
class Look:
    """What a DBA sees at one moment."""

    state: dict
    violated_keys: list
    catalog: set

    def rows(self, table):
        return rows_of(self.state, table)


def look(session, has_catalog=True):
    """Without the catalog it takes a fraction of the time."""
    (state, violated, catalog), = session.run(
        f"SELECT dba.state(), ARRAY(SELECT dba.violated_keys()), {'dba.catalog()' if has_catalog else 'NULL'}")
    return Look(state, violated, set(catalog or ()))


@dataclass
class Reach:
    """What plain SQL of mallory's can do to the DBA's tables, and what her code gains by itself."""

    lost: dict = field(default_factory=lambda: {table: Counter() for table in SERVED})
    come: dict = field(default_factory=lambda: {table: Counter() for table in SERVED})
    gained: set = field(default_factory=set)
    labels: set = field(default_factory=set)

    def add(self, before, after):
        for table in SERVED:
            self.lost[table] |= before.rows(table) - after.rows(table)
            self.come[table] |= after.rows(table) - before.rows(table)


def reach_of_plain_sql(session, before):
    reach = Reach()
    for statement in PLAIN_SQL:
        with session.tried():
            if session.outcome(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE") == "00000":
                reach.add(before, look(session, has_catalog=False))
        for note in session.ear.take():
            reach.gained |= set(note["gained"])
            reach.labels.add(note["label"])
    return reach


def assert_harmless(before, after, reach, what):
    """Nothing is changed that plain SQL could not change, all of it is in the audit, and what holds still holds."""
    assert after.violated_keys == [], what
    assert after.catalog == before.catalog, what
    audit = after.rows("dba.audit") - before.rows("dba.audit")
    assert before.rows("dba.audit") - after.rows("dba.audit") == Counter(), what
    for table in SERVED:
        lost, come = before.rows(table) - after.rows(table), after.rows(table) - before.rows(table)
        assert lost <= reach.lost[table] and come <= reach.come[table], f"{what}: {table} lost {lost}, and has {come}"
    is_traces_audited = "raceway.traces" in before.state and "raceway.traces" in after.state
    for table in (*SERVED, *(["raceway.traces"] if is_traces_audited else [])):
        said = before.rows(table)
        for entry in audit.elements():
            entry = json.loads(entry)
            if entry["of_table"] == table:
                said[json.dumps(entry["old_row"], sort_keys=True)] -= entry["old_row"] is not None
                said[json.dumps(entry["new_row"], sort_keys=True)] += entry["new_row"] is not None
        assert {row: count for row, count in said.items() if count} == dict(after.rows(table)), f"{what}: the audit of {table}"


def assert_ran_as_mallory(notes, reach, what):
    for note in notes:
        assert (note["user"], note["session"], note["superuser"], note["replication"], note["row_security"]) == (
            "mallory", "mallory", "off", "origin", "on"), f"{what}: {note}"
        assert set(note["gained"]) <= reach.gained, f"{what}: {note}"

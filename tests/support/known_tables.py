"""Whether the tables are still known after what an administrator did to them: the allow-list of the ways below the
executor, said once more, by statements instead of by catalogs.

A statement either keeps a table on the list, or it hinders: then all goes by SQL until the opposite statement lifts
it. A partition is a table of its own; so is what a user may do, and what a session has set.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timezone

# Who sends events beside the owner, and who may own the tables; the last one may not use the schema.
WRITER, KEEPER, STRANGER = ROLES = ("layouts_writer", "layouts_keeper", "layouts_stranger")

LIKE = "like"        # what goes along with CREATE TABLE .. (LIKE .. INCLUDING ALL)
DETACH = "detach"    # what stays in a partition that is detached

PARTITIONS = """
    SELECT c.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('raceway.events') AND c.relispartition AND NOT i.inhdetachpending
"""


@dataclass(frozen=True)
class Change:
    """A statement, or several that are run as one, and what follows from it. A hindrance is (place, what): the place is
    a table, `user NAME` or `session`."""

    sql: str
    hinders: tuple = ()
    lifts: tuple = ()
    goes_along: tuple = ()
    compared: bool = True    # whether INSERTs of single events come to the same as those of many
    exact: bool = True       # whether the roll-ups stay exact
    alone: bool = False      # not in a transaction
    fails_by: str = ""       # the SQLSTATE of a failure that leaves something that hinders
    failed: tuple = ()       # that
    meanwhile: tuple = ()    # what hinders while it waits for others
    after: tuple = ()        # what else follows: the name of a method of KnownTables, and its arguments


def micros(text):
    """A bound of a partition as microseconds since 1970; what has no end is infinite."""
    if text in ("MINVALUE", "MAXVALUE"):
        return float("-inf") if text == "MINVALUE" else float("inf")
    at = datetime.fromisoformat(text.strip("'")).replace(tzinfo=timezone.utc)
    return round(at.timestamp()) * 10**6


class KnownTables:
    """What follows from all that was done so far."""

    def __init__(self):
        self.hindrances = {}   # (place, what): goes_along
        self.hindrances[f"user {STRANGER}", "USAGE of the schema"] = ()
        self.owners = {"events": "raceway", "traces": "raceway"}
        self.compared = True
        self.exact = True
        self.is_sure = True    # whether all of this is known

    def copy(self):
        other = KnownTables()
        vars(other).update(vars(self), hindrances=dict(self.hindrances))
        return other

    def note(self, change, error=None):
        """It succeeded, or failed by that SQLSTATE."""
        if error is not None:
            if error == change.fails_by:
                self.hindrances.update(dict.fromkeys(change.failed, change.goes_along))
            return
        if change.after:
            getattr(self, change.after[0])(*change.after[1:])
        for hindrance in change.hinders:
            self.hindrances[hindrance] = change.goes_along
        for hindrance in change.lifts:
            self.hindrances.pop(hindrance, None)
        self.compared &= change.compared
        self.exact &= change.exact

    def hindered(self, *places):
        return sorted(f"{place}: {what}" for place, what in self.hindrances if place in places)

    def replaced(self, table):
        """Another one has its name, made LIKE it, with all privileges for all."""
        self.hindrances = {key: along for key, along in self.hindrances.items() if key[0] != table or LIKE in along}
        for user in {place.removeprefix("user ") for place, _ in self.hindrances if place.startswith("user ")}:
            self.granted(user, table)
        self.owners = {**self.owners, table: "postgres"}

    def owned(self, table, owner, granted=""):
        """He has what the owner before him had; to whom all is granted then, that one has all."""
        if table not in self.owners:
            return
        before, self.owners = self.owners[table], {**self.owners, table: owner}
        for place, what in list(self.hindrances):
            if place == f"user {before}" and what.endswith(f" ON {table}"):
                self.hindrances[f"user {owner}", what] = ()
        self.granted(granted, table)

    def granted(self, user, table):
        self.hindrances = {(place, what): along for (place, what), along in self.hindrances.items()
                           if place != f"user {user}" or not what.endswith(f" ON {table}")}

    def repartitioned(self):
        """What was in the way may be so no more."""
        self.is_sure = not self.hindered("events")

    def detached(self, partition):
        for (place, what), along in list(self.hindrances.items()):
            if place == "events" and DETACH in along:
                self.hindrances[partition, what] = along

    def attached(self, partition):
        for place, what in list(self.hindrances):
            if place == partition and ("events", what) in self.hindrances:
                del self.hindrances[place, what]

    def dropped(self, table):
        """Another one may have its name."""
        self.hindrances = {key: along for key, along in self.hindrances.items() if key[0] != table}

    made_anew = dropped

    def renamed(self, table, name):
        self.hindrances = {(name if place == table else place, what): along
                           for (place, what), along in self.hindrances.items()}

    def in_the_way(self, session, user, times):
        """What makes events of these times go by SQL where that user sends them; [] where they may be written below."""
        # The foreign key is checked in the name of who owns the table that it refers to.
        found = self.hindered("events", "traces", "session") + self._denied(user, "") + [
            what for what in self._denied(self.owners["traces"], "the owner of traces has no ")
            if "ON events" not in what and "INSERT" not in what]
        partitions = session.run(PARTITIONS)
        if found or not partitions:
            return found
        return sorted({reason for time in times for reason in self._in_the_way_of(time, partitions)})

    def _denied(self, user, said):
        return [said + what for what in self.hindered(f"user {user}") if user != "postgres"]

    def _in_the_way_of(self, time, partitions):
        default = None
        for name, bound in partitions:
            if bound == "DEFAULT":
                default = name
                continue
            lower, upper = map(micros, re.fullmatch(r"FOR VALUES FROM \((.+)\) TO \((.+)\)", bound).groups())
            if lower <= time < upper:
                return self.hindered(name)
        return ["no partition takes it"] if default is None else self.hindered(default)

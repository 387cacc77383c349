"""Whether the tables are still known after what an administrator did to them: the allow-list of the ways below the
executor, said once more, by statements instead of by catalogs.

It is certain only where a few words are enough to say so. The ways must agree in any case.
"""

from dataclasses import dataclass

# Who sends events beside the owner, and who may own the tables; the last one may not use the schema.
WRITER, KEEPER, STRANGER = ROLES = ("layouts_writer", "layouts_keeper", "layouts_stranger")


@dataclass(frozen=True)
class Change:
    """A statement, or several that are run as one, and what follows from it. A hindrance is (place, what): the place is
    a table, `user NAME` or `session`."""

    sql: str
    hinders: tuple = ()
    lifts: tuple = ()
    moves: bool = False      # it takes rows or rules elsewhere: what hindered before may do so no more
    compared: bool = True    # whether INSERTs of single events come to the same as those of many
    exact: bool = True       # whether the roll-ups stay exact
    alone: bool = False      # not in a transaction


class Known:
    """What follows from all that was done so far."""

    def __init__(self):
        self._hindrances = set()
        self.is_sure = True
        self.compared = True
        self.exact = True

    def copy(self):
        other = Known()
        vars(other).update(vars(self), _hindrances=set(self._hindrances))
        return other

    def note(self, change, error=None):
        """It succeeded, or failed by that SQLSTATE."""
        if error is not None:
            self.is_sure &= not change.alone   # an index that failed to be built stays, invalid
            return
        self._hindrances -= set(change.lifts)
        self.is_sure &= not (change.moves and self._hindrances)
        self._hindrances |= set(change.hinders)
        self.compared &= change.compared
        self.exact &= change.exact

    def in_the_way(self, user):
        """What makes whatever that user sends go by SQL; [] where it may be written below the executor; None: who knows."""
        certain = {"events", "traces", "session", f"user {user}"} - {"user postgres"}
        found = sorted(f"{place}: {what}" for place, what in self._hindrances if place in certain)
        return found if self.is_sure and (found or not self._hindrances) else None

    def hindered(self, *places):
        return any(place in places for place, _ in self._hindrances)

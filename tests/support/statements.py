"""Random statements of an administrator: a grammar, one Kind a rule, and whether each keeps the tables known.

In the SQL of a Kind stand {t} for a table, {n} for a new name, {c} for a column and {type of c} for the type that it
has, {key} for the columns of the primary key of events, {p} for a partition, {bounds of p} for its bounds, {free} for
bounds that may be free, and [[a|b]] for one of several.
"""

import re
from dataclasses import dataclass

from support.known_tables import DETACH, Change

EVENTS, TRACES, PARTITION = "events", "traces", "partition"

TYPES = {"event_id": 'varchar(255) COLLATE "C"', "trace_id": 'varchar(255) COLLATE "C"', "kind": "varchar(50)",
         "location": "varchar(500)", "duration_ms": "real", "vector_clock": "jsonb", "created_at": "timestamp",
         '"timestamp"': "timestamp", "service_name": "varchar(255)", "event_count": "integer", "start_time": "timestamp"}

FREE_BOUNDS = [f"FOR VALUES FROM ({lower}) TO ({upper})" for lower, upper in (
    ("'2024-04-01'", "'2024-04-02'"), ("'2024-04-01'", "'2024-04-02'"), ("'2024-02-28'", "'2024-02-29'"),
    ("'2024-04-02'", "'2024-04-03'"), ("MINVALUE", "'2024-03-01'"), ("'2024-04-02'", "MAXVALUE"))]


@dataclass(frozen=True)
class Kind:
    """A rule of the grammar. `hinders` is the place that it hinders, empty where it keeps the tables known."""

    sql: str
    undo: str = ""
    on: tuple = (EVENTS, TRACES, PARTITION)
    columns: str = ""
    hinders: str = "{t}"
    what: str = "{n}"           # the name of the hindrance: two statements that one undoes share it
    leaves: str = ""            # what still hinders after `undo`
    mends: str = ""             # the place that is not hindered by `what` any more
    along: tuple = ()
    layouts: tuple = ("plain", "partitioned")
    compared: bool = True
    exact: bool = True
    waits: bool = False         # it hinders, at least, while it waits for others
    fails_by: str = ""          # an error that leaves something that hinders
    adopts: bool = False        # {n} becomes a partition
    after: tuple = ()           # what else follows, see Change
    undo_after: tuple = ()


def keeps(sql, undo="", **options):
    """A rule whose statements keep the tables known."""
    return Kind(sql, undo, hinders="", **options)


class Administrator:
    """Draws one statement after the other. It supposes that each succeeds; one that does not is one more draw."""

    def __init__(self, chance, families, partitions):
        self.chance = chance
        self._families = families
        self._layout = "partitioned" if partitions else "plain"
        self._key = 'event_id, "timestamp"' if partitions else "event_id"
        self._partitions = dict(partitions)   # name: bounds
        self._number = 0
        self._undos = []

    def change(self, without=()):
        """A Change of none of these families."""
        while True:
            if self._undos and self.chance.random() < 0.12:
                return self.chance.choice(self._undos)
            family = self.chance.choice([name for name in self._families if name not in without])
            change = self._draw(self.chance.choice(self._families[family]), family == "alone")
            if change is not None:
                return change

    def _draw(self, kind, is_alone):
        places = [place for place in kind.on if place != PARTITION or self._partitions]
        if self._layout not in kind.layouts or not places or ("{p}" in kind.sql and not self._partitions):
            return None
        self._number += 1
        on = self.chance.choice(places)
        partition = self.chance.choice(sorted(self._partitions)) if self._partitions else ""
        column = self._choose(f"[[{kind.columns}]]")
        words = {"{t}": partition if on == PARTITION else on, "{p}": partition, "{n}": f"x{self._number}",
                 "{key}": self._key, "{bounds of p}": self._partitions.get(partition, ""), "{c}": column,
                 "{type of c}": TYPES.get(column, ""), "{free}": self.chance.choice(FREE_BOUNDS)}
        self._follow(kind, words)
        return self._change(kind, words, is_alone)

    def _follow(self, kind, words):
        """Which partitions there are then."""
        if kind.adopts:
            self._partitions[words["{n}"]] = words["{free}"]
        if kind.after and kind.after[0] in ("detached", "dropped", "renamed"):
            bounds = self._partitions.pop(words["{p}"])
            if kind.after[0] == "renamed":
                self._partitions[words["{n}"]] = bounds

    def _change(self, kind, words, is_alone):
        sql, undo, place, mended, what, left = (fill(self._choose(text), words) for text in (
            kind.sql, kind.undo, kind.hinders, kind.mends, kind.what, kind.leaves))
        hinders = tuple((place, one) for one in what.split(" + ")) if place else ()
        after, undo_after = (tuple(fill(word, words) for word in follows) for follows in (kind.after, kind.undo_after))
        on_table = ((words["{t}"], what),)
        if undo:
            lifts = hinders or (on_table if kind.fails_by else ())
            self._undos.append(Change(
                undo, ((place, left),) if left else (), lifts, (DETACH,), kind.compared, kind.exact, after=undo_after))
        return Change(sql, hinders, ((mended, what),) if mended else (), kind.along, kind.compared, kind.exact, is_alone,
                      kind.fails_by, on_table, on_table if kind.waits else (), after)

    def _choose(self, text):
        return re.sub(r"\[\[(.*?)\]\]", lambda found: self.chance.choice(found[1].split("|")), text, flags=re.DOTALL)


def fill(text, words):
    for word, value in words.items():
        text = text.replace(word, value)
    return text

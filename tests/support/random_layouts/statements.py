"""Draws statements of an administrator, each of a Kind, which says whether it keeps the tables known.

In the SQL of a Kind stand {t} for a table, {n} for a new name, {c} for a column and {type of c} for the type that it
has, {key} for the columns of the primary key of events, {p} for a partition, {bounds of p} for its bounds, {free} for
bounds that may be free, and [[a|b]] for one of several.
"""

import re
from dataclasses import dataclass

from support.random_layouts.known import Change

EVENTS, TRACES, PARTITION = "events", "traces", "partition"
ROWS = (EVENTS, PARTITION)
PLAIN, PARTITIONED = ("plain",), ("partitioned",)

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
    layouts: tuple = ("plain", "partitioned")
    moves: bool = False         # as of a Change, as are the next two
    compared: bool = True
    exact: bool = True


def keeps(sql, undo="", **options):
    """A rule whose statements keep the tables known."""
    return Kind(sql, undo, hinders="", **options)


class Administrator:
    """Draws one statement after the other. Some of them fail."""

    def __init__(self, chance, families, partitions):
        self.chance = chance
        self._families = families
        self._layout = "partitioned" if partitions else "plain"
        self._key = 'event_id, "timestamp"' if partitions else "event_id"
        self._partitions = partitions   # name: bounds
        self._number = 0
        self._undos = []

    def change(self, without=()):
        """A Change of none of these families."""
        while True:
            if self._undos and self.chance.random() < 0.12:
                return self.undo()
            family = self.chance.choice([name for name in self._families if name not in without])
            kind = self.chance.choice(self._families[family])
            if self.can(kind):
                return self.change_of(kind, family == "alone")

    def can(self, kind):
        """Whether there are such statements for the tables as they are laid out."""
        return self._layout in kind.layouts and any(place != PARTITION or self._partitions for place in kind.on) and (
            "{p}" not in kind.sql or bool(self._partitions))

    def change_of(self, kind, is_alone=False):
        places = [place for place in kind.on if place != PARTITION or self._partitions]
        self._number += 1
        on = self.chance.choice(places)
        partition = self.chance.choice(sorted(self._partitions)) if self._partitions else ""
        column = self._choose(f"[[{kind.columns}]]")
        words = {"{t}": partition if on == PARTITION else on, "{p}": partition, "{n}": f"x{self._number}",
                 "{key}": self._key, "{bounds of p}": self._partitions.get(partition, ""), "{c}": column,
                 "{type of c}": TYPES.get(column, ""), "{free}": self.chance.choice(FREE_BOUNDS)}
        return self._change(kind, words, is_alone)

    def undo(self):
        """A Change that undoes one before, if there is such."""
        return self.chance.choice(self._undos) if self._undos else None

    def _change(self, kind, words, is_alone):
        sql, undo, place, what = (fill(self._choose(text), words) for text in (kind.sql, kind.undo, kind.hinders, kind.what))
        hinders = ((place, what),) if place else ()
        if undo:
            self._undos.append(Change(undo, (), hinders, kind.moves, kind.compared, kind.exact))
        return Change(sql, hinders, (), kind.moves, kind.compared, kind.exact, is_alone)

    def _choose(self, text):
        return re.sub(r"\[\[(.*?)\]\]", lambda found: self.chance.choice(found[1].split("|")), text, flags=re.DOTALL)


def fill(text, words):
    for word, value in words.items():
        text = text.replace(word, value)
    return text

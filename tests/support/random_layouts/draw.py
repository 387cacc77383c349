"""Draws a layout of the tables, and a script for it."""

import random

from support.random_layouts.grounds import LAYOUTS, new_deck
from support.random_layouts.known import WRITER
from support.random_layouts.script import Call, Do, Send, Together, WhileChanging, WhileSending
from support.random_layouts.statements import Administrator
from support.random_layouts.table_statements import FAMILIES, NEW_PARTITION, WITHOUT_FOREIGN_KEY

# Of what a transaction may hold, one by one; plain indexes are the matter of faults/test_user_indexes.py, too.
KINDS = list(dict.fromkeys(
    kind for family, kinds in FAMILIES.items() if family not in ("alone", "plain indexes") for kind in kinds))

BEGIN = ["BEGIN", "BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE"]
END = ["COMMIT", "COMMIT", "ROLLBACK"]


class Draw:
    """See above. The same `name` draws the same. `kind` is what the tables must be laid out for."""

    def __init__(self, grounds, name, kind=None):
        self.chance = random.Random(name)
        self._deck, _ = new_deck(self.chance)
        for self.layout in self.chance.sample(list(LAYOUTS), len(LAYOUTS)):
            self._administrator = Administrator(self.chance, FAMILIES, grounds.partitions(self.layout))
            if kind is None or self._administrator.can(kind):
                break
        self.cards = []
        self.script = []

    def call(self):
        hands = [self._deck.hand(self.chance.randint(1, 12)) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        self.cards += [card for hand in hands for card in hand]
        user = self.chance.choice(["raceway", "raceway", "raceway", "postgres", WRITER])
        return Call(hands, [self._deck.body(hand) for hand in hands], user)

    def _change(self, *without):
        return self._administrator.change(without)

    def of_one_kind(self, kind):
        """For one session: a statement of this kind, then of what undoes it."""
        self.script = [Do(self._administrator.change_of(kind)), Send(self.call())]
        if undo := self._administrator.undo():
            self.script += [Do(undo), Send(self.call())]
        return self

    def for_one_session(self):
        for number in range(self.chance.randint(1, 6)):
            if self.chance.random() < 0.3:
                self.script.append(Send(self.call()))
            self.script.append(Do(self._change("alone")))
            if number == 0 and self.chance.random() < 0.7:
                self.script.append(Send(self.call()))
        self.script.append(Send(self.call()))
        return self

    def with_a_partition_meanwhile(self):
        """For two sessions. With the foreign key, who makes a partition already keeps all others from traces."""
        change = self._administrator.change_of
        self.script = [Do(change(WITHOUT_FOREIGN_KEY)), WhileChanging(change(NEW_PARTITION), "COMMIT", self.call()), Send(self.call())]
        return self

    def for_two_sessions(self):
        for _ in range(self.chance.randint(1, 3)):
            steps = [self._one_after_the_other, self._together, self._while_changing, self._while_sending]
            self.script += self.chance.choice(steps)()
        self.script.append(Send(self.call()))
        return self

    def _one_after_the_other(self):
        by_other = self.chance.random() < 0.6
        change = Do(self._change("session") if by_other else self._change(), by_other)
        return [Send(self.call()), change, Send(self.call())]

    def _together(self):
        steps = [Send(self.call()), Do(self._change("alone")), Send(self.call())]
        return [Together(steps[self.chance.randrange(2):], self.chance.choice(BEGIN), self.chance.choice(END))]

    def _while_changing(self):
        return [WhileChanging(self._change("alone", "data", "session"), self.chance.choice(END), self.call())]

    def _while_sending(self):
        # What "not null" has filled in before it waits is not all that there is when it goes on.
        change = self._change("data", "session", "not null") if self.chance.random() < 0.6 else self._administrator.change(
            [family for family in FAMILIES if family != "alone"])
        again = change.alone and "DETACH" not in change.sql
        return [WhileSending(self.call(), change, self.call() if again else None)]

    def told(self):
        return "\n".join([f"on tables laid out {self.layout}:", *(f"  {step}" for step in self.script)])

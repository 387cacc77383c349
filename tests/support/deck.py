"""Random events as the texts that a client sends, each with what the store must make of it.

The events come in both wire formats, with ids that grow, that are random or that are as wide as they may be; with
times that meet, and in whatever zone; small and very large. A Deck remembers what it dealt, so that it can deal it
again, whole or in part, or under another trace, and knows what must be answered: it keeps a plain dictionary of what is
stored.
"""

import base64
import json
import random
import uuid
from dataclasses import dataclass, field, replace
from functools import cache

from support.model import format_instant, instant
from support.spoiled import spoil
from support.traffic import BASE_NANOS, RECORDED, recorded_bodies, sdk_event

KINDS = ["StateChange", "FunctionCall", "HttpRequest", "Error", "Log", "LockAcquire", "k" * 50, "ü" * 50]
WORDS = ["balance", "alice", "", "a\"b\\c", "é\U0001f600", "line\nbreak", "\x01\x7f\u2028", "x" * 120, "$1", "NULL"]


# The columns that must be equal for an event to be a duplicate.
CONTENTS = ("kind", "timestamp", "duration_ms", "location", "vector_clock", "metadata")


@dataclass(frozen=True)
class Card:
    """An event as it is sent. `good` says whether a store can keep it. `contents` stand for its values in CONTENTS; where
    they are None, no other event has any of them."""

    text: str
    event_id: str
    trace_id: str
    good: bool = True
    contents: tuple | None = None

    def differs_from(self, other):
        """The columns in which it does."""
        ours, theirs = (card.contents or (card.text,) * len(CONTENTS) for card in (self, other))
        return [column for column, a, b in zip(CONTENTS, ours, theirs) if a != b]


@dataclass
class Shape:
    """What the events of a deck are like."""

    traces: int = 30          # 0: each event has one of its own
    times: str = "spread"     # spread, one, few, descending
    ids: str = "mixed"        # mixed, growing, random, wide
    large: float = 0.01       # the share of events with metadata of some kB
    huge: float = 0.0         # the share with metadata of more than 100 kB
    spoiled: float = 0.05     # the share that no store can keep
    recorded: float = 0.0     # the share that real SDKs sent


@cache
def recorded_texts():
    """Every recorded event, cut out of its body as it stands there."""
    texts, decode = [], json.JSONDecoder().raw_decode
    for capture in RECORDED:
        for body in recorded_bodies(capture):
            body = body.decode()
            end = body.index("[")
            while body[end] != "]":
                at = body.index("{", end)
                event, end = decode(body, at)
                texts.append(Card(body[at:end], event["id"], event["trace_id"]))
    return texts


@dataclass
class Deck:
    """See above. `name` begins all ids that it makes up, so that decks with different names share nothing but recorded
    events."""

    chance: object
    name: str
    shape: Shape = field(default_factory=Shape)
    standing: dict = field(default_factory=dict)  # event_id: the card that must be stored
    dealt: list = field(default_factory=list)
    _others: dict = field(default_factory=dict)   # (event_id, trace_id): the card that other_trace() makes
    _count: int = 0

    def __post_init__(self):
        # Of its own, so that what else is drawn does not depend on it.
        self._variants = random.Random(str(self.chance.getstate()))

    def card(self):
        """A new event."""
        self._count += 1
        if self.chance.random() < self.shape.recorded:
            return self.chance.choice(recorded_texts())
        in_sdk_form = self.chance.random() < 0.4
        event = self._sdk_event() if in_sdk_form else self._documented_event()
        if self.chance.random() < self.shape.spoiled:
            return Card(spoil(self.chance, event), "", "", False)
        return Card(self._text(event), event["id" if in_sdk_form else "event_id"], event["trace_id"])

    def other_trace(self, card):
        """An event with the id of that one under a trace of another name."""
        trace_id = f"{self.name}-other-{self.chance.randrange(5)}"
        event = {**self._documented_event(), "event_id": card.event_id, "trace_id": trace_id}
        return self._others.setdefault((card.event_id, trace_id), Card(self._text(event), card.event_id, trace_id))

    def again(self, card):
        """The same card, or its event in other words, or with other contents."""
        draw = self._variants.random()
        if not card.good or draw < 0.5:
            return card
        return self.in_other_words(card) if draw < 0.65 else self.with_other_contents(card)

    def in_other_words(self, card):
        """The same event, with its keys in another order and other white space."""
        event = dict(reversed(json.loads(card.text).items()))
        return replace(card, text=json.dumps(event, indent=self._variants.choice([None, 1]), ensure_ascii=False),
                       contents=card.contents or (card.text,) * len(CONTENTS))

    def with_other_contents(self, card):
        """The same event with other values in some columns; each has been used with some other event, too."""
        event, contents = json.loads(card.text), list(card.contents or (card.text,) * len(CONTENTS))
        for column in self._variants.sample(CONTENTS, self._variants.choice([1, 1, 2, 6])):
            number = self._variants.randrange(3)
            if self._change(event, column, number):
                contents[CONTENTS.index(column)] = (number, card.event_id if column == "metadata" else "")
        return replace(card, text=json.dumps(event, ensure_ascii=False), contents=tuple(contents))

    def _change(self, event, column, number):
        """Whether that column, and no other, now has that one of a few values."""
        in_sdk_form = "event_id" not in event
        if column == "timestamp":
            event["timestamp"] = format_instant(self._other_nanos(number) + instant(event["timestamp"]) % 1000)
        elif column == "kind":
            event["kind"] = {f"Changed{number}": next(iter(event["kind"].values()))} if in_sdk_form else f"Changed{number}"
        elif column == "metadata":
            event["changed"] = number
        elif in_sdk_form:
            return False
        elif column == "duration_ms":
            if event.get("duration_ms") not in (None, 0, 1.5) and event["duration_ms"] not in range(77, 80):
                return False   # what a REAL does not keep stands in the metadata
            event["duration_ms"] = 77 + number
        elif column == "location":
            if len(event.get("location") or "") > 500:
                return False   # likewise
            event["location"] = f"elsewhere {number}"
        else:
            event["vector_clock"] = {"changed": number}
        return True

    def _other_nanos(self, number):
        return BASE_NANOS - (number + 1) * 86_400 * 10**9

    def hand(self, size, fresh=0.75):
        """`size` cards: new ones, repeats within the hand, ones that were dealt before, in the same words or others, with
        other contents, and ids under another trace."""
        cards = []
        while len(cards) < size:
            draw = self.chance.random()
            if draw < fresh or not (cards or self.dealt):
                cards.append(self.card())
            elif draw < fresh + (1 - fresh) * 0.4:
                cards.append(self.again(self.chance.choice(cards or self.dealt)))
            elif draw < fresh + (1 - fresh) * 0.85:
                cards.append(self.again(self.chance.choice(self.dealt or cards)))
            else:
                again = self.chance.choice(self.dealt or cards)
                cards.append(self.other_trace(again) if again.good else again)
        if self.chance.random() < 0.5:
            self.chance.shuffle(cards)
        self.dealt += cards
        del self.dealt[:-20_000]
        return cards

    def body(self, cards):
        """The bytes of one body with these events."""
        texts = [card.text for card in cards]
        if len(texts) == 1 and cards[0].good and self.chance.random() < 0.5:
            return texts[0].encode()
        array = "[" + self.chance.choice([",", ", ", "\n,\t"]).join(texts) + "]"
        return (array if self.chance.random() < 0.3 else '{"events":' + array + "}").encode()

    def answer(self, cards):
        """What must be answered to them: (stored, duplicates, {index: the reason, or None for an event that cannot be
        kept}). Remembers what is stored."""
        stored, duplicates, rejected = 0, 0, {}
        for index, card in enumerate(cards):
            if not card.good:
                rejected[index] = None
                continue
            standing = self.standing.get(card.event_id)
            if standing is None:
                self.standing[card.event_id] = card
                stored += 1
            elif standing.trace_id != card.trace_id:
                rejected[index] = f"event_id is already stored under trace {standing.trace_id}"
            elif differing := card.differs_from(standing):
                rejected[index] = "event_id is already stored with other contents: " + ", ".join(differing)
            else:
                duplicates += 1
        return stored, duplicates, rejected

    def forget_traces(self, trace_ids):
        """These traces have been deleted."""
        self.standing = {event_id: card for event_id, card in self.standing.items() if card.trace_id not in trace_ids}

    def _text(self, event):
        return json.dumps(event, ensure_ascii=self.chance.random() < 0.5)

    def _trace(self):
        if self.shape.traces == 0:
            return f"{self.name}-t-{self._count}"
        return f"{self.name}-t-{self.chance.randrange(self.shape.traces)}"

    def _id(self, trace_id):
        form = self.shape.ids if self.shape.ids != "mixed" else self.chance.choice(["growing", "random", "by trace"])
        if form == "growing":
            return f"{self.name}-{self._count:08d}"
        if form == "by trace":
            return f"{trace_id}-{self._count}"
        unique = f"{self.name}-{self._count}-{self.chance.getrandbits(32):08x}"
        if form == "wide":  # as many bytes as an id can have, differing first or last
            padding = self.chance.choice("\U0001f600é") * (255 - len(unique))
            return unique + padding if self.chance.random() < 0.5 else padding + unique
        return f"{self.chance.getrandbits(64):016x}-{unique}"

    def _time(self):
        nanos = {"one": 0, "descending": -1000 * self._count, "few": self.chance.randrange(4) * 10**9}.get(
            self.shape.times, self.chance.randrange(10**12))
        if self.chance.random() < 0.5:
            nanos -= nanos % 1000  # no finer than a microsecond
        zone, seconds = self.chance.choice([("Z", 0), ("+00:00", 0), ("+05:30", 19_800), ("-08:00", -28_800)])
        return format_instant(BASE_NANOS + nanos + seconds * 10**9, zone)

    def _clock(self):
        size = self.chance.choice([0, 1, 1, 2, 5, 40])
        return {self.chance.choice(["a", "bank", "w" * 30]) + str(n): self.chance.choice([0, 1, 7, 2**53, 2**64 - 1])
                for n in range(size)}

    def _blob(self):
        """Text of some kB, or of some 100 kB; some of it compresses well, some not at all."""
        huge = self.chance.random() < self.shape.huge
        if not huge and self.chance.random() >= self.shape.large:
            return None
        size = self.chance.randrange(110_000, 200_000) if huge else self.chance.randrange(2_100, 12_000)
        if self.chance.random() < 0.5:
            return (self.chance.choice(WORDS[1:]) * size)[:size]
        return base64.b64encode(self.chance.randbytes(size)).decode()[:size]

    def _metadata(self):
        metadata = {"service_name": self.chance.choice(["bank", "web", "é" * 300, 5, None]),
                    "variable": self.chance.choice(WORDS), "n": self.chance.choice([0, -0.0, 1.5, 1e-7, 10**30, 123]),
                    self.chance.choice(WORDS): [True, None, {"deep": [[]]}]}
        metadata = {key: value for key, value in metadata.items() if self.chance.random() < 0.8}
        if (blob := self._blob()) is not None:
            metadata["blob"] = blob
        return metadata

    def _documented_event(self):
        trace_id = self._trace()
        event = {"event_id": self._id(trace_id), "trace_id": trace_id, "kind": self.chance.choice(KINDS),
                 "timestamp": self._time()}
        optional = {"duration_ms": lambda: self.chance.choice([0, -0.0, 1.5, 0.1, 1e10, 16777217, None]),
                    "location": lambda: self.chance.choice(["bank.cpp:42", "", "é" * 500, "l" * 700, None]),
                    "vector_clock": self._clock, "metadata": self._metadata,
                    "thread_id": lambda: "unknown to the format"}
        for name, make in optional.items():
            if self.chance.random() < 0.8:
                event[name] = make()
        return event

    def _sdk_event(self):
        trace_id = self._trace()
        event_id = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        event = sdk_event(trace_id, self._count, id=event_id if self.shape.ids != "wide" else self._id(trace_id),
                          timestamp=self._time(), causality_vector=[[name, n] for name, n in self._clock().items()])
        event["kind"] = {self.chance.choice(KINDS): {"variable": self.chance.choice(WORDS), "file": "a.py", "line": 7,
                                                     "new_value": self._metadata()}}
        event["metadata"]["service_name"] = self.chance.choice(["bank", "web"])
        event["metadata"]["duration_ns"] = self.chance.choice([None, 0, 1_500_000, 2**63])
        if self.chance.random() < 0.3:
            event["parent_id"] = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        return event

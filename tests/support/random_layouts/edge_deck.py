"""A deck for tables in partitions, with events of sizes around every limit; and the events that stand before."""

import base64
import json
import random
from datetime import datetime, timedelta, timezone

from support.deck import Card, Deck
from support.model import EPOCH, format_instant

# Two of them have partitions, by whatever length; the others, some of them: see random_layouts.py.
DAYS = ["2024-02-28", "2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"]
DAY = 86_400 * 10**9

# Around what a column takes, what is moved out of the row, what a btree takes, and a page. Each byte of them is the
# matter of faults/test_sizes_at_limits.py.
ID_CHARACTERS = ["x", "é", "€", "\U0001f600"]
SIZES = [1_900, 1_990, 2_032, 2_600, 2_676, 2_677, 2_704, 4_000, 8_160, 9_000]


def nanos_of(day):
    return (datetime.fromisoformat(day).replace(tzinfo=timezone.utc) - EPOCH) // timedelta(seconds=1) * 10**9


def noise(chance, size):
    """Text that cannot be compressed."""
    return base64.b85encode(chance.randbytes(size)).decode()[:size]


class EdgeDeck(Deck):
    """See above. `edges` is the share of events that are as large as may be in one way or another."""

    edges = 0.08

    def _time(self):
        """On one of the days; at its first or last moment, or at one of a few, so that events meet."""
        within = self.chance.choice([0, 0, DAY - 1_000, 3 * 10**12, 3 * 10**12, self.chance.randrange(DAY // 1000) * 1000])
        zone, seconds = self.chance.choice([("Z", 0), ("+05:30", 19_800), ("-08:00", -28_800)])
        return format_instant(nanos_of(self.chance.choice(DAYS)) + within + seconds * 10**9, zone)

    def _other_nanos(self, number):
        return nanos_of(DAYS[1 + number]) + 10**12

    def _documented_event(self):
        event = super()._documented_event()
        if self.chance.random() >= self.edges:
            return event
        edge = self.chance.randrange(5)
        if edge == 0:
            event["event_id"] += self.chance.choice(ID_CHARACTERS) * (255 - len(event["event_id"]))
        elif edge == 1:
            event["trace_id"] += self.chance.choice(ID_CHARACTERS) * (255 - len(event["trace_id"]))
        elif edge == 2:
            event["kind"] = self.chance.choice(ID_CHARACTERS) * 50
        elif edge == 3:
            event["location"] = self.chance.choice(ID_CHARACTERS) * self.chance.choice([499, 500, 501])
        else:
            event["metadata"] = {"blob": noise(self.chance, self.chance.choice(SIZES))}
        return event

    def stand_before(self, count=10):
        """Cards of events that fill every column and differ in all of them, so that the tables take whatever constraint;
        one of them is larger than an entry of an index may be. The deck deals them again."""
        own = random.Random("before")
        cards = []
        for number in range(count):
            event = {"event_id": f"{self.name}-seed-{number}", "trace_id": f"{self.name}-t-{number % 4}", "kind": "Seed",
                     "timestamp": format_instant(nanos_of(DAYS[1 if number % 2 else 2]) + number * 10**9), "duration_ms": number,
                     "location": f"seed {number}", "vector_clock": {"seed": number},
                     "metadata": {"service_name": f"seed {number}", "blob": noise(own, 6_000 if number == 0 else 10)}}
            cards.append(Card(json.dumps(event), event["event_id"], event["trace_id"]))
        self.dealt += cards
        return cards

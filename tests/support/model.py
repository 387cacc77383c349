"""What the store must hold after events were sent: derived from the bodies alone, in plain Python, slowly.

It shares nothing with the server's code: tests compare the server against this.
"""

import json
import re
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$")


def read_json(text):
    """JSON with numbers kept exact: an int, or a Decimal with its scale."""
    return json.loads(text, parse_float=Decimal)


def instant(text):
    """An RFC 3339 time as nanoseconds since 1970."""
    day, clock, fraction, zone = INSTANT.match(text).groups()
    whole = datetime.fromisoformat(f"{day}T{clock}" + ("+00:00" if zone == "Z" else zone))
    return ((whole - EPOCH) // timedelta(seconds=1)) * 10**9 + int((fraction or "0").ljust(9, "0"))


def format_instant(nanos, zone="Z"):
    """Nanoseconds since 1970 as the API writes them: 0, 3, 6 or 9 digits of fraction, the shortest that is exact."""
    seconds, fraction = divmod(nanos, 10**9)
    digits = f"{fraction:09d}"
    shortest = next(n for n in (0, 3, 6, 9) if int(digits[n:] or 0) == 0)
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{digits[:shortest]}" if shortest else "") + zone


def difference(sent, got, place=""):
    """Where two JSON values differ, in words; None where they are equal. True is not 1; 1.0 is 1."""
    numbers = (int, float, Decimal)
    if isinstance(sent, numbers) and isinstance(got, numbers) and bool not in (type(sent), type(got)):
        return None if Fraction(sent) == Fraction(got) else f"{place}: sent {sent!r}, got {got!r}"
    if type(sent) is not type(got):
        return f"{place}: sent {sent!r}, got {got!r}"
    if isinstance(sent, dict):
        if set(sent) != set(got):
            return f"{place}: sent keys {sorted(sent)}, got {sorted(got)}"
        return next((d for key in sent if (d := difference(sent[key], got[key], f"{place}.{key}"))), None)
    if isinstance(sent, list):
        if len(sent) != len(got):
            return f"{place}: sent {len(sent)} elements, got {len(got)}"
        return next((d for i, (a, b) in enumerate(zip(sent, got)) if (d := difference(a, b, f"{place}[{i}]"))), None)
    return None if sent == got else f"{place}: sent {sent!r}, got {got!r}"


def sdk_difference(sent, got):
    """difference() of two SDK events: times as instants, an absent parent_id is null, all else exactly."""
    def plain(event):
        return {"parent_id": None, **event, "timestamp": instant(event["timestamp"])}
    return difference(plain(sent), plain(got), sent["id"])


def real(value):
    """A number as PostgreSQL's REAL keeps it."""
    return struct.unpack("f", struct.pack("f", value))[0]


@dataclass
class Row:
    """An event as it stands in the table."""

    event_id: str
    trace_id: str
    kind: str
    micros: int
    duration_ms: float | None
    location: str | None
    vector_clock: dict | None
    service: str | None


def sdk_row(event):
    """The row of an event in the SDK's form."""
    (kind, fields), = event["kind"].items()
    location = fields.get("location")
    if location is None and "file" in fields:
        location = f"{fields['file']}:{fields['line']}"
    metadata = event["metadata"]
    duration = fields.get("duration_ms")
    if metadata.get("duration_ns") is not None:
        duration = metadata["duration_ns"] / 10**6
    return Row(event["id"], event["trace_id"], kind, instant(event["timestamp"]) // 1000,
               None if duration is None else real(duration), location, dict(event["causality_vector"]),
               metadata.get("service_name"))


def documented_row(event):
    """The row of an event in the documented form."""
    duration = event.get("duration_ms")
    return Row(event["event_id"], event["trace_id"], event["kind"], instant(event["timestamp"]) // 1000,
               None if duration is None else real(duration), event.get("location"), event.get("vector_clock"),
               event.get("metadata", {}).get("service_name"))


@dataclass
class Trace:
    """A trace as its roll-up and its summary must say."""

    trace_id: str
    rows: list = field(default_factory=list)

    @property
    def first(self):
        return min(row.micros for row in self.rows)

    @property
    def last(self):
        return max(row.micros for row in self.rows)

    @property
    def services(self):
        return sorted({row.service for row in self.rows if row.service is not None}, key=str.encode)

    @property
    def service_name(self):
        """Of the earliest event."""
        return min(self.rows, key=lambda row: (row.micros, row.event_id.encode())).service

    def summary(self):
        """As GET /api/traces lists it."""
        return {"trace_id": self.trace_id, "event_count": len(self.rows),
                "first_timestamp": format_instant(self.first * 1000, "+00:00"),
                "last_timestamp": format_instant(self.last * 1000, "+00:00"),
                "service_count": len(self.services), "services": self.services}


def traces_of(rows):
    """{trace_id: Trace} of all rows; of rows with one event_id the first stands."""
    traces, seen = {}, set()
    for row in rows:
        if row.event_id not in seen:
            seen.add(row.event_id)
            traces.setdefault(row.trace_id, Trace(row.trace_id)).rows.append(row)
    return traces


def listed(traces):
    """Traces in the order of the list: newest last_timestamp first, then by id."""
    return sorted(traces, key=lambda trace: (-trace.last, trace.trace_id.encode()))


def clock_order(a, b):
    """before, after, equal or concurrent: by the definition, component by component."""
    names = set(a) | set(b)
    less = any(a.get(name, 0) < b.get(name, 0) for name in names)
    more = any(a.get(name, 0) > b.get(name, 0) for name in names)
    if less and more:
        return "concurrent"
    return "before" if less else "after" if more else "equal"


def order_violations(events):
    """Pairs (earlier, later) of SDK events that stand the wrong way round: a parent after its child, or a clock after
    one that it is before. An event without a clock is ordered by its parent only."""
    place = {event["id"]: i for i, event in enumerate(events)}
    wrong = [(event["parent_id"], event["id"]) for event in events
             if place.get(event["parent_id"], -1) > place[event["id"]]]
    clocks = [(event["id"], dict(event["causality_vector"])) for event in events if event["causality_vector"]]
    for i, (later_id, later) in enumerate(clocks):
        for earlier_id, earlier in clocks[i + 1:]:
            if clock_order(earlier, later) == "before":
                wrong.append((earlier_id, later_id))
    return wrong

"""ShiViz logs as events in the documented form, and a brute-force comparison of all their clocks.

    python3 -m support.shiviz LOG PARSER-REGEX     prints {"events":[...]}, ready for POST /events
    python3 -m support.shiviz                      the same for every log of tests/data/shiviz, one body a line

A parser is a regular expression with JavaScript's named groups: event, host, clock, and others that become metadata.
"""

import json
import re
import sys
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

from support import paths
from support.model import clock_order, format_instant
from support.traffic import BASE_NANOS

LOGS = paths.DATA / "shiviz"
DATE_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S,%f")


def python_regex(javascript):
    """JavaScript's (?<name>...) is Python's (?P<name>...); (?<= and (?<! are the same in both."""
    return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", javascript))


def read_date(text):
    """A log's date, taken for UTC, as nanoseconds since 1970."""
    for form in DATE_FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
    raise ValueError(f"a date in no known format: {text!r}")


def convert(log, text, parser):
    """The events of a log. Text between them may be noise, but no clock: no event is left out in silence."""
    events, at = [], 0
    for match in python_regex(parser).finditer(text):
        _refuse_clocks(log, text[at:match.start()])
        at = match.end()
        fields = {name: value for name, value in match.groupdict().items() if value is not None}
        line = text.count("\n", 0, match.start()) + 1
        nanos = read_date(fields["date"]) if "date" in fields else BASE_NANOS + line * 1_000_000
        events.append({
            "trace_id": log, "event_id": f"{log}:{line}", "kind": "Log", "timestamp": format_instant(nanos),
            "location": fields["host"], "vector_clock": json.loads(fields["clock"]),
            "metadata": {name: value for name, value in fields.items() if name != "clock"},
        })
    _refuse_clocks(log, text[at:])
    return events


def _refuse_clocks(log, noise):
    if "{" in noise:
        raise ValueError(f"{log}: the parser matches no event in {noise.strip()[:80]!r}")


@cache
def manifest():
    """{log file name: parser} of the logs that are here."""
    return {entry["file"]: entry["parser"] for entry in json.loads((LOGS / "manifest.json").read_text())}


@cache
def log_events(name):
    """The events of one of the logs that are here."""
    return tuple(convert(name, (LOGS / name).read_text(), manifest()[name]))


def all_pairs(events):
    """One letter for every ordered pair of events, sorted by event_id: b(efore), a(fter), e(qual), c(oncurrent)."""
    clocks = [event["vector_clock"] for event in sorted(events, key=lambda event: event["event_id"].encode())]
    return "".join(clock_order(a, b)[0] for a in clocks for b in clocks)


def main():
    if len(sys.argv) == 1:
        for name in manifest():
            print(json.dumps({"events": log_events(name)}))
    elif len(sys.argv) == 3:
        log = Path(sys.argv[1])
        print(json.dumps({"events": convert(log.name, log.read_text(), sys.argv[2])}))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

"""What ShiViz takes: the rules of its file loader, its log parser and its model graph, from their behaviour.

    python3 -m support.shiviz_rules LOG     says whether ShiViz would take the file, and why not

A file's first line is the expression of an event and the second, unless blank, that of the line between executions;
both are put between "^" and "$". They are JavaScript's, with the flags g and m and no others. Of an execution
- there is only one of its name, and the expression finds an event in it;
- every clock is a JSON object of numbers that has its event's host; zeros count as absent;
- the events of a host, sorted by the host's own number, have 1, 2, 3, ... in it;
- every other host in a clock has events, as many as its number there at least.
Names are looked up in plain objects, so what every object inherits counts as there already.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ENDS = r"\n\r\u2028\u2029"
BLANKS = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
INHERITED = {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
             "valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"}


class Refused(Exception):
    """ShiViz would not show it."""


@dataclass
class Shown:
    """An event as ShiViz has it."""

    host: str
    text: str
    clock: dict
    fields: dict

    @property
    def own(self):
        return self.clock.get(self.host, 0)


def python_expression(javascript):
    """The same expression for Python, outside of character classes also in what "." and "\\S" and "^" and "$" mean."""
    meanings = {".": f"[^{ENDS}]", "^": f"(?:(?<=[{ENDS}])|\\A)", "$": f"(?=[{ENDS}]|\\Z)",
                r"\S": f"[^{BLANKS}]", r"\s": f"[{BLANKS}]", "(?<": "(?P<"}
    out, in_class = "", False
    for token in re.findall(r"\\.|\(\?<(?![=!])|.", javascript, re.S):
        out += token if in_class else meanings.get(token, token)
        in_class = token == "[" or (in_class and token != "]")
    return re.compile(out)


def read_file(text):
    """{label: [Shown]} of a file's text, or Refused."""
    lines = text.split("\n")
    if len(lines) < 2:
        raise Refused("there is no second line")
    log = "\n".join(lines[2:]).strip()
    events = python_expression("^" + lines[0] + "$")
    if not {"event", "host", "clock"} <= set(events.groupindex):
        raise Refused("the expression lacks a group")
    pieces, labels = [log], [""]
    if lines[1].strip():
        delimiter = python_expression("^" + lines[1].strip() + "$")
        matches = list(delimiter.finditer(log))
        places = [0, *[place for match in matches for place in match.span()], len(log)]
        pieces = [log[a:b] for a, b in zip(places[::2], places[1::2])]
        labels = ["", *[match["trace"] for match in matches]]
    executions = {}
    for label, piece in zip(labels, pieces):
        if lines[1].strip() and not piece.strip():
            continue
        if label in executions or label in INHERITED:
            raise Refused(f"there are several executions called {label!r}")
        executions[label] = [read_event(match) for match in events.finditer(piece)]
        if not executions[label]:
            raise Refused(f"no events in the execution {label!r}")
        check_graph(executions[label])
    return executions


def read_event(match):
    fields = match.groupdict()
    host, written = fields["host"], fields["clock"]
    try:
        clock = json.loads(written)
    except ValueError:
        try:
            clock = json.loads(written.replace('\\"', '"'))
        except ValueError as error:
            raise Refused(f"the clock {written!r} is no JSON: {error}") from error
    if "hasOwnProperty" in clock or host not in clock:
        raise Refused(f"the host {host!r} is missing from {written}")
    return Shown(host, fields["event"], {name: float(value) for name, value in clock.items() if value != 0}, fields)


def check_graph(events):
    by_host = {}
    for event in events:
        if event.host in INHERITED:
            raise Refused(f"the host {event.host!r} is what every object has")
        by_host.setdefault(event.host, []).append(event)
    for host, its in by_host.items():
        numbers = sorted(event.own for event in its)
        if numbers != list(range(1, len(its) + 1)):
            raise Refused(f"the events of {host!r} have the numbers {numbers[:20]}")
    for event in events:
        for other, number in event.clock.items():
            if other not in by_host:
                raise Refused(f"{other!r} in the clock of {event.text!r} has no events")
            if not 1 <= number <= len(by_host[other]) or number != int(number):
                raise Refused(f"{number} of {other!r} in the clock of {event.text!r}: it has {len(by_host[other])}")


def main():
    try:
        executions = read_file(Path(sys.argv[1]).read_bytes().decode())
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    print(f"{len(executions)} executions, {sum(map(len, executions.values()))} events")


if __name__ == "__main__":
    main()

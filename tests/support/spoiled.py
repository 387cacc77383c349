"""Events that no store can keep, each for another reason."""

import json


def _with(**changes):
    return lambda event: {**event, **changes}


def _without(*names):
    return lambda event: {key: value for key, value in event.items() if key not in names}


def _id(value):
    return lambda event: {**event, ("event_id" if "event_id" in event else "id"): value}


def _clock(value):
    """A bad counter, in whichever form the event has."""
    return lambda event: {**event, **({"vector_clock": {"alice": value}} if "event_id" in event
                                      else {"causality_vector": [["alice", value]]})}


def _in_metadata(value):
    return lambda event: {**event, "metadata": {"x": value}}


def _nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


OF_EITHER_FORM = [
    lambda event: 7, lambda event: None, lambda event: "text", lambda event: [], lambda event: {},
    _without("event_id", "id"), _without("trace_id"), _without("kind"), _without("timestamp"),
    _id(5), _id(""), _id("é" * 256), _id(None), _id("nul\0"), _id("half \ud800"), _with(trace_id="t" * 256),
    _with(trace_id=["t"]), _with(trace_id="nul\0"), _with(kind="k" * 51), _with(kind=["Log"]), _with(kind=""),
    *(_with(timestamp=time) for time in (
        "2026-01-01T00:00:00", "yesterday", 1790000000, "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z", "+294277-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-01-01T00:00:00\0Z")),
    _with(metadata=[]), _in_metadata("a\0b"), _in_metadata({"a\0b": 1}), _in_metadata("\udc00"),
    _in_metadata(_nested(200)), _in_metadata(10**2000),
    _clock(-1), _clock(1.5), _clock("1"), _clock(2**64), _clock({"a": 1}),
]
OF_THE_DOCUMENTED_FORM = [_with(duration_ms="1"), _with(duration_ms=1e39), _with(location={}), _with(vector_clock="a")]
OF_THE_SDKS = [_with(kind={"A": {}, "B": {}}), _with(kind={}), _with(causality_vector=[["a", 1, 2]]),
               _with(lock_set="l"), _with(parent_id=7)]


def spoil(chance, event):
    """The text of the event with something in it that cannot be kept."""
    special = OF_THE_DOCUMENTED_FORM if "event_id" in event else OF_THE_SDKS
    # ASCII only: half a surrogate pair cannot be written in UTF-8, but it can be spelled.
    return json.dumps(chance.choice([*OF_EITHER_FORM, *special])(event))

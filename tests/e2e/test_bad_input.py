"""Bad input: each has its clear answer, spares its neighbours, and leaves nothing half stored."""

import gzip
import json
import time

import pytest

from support.client import raw_exchange, raw_post
from support.store import Store, posted
from support.traffic import documented_event, sdk_event

GOOD = json.dumps(documented_event("good", "t")).encode()


@pytest.fixture(scope="module")
def shared_store(backend, cluster):
    """One store for all bad input of this file: nothing bad may leave a trace in it."""
    with Store(backend, cluster, "bad-input") as store:
        yield store


def changed(**changes):
    """A documented event named "bad" with some fields changed, as text."""
    return json.dumps({**documented_event("bad", "t-bad"), **changes}).encode()


def changed_sdk(**changes):
    return json.dumps({**sdk_event("6d0e1f5e-1111-4222-8333-9444555566aa"), "id": "bad", **changes}).encode()


def without(field):
    event = documented_event("bad", "t-bad")
    del event[field]
    return json.dumps(event).encode()


def with_counter(text):
    return changed(vector_clock={"alice": 0}).replace(b'{"alice": 0}', b'{"alice": %s}' % text)


def with_metadata(text):
    return changed(metadata={"x": 0}).replace(b'"x": 0', b'"x": ' + text)


# name: (the event's text, what the reason must contain)
BAD_EVENTS = {
    "no object": (b"7", "object"),
    "null": (b"null", "object"),
    "an empty object": (b"{}", "id"),
    "no event_id and no id": (without("event_id"), "id"),
    "no trace_id": (without("trace_id"), "trace_id"),
    "no kind": (without("kind"), "kind"),
    "no timestamp": (without("timestamp"), "timestamp"),
    "an id that is a number": (changed(event_id=5), "event_id"),
    "an empty id": (changed(event_id=""), "event_id"),
    "an id of 300 characters": (changed(event_id="é" * 300), "300"),
    "a trace_id of 300 characters": (changed(trace_id="t" * 300), "300"),
    "a kind of 51 characters": (changed(kind="k" * 51), "kind"),
    "a kind that is a list": (changed(kind=["StateChange"]), "kind"),
    "an SDK kind of two variants": (changed_sdk(kind={"A": {}, "B": {}}), "kind"),
    "an SDK kind of no variant": (changed_sdk(kind={}), "kind"),
    "a duration that is text": (changed(duration_ms="1"), "duration_ms"),
    "a duration beyond a float": (changed(duration_ms=0).replace(b'"duration_ms": 0', b'"duration_ms": 1e39'), "duration_ms"),
    "a location that is an object": (changed(location={}), "location"),
    "metadata that is a list": (changed(metadata=[]), "metadata"),
    "a clock that is text": (changed(vector_clock="alice"), "vector_clock"),
    "a negative counter": (with_counter(b"-1"), '"alice"'),
    "a fraction for a counter": (with_counter(b"1.5"), '"alice"'),
    "text for a counter": (with_counter(b'"1"'), '"alice"'),
    "a nested counter": (with_counter(b'{"a": 1}'), '"alice"'),
    "a counter of 2^64": (with_counter(b"18446744073709551616"), "18446744073709551616"),
    "a counter of 10^999": (with_counter(b"1e999"), '"alice"'),
    "a pair of three": (changed_sdk(causality_vector=[["alice", 1, 2]]), "causality_vector"),
    "a pair without a name": (changed_sdk(causality_vector=[[1, 1]]), "causality_vector"),
    "a lock_set that is text": (changed_sdk(lock_set="l1"), "lock_set"),
    "a parent_id that is a number": (changed_sdk(parent_id=7), "parent_id"),
    "a NUL in a string": (with_metadata(rb'"a\u0000b"'), r"\u0000"),
    "a NUL in a key": (with_metadata(rb'{"a\u0000b": 1}'), r"\u0000"),
    "a NUL in the id": (changed().replace(b'"bad"', rb'"b\u0000ad"'), r"\u0000"),
    "half a surrogate pair": (with_metadata(rb'"\ud800"'), "surrogate"),
    "the other half": (with_metadata(rb'"x\udc00"'), "surrogate"),
    "nesting of 10^6": (with_metadata(b"[" * 10**6 + b"]" * 10**6), "nest"),
    "nested objects of 10^5": (with_metadata(b'{"a":' * 10**5 + b"1" + b"}" * 10**5), "nest"),
    "a number of 200,000 digits": (with_metadata(b"1" * 200_000), "digits"),
    "a number of 10^999999999": (with_metadata(b"1e999999999"), "digits"),
    "a time without a zone": (changed(timestamp="2026-01-01T00:00:00"), "zone"),
    "a time in words": (changed(timestamp="yesterday"), "timestamp"),
    "a time that is a number": (changed(timestamp=1790000000), "timestamp"),
    "a thirteenth month": (changed(timestamp="2026-13-01T00:00:00Z"), "timestamp"),
    "a 30th of February": (changed(timestamp="2026-02-30T00:00:00Z"), "timestamp"),
    "an hour 25": (changed(timestamp="2026-01-01T25:00:00Z"), "timestamp"),
    "the year 294277": (changed(timestamp="+294277-01-01T00:00:00Z"), "range"),
    "the year 294277 without a sign": (changed(timestamp="294277-01-01T00:00:00Z"), "range"),
    "a zone that leads beyond the last year": (changed(timestamp="294276-12-31T23:59:59-01:00"), "range"),
    "a zone that leads before the year 0": (changed(timestamp="0000-01-01T00:00:00+01:00"), "range"),
    "a negative year": (changed(timestamp="-0001-01-01T00:00:00Z"), "timestamp"),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_is_named_and_its_neighbours_are_kept(shared_store, name):
    text, reason = BAD_EVENTS[name]
    first, last = (json.dumps(documented_event(f"{name} {place}", f"near {name}")).encode() for place in ("a", "z"))
    before = shared_store.counts()
    answer = shared_store.post(b"[" + first + b"," + text + b"," + last + b"]")
    assert (answer["stored"], answer["duplicates"], answer["data"]) == (2, 0, posted(2, rejected=1))
    (rejected,) = answer["rejected"]
    assert set(rejected) == {"index", "id", "reason"} and rejected["index"] == 1
    assert reason in rejected["reason"] and len(rejected["reason"]) < 500
    if b'"bad"' in text:
        assert rejected["id"] == "bad"
    assert shared_store.counts() == (before[0] + 2, before[1] + 1)


@pytest.mark.parametrize("year", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
                                  "294276-12-31T23:59:59.999999Z"])
def test_the_years_0_to_294276_are_kept(shared_store, year):
    assert shared_store.post(documented_event(f"in {year}", year, timestamp=year))["stored"] == 1
    (got,) = shared_store.trace(year)["events"]
    assert got["timestamp"].lstrip("+") == year
    assert year in [t["first_timestamp"].lstrip("+").replace("+00:00", "Z")
                    for t in shared_store.get("/api/traces")["traces"]]


# name: (the body, what the error must contain)
BAD_BODIES = {
    "nothing": (b"", "JSON"),
    "blanks": (b"  \n", "JSON"),
    "no JSON": (b"hello", "JSON"),
    "an open brace": (b'{"events":[', "JSON"),
    "a comma too many": (b'{"events":[' + GOOD + b",]}", "JSON"),
    "something behind it": (b"[" + GOOD + b"] []", "JSON"),
    "single quotes": (b"{'events': []}", "JSON"),
    "broken in its last event": (b"[" + GOOD + b',{"event_id": nul}]', "JSON"),
    "broken in its last character": (b"[" + GOOD + b"}", "JSON"),
    "a number no JSON knows": (b"[" + GOOD.replace(b"1.5", b"01.5") + b"]", "JSON"),
    "a bare NaN": (b"[" + GOOD.replace(b"1.5", b"NaN") + b"]", "JSON"),
    "a bad escape": (b"[" + GOOD.replace(b"balance", rb"\x") + b"]", "JSON"),
    "a control character": (b"[" + GOOD.replace(b"balance", b"a\nb") + b"]", "JSON"),
    "a NUL byte": (b"[" + GOOD.replace(b"balance", b"a\x00b") + b"]", "JSON"),
    "invalid UTF-8": (b"[" + GOOD.replace(b"balance", b"\xff\xfe") + b"]", "UTF-8"),
    "a surrogate in UTF-8": (b"[" + GOOD.replace(b"balance", b"\xed\xa0\x80") + b"]", "UTF-8"),
    "overlong UTF-8": (b"[" + GOOD.replace(b"balance", b"\xc0\x80") + b"]", "UTF-8"),
    "10^6 open brackets": (b"[" * 10**6, "JSON"),
    "an array of nothing": (b"[]", "no event"),
    "events of nothing": (b'{"events":[]}', "no event"),
    "an object without events": (b'{"traces":[]}', "no event"),
    "events that are no array": (b'{"events":7}', "no event"),
    "a number": (b"7", "no event"),
    "text": (b'"events"', "no event"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_a_400_that_says_why_and_stores_nothing(shared_store, name):
    body, reason = BAD_BODIES[name]
    before = shared_store.counts()
    error = shared_store.client.post(body).refused(400)
    assert reason in error and len(error) < 500
    assert shared_store.counts() == before


def test_where_the_json_breaks_is_said(shared_store):
    assert "byte 12" in shared_store.client.post(b'{"events":[ x]}').refused(400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_wrong_content_type_is_a_415(shared_store, content_type):
    before = shared_store.counts()
    assert "application/json" in shared_store.client.post(GOOD, content_type=content_type).refused(415)
    assert shared_store.counts() == before


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_types_are_read_as_http_wants(shared_store, content_type):
    event = documented_event(f"as {content_type}", "typed")
    assert shared_store.post(event, content_type=content_type)["stored"] == 1


def test_a_truncated_body_stores_nothing(shared_store):
    before = shared_store.counts()
    body = json.dumps([documented_event(f"cut {n}", "cut") for n in range(20)]).encode()
    for sent in (1, len(body) // 2, len(body) - 1):
        raw_exchange(shared_store.server.port, raw_post(body[:sent], length=len(body)), half_close=True, timeout=10)
    assert shared_store.counts() == before
    assert shared_store.post(body)["stored"] == 20


def test_a_body_that_comes_in_small_pieces_is_kept(shared_store):
    body = json.dumps([documented_event(f"piece {n}", "pieces") for n in range(3)]).encode()
    whole = raw_post(body)
    answer = raw_exchange(shared_store.server.port, *(whole[at:at + 50] for at in range(0, len(whole), 50)))
    assert answer.startswith(b"HTTP/1.1 200") and b'"stored":3' in answer


def test_a_chunked_body_is_kept(shared_store):
    body = json.dumps([documented_event(f"chunk {n}", "chunks") for n in range(3)]).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 99]), body[at:at + 99]) for at in range(0, len(body), 99))
    answer = raw_exchange(shared_store.server.port,
                          b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                          b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200") and b'"stored":3' in answer


def test_what_is_not_http_does_no_harm(shared_store):
    for nonsense in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"\r\n\r\n\r\n", b"POST /events\r\n\r\n",
                     b"POST /events HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                     b"POST /events HTTP/1.1\r\nContent-Length: five\r\n\r\nabcde",
                     b"GET /health HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"):
        raw_exchange(shared_store.server.port, nonsense, half_close=True, timeout=5)
    shared_store.client.get("/health").ok()


def test_an_oversized_body_is_a_413_and_stores_nothing(open_store, backend):
    store = open_store(backend, {"server": {"max_body_bytes": 100_000}})
    large = json.dumps([documented_event(f"e{n}", "t", metadata={"x": "y" * 900}) for n in range(200)]).encode()
    assert "100000" in store.client.post(large).refused(413).replace(",", "").replace(" ", "")
    assert store.counts() == (0, 0)
    assert store.post(GOOD)["stored"] == 1


def test_the_limit_holds_for_what_a_body_unpacks_to(open_store, backend):
    store = open_store(backend, {"server": {"max_body_bytes": 100_000}})
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + GOOD + b"]")
    assert len(bomb) < 100_000
    before = store.server.resident_bytes()
    store.client.post(bomb, headers={"Content-Encoding": "gzip"}).refused(413)
    assert store.server.resident_bytes() - before < 20_000_000
    assert store.counts() == (0, 0)


def test_an_oversized_chunked_body_is_a_413(open_store, backend):
    store = open_store(backend, {"server": {"max_body_bytes": 100_000}})
    chunk = b"%x\r\n%s\r\n" % (50_000, b" " * 50_000)
    answer = raw_exchange(store.server.port,
                          b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                          b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * 3, b"0\r\n\r\n")
    assert b" 413 " in answer.split(b"\r\n")[0]
    assert store.counts() == (0, 0)


def test_gzip_bodies_are_unpacked(shared_store):
    events = [documented_event(f"packed {n}", "packed") for n in range(50)]
    answer = shared_store.client.post_gzip(json.dumps(events).encode()).ok().json
    assert answer["stored"] == 50


def test_what_says_it_is_gzip_and_is_not_is_a_400(shared_store):
    before = shared_store.counts()
    gzipped = {"Content-Encoding": "gzip"}
    assert "Content-Encoding" in shared_store.client.post(GOOD, headers=gzipped).refused(400)
    half = gzip.compress(GOOD)[:-12]
    assert "Content-Encoding" in shared_store.client.post(half, headers=gzipped).refused(400)
    assert shared_store.counts() == before


def test_an_unknown_content_encoding_is_a_415(shared_store):
    before = shared_store.counts()
    assert "zstd" in shared_store.client.post(GOOD, headers={"Content-Encoding": "zstd"}).refused(415)
    assert shared_store.counts() == before


def test_a_slow_sender_is_cut_off_and_delays_nobody(open_store, backend):
    store = open_store(backend, {"server": {"read_timeout_seconds": 1, "request_timeout_seconds": 3}})
    began = time.monotonic()
    answer = raw_exchange(store.server.port, raw_post(GOOD[:20], length=len(GOOD)))
    assert 0.5 < time.monotonic() - began < 10
    assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0] or b" 400 " in answer.split(b"\r\n")[0]
    assert store.counts() == (0, 0)

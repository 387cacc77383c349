"""What ingest takes of a backend, whatever is sent: bodies up to a size, memory in proportion to them, and time only
until somebody wants it to end."""

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from support.editions import create_database
from support.server import RacewayServer
from support.sessions import CANCELLED, DatabaseError, Session
from support.store import Store
from support.wait import wait_until
from support.ways import WAYS, counts, events_of, ingest

MB = 1 << 20
LIMIT_EXCEEDED = "54000"
INVALID_JSON = "22032"
DEFAULT = 64 * MB

EVENT = '{"event_id":"e%s","trace_id":"t","kind":"k","timestamp":"2024-01-01T00:00:00Z"'
METADATA = EVENT % 1 + ',"metadata":{'

# Bodies of which nothing can be stored: what stands before, what is repeated, and what stands behind.
REJECTED = {
    "numbers": (METADATA + '"a":[1', ",1", ']},"b":"\\u0000"}'),
    "numbers that are too many": (METADATA + '"a":[1', ",1", "]}}"),
    "numbers of two digits, and no trace": ('{"event_id":"e","kind":"k","metadata":{"a":[1', ",12", "]}}"),
    "numbers with exponents": (METADATA + '"a":[1', ",1e999", "]}}"),
    "numbers instead of events": ("[1", ",1", "]"),
    "empty events": ('{"events":[{}', ",{}", "]}"),
    "events with an id only": ('[{"id":"x"}', ',{"id":"x"}', "]"),
    "empty strings": (METADATA + '"a":[""', ',""', ']},"b":"\\u0000"}'),
    "small arrays": (METADATA + '"a":[1', ",[1]", ']},"b":"\\u0000"}'),
    "a nest": (METADATA + '"a":', "[", ""),
    "equal keys": (METADATA + '"a":1', ',"":1', '},"b":"\\u0000"}'),
    "a string": (METADATA + '"a":"', "x", '"},"b":"\\u0000"}'),
    "a string of escapes": (METADATA + '"a":"', "\\n", '"},"b":"\\u0000"}'),
    "a string that is not ASCII": (METADATA + '"a":"', "é", '"},"b":"\\u0000"}'),
    "a key": (METADATA + '"', "x", '":1},"b":"\\u0000"}'),
    "an id": ('{"id":"', "x", '"}'),
    "a clock": (EVENT % 1 + ',"vector_clock":[["",1]', ',["",1]', '],"b":"\\u0000"}'),
    "no JSON": (METADATA + '"a":[1', ",1", ""),
}

# And some that are, as far as the time allows.
STORED = {
    "small events": ("[" + EVENT % 0 + "}", "," + EVENT % 0 + "}", "]"),
    "a large string": (METADATA + '"a":"', "x", '"}}'),
    "numbers of three digits": (METADATA + '"a":[1', ",123", "]}}"),
}


def put_body(session, begin, piece, end, size=24 * MB):
    """Into the table bodies, uncompressed: its size."""
    session.run("TRUNCATE bodies")
    session.run("INSERT INTO bodies SELECT convert_to(%s || repeat(%s, %s) || %s, 'UTF8')", begin, piece,
                size // len(piece.encode()), end)
    return session.value("SELECT octet_length(body) FROM bodies")


@pytest.fixture(scope="module")
def database(cluster):
    created = cluster.create_database(migrated=True)
    created.sql("CREATE TABLE raceway.bodies (body bytea); ALTER TABLE raceway.bodies ALTER body SET STORAGE EXTERNAL")
    created.sql("""CREATE FUNCTION raceway.reading_bytes() RETURNS bigint LANGUAGE sql SECURITY DEFINER
                   RETURN (SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts
                           WHERE name = 'raceway reading')""", "postgres")
    yield created
    created.drop()


@pytest.fixture
def session(database):
    with Session(database) as opened:
        opened.run("TRUNCATE traces, events")
        yield opened


def failure(session, query, *arguments):
    with pytest.raises(DatabaseError) as caught:
        session.run(query, *arguments)
    return caught.value


def event_of(size):
    """An event in so many bytes."""
    event = (METADATA + '"a":"').encode()
    return event + b"x" * (size - len(event) - 3) + b'"}}'


# The limit

def test_the_default_is_what_a_server_sends(session):
    session.run("SELECT vclock_size('{}')")
    assert session.value("SHOW raceway.max_body_bytes") == "64MB"


@pytest.mark.parametrize("call", ["ingest(%s::bytea)", "ingest(ARRAY[%s::bytea])", "ingest(convert_from(%s, 'UTF8')::jsonb)"])
def test_a_body_may_have_so_many_bytes_and_not_one_more(database, session, call):
    with Session(database, "postgres") as administrator:
        administrator.run("SET raceway.max_body_bytes = '4kB'")
        # As text a jsonb has a space more behind each comma and colon.
        size = 4096 - (10 if "jsonb" in call else 0)
        assert administrator.value(f"SELECT stored FROM {call}", event_of(size)) == 1
        error = failure(administrator, f"SELECT stored FROM {call}", event_of(size + 1))
        assert error.pgcode == LIMIT_EXCEEDED
        assert "raceway.max_body_bytes allows 4096" in error.diag.message_primary
        assert "superuser" in error.diag.message_hint


def test_of_several_bodies_the_large_one_is_told(database):
    with Session(database, "postgres") as administrator:
        administrator.run("SET raceway.max_body_bytes = 4096")
        error = failure(administrator, "SELECT * FROM ingest(ARRAY[%s::bytea, %s::bytea])", event_of(100), event_of(5000))
        assert (error.pgcode, error.diag.message_detail) == (LIMIT_EXCEEDED, "It is body 2 of 2.")
        assert "has 5000 bytes" in error.diag.message_primary


def test_a_jsonb_is_measured_as_text(database):
    with Session(database, "postgres") as administrator:
        administrator.run("SET raceway.max_body_bytes = '64kB'")
        for value in ("repeat(chr(1), 12000)", "1e100000::numeric", "array_fill(1e1000::numeric, ARRAY[100])"):
            error = failure(administrator, f"SELECT ingest(jsonb_build_object('event_id', 'e', 'x', {value}))")
            assert error.pgcode == LIMIT_EXCEEDED, value


@pytest.mark.parametrize("loaded", [True, False])
def test_a_plain_user_cannot_raise_it(database, loaded):
    with Session(database) as session:
        if loaded:
            session.run("SELECT vclock_size('{}')")
            assert failure(session, "SET raceway.max_body_bytes = '1GB'").pgcode == "42501"
        else:
            session.run("SET raceway.max_body_bytes = '1GB'")  # what nobody knows yet
        put_body(session, METADATA + '"a":"', "x", '"}}', DEFAULT)
        assert failure(session, "SELECT ingest(body) FROM bodies").pgcode == LIMIT_EXCEEDED
        assert session.value("SHOW raceway.max_body_bytes") == "64MB"


def test_an_administrator_sets_it_for_a_database(database):
    name = database.name
    with Session(database, "postgres") as administrator:
        administrator.run(f"ALTER DATABASE {name} SET raceway.max_body_bytes = '2kB'")
        try:
            with Session(database) as session:
                assert failure(session, "SELECT ingest(%s::bytea)", event_of(3000)).pgcode == LIMIT_EXCEEDED
        finally:
            administrator.run(f"ALTER DATABASE {name} RESET raceway.max_body_bytes")


# Memory

def peak_of(session, query, *arguments):
    """The most resident memory of the backend while it runs `query`, beyond what it had before."""
    status = Path(f"/proc/{session.pid}/status")

    def kilobytes(name):
        return int(next(line for line in status.read_text().splitlines() if line.startswith(name)).split()[1])

    Path(f"/proc/{session.pid}/clear_refs").write_text("5")
    before = kilobytes("VmRSS:")
    session.run(query, *arguments)
    return (kilobytes("VmHWM:") - before) * 1024


@pytest.mark.parametrize("name", sorted(REJECTED))
def test_a_rejected_body_takes_memory_in_proportion_to_its_size(session, name):
    size = put_body(session, *REJECTED[name], size=16 * MB)
    session.run("SELECT ingest('[1]'::bytea)")
    peak = peak_of(session, """DO $$ BEGIN PERFORM raceway.ingest(body) FROM raceway.bodies;
                               EXCEPTION WHEN invalid_json_text THEN NULL; END $$""")
    # The body itself stands there, too, and what a backend has at the first time.
    assert peak <= 7 * size + 4 * MB
    assert session.value("SELECT reading_bytes()") <= 2 * MB + 64 * 1024


def test_what_reading_takes_is_seen_by_an_administrator_while_it_reads(cluster, database, session):
    put_body(session, *STORED["numbers of three digits"])
    ended = threading.Event()

    def read_again_and_again():
        while not ended.is_set():
            ended_after(session, "SELECT ingest(body || 'x') FROM bodies")

    reader = threading.Thread(target=read_again_and_again)
    reader.start()
    try:
        with Session(database, "postgres") as administrator:
            def sees_it():
                administrator.run("SELECT pg_log_backend_memory_contexts(%s)", session.pid)
                seen = re.findall(r"raceway reading: (\d+) total", cluster.log_text())
                return any(int(total) > 64 * MB for total in seen)

            wait_until(sees_it, 60, "the memory of reading stands in the log", every=0.02)
    finally:
        ended.set()
        reader.join()
    assert session.value("SELECT reading_bytes()") <= 2 * MB + 64 * 1024


# Time

def ended_after(session, query, *arguments):
    """How long a statement took that may be cancelled, and whether it was."""
    begin = time.monotonic()
    try:
        session.run(query, *arguments)
        return time.monotonic() - begin, False
    except DatabaseError as error:
        if error.pgcode == CANCELLED:
            return time.monotonic() - begin, True
        assert error.pgcode == INVALID_JSON, error
        return time.monotonic() - begin, False


@pytest.mark.parametrize("name", sorted({**REJECTED, **STORED}))
def test_a_statement_timeout_ends_it_whatever_is_in_the_body(session, name):
    put_body(session, *{**REJECTED, **STORED}[name])
    session.run("SET statement_timeout = '100ms'")
    took, _ = ended_after(session, "SELECT ingest(body) FROM bodies")
    assert took < 5


# Rejections

@pytest.mark.parametrize("way", WAYS)
def test_of_many_rejections_the_first_are_told_and_all_are_counted(migrated, way):
    """Whether they are found when the body is read or when it is stored."""
    ingest(migrated, events_of("other", [f"e{n}" for n in range(0, 4000, 2)]), way)
    answer = ingest(migrated, [{}] * 100 + events_of("t", [f"e{n}" for n in range(4000)]), way)
    assert counts(answer) == (2000, 0, 2100)
    assert [entry["index"] for entry in answer["rejected"]] == [*range(100), *range(100, 1900, 2)]
    assert answer["rejected"][999]["reason"] == "event_id is already stored under trace other"
    assert answer["rejected"][999]["id"] == "e1798"


def test_memory_and_the_portable_edition_tell_as_many(cluster, migrated):
    events = [{}] * 700 + events_of("t", ["e"]) + [{"event_id": "x" * 300, "trace_id": "t"}, 7] * 200
    body = json.dumps(events).encode()
    portable = create_database(cluster, "portable")
    told = "SELECT rejected FROM ingest(%s::bytea)"
    with Session(migrated) as one, Session(portable) as other, Store("memory", None, "rejections") as memory, \
            Store("postgres", cluster, "rejections") as postgres:
        expected = one.value(told, psycopg2.Binary(body))
        assert other.value(told, psycopg2.Binary(body)) == expected and len(expected) == 1001
        assert expected[700]["id"] == "x" * 255
        assert expected[1000] == {"index": expected[999]["index"], "id": "", "more": 100,
                                  "reason": "100 more events behind it are rejected"}
        for answer in memory.post(body), postgres.post(body):
            assert answer["stored"] + answer["duplicates"] == 1
            assert (answer["rejected_count"], answer["rejected"]) == (1100, expected[:1000])
    portable.drop()


def test_the_portable_edition_has_a_limit_too(cluster):
    portable = create_database(cluster, "portable")
    with Session(portable) as session:
        error = failure(session, "SELECT ingest(convert_to(repeat(' ', %s), 'UTF8'))", DEFAULT + 1)
        assert error.pgcode == LIMIT_EXCEEDED
    portable.drop()


# The server before it

def set_limit(cluster, database, limit):
    cluster.sql(f"ALTER DATABASE {database.name} SET raceway.max_body_bytes = '{limit}'")


def test_a_server_takes_no_more_than_its_database(cluster, migrated):
    set_limit(cluster, migrated, "16kB")
    with RacewayServer(database=migrated, name="limited") as server, server.client() as client:
        assert "that is the limit" in server.log_text()
        client.post(event_of(16384)).ok()
        client.post(event_of(16385)).refused(413)


def test_a_limit_that_is_lowered_while_servers_run_fails_the_large_body_only(cluster, migrated):
    sections = {"engine": {"writers": 1}}
    with RacewayServer(sections, migrated, name="lowered") as server, ThreadPoolExecutor(8) as senders:
        set_limit(cluster, migrated, "16kB")
        cluster.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{migrated.name}'")

        def send(number):
            body = event_of(20_000) if number % 4 == 0 else json.dumps(events_of("t", [f"e{number}"]))
            with server.client() as client:
                return client.post(body)

        answers = list(senders.map(send, range(40)))
        for number, answer in enumerate(answers):
            if number % 4 == 0:
                assert "raceway.max_body_bytes" in answer.refused(413)
            else:
                assert answer.ok().json["stored"] == 1
